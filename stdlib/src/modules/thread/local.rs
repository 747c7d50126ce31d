//! `_thread._local`: an object whose attributes are another dictionary in each thread.
//!
//! The local has the dictionaries by the threads' numbers. Each access first makes the running thread's one the
//! object's, and goes on as for any object. A thread that ends takes its dictionaries out of the locals that it
//! has used, which it knows weakly.

use skein_bytecode::Special;
use skein_runtime::object::{Field, Header, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, Payload, check_class};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::{Args, R, Raised, Value, Vm, native_type};
use std::cell::{Cell, RefCell};

/// A local.
pub struct Local {
    dicts: Field,
    /// Arguments of the constructor, for `__init__` in each thread: a list, and names of the last ones.
    args: Field,
    names: Field,
    /// Number of the thread whose dictionary is the object's.
    shown: Cell<u32>,
}

impl Payload for Local {
    const NAME: &'static str = "_thread._local";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Local { dicts, args, names, shown: _ } = self;
        dicts.trace(t);
        args.trace(t);
        names.trace(t);
    }
}

type LocalRef = Ref<Ext<Local>>;

/// The locals that a thread has used.
#[derive(Default)]
struct Used(RefCell<Vec<LocalRef>>);

impl Payload for Used {
    const NAME: &'static str = "locals of a thread";
    fn trace(&self, _: &mut Tracer<'_>) {
        // Weak: see `clear_weak`.
        let Used(_) = self;
    }
    fn clear_weak(&self, is_live: &dyn Fn(*const Header) -> bool) -> bool {
        self.0.borrow_mut().retain(|l| is_live(l.header()));
        false
    }
}

native_type! {
    pub LOCAL: "_thread._local", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "Thread-local data";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, /, *args, **kwargs)" => |_: &Vm, _: Args<'_>| ();
        "__getattribute__($self, name, /)" => get;
        "__setattr__($self, name, value, /)" => |vm: &Vm, l: LocalRef, name: Value, v: Value| change(vm, l, name, Some(v));
        "__delattr__($self, name, /)" => |vm: &Vm, l: LocalRef, name: Value| change(vm, l, name, None);
    }
}

fn empty() -> Field {
    Field::new(None::<Value>)
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(ty) = args.positional().first().and_then(|t| t.cast::<Type>()) else {
        return Err(vm.type_error("_local.__new__(): not enough arguments"));
    };
    check_class(vm, ty, &LOCAL)?;
    let (row, names) = args.rest().parts();
    let own_init = ty.special(vm, Special::Init);
    let base_init = skein_runtime::types::ext::ext_type(vm, &LOCAL)?.special(vm, Special::Init);
    if !row.is_empty() && own_init == base_init {
        return Err(vm.type_error("Initialization arguments are not supported"));
    }
    let l = Ext::new(
        vm,
        ty,
        Local {
            dicts: empty(),
            args: empty(),
            names: empty(),
            shown: Cell::new(vm.threads.current().serial),
        },
    )?;
    let dicts = Dict::new(vm)?;
    l.dicts.set(vm, l, dicts.value());
    let row = List::new(vm, row)?;
    l.args.set(vm, l, row.value());
    l.names.set(vm, l, names.map(Value::from));
    // The constructor goes on to call `__init__` in this thread.
    add_dict(vm, l, dicts)?;
    Ok(l.value())
}

/// The running thread's dictionary of a local, a new one: it is the object's from now on.
fn add_dict(vm: &Vm, l: LocalRef, dicts: Ref<Dict>) -> R<()> {
    let thread = vm.threads.current();
    let own = Dict::new(vm)?;
    let used = match thread.kept.locals.get().and_then(|v| v.cast::<Ext<Used>>()) {
        Some(used) => used,
        None => {
            let used = Ext::internal(vm, Used::default())?;
            vm.heap.register_weak(used.header());
            thread.kept.locals.set(Some(used.value()));
            used
        }
    };
    vm.push(&mut used.0.borrow_mut(), l)?;
    // A weak container is looked at again after a store.
    used.barrier(vm);
    dicts.set(vm, Value::small_int(thread.serial.into()), own.value())?;
    l.shown.set(thread.serial);
    vm.replace_instance_dict(l.value(), own)
}

/// Makes the running thread's dictionary the object's; in a thread that meets the local for the first time `__init__`
/// is called.
fn enter(vm: &Vm, l: LocalRef) -> R<()> {
    let serial = vm.threads.current().serial;
    if l.shown.get() == serial {
        return Ok(());
    }
    let Some(dicts) = l.dicts.cast::<Dict>() else {
        return Err(vm.system_error("a local without dictionaries"));
    };
    if let Some(own) = dicts.get(vm, Value::small_int(serial.into()))?.and_then(|d| d.cast::<Dict>()) {
        l.shown.set(serial);
        return vm.replace_instance_dict(l.value(), own);
    }
    add_dict(vm, l, dicts)?;
    let Some(init) = vm.type_of(l.value()).special(vm, Special::Init) else { return Ok(()) };
    let (row, names) = (l.args.cast::<List>(), l.names.cast::<Tuple>());
    let all = List::new(vm, &[l.value()])?;
    for &v in row.as_ref().map_or(&[][..], |r| r.items()) {
        all.push(vm, v)?;
    }
    match vm.call_special_method(init, Args::new(all.items(), names)) {
        // Other threads may have come to the local meanwhile.
        Ok(_) => enter(vm, l),
        Err(Raised) => {
            // It is tried again the next time.
            let e = vm.pending.take();
            dicts.delete(vm, Value::small_int(serial.into()))?;
            l.shown.set(u32::MAX);
            vm.pending.set(e);
            Err(Raised)
        }
    }
}

/// The attributes that a local has in the running thread; None of anything else. What its `__init__` raises.
pub(crate) fn attributes(vm: &Vm, v: Value) -> R<Option<Ref<Dict>>> {
    match v.cast::<Ext<Local>>() {
        Some(l) => {
            enter(vm, l)?;
            vm.word_dict(v)
        }
        None => Ok(None),
    }
}

fn text(vm: &Vm, name: Value) -> R<Ref<Str>> {
    match name.cast::<Str>() {
        Some(s) => Ok(vm.intern_str(s)),
        None => Err(vm.type_error(format!("attribute name must be string, not '{}'", vm.type_name(name)))),
    }
}

fn get(vm: &Vm, l: LocalRef, name: Value) -> R<Value> {
    let name = text(vm, name)?;
    enter(vm, l)?;
    match vm.generic_get_attr(l.value(), name)? {
        Some(v) => Ok(v),
        None => Err(vm.no_attribute(l.value(), name)),
    }
}

fn change(vm: &Vm, l: LocalRef, name: Value, v: Option<Value>) -> R<()> {
    let name = text(vm, name)?;
    if name == vm.names.__dict__ {
        let text = format!("'{}' object attribute '__dict__' is read-only", vm.type_name(l.value()));
        return Err(vm.attribute_error_for(l.value(), name, &text));
    }
    enter(vm, l)?;
    vm.generic_set_attr(l.value(), name, v)
}

/// The running thread ends: its dictionaries go.
pub fn end_thread(vm: &Vm) {
    let thread = vm.threads.current();
    let Some(used) = thread.kept.locals.take().and_then(|v| v.cast::<Ext<Used>>()) else { return };
    let key = Value::small_int(thread.serial.into());
    loop {
        let Some(l) = used.0.borrow_mut().pop() else { return };
        if l.shown.get() == thread.serial
            && let Ok(none) = Dict::new(vm)
            && vm.replace_instance_dict(l.value(), none).is_ok()
        {
            l.shown.set(u32::MAX);
        }
        if l.dicts.cast::<Dict>().is_some_and(|d| d.delete(vm, key).is_err()) {
            vm.pending.take();
        }
    }
}
