//! Idle stacks give their pages back. Alone in its file, as it measures the
//! memory of the process.

use std::fs;

use skein_continuations::{Fiber, PoolConfig, StackPool};

/// Resident bytes of this process.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn idle_pages_go_back() {
    const N: usize = 2_000;
    let pool = StackPool::new(PoolConfig { keep_warm: 100, ..PoolConfig::default() });
    let start = resident();
    let mut fibers: Vec<_> = (0..N)
        .map(|_| {
            Fiber::<(), (), ()>::new(&pool, |y, ()| {
                let big = std::hint::black_box([1u8; 32 << 10]);
                y.suspend(());
                std::hint::black_box(big);
            })
            .unwrap()
        })
        .collect();
    for fiber in &mut fibers {
        fiber.resume(());
    }
    let parked = resident() - start;
    assert!(parked > N * (32 << 10));
    for fiber in &mut fibers {
        fiber.resume(());
    }
    let idle = resident().saturating_sub(start);
    println!("parked {} MiB, idle {} MiB", parked >> 20, idle >> 20);
    assert!(idle < parked / 10, "{idle} bytes left of {parked}");
    assert_eq!(pool.stats().warm, 100);
    pool.trim(0);
    assert_eq!(pool.stats().warm, 0);
    assert!(resident().saturating_sub(start) < idle);
}
