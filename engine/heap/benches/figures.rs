//! Allocation, by criterion; pauses, printed, since what counts of them is the longest.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{ARRAY, BLOB, NODE, World};
use criterion::{BatchSize, Criterion, Throughput};
use skein_heap::{CollectKind, HeapConfig};
use std::time::Duration;

const OBJECTS: usize = 10_000_000;

fn world() -> World {
    World::new(HeapConfig::default())
}

/// `alloc` of the tests, without their checks.
#[inline(always)]
fn node(world: &World, kind: u8, n: usize) -> usize {
    let head = world.heap.alloc_fast(common::WORDS + 8 * n);
    if head.is_null() {
        return slow(world, kind, n);
    }
    // SAFETY: just allocated.
    let object = unsafe { common::Object::at(head as usize) };
    object.header.kind.set(kind);
    object.n.set(n as u64);
    head as usize
}

#[cold]
#[inline(never)]
fn slow(world: &World, kind: u8, n: usize) -> usize {
    world.alloc(kind, 0, n)
}

fn longest(name: &str, times: usize, mut pause: impl FnMut() -> Duration) {
    let mut pauses: Vec<Duration> = (0..times).map(|_| pause()).collect();
    pauses.sort_unstable();
    println!(
        "{name:55} median {:8.3} ms, longest {:8.3} ms",
        pauses[times / 2].as_secs_f64() * 1e3,
        pauses[times - 1].as_secs_f64() * 1e3,
    );
}

/// The CPU time of a collection: on a busy machine the clock measures the neighbours.
fn collect(world: &World, kind: CollectKind) -> Duration {
    let start = cpu_time();
    world.collect(kind);
    cpu_time() - start
}

fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the argument is room for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A list of ten million objects, old.
fn big_list(world: &World) -> usize {
    let array = world.alloc(ARRAY, 0, OBJECTS);
    world.roots.borrow_mut().push(array as u64);
    for index in 0..OBJECTS {
        let leaf = node(world, BLOB, 1);
        world.store(array, index, leaf as u64);
    }
    world.collect(CollectKind::Minor);
    array
}

fn pauses() {
    let empty = world();
    longest("minor, 8 MiB of 32-byte objects, all survive", 20, || {
        empty.roots.borrow_mut().clear();
        empty.collect(CollectKind::Major);
        for _ in 0..(8 << 20) / 32 - 2000 {
            let addr = node(&empty, NODE, 1);
            empty.roots.borrow_mut().push(addr as u64);
        }
        collect(&empty, CollectKind::Minor)
    });
    longest("minor, 8 MiB chain of 32-byte objects, all survive", 20, || {
        empty.roots.borrow_mut().clear();
        empty.collect(CollectKind::Major);
        let mut next = 0;
        for _ in 0..(8 << 20) / 32 - 2000 {
            let addr = node(&empty, NODE, 1);
            empty.object(addr).words()[0].set(next);
            next = addr as u64;
        }
        empty.roots.borrow_mut().push(next);
        collect(&empty, CollectKind::Minor)
    });

    let world = world();
    let array = big_list(&world);
    longest("minor, 10M live objects, 8 MiB of garbage", 50, || {
        for _ in 0..(8 << 20) / 32 - 2000 {
            node(&world, NODE, 1);
        }
        collect(&world, CollectKind::Minor)
    });
    longest("major, 10M-object list", 10, || collect(&world, CollectKind::Major));
    let mut at = 0;
    longest("minor, 10M live, 1,000 stores into the list", 50, || {
        for _ in 0..1000 {
            at = (at + 7919) % OBJECTS;
            let leaf = node(&world, BLOB, 1);
            world.store(array, at, leaf as u64);
        }
        collect(&world, CollectKind::Minor)
    });
    longest("minor, 10M live, all 8 MiB survive in the list", 20, || {
        for _ in 0..(8 << 20) / 32 - 2000 {
            at = (at + 7919) % OBJECTS;
            let leaf = node(&world, BLOB, 1);
            world.store(array, at, leaf as u64);
        }
        collect(&world, CollectKind::Minor)
    });
    longest("major, 10M-object list, half of it shuffled", 10, || collect(&world, CollectKind::Major));
    world.roots.borrow_mut().clear();
    longest("major that frees all of it", 1, || collect(&world, CollectKind::Major));
    longest("a new heap, with its first object", 20, || {
        let start = std::time::Instant::now();
        node(&self::world(), NODE, 1);
        start.elapsed()
    });
}

/// Allocates a complete binary tree bottom-up, its parts being rooted meanwhile.
fn tree(world: &World, depth: usize) -> usize {
    let mark = world.roots.borrow().len();
    let (left, right) = if depth == 0 {
        (0, 0)
    } else {
        let left = tree(world, depth - 1);
        world.roots.borrow_mut().push(left as u64);
        (left, tree(world, depth - 1))
    };
    world.roots.borrow_mut().push(right as u64);
    let addr = node(world, NODE, 2);
    world.object(addr).words()[0].set(left as u64);
    world.object(addr).words()[1].set(right as u64);
    world.roots.borrow_mut().truncate(mark);
    addr
}

fn main() {
    pauses();
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(10);
    let mut group = criterion.benchmark_group("allocate");
    group.throughput(Throughput::Elements(1_000_000));
    group.bench_function("1M x 32 bytes, all die", |bencher| {
        let world = world();
        bencher.iter(|| {
            for _ in 0..1_000_000 {
                std::hint::black_box(node(&world, NODE, 1));
            }
        });
    });
    group.bench_function("1M x 256 bytes, all die", |bencher| {
        let world = world();
        bencher.iter(|| {
            for _ in 0..1_000_000 {
                std::hint::black_box(node(&world, NODE, 29));
            }
        });
    });
    group.bench_function("tree of depth 18, built and dropped", |bencher| {
        bencher.iter_batched_ref(
            world,
            |world| std::hint::black_box(tree(world, 18)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
