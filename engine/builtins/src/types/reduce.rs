//! Copying and pickling of plain objects: `__reduce_ex__(2)`, `__getstate__`.

use skein_runtime::native::Args;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::instance::Instance;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `object.__getstate__`: the dictionary, or (dictionary, slots), or None.
pub fn default_getstate(vm: &Vm, v: Value) -> R<Value> {
    let ty = vm.type_of(v);
    let dict = match vm.find_attr(v, vm.names.__dict__)?.and_then(|d| d.cast::<Dict>()) {
        Some(d) if !d.is_empty() => d.copy(vm)?.value(),
        _ => Value::NONE,
    };
    let slots = Dict::new(vm)?;
    if let (Some(i), Some(names)) = (v.cast::<Instance>(), ty.slot_names.cast::<Tuple>()) {
        for (n, &name) in names.items().iter().enumerate() {
            if let (Some(s), Some(value)) = (name.cast::<Str>(), i.slot(n)) {
                slots.set_str(vm, s, value)?;
            }
        }
    }
    if !ty.has_flag(type_flags::HAS_DICT)
        && ty.has_flag(type_flags::SLOT_WORD)
        && let Some(values) = vm.word_dict(v)?
    {
        slots.update(vm, values)?;
    }
    if slots.is_empty() {
        return Ok(dict);
    }
    vm.tuple(&[dict, slots.value()])
}

/// What `object.__reduce_ex__` returns for protocol 2 and later.
pub fn reduce_2(vm: &Vm, v: Value) -> R<Value> {
    let ty = vm.type_of(v);
    let copyreg = crate::modules::import(vm, "copyreg")?;
    let name = |n: &str| vm.intern(n);
    let mut function = "__newobj__";
    let row = List::new(vm, &[ty.value()])?;
    let mut keywords = Value::NONE;
    // By the type: `__getattr__` is not asked.
    if let Some(f) = ty.lookup(vm, name("__getnewargs_ex__")?) {
        let r = vm.special_1(f, v)?;
        let pair = r.cast::<Tuple>().filter(|t| t.len() == 2);
        let Some((args, named)) =
            pair.and_then(|t| Some((t.items()[0].cast::<Tuple>()?, t.items()[1].cast::<Dict>()?)))
        else {
            return Err(
                vm.type_error(format!("__getnewargs_ex__ should return a tuple, not '{}'", vm.type_name(r)))
            );
        };
        if named.is_empty() {
            row.extend(vm, args.items())?;
        } else {
            function = "__newobj_ex__";
            row.push(vm, args.value())?;
            keywords = named.value();
        }
    } else if let Some(f) = ty.lookup(vm, name("__getnewargs__")?) {
        let r = vm.special_1(f, v)?;
        let Some(args) = r.cast::<Tuple>() else {
            return Err(
                vm.type_error(format!("__getnewargs__ should return a tuple, not '{}'", vm.type_name(r)))
            );
        };
        row.extend(vm, args.items())?;
    } else if ty.has_builtin_layout()
        && !ty.has_flag(skein_runtime::types::typeobj::type_flags::HEAP)
        && ty.lookup(vm, vm.names.__getstate__) == vm.types.object.lookup(vm, vm.names.__getstate__)
    {
        return Err(vm.type_error(format!("cannot pickle '{}' object", ty.message_name())));
    }
    if !keywords.is_none() {
        row.push(vm, keywords)?;
    }
    let maker = vm.get_attr_str(copyreg, function)?;
    let state = match vm.find_attr(v, vm.names.__getstate__)? {
        Some(f) => vm.call(f, &[])?,
        None => default_getstate(vm, v)?,
    };
    let items = if v.cast::<List>().is_some() { vm.iter(v)? } else { Value::NONE };
    let pairs = match v.cast::<Dict>() {
        Some(_) => {
            let f = vm.get_attr(v, vm.names.items)?;
            let view = vm.call_args(f, Args::new(&[], None))?;
            vm.iter(view)?
        }
        None => Value::NONE,
    };
    let args = vm.tuple(row.items())?;
    vm.tuple(&[maker, args, state, items, pairs])
}
