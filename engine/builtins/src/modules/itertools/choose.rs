//! `combinations`, `combinations_with_replacement`, `permutations`.

use super::tuple_of;
use skein_runtime::native::TypeDef;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::check_class;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::{Cell, RefCell};

/// What the next row is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    First,
    Later,
    Ended,
}

/// A pool of items and the positions in it that make the row.
struct Choice {
    pool: Field,
    at: RefCell<Vec<usize>>,
    /// For permutations: how far each place is from its turn.
    cycles: RefCell<Vec<usize>>,
    length: Cell<usize>,
    stage: Cell<Stage>,
}

impl Choice {
    fn trace(&self, t: &mut Tracer<'_>) {
        let Choice { pool, at: _, cycles: _, length: _, stage: _ } = self;
        pool.trace(t);
    }
}

macro_rules! choice_type {
    ($payload:ident, $def:ident, $name:literal, $signature:literal, $new:ident, $advance:ident, $doc:literal) => {
        struct $payload(Choice);
        impl Payload for $payload {
            const NAME: &'static str = $name;
            fn trace(&self, t: &mut Tracer<'_>) {
                self.0.trace(t);
            }
        }
        native_type! {
            pub $def: $name, Kind::Ext, type_flags::BASETYPE, $doc;
            methods {
                [static] $signature => $new;
                [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
                [leaf] "__next__($self, /)" => |vm: &Vm, it: ExtArg<$payload>| next(vm, &it.0.0, $advance);
            }
        }
    };
}
choice_type!(
    Combinations,
    COMBINATIONS,
    "itertools.combinations",
    "__new__($type, iterable, r)",
    new_combinations,
    combine,
    "Return successive r-length combinations of elements in the iterable.\n\ncombinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)"
);
choice_type!(
    WithReplacement,
    COMBINATIONS_WITH_REPLACEMENT,
    "itertools.combinations_with_replacement",
    "__new__($type, iterable, r)",
    new_with_replacement,
    combine_with_replacement,
    "Return successive r-length combinations of elements in the iterable allowing individual elements to have successive repeats.\n\ncombinations_with_replacement('ABC', 2) --> ('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')"
);
choice_type!(
    Permutations,
    PERMUTATIONS,
    "itertools.permutations",
    "__new__($type, iterable, r=None)",
    new_permutations,
    permute,
    "Return successive r-length permutations of elements in the iterable.\n\npermutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)"
);

fn pool_of(vm: &Vm, class: Ref<Type>, def: &'static TypeDef, iterable: Value) -> R<Ref<Tuple>> {
    check_class(vm, class, def)?;
    let items = vm.list_from(iterable)?;
    Tuple::new(vm, items.items())
}

fn length(vm: &Vm, r: i64) -> R<usize> {
    usize::try_from(r).map_err(|_| vm.value_error("r must be non-negative"))
}

fn choice(pool: Ref<Tuple>, length: usize, at: Vec<usize>, cycles: Vec<usize>, none: bool) -> Choice {
    Choice {
        pool: Field::new(Some(pool.value())),
        at: RefCell::new(at),
        cycles: RefCell::new(cycles),
        length: Cell::new(length),
        stage: Cell::new(if none { Stage::Ended } else { Stage::First }),
    }
}

fn new_combinations(vm: &Vm, class: Ref<Type>, iterable: Value, r: i64) -> R<Value> {
    let pool = pool_of(vm, class, &COMBINATIONS, iterable)?;
    let r = length(vm, r)?;
    let none = r > pool.len();
    let at = (0..if none { 0 } else { r }).collect();
    Ok(Ext::new(vm, class, Combinations(choice(pool, r, at, Vec::new(), none)))?.value())
}

fn new_with_replacement(vm: &Vm, class: Ref<Type>, iterable: Value, r: i64) -> R<Value> {
    let pool = pool_of(vm, class, &COMBINATIONS_WITH_REPLACEMENT, iterable)?;
    let r = length(vm, r)?;
    let none = pool.is_empty() && r > 0;
    let at = vm.filled(0, if none { 0 } else { r })?;
    Ok(Ext::new(vm, class, WithReplacement(choice(pool, r, at, Vec::new(), none)))?.value())
}

fn new_permutations(vm: &Vm, class: Ref<Type>, iterable: Value, r: Option<Value>) -> R<Value> {
    let pool = pool_of(vm, class, &PERMUTATIONS, iterable)?;
    let n = pool.len();
    let r = match r {
        Some(r) if !r.is_none() => {
            if !vm.is_int(r) {
                return Err(vm.type_error("Expected int as r"));
            }
            length(vm, vm.index_i64(r)?)?
        }
        _ => n,
    };
    let none = r > n;
    let cycles = if none { Vec::new() } else { (0..r).map(|i| n - i).collect() };
    Ok(Ext::new(vm, class, Permutations(choice(pool, r, (0..n).collect(), cycles, none)))?.value())
}

/// The next row; `advance` moves the positions on and says whether there is one.
fn next(vm: &Vm, c: &Choice, advance: fn(&Choice, usize) -> bool) -> R<Value> {
    let Some(pool) = c.pool.cast::<Tuple>() else { return Ok(vm.stop()) };
    match c.stage.get() {
        Stage::Ended => return Ok(vm.stop()),
        Stage::First => c.stage.set(Stage::Later),
        Stage::Later => {
            if !advance(c, pool.len()) {
                c.stage.set(Stage::Ended);
                return Ok(vm.stop());
            }
        }
    }
    let at = c.at.borrow();
    tuple_of(vm, c.length.get(), |i| pool.items()[at[i]])
}

fn combine(c: &Choice, n: usize) -> bool {
    let mut at = c.at.borrow_mut();
    let r = at.len();
    let Some(i) = (0..r).rev().find(|&i| at[i] != i + n - r) else { return false };
    at[i] += 1;
    for j in i + 1..r {
        at[j] = at[j - 1] + 1;
    }
    true
}

fn combine_with_replacement(c: &Choice, n: usize) -> bool {
    let mut at = c.at.borrow_mut();
    let Some(i) = (0..at.len()).rev().find(|&i| at[i] != n - 1) else { return false };
    let v = at[i] + 1;
    at[i..].fill(v);
    true
}

fn permute(c: &Choice, n: usize) -> bool {
    let (mut at, mut cycles) = (c.at.borrow_mut(), c.cycles.borrow_mut());
    for i in (0..cycles.len()).rev() {
        cycles[i] -= 1;
        if cycles[i] == 0 {
            at[i..].rotate_left(1);
            cycles[i] = n - i;
        } else {
            let j = n - cycles[i];
            at.swap(i, j);
            return true;
        }
    }
    false
}
