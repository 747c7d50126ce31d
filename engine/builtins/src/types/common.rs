//! What several containers' methods share.

use skein_bytecode::Special;
use skein_runtime::interp::check_native_stack;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// A subscript as a position below `len`. TypeError, IndexError.
#[inline]
pub fn item_index(vm: &Vm, key: Value, len: impl FnOnce() -> usize, what: &str) -> R<usize> {
    let i = if key.is_int() { key.as_small_int() } else { index_slow(vm, key, what)? };
    // What Python code did to find the index may have changed the length.
    let len = len();
    let at = if i < 0 { i.saturating_add(len as i64) } else { i };
    if at >= 0 && (at as usize) < len { Ok(at as usize) } else { Err(out_of_range(vm, what)) }
}

#[cold]
fn out_of_range(vm: &Vm, what: &str) -> skein_runtime::value::Raised {
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

/// Natives that go through many items look for signals where these bits of the index are set.
pub const LOOK: usize = 0xffff;

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
        if i & LOOK == LOOK {
            vm.check_signals()?;
        }
        match (a(i), b(i)) {
            (Some(x), Some(y)) => {
                if !x.is(y) && !vm.eq(x, y)? {
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
            vm.put(&mut out, b", ")?;
        }
        vm.put(&mut out, vm.repr(v)?.bytes())?;
        i += 1;
    }
    vm.put(&mut out, close.as_bytes())?;
    Ok(Str::new(vm, &out)?.value())
}

/// The row of a list repeated.
pub fn repeated(vm: &Vm, items: &[Value], n: usize) -> R<Ref<List>> {
    let total = items.len().checked_mul(n).filter(|&t| t < 1 << 48).ok_or_else(|| vm.memory_error())?;
    if let &[one] = items {
        return List::filled(vm, one, total);
    }
    let list = List::with_capacity(vm, total)?;
    for _ in 0..if items.is_empty() { 0 } else { n } {
        list.extend(vm, items)?;
    }
    Ok(list)
}

/// `os.fspath(v)`: text or bytes. TypeError.
pub fn path_object(vm: &Vm, v: Value) -> R<Value> {
    let is_path = |v: Value| v.cast::<Str>().is_some() || v.cast::<Bytes>().is_some();
    if is_path(v) {
        return Ok(v);
    }
    let ty = vm.type_of(v);
    let Some(f) = ty.lookup(vm, vm.intern("__fspath__")?).filter(|f| !f.is_none()) else {
        let got = vm.type_name(v);
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {got}")));
    };
    let path = vm.call(vm.bind(f, v, ty)?, &[])?;
    if is_path(path) {
        return Ok(path);
    }
    let (owner, got) = (ty.name_string(), vm.type_name(path));
    Err(vm.type_error(format!("expected {owner}.__fspath__() to return str or bytes, not {got}")))
}
