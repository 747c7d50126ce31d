//! Subscripts and unpacking.

use crate::interp::call::{call_special_2, call_special_3};
use crate::interp::{At, Consumer, Cont, ContKind};
use crate::object::Ref;
use crate::types::bytes::{ByteArray, Bytes};
use crate::types::dict::Dict;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use skein_bytecode::Special;

/// A Python index as a Rust one; out of range for what is not in the sequence.
#[inline(always)]
pub(super) fn wrap_index(i: i64, len: usize) -> usize {
    if i < 0 { (i + len as i64) as usize } else { i as usize }
}

/// The place of an item, if the key is an immediate int and that is in range.
#[inline]
fn place(key: Value, len: usize) -> Option<usize> {
    key.is_int().then(|| wrap_index(key.as_small_int(), len)).filter(|i| *i < len)
}

/// A byte of bytes or of a bytearray.
#[inline]
fn load_byte(vm: &Vm, ty: Ref<Type>, obj: Value, key: Value) -> Option<Value> {
    let byte = if ty == vm.types.bytes {
        let bytes = obj.cast::<Bytes>()?;
        bytes.bytes()[place(key, bytes.bytes().len())?]
    } else if ty == vm.types.bytearray {
        let bytes = obj.cast::<ByteArray>()?;
        bytes.bytes()[place(key, bytes.bytes().len())?]
    } else {
        return None;
    };
    Some(Value::small_int(byte.into()))
}

/// Stores a byte to a bytearray. None: there is no such place, or the value is no byte.
#[inline]
fn store_byte(vm: &Vm, ty: Ref<Type>, obj: Value, key: Value, v: Value) -> Option<()> {
    let array = obj.cast::<ByteArray>().filter(|_| ty == vm.types.bytearray)?;
    let byte = u8::try_from(v.is_int().then(|| v.as_small_int())?).ok()?;
    let (i, start) = (place(key, array.bytes().len())?, array.as_mut_ptr()?);
    // SAFETY: the array's bytes begin there, and the place is in range.
    unsafe { *start.add(i) = byte };
    Some(())
}

pub fn load_index(vm: &Vm, at: At) -> R<At> {
    let (obj, key) = (at.reg(at.b()), at.reg(at.c()));
    let resume = at.skip(1);
    let ty = vm.type_of(obj);
    if ty == vm.types.dict
        && let Some(d) = obj.cast::<Dict>()
    {
        let found = match key.cast::<Str>() {
            Some(s) if vm.is_exact_str(key) => d.get_str(vm, s)?,
            _ => d.get(vm, key)?,
        };
        let Some(v) = found else { return Err(vm.key_error(key)) };
        at.set(at.a(), v);
        return Ok(resume);
    }
    if let Some(byte) = load_byte(vm, ty, obj, key) {
        at.set(at.a(), byte);
        return Ok(resume);
    }
    if let Some(f) = ty.special(vm, Special::GetItem) {
        return call_special_2(vm, resume, f, obj, key, Cont::store(at.a()));
    }
    at.set(at.a(), vm.get_item(obj, key)?);
    Ok(resume)
}

pub fn store_index(vm: &Vm, at: At) -> R<At> {
    let (obj, key, v) = (at.reg(at.a()), at.reg(at.b()), at.reg(at.c()));
    let ty = vm.type_of(obj);
    if ty == vm.types.dict
        && let Some(d) = obj.cast::<Dict>()
    {
        d.set(vm, key, v)?;
        return Ok(at.skip(1));
    }
    if store_byte(vm, ty, obj, key, v).is_some() {
        return Ok(at.skip(1));
    }
    let Some(f) = ty.special(vm, Special::SetItem) else {
        return Err(no_items(vm, obj, "item assignment"));
    };
    let cont = Cont::new(ContKind::Discard, Consumer::Drop, 0);
    call_special_3(vm, at.skip(1), f, [obj, key, v], cont)
}

pub fn delete_index(vm: &Vm, at: At) -> R<At> {
    let (obj, key) = (at.reg(at.a()), at.reg(at.b()));
    let Some(f) = vm.type_of(obj).special(vm, Special::DelItem) else {
        return Err(no_items(vm, obj, "item deletion"));
    };
    let cont = Cont::new(ContKind::Discard, Consumer::Drop, 0);
    call_special_2(vm, at.skip(1), f, obj, key, cont)
}

#[cold]
fn no_items(vm: &Vm, obj: Value, what: &str) -> Raised {
    vm.type_error(format!("'{}' object does not support {what}", vm.type_name(obj)))
}

/// The items of a list or tuple, or all that an iterator gives up to `limit`.
fn unpack_items(vm: &Vm, v: Value, limit: usize) -> R<Ref<List>> {
    if let Some(t) = v.cast::<Tuple>()
        && vm.type_of(v) == vm.types.tuple
    {
        return List::new(vm, t.items());
    }
    if let Some(l) = v.cast::<List>()
        && vm.type_of(v) == vm.types.list
    {
        return l.snapshot(vm);
    }
    let ty = vm.type_of(v);
    if ty.special(vm, Special::Iter).is_none_or(|f| f.is_none()) && ty.special(vm, Special::GetItem).is_none()
    {
        return Err(vm.type_error(format!("cannot unpack non-iterable {} object", ty.name_string())));
    }
    let it = vm.iter(v)?;
    let list = List::with_capacity(vm, 4)?;
    while list.len() < limit {
        match vm.next(it)? {
            Some(v) => list.push(vm, v)?,
            None => break,
        }
    }
    Ok(list)
}

pub fn unpack(vm: &Vm, at: At) -> R<At> {
    let n = at.c();
    let v = at.reg(at.b());
    let items = unpack_items(vm, v, n + 1)?;
    if items.len() < n {
        return Err(
            vm.value_error(format!("not enough values to unpack (expected {n}, got {})", items.len()))
        );
    }
    if items.len() > n {
        let known = v.cast::<List>().is_some() || v.cast::<Tuple>().is_some() || v.cast::<Dict>().is_some();
        return Err(vm.value_error(if known {
            format!("too many values to unpack (expected {n}, got {})", vm.len(v)?)
        } else {
            format!("too many values to unpack (expected {n})")
        }));
    }
    for (i, &item) in items.items().iter().enumerate() {
        at.set(at.a() + i, item);
    }
    Ok(at.skip(1))
}

pub fn unpack_ex(vm: &Vm, at: At) -> R<At> {
    let (before, after) = ((at.extra() & 0xffff) as usize, (at.extra() >> 16) as usize);
    let items = unpack_items(vm, at.reg(at.b()), usize::MAX)?;
    let n = items.len();
    if n < before + after {
        return Err(vm.value_error(format!(
            "not enough values to unpack (expected at least {}, got {n})",
            before + after
        )));
    }
    let all = items.items();
    for (i, &item) in all[..before].iter().enumerate() {
        at.set(at.a() + i, item);
    }
    let middle = List::new(vm, &all[before..n - after])?;
    at.set(at.a() + before, middle.value());
    for (i, &item) in items.items()[n - after..].iter().enumerate() {
        at.set(at.a() + before + 1 + i, item);
    }
    Ok(at.skip(2))
}

impl Vm {
    /// `obj[key]` from native code.
    pub fn get_item(&self, obj: Value, key: Value) -> R<Value> {
        let ty = self.type_of(obj);
        if let Some(f) = ty.special(self, Special::GetItem) {
            return self.special_2(f, obj, key);
        }
        if let Some(t) = obj.cast::<Type>() {
            if t == self.types.type_ {
                return self.generic_alias(obj, key);
            }
            let own = self.find_attr(obj, self.names.__class_getitem__)?;
            if let Some(f) = own.filter(|f| !f.is_none()) {
                return self.call(f, &[key]);
            }
            return Err(self.type_error(format!("type '{}' is not subscriptable", t.name_string())));
        }
        Err(self.type_error(format!("'{}' object is not subscriptable", ty.name_string())))
    }

    /// `obj[key] = v` from native code.
    pub fn set_item(&self, obj: Value, key: Value, v: Value) -> R<()> {
        match self.type_of(obj).special(self, Special::SetItem) {
            Some(f) => self.special_3(f, obj, key, v).map(|_| ()),
            None => Err(no_items(self, obj, "item assignment")),
        }
    }

    /// `del obj[key]` from native code.
    pub fn del_item(&self, obj: Value, key: Value) -> R<()> {
        match self.type_of(obj).special(self, Special::DelItem) {
            Some(f) => self.special_2(f, obj, key).map(|_| ()),
            None => Err(no_items(self, obj, "item deletion")),
        }
    }
}
