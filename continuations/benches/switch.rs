//! What a switch and a stack cost, on each backend and bare.
//!
//! `cargo bench -p skein-continuations [--features generator]`

use std::cell::{Cell, OnceCell};
use std::hint::black_box;

use corosensei::{Coroutine, CoroutineResult};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skein_continuations::{
    Backend, Corosensei, Exit, Fiber, Hub, PoolStack, Resumed, StackId, StackPool,
};

/// One resume and one suspend.
fn switch(c: &mut Criterion) {
    let mut group = c.benchmark_group("resume_suspend");
    group.bench_function("bare corosensei", |b| {
        let pool = StackPool::default();
        let mut bare =
            Coroutine::<usize, usize, (), PoolStack>::with_stack(pool.acquire().unwrap(), {
                |y, mut value| {
                    while value != usize::MAX {
                        value = y.suspend(value);
                    }
                }
            });
        b.iter(|| bare.resume(black_box(1)));
        assert!(matches!(
            bare.resume(usize::MAX),
            CoroutineResult::Return(())
        ));
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
    Exit {
        to: None,
        payload: 0,
    }
}

/// Many switches around a ring of `size` stacks, per iteration.
fn ring<B: Backend>(c: &mut Criterion, size: usize) {
    const HOPS: usize = 10_000;
    let mut group = c.benchmark_group("hub_switch");
    group.throughput(Throughput::Elements(HOPS as u64));
    group.bench_function(BenchmarkId::new(B::NAME, size), |b| {
        let hub = Hub::<B>::new(StackPool::default());
        let shared = Ring::default();
        let ids: Vec<_> = (0..size)
            .map(|_| hub.spawn(ring_member, &raw const shared as usize).unwrap())
            .collect();
        shared
            .next
            .set((0..size).map(|i| ids[(i + 1) % size]).collect())
            .unwrap();
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
                Fiber::<usize, usize, usize, B>::new(&pool, |_, value| value)
                    .unwrap()
                    .resume(black_box(1))
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

criterion_group!(benches, switch, rings, create);
criterion_main!(benches);
