//! `loop.call_soon`, which whatever becomes done calls for each of its callbacks.
//!
//! That of the packaged library's own loops only makes a `Handle` and puts it into the loop's queue, by three Python
//! functions, for which a native would have to run the interpreter's loop. So it is done here, as long as these functions and
//! the class are the library's own, and nobody is told of what code does.

use super::State;
use skein_builtins::modules::collections::{is_deque, push};
use skein_bytecode::Special;
use skein_runtime::object::Ref;
use skein_runtime::shape::ShapeId;
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::Function;
use skein_runtime::types::instance::Instance;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{Args, R, Value, Vm};

/// Names that are looked up each time: roots.
#[derive(Clone, Copy)]
pub struct Names {
    /// [`METHODS`], and `__init__`.
    methods: [Ref<Str>; METHODS.len() + 1],
    events: Ref<Str>,
    handle: Ref<Str>,
    /// Of the call's keyword.
    context: Ref<Tuple>,
}

impl Names {
    fn new(vm: &Vm) -> R<Names> {
        let root = |name: &str| {
            let name = vm.intern(name)?;
            vm.roots.borrow_mut().push(name.value());
            R::Ok(name)
        };
        let context = Tuple::new(vm, &[vm.intern("context")?.value()])?;
        vm.roots.borrow_mut().push(context.value());
        Ok(Names {
            methods: [
                root(METHODS[0])?,
                root(METHODS[1])?,
                root(METHODS[2])?,
                root(METHODS[3])?,
                root("__init__")?,
            ],
            events: root("events")?,
            handle: root("Handle")?,
            context,
        })
    }
}

/// What a handle's slots get, in the order of [`Plain::slots`].
const SLOTS: [&str; 7] =
    ["_context", "_loop", "_callback", "_args", "_cancelled", "_repr", "_source_traceback"];

/// Methods of a loop that a call goes through.
const METHODS: [&str; 4] = ["call_soon", "_call_soon", "_check_closed", "get_debug"];

/// Loops of which it is known that their `call_soon` is the library's own. That is so while classes have these functions
/// and these this code; what stands here is alive then.
pub struct Plain {
    shape: ShapeId,
    /// Slots of the loop: `_closed`, `_debug` and `_ready`.
    closed: usize,
    debug: usize,
    ready: usize,
    /// [`METHODS`], and `Handle.__init__`.
    functions: [(Ref<Function>, Ref<CodeObject>); METHODS.len() + 1],
    handle: Ref<Type>,
    slots: [usize; SLOTS.len()],
}

/// The function of a class by this name, if it is the one that its module defined.
fn original(vm: &Vm, ty: Ref<Type>, class: &str, name: &str, globals: Ref<Dict>) -> R<Option<Ref<Function>>> {
    let f = ty.lookup(vm, vm.intern(name)?).and_then(|f| f.cast::<Function>());
    let is_it = |f: &Ref<Function>| {
        f.globals() == globals
            && f.code().portable().qualname.strip_prefix(class) == Some(&format!(".{name}"))
    };
    Ok(f.filter(is_it))
}

fn namespace(vm: &Vm, module: &str) -> R<Option<Ref<Dict>>> {
    let Some(modules) = vm.modules.get() else { return Ok(None) };
    Ok(modules.get_name(vm, module)?.and_then(|m| m.cast::<Module>()).map(|m| m.dict()))
}

impl Plain {
    /// What there is to know of a loop. None: it is not the library's.
    fn find(vm: &Vm, names: &Names, event_loop: Value) -> R<Option<Plain>> {
        let Some(i) = event_loop.cast::<Instance>() else { return Ok(None) };
        let (shape, ty) = (i.shape(vm), vm.type_of(event_loop));
        let getattribute = ty.special(vm, Special::GetAttribute).unwrap_or(Value::NONE);
        if shape.is_dict || !vm.known.is_getattribute(getattribute) {
            return Ok(None);
        }
        let (Some(base), Some(events)) =
            (namespace(vm, "asyncio.base_events")?, namespace(vm, "asyncio.events")?)
        else {
            return Ok(None);
        };
        let handle = events.get_str(vm, names.handle)?.and_then(|t| t.cast::<Type>());
        let Some(handle) = handle.filter(|t| vm.type_of(t.value()) == vm.types.type_) else {
            return Ok(None);
        };
        let mut functions = Vec::new();
        for name in METHODS {
            if shape.slot(vm.intern(name)?).is_some() {
                return Ok(None);
            }
            functions.extend(original(vm, ty, "BaseEventLoop", name, base)?);
        }
        functions.extend(original(vm, handle, "Handle", "__init__", events)?);
        let functions: Vec<_> = functions.into_iter().map(|f| (f, f.code())).collect();
        let Ok(functions) = functions.try_into() else { return Ok(None) };
        let made = vm.shapes.get(handle.root_shape_id());
        let slot = |name: &str| R::Ok(shape.slot(vm.intern(name)?));
        let (closed, debug, ready) = (slot("_closed")?, slot("_debug")?, slot("_ready")?);
        let mut slots = [0; SLOTS.len()];
        for (slot, name) in slots.iter_mut().zip(SLOTS) {
            match made.slot(vm.intern(name)?) {
                Some(i) => *slot = i,
                None => return Ok(None),
            }
        }
        let (Some(closed), Some(debug), Some(ready)) = (closed, debug, ready) else {
            return Ok(None);
        };
        Ok(Some(Plain { shape: shape.id, closed, debug, ready, functions, handle, slots }))
    }

    /// The queue of the loop, if all is as it was found, and the loop is open and not being debugged.
    fn queue(&self, vm: &Vm, names: &Names, event_loop: Value) -> R<Option<Value>> {
        let Some(i) = event_loop.cast::<Instance>() else { return Ok(None) };
        if i.header().shape.get() != self.shape || vm.events.has_listeners() {
            return Ok(None);
        }
        if !self.has_its_functions(vm, names, vm.type_of(event_loop)) {
            return Ok(None);
        }
        let is_false = |slot: usize| i.slot(slot).is_some_and(|v| v.is(Value::FALSE));
        if !is_false(self.closed) || !is_false(self.debug) {
            return Ok(None);
        }
        // The class is what the functions' module finds now.
        let events = self.functions[0].0.globals().get_str(vm, names.events)?;
        let events = events.and_then(|m| m.cast::<Module>()).map(|m| m.dict());
        let handle = events.map(|d| d.get_str(vm, names.handle)).transpose()?.flatten();
        let makes_plainly = |ty: Ref<Type>| {
            vm.type_of(ty.value()) == vm.types.type_
                && ty.special(vm, Special::New).is_none_or(|f| f.is(vm.object_new()))
                && vm.known.is_object_setattr(ty.special(vm, Special::SetAttr))
        };
        let is_handle = handle.is_some_and(|t| t.is(self.handle.value())) && makes_plainly(self.handle);
        Ok(i.slot(self.ready).filter(|q| is_handle && is_deque(vm, *q)))
    }

    /// Do the loop's class and that of handles find what they were found to, and have these functions their code? To look
    /// for all of them takes as long as all the rest, so it is done once until anything changes on which somebody relies.
    fn has_its_functions(&self, vm: &Vm, names: &Names, ty: Ref<Type>) -> bool {
        if !self.functions.iter().all(|(f, code)| f.code() == *code) {
            return false;
        }
        let checked = &vm.state::<State>().soon_checked;
        let now = vm.attributes.epoch();
        if checked.get() == now {
            return true;
        }
        for (i, (f, _)) in self.functions.iter().enumerate() {
            let (ty, name) = (if i < METHODS.len() { ty } else { self.handle }, names.methods[i]);
            if !ty.lookup(vm, name).is_some_and(|now| now.is(f.value())) {
                return false;
            }
            ty.watch_name(name);
        }
        checked.set(now);
        true
    }

    /// Puts a handle of the call into the loop's queue. MemoryError.
    fn add(&self, vm: &Vm, queue: Value, words: [Value; 3], args: &[Value]) -> R<()> {
        let [event_loop, f, context] = words;
        let args = Tuple::new(vm, args)?;
        let handle = vm.new_instance(self.handle)?;
        let Some(i) = handle.cast::<Instance>() else {
            return Err(vm.system_error("a handle is no instance"));
        };
        let none = Value::NONE;
        let mut is_new = true;
        for (slot, v) in
            self.slots.iter().zip([context, event_loop, f, args.value(), Value::FALSE, none, none])
        {
            if !is_new || !i.init_slot(*slot, v) {
                is_new = false;
                i.set_slot(vm, *slot, Some(v))?;
            }
        }
        match push(vm, queue, handle) {
            Some(done) => done,
            None => Err(vm.system_error("the queue is no deque")),
        }
    }
}

fn names_of(vm: &Vm, state: &State) -> R<Names> {
    if let Some(names) = state.soon_names.get() {
        return Ok(names);
    }
    let names = Names::new(vm)?;
    state.soon_names.set(Some(names));
    Ok(names)
}

/// `loop.get_debug()`, which every future asks.
pub fn is_debugged(vm: &Vm, event_loop: Value) -> R<bool> {
    let state = vm.state::<State>();
    if let (Some(plain), Some(i)) = (&*state.plain.borrow(), event_loop.cast::<Instance>())
        && i.header().shape.get() == plain.shape
        && !vm.events.has_listeners()
        && plain.has_its_functions(vm, &names_of(vm, &state)?, vm.type_of(event_loop))
        && let Some(debug) = i.slot(plain.debug).filter(|v| v.is_bool())
    {
        return Ok(debug.is(Value::TRUE));
    }
    let debug = vm.call_method(event_loop, METHODS[3], &[])?;
    vm.truth(debug)
}

/// As [`call_soon`], of a loop that is known to be the library's: no Python code runs. False: it is not, and nothing has happened.
pub fn call_soon_plainly(
    vm: &Vm,
    event_loop: Value,
    f: Value,
    arg: Option<Value>,
    context: Value,
) -> R<bool> {
    let state = vm.state::<State>();
    let plain = state.plain.borrow();
    let Some(plain) = &*plain else { return Ok(false) };
    let Some(queue) = plain.queue(vm, &names_of(vm, &state)?, event_loop)? else { return Ok(false) };
    plain.add(vm, queue, [event_loop, f, context], arg.as_slice())?;
    Ok(true)
}

/// `loop.call_soon(f, *args, context=context)`.
pub fn call_soon(vm: &Vm, event_loop: Value, f: Value, arg: Option<Value>, context: Value) -> R<()> {
    let state = vm.state::<State>();
    let names = names_of(vm, &state)?;
    let row = [f, arg.unwrap_or(context), context];
    let args = if arg.is_some() { &row[1..2] } else { &[] };
    if let Some(plain) = &*state.plain.borrow()
        && let Some(queue) = plain.queue(vm, &names, event_loop)?
    {
        return plain.add(vm, queue, [event_loop, f, context], args);
    }
    // Once for a shape: the loop may be another's, or being debugged.
    let shape = event_loop.header().map(|h| h.shape.get());
    if state.soon_tried.replace(shape) != shape
        && let Some(plain) = Plain::find(vm, &names, event_loop)?
    {
        *state.plain.borrow_mut() = Some(plain);
        // No epoch.
        state.soon_checked.set(0);
    }
    let method = vm.get_attr(event_loop, names.methods[0])?;
    let row = &row[..if arg.is_some() { 3 } else { 2 }];
    vm.call_args(method, Args::new(row, Some(names.context))).map(|_| ())
}
