//! Reads source texts separated by NUL bytes and prints the error of each, tab-separated.
use std::io::Read;
fn main() {
    let mut all = Vec::new();
    std::io::stdin().read_to_end(&mut all).unwrap();
    for src in all.split(|&b| b == 0) {
        let r = std::panic::catch_unwind(|| {
            skein_compiler::compile(src, "<s>", skein_compiler::Mode::Exec, &Default::default())
        });
        match r {
            Ok(Ok(_)) => println!("ok"),
            Ok(Err(e)) => println!(
                "{:?}\t{}\t{}\t{}\t{}\t{}",
                e.kind,
                e.message.replace('\n', " "),
                e.line,
                e.col,
                e.end_line,
                e.end_col
            ),
            Err(_) => println!("panic"),
        }
    }
}
