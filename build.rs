//! How the program is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        // At a place that is known: its tables of functions and names are no pages that each start has to write to.
        println!("cargo::rustc-link-arg-bin=skein=-no-pie");
    }
}
