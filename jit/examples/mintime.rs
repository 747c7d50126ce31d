use skein_jit::Machine;
fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 * 1e6 + t.tv_nsec as f64 / 1e3
}
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let mut machine = Machine::new().unwrap();
    let (mut total, mut count, mut bytes) = (0.0, 0, 0);
    for part in text.split("jit: trace at ").skip(1) {
        let body = part.split_once('\n').unwrap().1;
        // Until the dump's tree ends.
        let mut lines = Vec::new();
        for l in body.lines() {
            if l.is_empty() {
                break;
            }
            lines.push(l);
        }
        let tree = match skein_jit::text::parse(&(lines.join("\n") + "\n")) {
            Ok((t, _)) => t,
            Err(e) => {
                println!("{e:?}");
                continue;
            }
        };
        let mut best = f64::MAX;
        for _ in 0..std::env::args().nth(2).map_or(40, |n| n.parse().unwrap()) {
            let t = cpu();
            let c = machine.compile(&tree).unwrap();
            best = best.min(cpu() - t);
            bytes = c.bytes;
        }
        println!(
            "{} insts: {best:.0} us, {:.2} us/op, {:.1} bytes/op",
            tree.insts.len(),
            best / tree.insts.len() as f64,
            bytes as f64 / tree.insts.len() as f64
        );
        if std::env::args().nth(3).is_some() {
            machine.set_listing(true);
            let c = machine.compile(&tree).unwrap();
            println!("{}", c.listing.clone().unwrap());
            machine.set_listing(false);
        }
        total += best;
        count += tree.insts.len();
    }
    println!("all: {:.2} us/op", total / count as f64);
}
