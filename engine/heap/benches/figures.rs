//! Allocation, by criterion; pauses, printed, since what counts of them is the longest.
//!
//! `SKEIN_HEAP_LIVE` is how many MiB are live in the test of major collections in slices.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{ARRAY, BLOB, NODE, World};
use criterion::{BatchSize, Criterion, Throughput};
use skein_heap::{CollectKind, HeapConfig};
use std::cell::RefCell;
use std::time::Duration;

const OBJECTS: usize = 10_000_000;

thread_local! {
    /// The pauses since the last report, those that allocation asked for included.
    static PAUSES: RefCell<[Vec<Duration>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

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
    let Some(addr) = world.try_alloc(kind, 0, n, |kind| collect(world, kind)) else {
        std::process::abort();
    };
    addr
}

/// Reports the minor or major pauses of what `round` does, `times` over.
fn pauses_of(kind: CollectKind, name: &str, times: usize, mut round: impl FnMut()) {
    PAUSES.set(Default::default());
    (0..times).for_each(|_| round());
    let [minor, major] = PAUSES.take();
    let mut pauses = if kind == CollectKind::Minor { minor } else { major };
    pauses.sort_unstable();
    let total: Duration = pauses.iter().sum();
    println!(
        "{name:52} {:4} pauses, median {:7.3} ms, longest {:7.3} ms, sum {:8.2} ms",
        pauses.len(),
        pauses[pauses.len() / 2].as_secs_f64() * 1e3,
        pauses[pauses.len() - 1].as_secs_f64() * 1e3,
        total.as_secs_f64() * 1e3,
    );
}

fn minors(name: &str, times: usize, round: impl FnMut()) {
    pauses_of(CollectKind::Minor, name, times, round);
}

fn majors(name: &str, times: usize, round: impl FnMut()) {
    pauses_of(CollectKind::Major, name, times, round);
}

/// Notes the CPU time of a collection: on a busy machine the clock measures the neighbours.
fn collect(world: &World, kind: CollectKind) {
    let start = cpu_time();
    let done = world.collect(kind);
    let pause = cpu_time() - start;
    PAUSES.with_borrow_mut(|pauses| pauses[usize::from(done.kind == CollectKind::Major)].push(pause));
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

/// As many as fill a nursery.
const NURSERY: usize = (8 << 20) / 32;

fn pauses() {
    let empty = world();
    minors("minor, 8 MiB of 32-byte objects, all survive", 20, || {
        empty.roots.borrow_mut().clear();
        empty.collect(CollectKind::Major);
        for _ in 0..NURSERY {
            let addr = node(&empty, NODE, 1);
            empty.roots.borrow_mut().push(addr as u64);
        }
        collect(&empty, CollectKind::Minor);
    });
    minors("minor, the same after much that died", 20, || {
        empty.roots.borrow_mut().clear();
        empty.collect(CollectKind::Major);
        for _ in 0..4 * NURSERY {
            node(&empty, NODE, 1);
        }
        for _ in 0..NURSERY {
            let addr = node(&empty, NODE, 1);
            empty.roots.borrow_mut().push(addr as u64);
        }
        collect(&empty, CollectKind::Minor);
    });
    minors("minor, 8 MiB chain of 32-byte objects, all survive", 20, || {
        empty.roots.borrow_mut().clear();
        empty.collect(CollectKind::Major);
        empty.roots.borrow_mut().push(0);
        for _ in 0..NURSERY {
            let addr = node(&empty, NODE, 1);
            let mut roots = empty.roots.borrow_mut();
            empty.object(addr).words()[0].set(roots[0]);
            roots[0] = addr as u64;
        }
        collect(&empty, CollectKind::Minor);
    });

    let world = world();
    let array = big_list(&world);
    minors("minor, 10M live objects, 8 MiB of garbage", 50, || {
        for _ in 0..NURSERY {
            node(&world, NODE, 1);
        }
        collect(&world, CollectKind::Minor);
    });
    majors("major, 10M-object list", 10, || collect(&world, CollectKind::Major));
    let mut at = 0;
    minors("minor, 10M live, 1,000 stores into the list", 50, || {
        for _ in 0..1000 {
            at = (at + 7919) % OBJECTS;
            let leaf = node(&world, BLOB, 1);
            world.store(array, at, leaf as u64);
        }
        collect(&world, CollectKind::Minor);
    });
    minors("minor, 10M live, all 8 MiB survive in the list", 20, || {
        for _ in 0..NURSERY {
            at = (at + 7919) % OBJECTS;
            let leaf = node(&world, BLOB, 1);
            world.store(array, at, leaf as u64);
        }
        collect(&world, CollectKind::Minor);
    });
    majors("major, 10M-object list, half of it shuffled", 10, || collect(&world, CollectKind::Major));
    world.roots.borrow_mut().clear();
    majors("major that frees all of it", 1, || collect(&world, CollectKind::Major));
    let mut times: Vec<Duration> = (0..20).map(|_| new_heap()).collect();
    times.sort_unstable();
    println!("a new heap, with its first object: median {:.3} ms", times[10].as_secs_f64() * 1e3);
}

/// Much is live, and rewired: half of what is replaced dies old. The pauses of major collections in slices, and
/// the time of all collections together, against majors that are done at once.
fn sliced(at_once: bool) {
    let live: usize = std::env::var("SKEIN_HEAP_LIVE").map_or(1024, |text| text.parse().unwrap_or(1024));
    let least_major = if at_once { usize::MAX } else { HeapConfig::default().least_major };
    let world = World::new(HeapConfig { least_major, ..HeapConfig::default() });
    let leaves = (live << 20) / (64 + 64 + 8);
    let array = world.alloc(ARRAY, 0, leaves);
    world.roots.borrow_mut().push(array as u64);
    let pair = |number: usize, other: u64| {
        let inner = node(&world, NODE, 5);
        world.object(inner).words()[0].set(other);
        world.roots.borrow_mut().push(inner as u64);
        let outer = node(&world, NODE, 5);
        world.roots.borrow_mut().pop();
        world.object(outer).words()[0].set(inner as u64);
        world.object(outer).words()[1].set(number as u64 * 2 + 1);
        outer
    };
    for index in 0..leaves {
        let outer = pair(index, 1);
        world.store(array, index, outer as u64);
    }
    world.collect(CollectKind::Major);
    PAUSES.set(Default::default());
    let start = cpu_time();
    let mut random = 1usize;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % leaves
    };
    let (before, mut majors) = (world.heap.stats().finished_majors, 0);
    for turn in 0..6 * leaves {
        let (from, to) = (next(), next());
        let other = world.object(array).words()[from].get() as usize;
        let outer = pair(turn, world.object(other).words()[0].get());
        // The chain of inner objects is cut here, so that what it leads to does not grow.
        let inner = world.object(outer).words()[0].get() as usize;
        let second = world.object(inner).words()[0].get() as usize;
        if second.is_multiple_of(8) && second != 0 {
            world.store(second, 0, 1);
        }
        world.store(array, to, outer as u64);
        if at_once && world.heap.live_bytes() > (2 * live) << 20 {
            collect(&world, CollectKind::Major);
            majors += 1;
        }
    }
    let total = cpu_time() - start;
    let [minor, major] = PAUSES.take();
    let mut pauses: Vec<Duration> = minor.into_iter().chain(major).collect();
    pauses.sort_unstable();
    let paused: Duration = pauses.iter().sum();
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!(
        "{live} MiB live, {}: {} majors, {} pauses, median {:.3} ms, p99.9 {:.3} ms, longest {:.3} ms, sum {:.0} ms of {:.0} ms",
        if at_once { "majors at once" } else { "majors in slices" },
        majors.max(world.heap.stats().finished_majors - before),
        pauses.len(),
        ms(pauses[pauses.len() / 2]),
        ms(pauses[pauses.len() - 1 - pauses.len() / 1000]),
        ms(pauses[pauses.len() - 1]),
        ms(paused),
        ms(total),
    );
}

fn new_heap() -> Duration {
    let start = cpu_time();
    node(&world(), NODE, 1);
    cpu_time() - start
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
    sliced(false);
    sliced(true);
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
