//! Cycles among the dead: how many are found, and that those that are to be saved live on.

mod common;

use common::{ARRAY, BLOB, NODE, World};
use skein_heap::CollectKind::{Major, Minor};
use skein_heap::{Cycles, HeapConfig};

fn world() -> World {
    World::new(HeapConfig { reserve: 1 << 30, verify: true, ..HeapConfig::default() })
}

/// A ring of so many nodes, of which the first leads to a tail outside of it.
fn ring(world: &World, nodes: usize) {
    let tail = world.alloc(NODE, 100, 1);
    let first = world.alloc(NODE, 0, 2);
    world.object(first).words()[1].set(tail as u64);
    let mut last = first;
    for id in 1..nodes {
        let node = world.alloc(NODE, id as u64, 1);
        world.object(last).words()[0].set(node as u64);
        last = node;
    }
    world.object(last).words()[0].set(first as u64);
}

fn found(world: &World) -> usize {
    world.heap.set_cycles(Cycles::Count);
    world.collect(Major);
    let found = world.heap.cycles_found();
    world.heap.set_cycles(Cycles::Ignore);
    found
}

#[test]
fn rings_count_with_what_they_lead_to_and_trees_do_not() {
    let world = world();
    ring(&world, 3);
    let leaf = world.alloc(BLOB, 1, 0);
    let tree = world.alloc(NODE, 2, 1);
    world.object(tree).words()[0].set(leaf as u64);
    assert_eq!(found(&world), 4);
    assert_eq!(found(&world), 0);
    assert_eq!(world.ids().len(), 0);
}

#[test]
fn old_rings_count_when_nothing_leads_to_them_any_more() {
    let world = world();
    let holder = world.alloc(NODE, 7, 1);
    let node = world.alloc(NODE, 8, 1);
    world.object(node).words()[0].set(node as u64);
    world.object(holder).words()[0].set(node as u64);
    *world.roots.borrow_mut() = vec![holder as u64];
    world.collect(Minor);
    assert_eq!(found(&world), 0);
    world.object(holder).words()[0].set(0);
    assert_eq!(found(&world), 1);
    assert_eq!(world.ids().len(), 1);
}

#[test]
fn large_arrays_are_objects_of_cycles_too() {
    let world = world();
    let array = world.alloc(ARRAY, 1, 50_000);
    world.object(array).words()[49_999].set(array as u64);
    assert_eq!(found(&world), 1);
    // More than is looked through.
    let array = world.alloc(ARRAY, 2, 600_000);
    world.object(array).words()[0].set(array as u64);
    assert_eq!(found(&world), 0);
    assert_eq!(world.ids().len(), 0);
}

#[test]
fn what_is_saved_lives_until_it_is_taken() {
    let world = world();
    ring(&world, 2);
    world.heap.set_cycles(Cycles::Save);
    world.collect(Major);
    assert_eq!(world.heap.cycles_found(), 3);
    world.heap.set_cycles(Cycles::Ignore);
    assert_eq!(world.ids().len(), 3);
    world.collect(Major);
    assert_eq!(world.ids().len(), 3);
    while world.heap.take_saved().is_some() {}
    world.collect(Major);
    assert_eq!(world.ids().len(), 0);
}
