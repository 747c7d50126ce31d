//! `Pickler`: the object.

use super::ops::{DEFAULT, HIGHEST, PROTO, STOP};
use super::output::Output;
use super::save::Saver;
use super::{callable_attribute, proxy_copy};
use crate::modules::support;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, check_class, class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

pub struct Pickler {
    /// The file's `write`; nothing where the bytes are wanted.
    pub write: Field,
    pub buffer_callback: Field,
    /// The objects that were written, as a list.
    kept: Field,
    /// The number of each, by its word.
    memo: RefCell<HashMap<u64, u32>>,
    pub out: RefCell<Output>,
    pub protocol: Cell<i64>,
    pub bin: Cell<i64>,
    pub fast: Cell<i64>,
    pub fix_imports: Cell<bool>,
    ready: Cell<bool>,
    running: Cell<bool>,
}

impl Payload for Pickler {
    const NAME: &'static str = "_pickle.Pickler";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Pickler { write, buffer_callback, kept, .. } = self;
        [write, buffer_callback, kept].into_iter().for_each(|f| f.trace(t));
    }
}

pub type PicklerRef = Ref<Ext<Pickler>>;
type This = ExtArg<Pickler>;

native_type! {
    pub PICKLER: "_pickle.Pickler", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF,
        "This takes a binary file for writing a pickle data stream.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__init__($self, file, protocol=None, fix_imports=True, buffer_callback=None)" => init;
        "dump($self, obj, /)" => |vm: &Vm, p: This, v: Value| -> R<()> { dump(vm, p.0, v) }, "Write a pickled representation of the given object to the open file.";
        "clear_memo($self, /)" => |vm: &Vm, p: This| p.0.clear_memo(vm), "Clears the pickler's \"memo\".";
        "persistent_id($self, obj, /)" => |_: &Vm, _: This, _: Value| ();
        "__sizeof__($self, /)" => |_: &Vm, p: This| size_of::<Ext<Pickler>>() + p.0.memo.borrow().len() * 16 + p.0.out.borrow().bytes.capacity();
    }
    getset {
        "memo" => |vm: &Vm, v: Value| proxy(vm, this(vm, v)?), |vm: &Vm, v: Value, new: Option<Value>| set_memo(vm, this(vm, v)?, new);
        "bin" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.bin.get()), |vm: &Vm, v: Value, new: Option<Value>| set_number(vm, &this(vm, v)?.bin, new);
        "fast" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.fast.get()), |vm: &Vm, v: Value, new: Option<Value>| set_number(vm, &this(vm, v)?.fast, new);
    }
}

/// `Pickler.memo`: the objects that were written, with their numbers.
struct MemoProxy {
    of: Field,
}

impl Payload for MemoProxy {
    const NAME: &'static str = "_pickle.PicklerMemoProxy";
    fn trace(&self, t: &mut Tracer<'_>) {
        let MemoProxy { of } = self;
        of.trace(t);
    }
}

native_type! {
    PROXY: "_pickle.PicklerMemoProxy", Kind::Ext, type_flags::NO_NEW;
    methods {
        "clear($self, /)" => |vm: &Vm, p: ExtArg<MemoProxy>| -> R<()> { this(vm, p.0.of.or_none())?.clear_memo(vm) }, "Remove all items from memo.";
        "copy($self, /)" => |vm: &Vm, p: ExtArg<MemoProxy>| -> R<Value> { copy_memo(vm, this(vm, p.0.of.or_none())?) }, "Copy the memo to a new object.";
        "__reduce__($self, /)" => |vm: &Vm, p: ExtArg<MemoProxy>| -> R<Value> { proxy_copy(vm, copy_memo(vm, this(vm, p.0.of.or_none())?)?) }, "Implement pickle support.";
    }
}

fn this(vm: &Vm, v: Value) -> R<PicklerRef> {
    v.cast().ok_or_else(|| vm.type_error("not a _pickle.Pickler"))
}

fn set_number(vm: &Vm, cell: &Cell<i64>, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("can't delete numeric/char attribute")) };
    let i = vm.index(new)?;
    let n = vm.as_i64(i).ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))?;
    cell.set(i64::from(n as i32));
    Ok(())
}

fn proxy(vm: &Vm, p: PicklerRef) -> R<Value> {
    Ok(Ext::new(vm, ext_type(vm, &PROXY)?, MemoProxy { of: Field::new(Some(p.value())) })?.value())
}

/// The memo as a dict: `{id: (number, object)}`.
fn copy_memo(vm: &Vm, p: PicklerRef) -> R<Value> {
    let out = Dict::new(vm)?;
    let id = vm.builtin("id")?;
    let kept = vm.list_from(p.kept.value())?;
    for &v in vm.tuple(kept.items())?.cast::<Tuple>().iter().flat_map(|t| t.items()) {
        let number = p.number_of(v).unwrap_or_default();
        out.set(vm, vm.call(id, &[v])?, vm.tuple(&[Value::small_int(number.into()), v])?)?;
    }
    Ok(out.value())
}

fn set_memo(vm: &Vm, p: PicklerRef, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("attribute deletion is not supported")) };
    let given = match new.cast::<Ext<MemoProxy>>() {
        Some(proxy) => copy_memo(vm, this(vm, proxy.of.or_none())?)?,
        None => new,
    };
    let Some(given) = given.cast::<Dict>() else {
        let got = vm.type_name(new);
        return Err(
            vm.type_error(format!("'memo' attribute must be a PicklerMemoProxy object or dict, not {got}"))
        );
    };
    let kept = List::with_capacity(vm, 0)?;
    let mut memo = HashMap::new();
    for (_, pair) in given.copy(vm)?.iter() {
        let Some(pair) = pair.cast::<Tuple>().filter(|t| t.len() == 2) else {
            return Err(vm.type_error("'memo' values must be 2-item tuples"));
        };
        let number = vm.index_i64(pair.items()[0])?;
        if memo.try_reserve(1).is_err() {
            return Err(vm.memory_error());
        }
        kept.push(vm, pair.items()[1])?;
        memo.insert(pair.items()[1].bits(), number as u32);
    }
    p.kept.set(vm, p, kept.value());
    *p.memo.borrow_mut() = memo;
    Ok(())
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, ext_type(vm, &PICKLER)?)?;
    check_class(vm, ty, &PICKLER)?;
    let kept = List::with_capacity(vm, 0)?;
    let p = Pickler {
        write: Field::new(None),
        buffer_callback: Field::new(None),
        kept: Field::new(Some(kept.value())),
        memo: RefCell::default(),
        out: RefCell::default(),
        protocol: Cell::new(DEFAULT),
        bin: Cell::new(1),
        fast: Cell::new(0),
        fix_imports: Cell::new(false),
        ready: Cell::new(false),
        running: Cell::new(false),
    };
    Ok(Ext::new(vm, ty, p)?.value())
}

/// A pickler without a file. ValueError, TypeError.
pub fn without_file(
    vm: &Vm,
    protocol: Option<Value>,
    fix_imports: Option<bool>,
    callback: Option<Value>,
) -> R<PicklerRef> {
    let p = this(vm, new(vm, Args::new(&[ext_type(vm, &PICKLER)?.value()], None))?)?;
    p.set_up(vm, protocol, fix_imports, callback)?;
    Ok(p)
}

fn init(
    vm: &Vm,
    p: This,
    file: Value,
    protocol: Option<Value>,
    fix_imports: Option<bool>,
    callback: Option<Value>,
) -> R<()> {
    let p = p.0;
    p.check_idle(vm)?;
    p.ready.set(false);
    p.set_up(vm, protocol, fix_imports, callback)?;
    let Some(write) = vm.find_attr(file, vm.intern("write")?)? else {
        p.ready.set(false);
        return Err(vm.type_error("file must have a 'write' attribute"));
    };
    p.write.set(vm, p, write);
    p.clear_memo(vm)
}

impl Pickler {
    fn check_idle(&self, vm: &Vm) -> R<()> {
        match self.running.get() {
            true => Err(vm.runtime_error("Pickler object is already used")),
            false => Ok(()),
        }
    }

    /// The number of an object that was written.
    pub fn number_of(&self, v: Value) -> Option<u32> {
        self.memo.borrow().get(&v.bits()).copied()
    }
}

/// What changes a pickler's references.
pub trait Memo {
    /// Ends with nothing written. MemoryError.
    fn clear_memo(self, vm: &Vm) -> R<()>;
    /// Gives an object the next number. MemoryError.
    fn remember(self, vm: &Vm, v: Value) -> R<u32>;
    /// ValueError, TypeError.
    fn set_up(self, vm: &Vm, protocol: Option<Value>, fix: Option<bool>, callback: Option<Value>) -> R<()>;
}

impl Memo for PicklerRef {
    fn clear_memo(self, vm: &Vm) -> R<()> {
        let kept = List::with_capacity(vm, 0)?;
        self.kept.set(vm, self, kept.value());
        self.memo.borrow_mut().clear();
        Ok(())
    }

    fn remember(self, vm: &Vm, v: Value) -> R<u32> {
        if let Some(kept) = self.kept.cast::<List>() {
            kept.push(vm, v)?;
        }
        let mut memo = self.memo.borrow_mut();
        if memo.try_reserve(1).is_err() {
            return Err(vm.memory_error());
        }
        let number = memo.len() as u32;
        memo.insert(v.bits(), number);
        Ok(number)
    }

    fn set_up(self, vm: &Vm, protocol: Option<Value>, fix: Option<bool>, callback: Option<Value>) -> R<()> {
        let protocol = match protocol.filter(|p| !p.is_none()) {
            None => DEFAULT,
            Some(p) => match vm.index_i64(p)? {
                n if n < 0 => HIGHEST,
                n if n > HIGHEST => {
                    return Err(vm.value_error(format!("pickle protocol must be <= {HIGHEST}")));
                }
                n => n,
            },
        };
        let callback = callback.filter(|c| !c.is_none());
        if callback.is_some() && protocol < 5 {
            return Err(vm.value_error("buffer_callback needs protocol >= 5"));
        }
        self.buffer_callback.set(vm, self, callback);
        self.protocol.set(protocol);
        self.bin.set(i64::from(protocol > 0));
        self.fast.set(0);
        self.fix_imports.set(fix.unwrap_or(true) && protocol < 3);
        self.ready.set(true);
        Ok(())
    }
}

/// Writes a whole pickle: to the file, or into the buffer.
pub fn dump(vm: &Vm, p: PicklerRef, v: Value) -> R<()> {
    if !p.ready.get() {
        let name = vm.type_of(p.value()).message_name();
        let text = format!("Pickler.__init__() was not called by {name}.__init__()");
        return Err(support::raise(vm, super::PICKLING_ERROR, text));
    }
    p.check_idle(vm)?;
    p.running.set(true);
    p.out.borrow_mut().clear();
    let done = dump_with(vm, p, v);
    p.running.set(false);
    if done.is_err() {
        p.out.borrow_mut().clear();
    }
    done
}

fn dump_with(vm: &Vm, p: PicklerRef, v: Value) -> R<()> {
    let own = ext_type(vm, &PICKLER)?;
    let saver = Saver {
        vm,
        p,
        persistent_id: callable_attribute(vm, p.value(), "persistent_id", own)?,
        reducer_override: vm.find_attr(p.value(), vm.intern("reducer_override")?)?,
        dispatch_table: vm.find_attr(p.value(), vm.intern("dispatch_table")?)?,
    };
    let protocol = p.protocol.get();
    if protocol >= 2 {
        saver.write(&[PROTO, protocol as u8])?;
        p.out.borrow_mut().framing = protocol >= 4;
    }
    saver.save(v)?;
    saver.write(&[STOP])?;
    p.out.borrow_mut().commit();
    p.out.borrow_mut().framing = false;
    saver.flush()
}
