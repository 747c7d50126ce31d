//! `Unpickler`: the object.

use super::input::{File, Input};
use super::load::Loader;
use super::reduce::{attribute, import_module};
use super::{attempt, callable_attribute, in_context, library, proxy_copy, unpickling_error};
use crate::modules::support::BytesLike;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, check_class, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::{Cell, RefCell};

pub struct Unpickler {
    read: Field,
    readline: Field,
    /// An iterator over buffers that are not in the pickle.
    pub buffers: Field,
    pub encoding: Field,
    pub errors: Field,
    /// Objects by their numbers: a dict.
    memo: Field,
    /// What was read and not used yet.
    rest: RefCell<Option<Vec<u8>>>,
    pub protocol: Cell<u8>,
    fix_imports: Cell<bool>,
    ready: Cell<bool>,
    running: Cell<bool>,
}

impl Payload for Unpickler {
    const NAME: &'static str = "_pickle.Unpickler";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Unpickler { read, readline, buffers, encoding, errors, memo, .. } = self;
        [read, readline, buffers, encoding, errors, memo].into_iter().for_each(|f| f.trace(t));
    }
}

pub type UnpicklerRef = Ref<Ext<Unpickler>>;
type This = ExtArg<Unpickler>;

native_type! {
    pub UNPICKLER: "_pickle.Unpickler", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "This takes a binary file for reading a pickle data stream.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, file, *, fix_imports=True, encoding='ASCII', errors='strict', buffers=())" => init;
        "load($self, /)" => |vm: &Vm, u: This| load(vm, u.0), "Load a pickle.";
        "find_class($self, module_name, global_name, /)" => |vm: &Vm, u: This, module: Ref<Str>, name: Ref<Str>| find_class(vm, u.0, module, name), "Return an object from a specified module.";
        "persistent_load($self, pid, /)" => |vm: &Vm, _: This, _: Value| -> R<Value> {
            Err(unpickling_error(vm, "A load persistent id instruction was encountered, but no persistent_load function was specified."))
        };
        "__sizeof__($self, /)" => |_: &Vm, u: This| size_of::<Ext<Unpickler>>() + u.0.rest.borrow().as_ref().map_or(0, Vec::capacity);
    }
    getset {
        "memo" => |vm: &Vm, v: Value| proxy(vm, this(vm, v)?), |vm: &Vm, v: Value, new: Option<Value>| set_memo(vm, this(vm, v)?, new);
    }
}

/// `Unpickler.memo`: the objects that were read, by their numbers.
struct MemoProxy {
    of: Field,
}

impl Payload for MemoProxy {
    const NAME: &'static str = "_pickle.UnpicklerMemoProxy";
    fn trace(&self, t: &mut Tracer<'_>) {
        let MemoProxy { of } = self;
        of.trace(t);
    }
}

native_type! {
    PROXY: "_pickle.UnpicklerMemoProxy", Kind::Ext, type_flags::NO_NEW;
    methods {
        "clear($self, /)" => |vm: &Vm, p: ExtArg<MemoProxy>| -> R<()> { memo_of(vm, this(vm, p.0.of.or_none())?)?.clear(vm); Ok(()) }, "Remove all items from memo.";
        "copy($self, /)" => |vm: &Vm, p: ExtArg<MemoProxy>| -> R<Value> { Ok(memo_of(vm, this(vm, p.0.of.or_none())?)?.copy(vm)?.value()) }, "Copy the memo to a new object.";
        "__reduce__($self, /)" => |vm: &Vm, p: ExtArg<MemoProxy>| -> R<Value> { proxy_copy(vm, memo_of(vm, this(vm, p.0.of.or_none())?)?.copy(vm)?.value()) }, "Implement pickling support.";
    }
}

fn this(vm: &Vm, v: Value) -> R<UnpicklerRef> {
    v.cast().ok_or_else(|| vm.type_error("not a _pickle.Unpickler"))
}

/// The objects that were read.
pub fn memo_of(vm: &Vm, u: UnpicklerRef) -> R<Ref<Dict>> {
    match u.memo.cast::<Dict>() {
        Some(memo) => Ok(memo),
        None => {
            let memo = Dict::new(vm)?;
            u.memo.set(vm, u, memo.value());
            Ok(memo)
        }
    }
}

fn proxy(vm: &Vm, u: UnpicklerRef) -> R<Value> {
    Ok(Ext::new(vm, ext_type(vm, &PROXY)?, MemoProxy { of: Field::new(Some(u.value())) })?.value())
}

fn set_memo(vm: &Vm, u: UnpicklerRef, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("attribute deletion is not supported")) };
    let given = match new.cast::<Ext<MemoProxy>>() {
        Some(proxy) => memo_of(vm, this(vm, proxy.of.or_none())?)?.value(),
        None => new,
    };
    let Some(given) = given.cast::<Dict>() else {
        let got = vm.type_name(new);
        let text = format!("'memo' attribute must be an UnpicklerMemoProxy object or dict, not {got}");
        return Err(vm.type_error(text));
    };
    let memo = Dict::new(vm)?;
    for (k, v) in given.copy(vm)?.iter() {
        if !vm.is_int(k) {
            return Err(vm.type_error("memo key must be integers"));
        }
        if vm.index_i64(k)? < 0 {
            return Err(vm.value_error("memo key must be positive integers."));
        }
        memo.set(vm, k, v)?;
    }
    u.memo.set(vm, u, memo.value());
    Ok(())
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &UNPICKLER)?)?;
    check_class(vm, ty, &UNPICKLER)?;
    let u = Unpickler {
        read: Field::new(None),
        readline: Field::new(None),
        buffers: Field::new(None),
        encoding: Field::new(None),
        errors: Field::new(None),
        memo: Field::new(None),
        rest: RefCell::default(),
        protocol: Cell::new(0),
        fix_imports: Cell::new(true),
        ready: Cell::new(false),
        running: Cell::new(false),
    };
    Ok(Ext::new(vm, ty, u)?.value())
}

/// An unpickler that is not set up yet. MemoryError.
pub fn fresh(vm: &Vm) -> R<UnpicklerRef> {
    this(vm, new(vm, Args::new(&[ext_type(vm, &UNPICKLER)?.value()], None))?)
}

fn init(
    vm: &Vm,
    u: This,
    file: Value,
    fix: Option<bool>,
    encoding: Option<Ref<Str>>,
    errors: Option<Ref<Str>>,
    buffers: Option<Value>,
) -> R<()> {
    let u = u.0;
    check_idle(vm, u)?;
    u.ready.set(false);
    set_file(vm, u, file)?;
    set_up(vm, u, fix, encoding, errors, buffers)?;
    *u.rest.borrow_mut() = None;
    let memo = Dict::new(vm)?;
    u.memo.set(vm, u, memo.value());
    Ok(())
}

pub fn set_up(
    vm: &Vm,
    u: UnpicklerRef,
    fix: Option<bool>,
    encoding: Option<Ref<Str>>,
    errors: Option<Ref<Str>>,
    buffers: Option<Value>,
) -> R<()> {
    let buffers = match buffers.filter(|b| !b.is_none()) {
        Some(b) => Some(vm.iter(b)?),
        None => None,
    };
    u.buffers.set(vm, u, buffers);
    let encoding = encoding.map_or_else(|| vm.str("ASCII"), |e| Ok(e.value()))?;
    let errors = errors.map_or_else(|| vm.str("strict"), |e| Ok(e.value()))?;
    u.encoding.set(vm, u, encoding);
    u.errors.set(vm, u, errors);
    u.fix_imports.set(fix.unwrap_or(true));
    u.protocol.set(0);
    u.ready.set(true);
    Ok(())
}

/// TypeError for what is no file.
pub fn set_file(vm: &Vm, u: UnpicklerRef, file: Value) -> R<()> {
    let read = vm.find_attr(file, vm.intern("read")?)?;
    let readline = vm.find_attr(file, vm.intern("readline")?)?;
    if read.is_none() || readline.is_none() {
        return Err(vm.type_error("file must have 'read' and 'readline' attributes"));
    }
    u.read.set(vm, u, read);
    u.readline.set(vm, u, readline);
    Ok(())
}

fn check_idle(vm: &Vm, u: UnpicklerRef) -> R<()> {
    match u.running.get() {
        true => Err(vm.runtime_error("Unpickler object is already used")),
        false => Ok(()),
    }
}

/// Reads an object from the file.
pub fn load(vm: &Vm, u: UnpicklerRef) -> R<Value> {
    if !u.ready.get() {
        let name = vm.type_of(u.value()).message_name();
        let text = format!("Unpickler.__init__() was not called by {name}.__init__()");
        return Err(unpickling_error(vm, text));
    }
    check_idle(vm, u)?;
    let rest = u.rest.borrow_mut().take().unwrap_or_default();
    load_bytes(vm, u, BytesLike::Copy(rest))
}

/// Reads an object from bytes, and what follows from the file, if there is one.
pub fn load_bytes(vm: &Vm, u: UnpicklerRef, data: BytesLike) -> R<Value> {
    let own = ext_type(vm, &UNPICKLER)?;
    let file = match (u.read.get(), u.readline.get()) {
        (Some(read), Some(readline)) => Some(File { read, readline }),
        _ => None,
    };
    let mut loader = Loader {
        vm,
        u,
        find_class: callable_attribute(vm, u.value(), "find_class", own)?,
        persistent_load: vm.get_attr_str(u.value(), "persistent_load")?,
        stack: List::with_capacity(vm, 0)?,
        marks: Vec::new(),
        memo: memo_of(vm, u)?,
        input: Input::new(data, file),
    };
    u.running.set(true);
    u.protocol.set(0);
    let done = loader.run();
    u.running.set(false);
    if file.is_some() {
        let rest = loader.input.rest(vm)?;
        *u.rest.borrow_mut() = Some(rest);
    }
    done
}

/// An object by its module and name. ImportError, AttributeError.
pub fn find_class(vm: &Vm, u: UnpicklerRef, module: Ref<Str>, name: Ref<Str>) -> R<Value> {
    let (mut module, mut name) = (module, name);
    vm.audit("pickle.find_class", || vm.tuple(&[module.value(), name.value()]))?;
    if u.protocol.get() < 3 && u.fix_imports.get() {
        let key = vm.tuple(&[module.value(), name.value()])?;
        if let Some(pair) = library(vm, "NAME_MAPPING", key)? {
            let pair = pair.cast::<Tuple>().filter(|t| t.len() == 2);
            let pair = pair.and_then(|t| Some((t.items()[0].cast::<Str>()?, t.items()[1].cast::<Str>()?)));
            let Some(pair) = pair else {
                return Err(vm.runtime_error("_compat_pickle.NAME_MAPPING values should be pairs of str"));
            };
            (module, name) = pair;
        } else if let Some(other) = library(vm, "IMPORT_MAPPING", module.value())? {
            let Some(other) = other.cast::<Str>() else {
                return Err(vm.runtime_error("_compat_pickle.IMPORT_MAPPING values should be strings"));
            };
            module = other;
        }
    }
    let found = import_module(vm, module)?;
    let text = name.to_string_lossy().into_owned();
    if u.protocol.get() < 4 || !text.contains('.') {
        return vm.get_attr(found, vm.intern_str(name));
    }
    let path: Vec<&str> = text.split('.').collect();
    match attempt(vm, attribute(vm, found, &path), &[vm.exc.attribute_error])? {
        Ok(v) => Ok(v),
        Err(other) => {
            let (path, module) = (vm.repr_string(name.value())?, vm.repr_string(module.value())?);
            let raised = vm.attribute_error(format!("Can't resolve path {path} on module {module}"));
            Err(in_context(vm, raised, other))
        }
    }
}
