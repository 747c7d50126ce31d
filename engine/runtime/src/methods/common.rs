//! What several containers' methods share.

use crate::native::{Args, TypeDef};
use crate::object::{Kind, Ref};
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;
use rustc_hash::FxHashMap;
use skein_bytecode::Special;
use std::cell::RefCell;

/// The class that a `__new__` of `base` got as its first argument. TypeError.
pub fn class_argument(vm: &Vm, args: &Args<'_>, base: Ref<Type>) -> R<Ref<Type>> {
    let name = || base.message_name();
    let Some(&first) = args.positional().first() else {
        return Err(vm.type_error(format!("{}.__new__(): not enough arguments", name())));
    };
    let Some(ty) = first.cast::<Type>() else {
        return Err(vm.type_error(format!(
            "{}.__new__(X): X is not a type object ({})",
            name(),
            vm.type_name(first)
        )));
    };
    if ty != base && !ty.is_subtype(base) {
        return Err(vm.type_error(format!(
            "{0}.__new__({1}): {1} is not a subtype of {0}",
            name(),
            ty.message_name()
        )));
    }
    Ok(ty)
}

/// Types declared outside of the core, made at their first use.
#[derive(Default)]
struct ExtTypes(RefCell<FxHashMap<usize, Ref<Type>>>);

/// The type of this declaration, made at the first use. MemoryError.
pub fn ext_type(vm: &Vm, def: &'static TypeDef) -> R<Ref<Type>> {
    let state = vm.state::<ExtTypes>();
    let key = std::ptr::from_ref(def).addr();
    if let Some(&ty) = state.0.borrow().get(&key) {
        return Ok(ty);
    }
    let ty = vm.make_native_type(def)?;
    state.0.borrow_mut().insert(key, ty);
    Ok(ty)
}

/// The class that a `__new__` was called for must be that declared, or a subclass. TypeError.
pub fn check_class(vm: &Vm, class: Ref<Type>, def: &'static TypeDef) -> R<()> {
    if class.def().is_some_and(|d| std::ptr::eq(d, def)) {
        return Ok(());
    }
    let own = ext_type(vm, def)?;
    if class.is_subtype(own) {
        return Ok(());
    }
    let (own, class) = (own.message_name(), class.message_name());
    Err(vm.type_error(format!("{own}.__new__({class}): {class} is not a subtype of {own}")))
}

/// `callable(v)`.
pub fn is_callable(vm: &Vm, v: Value) -> bool {
    let kind = v.header().map(|h| Kind::ALL[h.kind.get() as usize]);
    matches!(kind, Some(Kind::Function | Kind::BoundMethod | Kind::Native | Kind::Type))
        || vm.type_of(v).special(vm, Special::Call).is_some()
}

/// A subscript as a position below `len`. TypeError, IndexError.
#[inline]
pub fn item_index(vm: &Vm, key: Value, len: usize, what: &str) -> R<usize> {
    let i = if key.is_int() { key.as_small_int() } else { index_slow(vm, key, what)? };
    let at = if i < 0 { i + len as i64 } else { i };
    if at >= 0 && (at as usize) < len { Ok(at as usize) } else { Err(out_of_range(vm, what)) }
}

#[cold]
fn out_of_range(vm: &Vm, what: &str) -> crate::value::Raised {
    vm.index_error(format!("{what} index out of range"))
}

#[cold]
fn index_slow(vm: &Vm, key: Value, what: &str) -> R<i64> {
    if !vm.is_int(key) && vm.type_of(key).special(vm, Special::Index).is_none() {
        return Err(
            vm.type_error(format!("{what} indices must be integers or slices, not {}", vm.type_name(key)))
        );
    }
    let i = vm.index(key)?;
    vm.as_i64(i).ok_or_else(|| {
        vm.index_error(format!("cannot fit '{}' into an index-sized integer", vm.type_name(key)))
    })
}

/// The factor of `sequence * n`, negative as 0; None if `n` is no integer. OverflowError.
pub fn repeat_count(vm: &Vm, n: Value) -> R<Option<usize>> {
    if n.is_int() {
        return Ok(Some(n.as_small_int().max(0) as usize));
    }
    if !vm.is_int(n) && vm.type_of(n).special(vm, Special::Index).is_none() {
        return Ok(None);
    }
    let i = vm.index(n)?;
    match vm.as_i64(i) {
        Some(i) => Ok(Some(i.max(0) as usize)),
        None => {
            Err(vm.overflow_error(format!("cannot fit '{}' into an index-sized integer", vm.type_name(n))))
        }
    }
}

/// Raises RecursionError before natives that call each other use up the native stack.
#[inline]
pub fn check_native_stack(vm: &Vm, doing: &str) -> R<()> {
    let marker = 0u8;
    if std::ptr::from_ref(&marker).addr() < vm.native_limit.get() {
        return Err(vm.recursion_error(format!("maximum recursion depth exceeded{doing}")));
    }
    Ok(())
}

/// The order of two rows of items: `a` and `b` give an item, or None at the end as it is then.
pub fn compare_rows(
    vm: &Vm,
    op: Special,
    a: impl Fn(usize) -> Option<Value>,
    b: impl Fn(usize) -> Option<Value>,
) -> R<Value> {
    check_native_stack(vm, " in comparison")?;
    let mut i = 0;
    loop {
        match (a(i), b(i)) {
            (Some(x), Some(y)) => {
                if !vm.eq(x, y)? {
                    return match op {
                        Special::Eq => Ok(Value::FALSE),
                        Special::Ne => Ok(Value::TRUE),
                        _ => vm.rich_compare(op, x, y),
                    };
                }
            }
            (x, y) => {
                let (more, other) = (x.is_some(), y.is_some());
                return Ok(Value::bool(match op {
                    Special::Eq => more == other,
                    Special::Ne => more != other,
                    Special::Lt => !more && other,
                    Special::Le => !more,
                    Special::Gt => more && !other,
                    _ => !other,
                }));
            }
        }
        i += 1;
    }
}

/// `open` + the items' `repr` with commas + `close`.
pub fn string_of_items(vm: &Vm, open: &str, close: &str, item: impl Fn(usize) -> Option<Value>) -> R<Value> {
    check_native_stack(vm, " while getting the repr of an object")?;
    let mut out = open.as_bytes().to_vec();
    let mut i = 0;
    while let Some(v) = item(i) {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(vm.repr(v)?.bytes());
        i += 1;
    }
    out.extend_from_slice(close.as_bytes());
    Ok(Str::new(vm, &out)?.value())
}

/// Python's hash of a tuple of items with these hashes: xxHash without its last rounds.
pub fn tuple_hash(hashes: impl ExactSizeIterator<Item = R<i64>>) -> R<i64> {
    const P1: u64 = 11_400_714_785_074_694_791;
    const P2: u64 = 14_029_467_366_897_019_727;
    const P5: u64 = 2_870_177_450_012_600_261;
    let len = hashes.len() as u64;
    let mut acc = P5;
    for h in hashes {
        acc = acc.wrapping_add((h? as u64).wrapping_mul(P2));
        acc = acc.rotate_left(31).wrapping_mul(P1);
    }
    acc = acc.wrapping_add(len ^ (P5 ^ 3_527_539));
    Ok(if acc == u64::MAX { 1_546_275_796 } else { acc as i64 })
}

/// The row of a list repeated.
pub fn repeated(vm: &Vm, items: &[Value], n: usize) -> R<Ref<List>> {
    let total = items.len().checked_mul(n).filter(|&t| t < 1 << 48).ok_or_else(|| vm.memory_error())?;
    let list = List::with_capacity(vm, total)?;
    for _ in 0..if items.is_empty() { 0 } else { n } {
        list.extend(vm, items)?;
    }
    Ok(list)
}
