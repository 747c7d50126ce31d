//! `__build_class__`.

use crate::interp::{At, Cont};
use crate::native::Args;
use crate::object::Ref;
use crate::types::dict::Dict;
use crate::types::function::Function;
use crate::types::list::List;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Value};
use crate::vm::Vm;

/// `__build_class__(func, name, /, *bases, [metaclass], **kwds)`.
pub fn build_class(vm: &Vm, args: Args<'_>) -> R<Value> {
    let all = args.positional();
    let (Some(f), Some(name)) =
        (all.first().and_then(|f| f.cast::<Function>()), all.get(1).and_then(|n| n.cast::<Str>()))
    else {
        return Err(vm.type_error(if all.len() < 2 {
            "__build_class__: not enough arguments"
        } else if all[0].cast::<Function>().is_none() {
            "__build_class__: func must be a function"
        } else {
            "__build_class__: name is not a string"
        }));
    };
    let original = Tuple::new(vm, &all[2..])?;
    let bases = resolve_bases(vm, original)?;
    let names = List::with_capacity(vm, 4)?;
    let values = List::with_capacity(vm, 4)?;
    let mut metaclass = None;
    for (k, v) in args.keywords() {
        if k.cast::<Str>().is_some_and(|k| k.bytes() == b"metaclass") {
            metaclass = Some(v);
        } else {
            names.push(vm, k)?;
            values.push(vm, v)?;
        }
    }
    let names = Tuple::new(vm, names.items())?;
    let meta = match metaclass {
        None => match bases.items().first() {
            None => vm.types.type_.value(),
            Some(&b) => vm.type_of(b).value(),
        },
        Some(m) => m,
    };
    let meta = match meta.cast::<Type>() {
        Some(m) => vm.most_derived_metaclass(m, bases)?.value(),
        None => meta,
    };
    let namespace = match vm.find_attr(meta, vm.names.__prepare__)? {
        Some(p) => {
            let row = List::new(vm, &[name.value(), bases.value()])?;
            row.extend(vm, values.items())?;
            vm.call_args(p, Args::new(row.items(), Some(names)))?
        }
        None => Dict::new(vm)?.value(),
    };
    if namespace.cast::<Dict>().is_none()
        && vm.type_of(namespace).special(vm, skein_bytecode::Special::GetItem).is_none()
    {
        let text = match meta.cast::<Type>() {
            Some(t) => t.name_string(),
            None => "<metaclass>".into(),
        };
        return Err(vm.type_error(format!(
            "{text}.__prepare__() must return a mapping, not {}",
            vm.type_name(namespace)
        )));
    }
    let cell = vm.call(f.value(), &[namespace])?;
    if bases != original {
        vm.set_item(namespace, vm.names.__orig_bases__.value(), original.value())?;
    }
    let row = List::new(vm, &[name.value(), bases.value(), namespace])?;
    row.extend(vm, values.items())?;
    let class = vm.call_args(meta, Args::new(row.items(), Some(names)))?;
    if let (Some(c), Some(_)) = (cell.cast::<crate::types::cell::CellObject>(), class.cast::<Type>()) {
        if c.get().is_unbound() {
            return Err(vm.runtime_error(format!(
                "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
                vm.repr_string(name.value())?,
                vm.repr_string(class)?
            )));
        }
        if !c.get().is(class) {
            return Err(vm.type_error(format!(
                "__class__ set to {} defining {} as {}",
                vm.repr_string(c.get())?,
                vm.repr_string(name.value())?,
                vm.repr_string(class)?
            )));
        }
    }
    Ok(class)
}

/// Bases that are no classes are replaced by what their `__mro_entries__` gives (PEP 560).
fn resolve_bases(vm: &Vm, original: Ref<Tuple>) -> R<Ref<Tuple>> {
    if original.items().iter().all(|b| b.cast::<Type>().is_some()) {
        return Ok(original);
    }
    let list = List::with_capacity(vm, original.len())?;
    let mut changed = false;
    for &b in original.items() {
        if b.cast::<Type>().is_none()
            && let Some(f) = vm.find_attr(b, vm.names.__mro_entries__)?
        {
            let r = vm.call(f, &[original.value()])?;
            let Some(t) = r.cast::<Tuple>() else {
                return Err(vm.type_error("__mro_entries__ must return a tuple"));
            };
            list.extend(vm, t.items())?;
            changed = true;
        } else {
            list.push(vm, b)?;
        }
    }
    if changed { Tuple::new(vm, list.items()) } else { Ok(original) }
}

/// Next step of a class that is made softly.
pub fn class_step(vm: &Vm, resume: At, cont: Cont, v: Value) -> R<At> {
    crate::interp::apply(vm, resume, cont.kind(crate::interp::ContKind::Plain), v)
}
