//! Making classes: `type.__new__` once its arguments are checked, slots, and instances.

use crate::types::typeobj::{DICT, WEAKREF};
use skein_runtime::interp::TaskRef;
use skein_runtime::native::Args;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::descriptor::{Member, Wrapper};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::compute_mro;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// `collections.abc` tells which of its classes match sequence or mapping patterns; others are like what they
/// inherit from.
fn apply_pattern_flags(vm: &Vm, ty: Ref<Type>, dict: Ref<Dict>) -> R<()> {
    let name = vm.intern("__abc_tpflags__")?;
    let Some(bits) = dict.get_str(vm, name)?.and_then(|v| vm.as_i64(v)) else { return Ok(()) };
    dict.delete_str(vm, name)?;
    ty.set_flag(type_flags::SEQUENCE, bits & 1 << 5 != 0);
    ty.set_flag(type_flags::MAPPING, bits & 1 << 6 != 0);
    Ok(())
}

/// Text that a name in C could be. UnicodeEncodeError; ValueError with this message.
pub fn check_text(vm: &Vm, text: Ref<Str>, message: &str) -> R<()> {
    crate::types::codecs::utf8(vm, text)?;
    if text.bytes().contains(&0) { Err(vm.value_error(message)) } else { Ok(()) }
}

/// `type.__new__` once the metaclass is known. What is left is to call `__set_name__` and
/// `__init_subclass__`, after which the task has the class.
pub fn new_class(
    vm: &Vm,
    meta: Ref<Type>,
    name: Ref<Str>,
    bases: Ref<Tuple>,
    namespace: Ref<Dict>,
    args: Args<'_>,
) -> R<TaskRef> {
    check_text(vm, name, "type name must not contain null characters")?;
    if let Some(doc) = namespace.get_str(vm, vm.names.__doc__)?.and_then(|d| d.cast::<Str>()) {
        crate::types::codecs::utf8(vm, doc)?;
    }
    let bases = if bases.is_empty() { Tuple::new(vm, &[vm.types.object.value()])? } else { bases };
    let base = vm.best_base(bases)?;
    if !meta.is_subtype(vm.types.type_) {
        let name = meta.message_name();
        return Err(vm.type_error(format!("type.__new__({name}): {name} is not a subtype of type")));
    }
    // What may run Python code runs before there is a class that is made in part.
    let slots = match namespace.get_str(vm, vm.names.__slots__)? {
        Some(slots) if slots.cast::<Str>().is_some() => Some(List::new(vm, &[slots])?),
        Some(slots) => Some(vm.list_from(slots)?),
        None => None,
    };
    let ty = vm.alloc_instance::<Type>(meta)?;
    let mut flags = type_flags::HEAP | type_flags::BASETYPE;
    const INHERITED: u32 =
        type_flags::HAS_DICT | type_flags::HAS_WEAKREF | type_flags::HAS_DEL | type_flags::SLOT_WORD;
    for b in bases.items().iter().filter_map(|b| b.cast::<Type>()) {
        flags |= b.flags.get() & INHERITED;
    }
    let kind = Kind::ALL[base.instance_kind() as usize];
    ty.init(vm, kind, flags, None);
    let dict = namespace.copy(vm)?;
    ty.dict.set(vm, ty, dict.value());
    ty.name.set(vm, ty, vm.intern_str(name).value());
    let qualname = match dict.get_str(vm, vm.names.__qualname__)? {
        Some(q) if q.cast::<Str>().is_some() => {
            dict.delete_str(vm, vm.names.__qualname__)?;
            q
        }
        Some(q) => {
            return Err(vm.type_error(format!("type __qualname__ must be a str, not {}", vm.type_name(q))));
        }
        None => name.value(),
    };
    ty.qualname.set(vm, ty, qualname);
    ty.bases.set(vm, ty, bases.value());
    ty.base.set(vm, ty, base.value());
    if dict.get_str(vm, vm.names.__module__)?.is_none()
        && let Some(f) = skein_runtime::interp::Walk::running(vm).next()
    {
        let globals = skein_runtime::interp::frame_function(f.base).globals();
        if let Some(m) = globals.get_str(vm, vm.names.__name__)? {
            dict.set_str(vm, vm.names.__module__, m)?;
        }
    }
    apply_slots(vm, ty, base, dict, slots)?;
    if dict.get_str(vm, vm.names.__doc__)?.is_none() {
        dict.set_str(vm, vm.names.__doc__, Value::NONE)?;
    }
    if ty.has_flag(type_flags::HAS_DICT)
        && !base.has_flag(type_flags::HAS_DICT)
        && dict.get_str(vm, vm.names.__dict__)?.is_none()
    {
        let d = skein_runtime::types::descriptor::GetSet::new(vm, &DICT, ty)?;
        dict.set_str(vm, vm.names.__dict__, d.value())?;
    }
    if ty.has_flag(type_flags::HAS_WEAKREF)
        && !base.has_flag(type_flags::HAS_WEAKREF)
        && dict.get_str(vm, vm.names.__weakref__)?.is_none()
    {
        let w = skein_runtime::types::descriptor::GetSet::new(vm, &WEAKREF, ty)?;
        dict.set_str(vm, vm.names.__weakref__, w.value())?;
    }
    ty.make_root_shape(vm);
    for (method, wrapper) in [
        (vm.names.__init_subclass__, vm.types.classmethod),
        (vm.names.__class_getitem__, vm.types.classmethod),
        (vm.names.__new__, vm.types.staticmethod),
    ] {
        if let Some(f) = dict.get_str(vm, method)?
            && f.cast::<Function>().is_some()
        {
            let w = Wrapper::new(vm, wrapper, f)?;
            dict.set_str(vm, method, w.value())?;
        }
    }
    let cell = dict.get_str(vm, vm.names.__classcell__)?;
    if let Some(c) = cell {
        dict.delete_str(vm, vm.names.__classcell__)?;
        match c.cast::<skein_runtime::types::cell::CellObject>() {
            Some(c) => c.set(vm, ty.value()),
            None => {
                return Err(vm.type_error(format!(
                    "type.__new__() argument __classcell__ must be a nonlocal cell, not {}",
                    vm.type_name(c)
                )));
            }
        }
    }
    if let Some(c) = dict.get_str(vm, vm.names.__classdictcell__)? {
        dict.delete_str(vm, vm.names.__classdictcell__)?;
        let Some(c) = c.cast::<skein_runtime::types::cell::CellObject>() else {
            return Err(vm.type_error(format!(
                "type.__new__() argument __classdictcell__ must be a nonlocal cell, not {}",
                vm.type_name(c)
            )));
        };
        // Annotations see what the class has when they are evaluated; not its dictionary itself, as
        // changes of that must go through the class.
        c.set(vm, skein_runtime::types::mappingproxy::MappingProxy::new(vm, dict.value())?.value());
    }
    if dict.get_str(vm, vm.names.__del__)?.is_some() {
        ty.set_flag(type_flags::HAS_DEL, true);
    }
    // A class that defines equality but no hash is unhashable.
    let (eq, hash) = (vm.intern("__eq__")?, vm.intern("__hash__")?);
    if dict.get_str(vm, eq)?.is_some() && dict.get_str(vm, hash)?.is_none() {
        dict.set_str(vm, hash, Value::NONE)?;
    }
    let mro = class_mro(vm, ty)?;
    ty.mro.set(vm, ty, mro.value());
    apply_pattern_flags(vm, ty, dict)?;
    for b in bases.items() {
        if let Some(b) = b.cast::<Type>() {
            vm.add_subclass(b, ty)?;
        }
    }
    ty.modified(vm);
    super::class_hooks::task(vm, ty, dict, args)
}

/// An MRO that a program made: its methods are to work on the instances' layout. TypeError.
fn checked_mro(vm: &Vm, ty: Ref<Type>, mro: Ref<Tuple>) -> R<Ref<Tuple>> {
    for &t in mro.items() {
        let Some(t) = t.cast::<Type>() else {
            return Err(vm.type_error(format!("mro() returned a non-class ('{}')", vm.type_name(t))));
        };
        if !ty.has_layout_of(t) {
            let name = t.message_name();
            return Err(vm.type_error(format!("mro() returned base with unsuitable layout ('{name}')")));
        }
    }
    Ok(mro)
}

/// The MRO, by the metaclass's `mro()` if it has its own. The class has its bases.
pub fn class_mro(vm: &Vm, ty: Ref<Type>) -> R<Ref<Tuple>> {
    let meta = vm.type_of(ty.value());
    if meta != vm.types.type_
        && let Some(f) = meta.lookup(vm, vm.names.mro)
        && f.cast::<Function>().is_some()
    {
        // Look-ups on the class meanwhile go by the standard order.
        if ty.mro.get().is_none() {
            let standard = compute_mro(vm, ty)?;
            ty.mro.set(vm, ty, standard.value());
        }
        let r = vm.call(f, &[ty.value()])?;
        let list = vm.list_from(r)?;
        return checked_mro(vm, ty, Tuple::new(vm, list.items())?);
    }
    compute_mro(vm, ty)
}

/// `__slots__`: member descriptors and the slots' names.
fn apply_slots(
    vm: &Vm,
    ty: Ref<Type>,
    base: Ref<Type>,
    dict: Ref<Dict>,
    declared: Option<Ref<List>>,
) -> R<()> {
    ty.slot_names.set(vm, ty, base.slot_names.get());
    let Some(declared) = declared else {
        ty.set_flag(type_flags::HAS_DICT | type_flags::HAS_WEAKREF, true);
        return Ok(());
    };
    let names = List::with_capacity(vm, declared.len())?;
    for &s in declared.items() {
        let Some(s) = s.cast::<Str>() else {
            return Err(vm.type_error(format!("__slots__ items must be strings, not '{}'", vm.type_name(s))));
        };
        let text = s.to_string_lossy().into_owned();
        let identifier = text.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic())
            && text.chars().all(|c| c == '_' || c.is_alphanumeric());
        if !identifier {
            return Err(vm.type_error("__slots__ must be identifiers"));
        }
        match text.as_str() {
            "__dict__" => {
                if ty.has_flag(type_flags::HAS_DICT) {
                    return Err(vm.type_error("__dict__ slot disallowed: we already got one"));
                }
                ty.set_flag(type_flags::HAS_DICT, true);
            }
            "__weakref__" => {
                // Of the builtin types more have it here than in CPython.
                let twice = ty.has_flag(type_flags::HAS_WEAKREF) && !base.has_flag(type_flags::HAS_WEAKREF);
                if twice || base.has_flag(type_flags::HAS_WEAKREF) && base.has_flag(type_flags::HEAP) {
                    return Err(vm.type_error("__weakref__ slot disallowed: we already got one"));
                }
                ty.set_flag(type_flags::HAS_WEAKREF, true);
            }
            _ => {
                let name = vm.intern(&mangle(&ty.name_string(), &text))?;
                let clash = dict.get_str(vm, name)?;
                if clash.is_some() && text != "__qualname__" && text != "__classcell__" {
                    return Err(vm.value_error(format!(
                        "'{}' in __slots__ conflicts with class variable",
                        name.to_string_lossy()
                    )));
                }
                names.push(vm, name.value())?;
            }
        }
    }
    if !names.is_empty()
        && matches!(Kind::ALL[base.instance_kind() as usize], Kind::Int | Kind::Bytes | Kind::Tuple)
    {
        return Err(vm.type_error(format!(
            "nonempty __slots__ not supported for subtype of '{}'",
            base.name_string()
        )));
    }
    let all = match base.slot_names.cast::<Tuple>() {
        Some(t) => List::new(vm, t.items())?,
        None => List::with_capacity(vm, names.len())?,
    };
    // Slots of a builtin layout are kept in the instance's dictionary word.
    if ty.has_builtin_layout() && !names.is_empty() {
        ty.set_flag(type_flags::SLOT_WORD, true);
    }
    for &n in names.items() {
        // SAFETY: only strings were pushed.
        let name: Ref<Str> = unsafe { n.cast_unchecked() };
        let member = Member::new(vm, name, ty, all.len())?;
        dict.set_str(vm, name, member.value())?;
        if !ty.has_builtin_layout() {
            all.push(vm, n)?;
        }
    }
    let all = Tuple::new(vm, all.items())?;
    ty.slot_names.set(vm, ty, all.value());
    Ok(())
}

/// Private names in a class body: `__x` becomes `_Class__x`.
fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if name.starts_with("__") && !name.ends_with("__") && !name.contains('.') && !class.is_empty() {
        return format!("_{class}{name}");
    }
    name.to_string()
}
