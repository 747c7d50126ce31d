//! The pool: very many stacks, reuse, guards, address space.

use std::fs;

use skein_continuations::{Corosensei, Exit, Fiber, Hub, PoolConfig, Resumed, StackId, StackPool};

fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

/// Keeps tests that measure the process from running side by side.
static MEASURING: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// A random order of `0..n`, the same on every run.
fn shuffled(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for i in (1..n).rev() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        order.swap(i, (seed % (i as u64 + 1)) as usize);
    }
    order
}

#[test]
fn stacks_are_reused_last_in_first_out() {
    let pool = StackPool::default();
    assert_eq!(pool.stats().mappings, 0, "nothing is reserved before use");
    let first = pool.acquire().unwrap();
    let second = pool.acquire().unwrap();
    let (a, b) = (first.bounds(), second.bounds());
    assert_eq!(a.size(), 256 << 10);
    assert!(b.limit >= a.base || a.limit >= b.base, "they do not overlap");
    drop(first);
    drop(second);
    assert_eq!(pool.stats().warm, 2);
    assert_eq!(pool.acquire().unwrap().bounds(), b);
    assert_eq!(pool.stats().mappings, 1);
}

#[test]
fn a_full_mapping_is_followed_by_another() {
    let pool = StackPool::new(PoolConfig { stack_size: 64 << 10, reserve: 1 << 20, ..PoolConfig::default() });
    let stacks: Vec<_> = (0..40).map(|_| pool.acquire().unwrap()).collect();
    let mut lows: Vec<_> = stacks.iter().map(|stack| stack.bounds().limit).collect();
    lows.sort_unstable();
    lows.dedup();
    assert_eq!(lows.len(), 40);
    assert_eq!(pool.stats().mappings, 3);
    drop(stacks);
    assert_eq!(pool.stats().warm, 40);
}

#[test]
fn too_large_a_reservation_is_halved() {
    let pool = StackPool::new(PoolConfig { reserve: 1 << 50, ..PoolConfig::default() });
    pool.acquire().unwrap();
    assert!(pool.stats().reserved < 1 << 48);
}

#[test]
fn a_leaked_stack_keeps_the_memory() {
    let pool = StackPool::default();
    let mut fiber = Fiber::<usize, usize, ()>::new(&pool, |y, _| {
        let local = 0xfeed_usize;
        y.suspend(&raw const local as usize);
    })
    .unwrap();
    let Resumed::Yielded(address) = fiber.resume(0) else {
        panic!("the fiber suspends itself");
    };
    drop(fiber);
    drop(pool);
    // SAFETY: the fiber's stack was leaked, not unmapped.
    assert_eq!(unsafe { *(address as *const usize) }, 0xfeed);
}

#[test]
fn a_hundred_thousand_parked_stacks() {
    const N: usize = 100_000;
    let _turn = MEASURING.lock().unwrap();
    let pool = StackPool::default();
    let mut fibers: Vec<_> = (0..N)
        .map(|i| {
            Fiber::<usize, usize, usize>::new(&pool, move |y, first| {
                let mut sum = first;
                for _ in 0..3 {
                    sum += y.suspend(sum) + i;
                }
                sum
            })
            .unwrap()
        })
        .collect();
    let before = mappings();
    for &i in &shuffled(N) {
        assert_eq!(fibers[i].resume(i), Resumed::Yielded(i));
    }
    assert_eq!(pool.stats().in_use, N);
    assert!(mappings() <= before + 2, "stacks split no mapping");
    let order = shuffled(N);
    for round in 1..=2 {
        for &i in order.iter().rev() {
            let sum = i * (round + 1) + 10 * round;
            assert_eq!(fibers[i].resume(10), Resumed::Yielded(sum));
        }
    }
    for &i in &order {
        assert_eq!(fibers[i].resume(10), Resumed::Returned(4 * i + 30));
    }
    assert_eq!(pool.stats().in_use, 0);
    assert_eq!(pool.stats().leaked, 0);
    assert_eq!(pool.stats().warm, 1024, "the watermark");
    assert_eq!(pool.stats().cold, N - 1024);
}

#[test]
fn a_hub_switches_among_a_hundred_thousand() {
    const N: usize = 100_000;
    let _turn = MEASURING.lock().unwrap();
    fn entry(hub: &Hub, arg: usize, mut payload: usize) -> Exit {
        // SAFETY: the test's frame keeps the table while the stacks run.
        let next = unsafe { &*(arg as *const Vec<Option<StackId>>) };
        loop {
            let me = hub.current().unwrap().index();
            payload = hub.switch_to(next[me], payload + 1);
            if payload == usize::MAX {
                return Exit { to: None, payload };
            }
        }
    }
    let hub = Hub::<Corosensei>::new(StackPool::default());
    let mut next: Vec<Option<StackId>> = vec![None; N];
    let table = &raw const next as usize;
    let ids: Vec<StackId> = (0..N).map(|_| hub.spawn(entry, table).unwrap()).collect();
    // A single random ring through all stacks and the OS stack.
    let order = shuffled(N);
    for pair in order.windows(2) {
        next[pair[0]] = Some(ids[pair[1]]);
    }
    for round in 1..=3 {
        assert_eq!(hub.switch_to(Some(ids[order[0]]), 0), N, "round {round}");
    }
    for &id in &ids {
        hub.switch_to(Some(id), usize::MAX);
    }
    assert!(hub.is_empty());
}

/// Touches the guard in a child process and looks at how that ends.
#[test]
fn a_guard_faults() {
    let pool = StackPool::default();
    let stack = pool.acquire().unwrap();
    if !pool.stats().guarded {
        println!("this kernel has no lightweight guards");
        return;
    }
    let below = stack.bounds().limit - 8;
    // SAFETY: the child only writes to an address and exits.
    let status = unsafe {
        match libc::fork() {
            0 => {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
                (below as *mut u64).write_volatile(1);
                libc::_exit(0)
            }
            child => {
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                status
            }
        }
    };
    assert!(libc::WIFSIGNALED(status), "the write went through");
    assert_eq!(libc::WTERMSIG(status), libc::SIGSEGV);
}
