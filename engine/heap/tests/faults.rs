//! A test for each fault that a collector of this design has had, or that its design invites.

mod common;

use common::{ARRAY, BLOB, CONTEXT, DIED, NODE, OWNER, WEAK, WORDS, World};
use skein_heap::{Allocation, CollectKind, HeapConfig};
use std::collections::HashSet;

use CollectKind::{Major, Minor};

const MIB: usize = 1 << 20;

fn world() -> World {
    with_nursery(8 * MIB)
}

fn with_nursery(nursery_bytes: usize) -> World {
    World::new(HeapConfig { reserve: 1 << 30, nursery_bytes, ..HeapConfig::default() })
}

fn owner(world: &World, id: u64) -> usize {
    let addr = world.alloc(OWNER, id, 2);
    let object = world.object(addr);
    object.words()[0].set(Box::into_raw(Box::new(id)) as u64);
    world.heap.register_free_on_death(object.head());
    addr
}

/// Makes a million objects with `n` words, of which one in `every` lives on.
fn sparse(world: &World, n: usize, every: usize) {
    for id in 0..1_000_000 {
        let addr = world.alloc(NODE, id, n);
        world.roots.borrow_mut().push(addr as u64);
    }
    world.collect(Minor);
    let some = world.roots.borrow().iter().copied().step_by(every).collect();
    *world.roots.borrow_mut() = some;
    world.collect(Major);
    assert_eq!(world.ids().len(), 1_000_000_usize.div_ceil(every));
}

fn died() -> Vec<u64> {
    DIED.with_borrow_mut(std::mem::take)
}

/// Fault 1: a block in two lists was handed out twice.
#[test]
fn no_room_is_handed_out_twice() {
    let world = with_nursery(MIB / 4);
    let mut live = HashSet::new();
    for round in 0..30u64 {
        for id in round * 10_000..(round + 1) * 10_000 {
            let addr = world.alloc(NODE, id, (id % 7) as usize);
            if id % 5 == 0 {
                world.roots.borrow_mut().push(addr as u64);
                assert!(live.insert(addr), "{addr:x} twice");
            }
        }
        world.collect(if round % 3 == 0 { Major } else { Minor });
        if round % 4 == 3 {
            world.roots.borrow_mut().retain(|addr| addr % 3 == 0);
            live.retain(|addr| addr % 3 == 0);
            world.collect(Major);
        }
    }
    assert_eq!(world.ids().len(), live.len());
}

/// Fault 2: the lines of objects promoted around a major collection were freed.
#[test]
fn objects_promoted_around_a_major_collection_keep_their_lines() {
    let world = with_nursery(MIB / 8);
    for kinds in [[Minor, Major, Minor], [Major, Minor, Major]] {
        let first = world.roots.borrow().len() as u64;
        for id in first..first + 300 {
            let addr = world.alloc(NODE, id, (id % 60) as usize);
            world.roots.borrow_mut().push(addr as u64);
        }
        for kind in kinds {
            world.collect(kind);
            for _ in 0..20_000 {
                world.alloc(NODE, u64::MAX, 3);
            }
        }
    }
    let roots = world.roots.borrow();
    for (id, addr) in roots.iter().enumerate() {
        assert_eq!(world.object(*addr as usize).id.get(), id as u64);
    }
}

/// Fault 3: a sparse heap looked ten times too big, and one major collection followed the other.
#[test]
fn a_sparse_heap_is_measured_by_lines() {
    let world = world();
    sparse(&world, 1, 64);
    assert!(!world.heap.should_be_major());
    assert!(world.heap.live_bytes() <= 1_000_000 / 64 * 128 * 2);
    assert!(world.heap.used_bytes() > 8 * world.heap.live_bytes());
    let majors = world.heap.stats().majors.count;
    for id in 0..1_000_000 {
        world.alloc(NODE, id, 1);
    }
    assert_eq!(world.heap.stats().majors.count, majors);
}

/// Fault 4: conservative look-ups failed while a bitmap was being made anew.
#[test]
fn look_ups_work_while_marking() {
    for kind in [Minor, Major] {
        let world = world();
        // A chain of contexts: each look-up is made when others are marked already.
        let mut next = 0;
        for id in 0..5000 {
            let context = world.alloc(CONTEXT, id, 2);
            let inner = world.alloc(NODE, 10_000 + id, 3);
            world.object(context).words()[0].set(next);
            world.object(context).words()[1].set(inner as u64 + 47);
            next = context as u64 + 9;
            if id == 2500 {
                world.words.borrow_mut().push(next);
                world.collect(kind);
                world.words.borrow_mut().clear();
            }
        }
        world.words.borrow_mut().push(next);
        world.collect(kind);
        world.collect(Major);
        assert_eq!(world.ids().len(), 10_000);
    }
}

/// Fault 5: only a pointer to the inside of an object was left.
#[test]
fn interior_pointers_keep_objects() {
    let world = world();
    for (id, n) in [0, 1, 5, 13, 100, 900, 3000, 100_000].into_iter().enumerate() {
        let addr = world.alloc(BLOB, id as u64, n);
        let last = (addr + WORDS + 8 * n - 1) as u64;
        world.words.borrow_mut().push(last);
        assert_eq!(world.heap.resolve(last), Some(addr as *mut _));
        world.collect(if id % 2 == 0 { Minor } else { Major });
        assert_eq!(world.heap.resolve(last), Some(addr as *mut _));
        assert_eq!(world.ids().len(), id + 1);
    }
}

/// The cursor of a run that is used up to the last byte is where the run of a neighbour begins.
#[test]
fn a_full_run_does_not_hide_its_neighbour() {
    let world = world();
    // 13 words make 128 bytes, so 256 of them fill a block. 900 words do not fit what is left of
    // one; they go to a block of their own, the next one.
    let fill = |n| (0..n).map(|id| world.alloc(NODE, id, 13)).last().unwrap();
    fill(255);
    let first = world.alloc(NODE, 1, 900);
    let second = world.alloc(NODE, 2, 900);
    let last = fill(1);
    assert_eq!(last + 128, first, "neighbours");
    for addr in [first, second, last] {
        assert_eq!(world.heap.resolve(addr as u64 + 9), Some(addr as *mut _));
    }
    assert_eq!(world.ids().len(), 258);
}

#[test]
fn words_that_lead_nowhere_resolve_to_nothing() {
    let world = world();
    let addr = world.alloc(NODE, 1, 2) as u64;
    for word in [0, 1, 8, addr + 48, addr - 40_000, addr + 4 * MIB as u64, u64::MAX] {
        assert_eq!(world.heap.resolve(word), None, "{word:x}");
    }
    assert!(!world.heap.contains(8));
    world.collect(Minor);
    assert_eq!(world.heap.resolve(addr), None);
}

/// Fault 7: memory was never given back.
#[test]
fn free_memory_goes_back_to_the_kernel() {
    let world = world();
    for id in 0..1_000_000 {
        let addr = world.alloc(NODE, id, 5);
        world.roots.borrow_mut().push(addr as u64);
    }
    let used = world.heap.used_bytes();
    assert_eq!(world.heap.stats().released_bytes, 0);
    world.roots.borrow_mut().clear();
    world.collect(Major);
    assert_eq!(world.heap.used_bytes(), 0);
    assert!(world.heap.stats().released_bytes as usize > used - 16 * MIB);
    for id in 0..1_000_000 {
        // The memory has to be zero, which `alloc` checks.
        world.alloc(NODE, id, 5);
    }
}

/// Fault 7: long free runs inside of blocks in use were never given back.
#[test]
fn long_free_runs_go_back_to_the_kernel() {
    let world = world();
    sparse(&world, 5, 512);
    let freed = world.heap.used_bytes() - world.heap.live_bytes();
    let released = world.heap.stats().released_bytes as usize;
    assert!(freed > 32 * MIB && released > freed / 2);
    // What is reused has to be zero, which `alloc` checks.
    for id in 0..500_000 {
        world.alloc(NODE, id, 3);
    }
}

/// Fault 7: sparse blocks were used first and never became free.
#[test]
fn the_fullest_block_is_used_first() {
    let world = world();
    let fill = |keep: u64| {
        let first = world.alloc(NODE, 0, 13);
        world.roots.borrow_mut().push(first as u64);
        for id in 1..256 {
            let addr = world.alloc(NODE, id, 13);
            if id % 8 < keep {
                world.roots.borrow_mut().push(addr as u64);
            }
        }
        first & !0x7fff
    };
    let (_, fullest, _) = (fill(1), fill(6), fill(2));
    world.collect(Minor);
    assert_eq!(world.alloc(NODE, 0, 1) & !0x7fff, fullest);
}

#[test]
fn a_store_into_a_large_array_scans_a_card() {
    let world = world();
    let array = world.alloc(ARRAY, 1, 1_000_000);
    world.roots.borrow_mut().push(array as u64);
    world.collect(Minor);
    for round in 0..20 {
        let mut indexes = HashSet::new();
        for index in [0, 60, 61, 62, 63, 999_999, 500_000 + 997 * round] {
            let leaf = world.alloc(NODE, index as u64 + 2, 0);
            world.store(array, index, leaf as u64);
            indexes.insert(index);
        }
        let done = world.collect(Minor);
        assert_eq!(done.scanned, indexes.len(), "only what the cards lead to");
        for index in indexes {
            let leaf = world.object(array).words()[index].get();
            assert_eq!(world.object(leaf as usize).id.get(), index as u64 + 2);
        }
    }
    world.collect(Major);
    assert_eq!(world.ids().len(), 1 + 6 + 20);
    world.roots.borrow_mut().clear();
    world.collect(Major);
    assert_eq!(world.heap.used_bytes(), 0);
}

/// The number of minor collections, and the most objects that one scanned, while `keep` is shown so
/// many new objects.
fn minors_while(objects: usize, mut keep: impl FnMut(&World, usize, usize)) -> (u64, usize) {
    let world = world();
    let array = world.alloc(ARRAY, 0, 1_000_000);
    world.roots.borrow_mut().push(array as u64);
    world.collect(Minor);
    let before = world.heap.stats().minors.count;
    let mut most = 0;
    for _ in 0..objects {
        let collect = |_| most = most.max(world.collect(Minor).scanned);
        let leaf = world.try_alloc(NODE, 0, 1, collect).unwrap();
        keep(&world, array, leaf);
    }
    (world.heap.stats().minors.count - before, most)
}

#[test]
fn a_minor_collection_has_bounded_work() {
    const OBJECTS: usize = 2_000_000;
    let nursery = 8 * MIB / 32;
    let (dying, _) = minors_while(OBJECTS, |_, _, _| {});
    assert!((40..=80).contains(&dying), "the nursery stays at a megabyte where all dies: {dying}");
    let keep = |world: &World, _, leaf: usize| world.roots.borrow_mut().push(leaf as u64);
    let (living, most) = minors_while(OBJECTS, keep);
    assert!(living >= 12, "the nursery shrinks where all survives: {living}");
    assert!(most < nursery * 3 / 4, "{most} objects in a pause");
    assert_eq!(minors_while(OBJECTS, keep), (living, most), "the same each time");
    // Much dies at first; then every object is stored far from the last.
    let mut n = 0;
    let scatter = |world: &World, array, leaf: usize| {
        n += 1;
        if n > OBJECTS / 2 {
            world.store(array, n * 7919 % 1_000_000, leaf as u64);
        }
    };
    let (_, most) = minors_while(OBJECTS, scatter);
    assert!(most < nursery / 2, "{most} objects in a pause");
}

#[test]
fn stores_in_a_row_are_looked_at_once_each() {
    let world = world();
    let array = world.alloc(ARRAY, 1, 100_000);
    world.roots.borrow_mut().push(array as u64);
    world.collect(Minor);
    for (from, count) in [(0, 0), (3, 1), (5, 8), (13, 100), (99_990, 10)] {
        let words = &world.object(array).words()[from..from + count];
        for word in words {
            let leaf = world.alloc(NODE, 2, 0);
            word.set(leaf as u64);
        }
        world.heap.write_barrier_slots(world.object(array).head(), words.as_ptr().cast(), count);
        assert_eq!(world.collect(Minor).scanned, count);
        assert_eq!(world.collect(Minor).scanned, 0);
    }
}

#[test]
fn a_grown_copy_of_an_old_array_is_not_walked() {
    let world = world();
    let old = world.alloc(ARRAY, 1, 100_000);
    world.roots.borrow_mut().push(old as u64);
    for index in 0..100_000 {
        let leaf = world.alloc(NODE, 2, 0);
        world.store(old, index, leaf as u64);
    }
    world.collect(Minor);
    for index in [0, 7, 8, 99_999] {
        let leaf = world.alloc(NODE, 3, 0);
        world.store(old, index, leaf as u64);
    }
    let copy = |from: usize, n: usize| {
        let to = world.alloc(ARRAY, 4, n);
        for (to, from) in world.object(to).words().iter().zip(world.object(from).words()) {
            to.set(from.get());
        }
        world.heap.adopt_copy(world.object(from).head(), world.object(to).head());
        world.roots.borrow_mut()[0] = to as u64;
        to
    };
    let new = copy(copy(old, 120_000), 150_000);
    world.store(new, 149_999, world.alloc(NODE, 5, 0) as u64);
    assert_eq!(world.collect(Minor).scanned, 5);
    for index in [0, 7, 8, 99_999, 149_999] {
        let leaf = world.object(new).words()[index].get();
        assert!(world.object(leaf as usize).id.get() >= 3);
    }
    world.collect(Major);
    assert_eq!(world.ids().len(), 1 + 100_000 + 1);
}

#[test]
fn marking_needs_no_stack() {
    let world = World::new(HeapConfig { reserve: 1 << 30, mark_stack_entries: 2, ..HeapConfig::default() });
    let array = world.alloc(ARRAY, 0, 5000);
    world.roots.borrow_mut().push(array as u64);
    for id in 1..2000 {
        let leaf = world.alloc(NODE, id, 2);
        world.store(array, id as usize * 2, leaf as u64);
        world.object(leaf).words()[0].set(world.object(array).words()[id as usize].get());
    }
    for kind in [Minor, Major, Minor, Major] {
        world.collect(kind);
        assert_eq!(world.ids().len(), 2000);
    }
}

#[test]
fn a_long_chain_needs_no_native_stack() {
    let world = world();
    let mut next = 0;
    for id in 0..1_000_000 {
        let addr = world.alloc(NODE, id, 1);
        world.object(addr).words()[0].set(next);
        next = addr as u64;
        *world.roots.borrow_mut() = vec![next];
    }
    world.collect(Major);
    assert_eq!(world.ids().len(), 1_000_000);
}

#[test]
fn registered_objects_that_need_no_finalizer_any_more_just_die() {
    for kind in [Minor, Major] {
        let world = world();
        let blob = world.alloc(BLOB, 1, 0);
        world.heap.register_finalizer(world.object(blob).head());
        world.collect(kind);
        assert_eq!(world.heap.take_finalizable(), None);
        world.collect(Major);
        assert_eq!(world.ids().len(), 0);
    }
}

#[test]
fn finalizable_objects_come_once_the_newest_first_with_all_they_lead_to() {
    for kind in [Minor, Major] {
        let world = world();
        let mut weak = Vec::new();
        for id in 0..10 {
            let leaf = world.alloc(NODE, 100 + id, 0);
            let node = world.alloc(NODE, id, 1);
            world.object(node).words()[0].set(leaf as u64);
            world.heap.register_finalizer(world.object(node).head());
            let container = world.alloc(WEAK, 200 + 2 * id, 2);
            world.object(container).words()[0].set(node as u64);
            world.object(container).words()[1].set(leaf as u64);
            world.heap.register_weak(world.object(container).head());
            world.roots.borrow_mut().push(container as u64);
            weak.push(container);
        }
        world.collect(kind);
        // They are roots until taken.
        world.collect(Major);
        for id in (0..10).rev() {
            let obj = world.heap.take_finalizable().unwrap();
            let node = world.object(obj as usize);
            assert_eq!(node.id.get(), id);
            let leaf = node.words()[0].get() as usize;
            assert_eq!(world.object(leaf).id.get(), 100 + id);
        }
        assert_eq!(world.heap.take_finalizable(), None);
        // Weak references are cleared before finalization.
        for container in weak {
            assert!(world.object(container).words().iter().all(|w| w.get() == 0));
            let cleared = world.heap.take_cleared_weak();
            assert_eq!(cleared, Some(container as *mut _));
        }
        world.collect(Major);
        assert_eq!(world.heap.take_finalizable(), None);
        assert_eq!(world.ids().len(), 10);
    }
}

#[test]
fn weak_references_stored_into_an_old_container_are_cleared() {
    let world = world();
    let container = world.alloc(WEAK, 1, 3);
    world.heap.register_weak(world.object(container).head());
    world.roots.borrow_mut().push(container as u64);
    world.collect(Minor);
    world.collect(Minor);
    let kept = world.alloc(NODE, 2, 0);
    world.roots.borrow_mut().push(kept as u64);
    let lost = world.alloc(NODE, 3, 0);
    world.store(container, 0, kept as u64);
    world.store(container, 1, lost as u64);
    world.collect(Minor);
    let words = world.object(container).words();
    assert_eq!((words[0].get(), words[1].get()), (kept as u64, 0));
}

#[test]
fn owners_are_told_once_when_they_or_the_heap_die() {
    died();
    let world = world();
    for id in 0..6 {
        let addr = owner(&world, id);
        if id % 2 == 0 {
            world.roots.borrow_mut().push(addr as u64);
        }
    }
    world.collect(Minor);
    assert_eq!(died(), [1, 3, 5]);
    world.roots.borrow_mut().remove(0);
    world.collect(Minor);
    assert_eq!(died(), []);
    world.collect(Major);
    assert_eq!(died(), [0]);
    drop(world);
    assert_eq!(died(), [2, 4]);
}

#[test]
fn at_the_limit_allocation_is_refused_and_goes_on_after() {
    for nursery in [MIB / 4, 8 * MIB] {
        let world = World::new(HeapConfig {
            reserve: 1 << 30,
            nursery_bytes: nursery,
            limit: Some(6 * MIB),
            ..HeapConfig::default()
        });
        for round in 0..5 {
            let mut refused = false;
            for id in 0..1_000_000 {
                let collect = |kind| {
                    world.collect(kind);
                };
                let n = if id % 500 == 0 { 4000 } else { id as usize % 40 };
                match world.try_alloc(NODE, id, n, collect) {
                    Some(addr) => world.roots.borrow_mut().push(addr as u64),
                    None => {
                        refused = true;
                        break;
                    }
                }
                assert!(world.heap.used_bytes() <= 6 * MIB);
            }
            assert!(refused, "round {round}");
            assert!(world.heap.used_bytes() > 5 * MIB);
            world.roots.borrow_mut().clear();
        }
        // The failures are few: no collection at every allocation.
        assert!(world.heap.stats().majors.count < 100);
    }
}

#[test]
fn the_end_of_the_address_space_is_no_signal() {
    let world = World::new(HeapConfig { reserve: 0, ..HeapConfig::default() });
    let mut refused = 0;
    for n in [5, 900, 2000, 500_000] {
        for id in 0..1_000_000 {
            let collect = |kind| {
                world.collect(kind);
            };
            let Some(addr) = world.try_alloc(NODE, id, n, collect) else {
                refused += 1;
                break;
            };
            world.roots.borrow_mut().push(addr as u64);
        }
        world.roots.borrow_mut().clear();
        world.collect(Major);
    }
    assert_eq!(refused, 4);
}

#[test]
fn absurd_sizes_are_refused() {
    let world = world();
    for size in [usize::MAX, usize::MAX - 7, isize::MAX as usize, 1 << 46, 2 << 30] {
        assert!(world.heap.alloc_fast(size).is_null());
        for after in [false, true] {
            let answer = world.heap.alloc_slow(size, after);
            assert!(!matches!(answer, Allocation::Ok(_)));
            if answer == Allocation::NeedsCollection {
                world.collect(world.due());
            }
        }
        world.collect(Major);
        assert_eq!(world.heap.alloc_slow(size, true), Allocation::OutOfMemory);
    }
}

#[test]
fn external_memory_paces_collections_and_counts_to_the_limit() {
    died();
    let world = world();
    world.heap.set_limit(Some(256 * MIB));
    for id in 0..1000 {
        owner(&world, id);
        world.heap.add_external(MIB as isize);
        let dead = died().len() * MIB;
        world.heap.add_external(-(dead as isize));
        assert!(world.heap.used_bytes() < 64 * MIB);
    }
    assert!(world.heap.external_fits(100 * MIB));
    assert!(!world.heap.external_fits(256 * MIB));
    assert!(world.heap.should_be_major());
}

#[test]
fn allocation_goes_on_with_collections_off() {
    let world = with_nursery(MIB / 8);
    for id in 0..100_000 {
        let mut head = world.heap.alloc_fast(48);
        if head.is_null() {
            match world.heap.alloc_slow(48, true) {
                Allocation::Ok(new) => head = new,
                other => panic!("{other:?}"),
            }
        }
        // SAFETY: just allocated.
        unsafe { common::init(head, NODE, id, 3) };
    }
    assert_eq!(world.ids().len(), 100_000);
    world.collect(Minor);
    assert_eq!(world.ids().len(), 0);
}

#[test]
fn stress_collects_at_every_nth_allocation() {
    let world = world();
    for every in [1, 3] {
        world.heap.set_stress(Some(every));
        let before = world.heap.stats().minors.count;
        for id in 0..300 {
            world.alloc(NODE, id, 1);
        }
        let minors = world.heap.stats().minors.count - before;
        assert!(minors >= u64::from(300 / (every + 1)), "{minors}");
    }
    world.heap.set_stress(None);
    let before = world.heap.stats().minors.count;
    for id in 0..300 {
        world.alloc(NODE, id, 1);
    }
    assert_eq!(world.heap.stats().minors.count, before);
}

#[test]
fn heaps_are_independent() {
    let (a, b) = (world(), world());
    let addr = a.alloc(NODE, 1, 1);
    assert!(!b.heap.contains(addr));
    // A reference into another heap is none.
    b.roots.borrow_mut().push(addr as u64);
    b.collect(Major);
    a.roots.borrow_mut().push(addr as u64);
    drop(b);
    a.collect(Major);
    assert_eq!(a.ids(), [1]);
}
