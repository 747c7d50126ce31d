//! A persistent map from context variables to values: a treap whose nodes never change.
//!
//! Variables are ordered by their serial numbers, and a node's priority is a hash of its number; so
//! the shape depends on the keys alone, and a change copies the nodes from the root to the key,
//! about the logarithm of the map's size.

use super::variable::{Variable, variable_of};
use skein_runtime::object::Ref;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::instance::Values;
use skein_runtime::types::list::List;
use skein_runtime::value::{R, Value};
use skein_runtime::variables::ContextRef;
use skein_runtime::vm::Vm;

/// A node: an array of the variable, its value and the subtrees of lower and higher numbers.
pub type Node = Ref<Values>;
/// A map; nothing where it is empty.
pub type Map = Option<Node>;

/// The map of a context.
pub fn of(c: ContextRef) -> Map {
    c.root.cast()
}

const KEY: usize = 0;
const VALUE: usize = 1;
const LOWER: usize = 2;
const HIGHER: usize = 3;
const SLOTS: usize = 4;

type Var = Ref<Ext<Variable>>;

fn key(n: Node) -> Var {
    variable_of(n.slots()[KEY].value())
}

fn subtree(n: Node, side: usize) -> Map {
    n.slots()[side].cast()
}

fn number(n: Node) -> u64 {
    key(n).number
}

/// Node priorities: neighbouring numbers give unrelated ones, so that the tree is balanced.
fn priority(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn node(vm: &Vm, key: Value, value: Value, lower: Map, higher: Map) -> R<Node> {
    let n = Values::new(vm, SLOTS)?;
    let row = [Some(key), Some(value), lower.map(Value::from), higher.map(Value::from)];
    for (slot, v) in n.slots().iter().zip(row) {
        slot.init(v);
    }
    Ok(n)
}

/// A copy with another subtree on one side.
fn with_subtree(vm: &Vm, n: Node, side: usize, new: Map) -> R<Node> {
    let copy = n.resized(vm, SLOTS)?;
    copy.slots()[side].init(new.map(Value::from));
    Ok(copy)
}

/// The value of a variable.
pub fn get(mut map: Map, var: Var) -> Option<Value> {
    while let Some(n) = map {
        if key(n) == var {
            return n.slots()[VALUE].get();
        }
        map = subtree(n, if var.number < number(n) { LOWER } else { HIGHER });
    }
    None
}

/// The map with a variable set. MemoryError.
pub fn insert(vm: &Vm, map: Map, var: Var, value: Value) -> R<Node> {
    let Some(n) = map else { return node(vm, var.value(), value, None, None) };
    if key(n) == var {
        return node(vm, var.value(), value, subtree(n, LOWER), subtree(n, HIGHER));
    }
    if priority(var.number) > priority(number(n)) {
        // The variable is not below: what is below has lower priorities.
        let (lower, higher) = split(vm, map, var.number)?;
        return node(vm, var.value(), value, lower, higher);
    }
    let side = if var.number < number(n) { LOWER } else { HIGHER };
    let below = insert(vm, subtree(n, side), var, value)?;
    with_subtree(vm, n, side, Some(below))
}

/// The parts with lower and with higher numbers than this one, which is not in the map.
fn split(vm: &Vm, map: Map, at: u64) -> R<(Map, Map)> {
    let Some(n) = map else { return Ok((None, None)) };
    if number(n) < at {
        let (lower, higher) = split(vm, subtree(n, HIGHER), at)?;
        return Ok((Some(with_subtree(vm, n, HIGHER, lower)?), higher));
    }
    let (lower, higher) = split(vm, subtree(n, LOWER), at)?;
    Ok((lower, Some(with_subtree(vm, n, LOWER, higher)?)))
}

/// The map without a variable that is in it. MemoryError.
pub fn remove(vm: &Vm, map: Map, var: Var) -> R<Map> {
    let Some(n) = map else { return Ok(None) };
    if key(n) == var {
        return join(vm, subtree(n, LOWER), subtree(n, HIGHER));
    }
    let side = if var.number < number(n) { LOWER } else { HIGHER };
    let below = remove(vm, subtree(n, side), var)?;
    with_subtree(vm, n, side, below).map(Some)
}

/// One map of two, all of whose numbers are on either side of some number.
fn join(vm: &Vm, lower: Map, higher: Map) -> R<Map> {
    let (Some(l), Some(h)) = (lower, higher) else { return Ok(lower.or(higher)) };
    let joined = if priority(number(l)) > priority(number(h)) {
        let below = join(vm, subtree(l, HIGHER), higher)?;
        with_subtree(vm, l, HIGHER, below)?
    } else {
        let below = join(vm, lower, subtree(h, LOWER))?;
        with_subtree(vm, h, LOWER, below)?
    };
    Ok(Some(joined))
}

/// Variables and values in turn, in the order in which the variables were made. MemoryError.
pub fn entries(vm: &Vm, map: Map) -> R<Ref<List>> {
    let list = List::with_capacity(vm, 0)?;
    add_entries(vm, map, list)?;
    Ok(list)
}

fn add_entries(vm: &Vm, map: Map, list: Ref<List>) -> R<()> {
    let Some(n) = map else { return Ok(()) };
    add_entries(vm, subtree(n, LOWER), list)?;
    list.push(vm, n.slots()[KEY].value())?;
    list.push(vm, n.slots()[VALUE].value())?;
    add_entries(vm, subtree(n, HIGHER), list)
}
