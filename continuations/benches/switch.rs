//! What a switch and a stack cost, on each backend and bare.
//!
//! `cargo bench -p skein-continuations [--features generator]`

use std::cell::{Cell, OnceCell};
use std::hint::black_box;
use std::time::Instant;

use corosensei::{Coroutine, CoroutineResult};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skein_continuations::{Backend, Corosensei, Exit, Fiber, Hub, PoolStack, Resumed, StackId, StackPool};

/// One resume and one suspend.
fn switch(c: &mut Criterion) {
    let mut group = c.benchmark_group("resume_suspend");
    group.bench_function("bare corosensei", |b| {
        let pool = StackPool::default();
        let mut bare = Coroutine::<usize, usize, (), PoolStack>::with_stack(pool.acquire().unwrap(), {
            |y, mut value| {
                while value != usize::MAX {
                    value = y.suspend(value);
                }
            }
        });
        b.iter(|| bare.resume(black_box(1)));
        assert!(matches!(bare.resume(usize::MAX), CoroutineResult::Return(())));
    });
    fn fiber<B: Backend>(c: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>) {
        c.bench_function(BenchmarkId::new("fiber", B::NAME), |b| {
            let pool = StackPool::default();
            let mut fiber = Fiber::<usize, usize, (), B>::new(&pool, |y, mut value| {
                while value != usize::MAX {
                    value = y.suspend(value);
                }
            })
            .unwrap();
            b.iter(|| fiber.resume(black_box(1)));
            assert!(matches!(fiber.resume(usize::MAX), Resumed::Returned(())));
        });
    }
    fiber::<Corosensei>(&mut group);
    #[cfg(feature = "generator")]
    fiber::<skein_continuations::Generator>(&mut group);
    group.finish();
}

/// What the stacks of a ring share: who comes after whom, and the hops to go.
#[derive(Default)]
struct Ring {
    next: OnceCell<Vec<StackId>>,
    hops: Cell<usize>,
    end: Cell<bool>,
}

/// Hands control to its neighbour; to the OS stack when the hops are made.
fn ring_member<B: Backend>(hub: &Hub<B>, arg: usize, _: usize) -> Exit {
    // SAFETY: `ring` below keeps the ring while its stacks run.
    let ring = unsafe { &*(arg as *const Ring) };
    let to = ring.next.get().unwrap()[hub.current().unwrap().index()];
    while !ring.end.get() {
        let hops = ring.hops.get();
        if hops == 0 {
            hub.switch_to(None, 0);
        } else {
            ring.hops.set(hops - 1);
            hub.switch_to(Some(to), 0);
        }
    }
    Exit { to: None, payload: 0 }
}

/// Many switches around a ring of `size` stacks, per iteration.
fn ring<B: Backend>(c: &mut Criterion, size: usize) {
    const HOPS: usize = 10_000;
    let mut group = c.benchmark_group("hub_switch");
    group.throughput(Throughput::Elements(HOPS as u64));
    group.bench_function(BenchmarkId::new(B::NAME, size), |b| {
        let hub = Hub::<B>::new(StackPool::default());
        let shared = Ring::default();
        let ids: Vec<_> =
            (0..size).map(|_| hub.spawn(ring_member, &raw const shared as usize).unwrap()).collect();
        shared.next.set((0..size).map(|i| ids[(i + 1) % size]).collect()).unwrap();
        shared.hops.set(size);
        hub.switch_to(Some(ids[0]), 0);
        b.iter(|| {
            shared.hops.set(HOPS);
            hub.switch_to(Some(ids[0]), 0)
        });
        shared.end.set(true);
        for id in ids {
            hub.switch_to(Some(id), 0);
        }
        assert!(hub.is_empty());
    });
    group.finish();
}

fn rings(c: &mut Criterion) {
    for size in [2, 100, 1_000, 10_000] {
        ring::<Corosensei>(c, size);
        #[cfg(feature = "generator")]
        ring::<skein_continuations::Generator>(c, size);
    }
}

/// A stack taken, run to its end without a suspend, and given back.
fn create(c: &mut Criterion) {
    let mut group = c.benchmark_group("create_finish");
    group.bench_function("bare corosensei, pooled stack", |b| {
        let pool = StackPool::default();
        b.iter(|| {
            let stack = pool.acquire().unwrap();
            Coroutine::<usize, usize, usize, PoolStack>::with_stack(stack, |_, value| value)
                .resume(black_box(1))
        });
    });
    fn fiber<B: Backend>(c: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>) {
        c.bench_function(BenchmarkId::new("fiber", B::NAME), |b| {
            let pool = StackPool::default();
            b.iter(|| {
                Fiber::<usize, usize, usize, B>::new(&pool, |_, value| value).unwrap().resume(black_box(1))
            });
        });
        fn entry<B: Backend>(_: &Hub<B>, _: usize, payload: usize) -> Exit {
            Exit { to: None, payload }
        }
        c.bench_function(BenchmarkId::new("hub", B::NAME), |b| {
            let hub = Hub::<B>::new(StackPool::default());
            b.iter(|| {
                let id = hub.spawn(entry, 0).unwrap();
                hub.switch_to(Some(id), black_box(1))
            });
        });
    }
    fiber::<Corosensei>(&mut group);
    #[cfg(feature = "generator")]
    fiber::<skein_continuations::Generator>(&mut group);
    group.finish();
}

/// The best of many short runs of each in turn, which a busy machine disturbs
/// less than it does the means above.
fn ratios(_: &mut Criterion) {
    const SWITCHES: usize = 10_000;
    let pool = StackPool::default();
    let echo = || {
        let stack = pool.acquire().unwrap();
        Coroutine::<usize, usize, (), PoolStack>::with_stack(stack, |y, mut value| {
            while value != usize::MAX {
                value = y.suspend(value);
            }
        })
    };
    let mut bare = [echo(), echo()];
    let mut fiber = Fiber::<usize, usize, ()>::new(&pool, |y, mut value| {
        while value != usize::MAX {
            value = y.suspend(value);
        }
    })
    .unwrap();
    let hub = Hub::<Corosensei>::new(pool.clone());
    let ring = Ring::default();
    let member = || hub.spawn(ring_member, &raw const ring as usize).unwrap();
    let (a, b) = (member(), member());
    ring.next.set(vec![b, a]).unwrap();
    let mut best = [f64::INFINITY; 4];
    let mut time = |row: usize, run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        let each = start.elapsed().as_secs_f64() * 1e9 / SWITCHES as f64;
        best[row] = best[row].min(each);
    };
    for _ in 0..1000 {
        time(0, &mut || {
            for _ in 0..SWITCHES {
                black_box(bare[0].resume(black_box(1)));
            }
        });
        time(1, &mut || {
            for i in 0..SWITCHES {
                black_box(bare[i % 2].resume(black_box(1)));
            }
        });
        time(2, &mut || {
            for _ in 0..SWITCHES {
                black_box(fiber.resume(black_box(1)));
            }
        });
        time(3, &mut || {
            ring.hops.set(SWITCHES);
            hub.switch_to(Some(a), 0);
        });
    }
    ring.end.set(true);
    hub.switch_to(Some(a), 0);
    hub.switch_to(Some(b), 0);
    for bare in &mut bare {
        bare.resume(usize::MAX);
    }
    fiber.resume(usize::MAX);
    let [bare, turns, fiber, hub] = best;
    println!("best of 1000, two stack switches each:");
    println!("  bare corosensei, one stack     {bare:.2} ns");
    println!("  Fiber, one stack               {fiber:.2} ns, {:.2} x", fiber / bare);
    println!("  bare corosensei, two in turn   {turns:.2} ns");
    println!("  Hub::switch_to, two in turn    {hub:.2} ns, {:.2} x", hub / turns);
}

criterion_group!(benches, ratios, switch, rings, create);
criterion_main!(benches);
