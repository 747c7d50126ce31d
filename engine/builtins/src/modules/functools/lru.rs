//! `_lru_cache_wrapper`: the function that `lru_cache` makes.

use skein_runtime::interp::{
    At, SoftCall, Step, TaskDef, TaskRef, call_soft, new_task, no_note, run_task, run_task_soft,
};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::check_class;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::function::BoundMethod;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

struct LruCache {
    function: Field,
    /// A dict in the order of last use.
    cache: Field,
    info_type: Field,
    /// Stands between positional and keyword arguments in keys.
    mark: Field,
    /// usize::MAX: unbounded.
    maxsize: Cell<usize>,
    typed: Cell<bool>,
    hits: Cell<u64>,
    misses: Cell<u64>,
}

impl LruCache {
    fn is_bounded(&self) -> bool {
        self.maxsize.get() != usize::MAX
    }
}

impl Payload for LruCache {
    const NAME: &'static str = "functools._lru_cache_wrapper";
    fn trace(&self, t: &mut Tracer<'_>) {
        let LruCache { function, cache, info_type, mark, maxsize: _, typed: _, hits: _, misses: _ } = self;
        for f in [function, cache, info_type, mark] {
            f.trace(t);
        }
    }
}

native_type! {
    pub DEF: "functools._lru_cache_wrapper", Kind::Ext, type_flags::BASETYPE | type_flags::HAS_DICT | type_flags::HAS_WEAKREF, "Create a cached callable that wraps another function.";
    methods {
        [static] "__new__($type, user_function, maxsize, typed, cache_info_type)" => new;
        [soft call_soft_] "__call__($self, /, *args, **kwargs)" => call;
        "__get__($self, instance, owner=None, /)" => get;
        "cache_info($self, /)" => cache_info, "Report cache statistics";
        "cache_clear($self, /)" => cache_clear, "Clear the cache and cache statistics";
        "__copy__($self, /)" => |_: &Vm, v: Value| v;
        "__deepcopy__($self, memo, /)" => |_: &Vm, v: Value, _memo: Value| v;
        "__reduce__($self, /)" => |vm: &Vm, v: Value| vm.get_attr(v, vm.names.__qualname__);
    }
    getset { "__dict__" => super::partial::get_dict; }
}

fn new(
    vm: &Vm,
    class: Ref<Type>,
    function: Value,
    maxsize: Value,
    typed: bool,
    info_type: Value,
) -> R<Value> {
    check_class(vm, class, &DEF)?;
    if !vm.is_callable(function) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let maxsize = if maxsize.is_none() {
        usize::MAX
    } else if vm.is_int(maxsize) {
        vm.index_i64(maxsize)?.max(0) as usize
    } else {
        return Err(vm.type_error("maxsize should be integer or None"));
    };
    let cache = Dict::new(vm)?;
    let mark = vm.new_plain_object()?;
    let payload = LruCache {
        function: Field::new(Some(function)),
        cache: Field::new(Some(cache.value())),
        info_type: Field::new(Some(info_type)),
        mark: Field::new(Some(mark)),
        maxsize: Cell::new(maxsize),
        typed: Cell::new(typed),
        hits: Cell::new(0),
        misses: Cell::new(0),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

/// The arguments as one key.
fn make_key(vm: &Vm, this: Ref<Ext<LruCache>>, args: Args<'_>) -> R<Value> {
    let positional = args.positional();
    if !args.has_keywords() && !this.typed.get() {
        if let &[one] = positional
            && (one.is_int() || vm.is_exact_str(one))
        {
            return Ok(one);
        }
        return vm.tuple(positional);
    }
    let key = List::new(vm, positional)?;
    if args.has_keywords() {
        key.push(vm, this.mark.value())?;
        for (name, v) in args.keywords() {
            key.push(vm, name)?;
            key.push(vm, v)?;
        }
    }
    if this.typed.get() {
        for &v in args.parts().0 {
            key.push(vm, vm.type_of(v).value())?;
        }
    }
    vm.tuple(key.items())
}

/// What a call of the wrapper comes to.
enum Found {
    Known(Value),
    /// There is no cache.
    Uncached(Value),
    /// The function is to be called, and its result to be kept.
    Missing(TaskRef),
}

fn look_up(vm: &Vm, args: Args<'_>) -> R<Found> {
    let Some(this) = args.positional().first().and_then(|v| v.cast::<Ext<LruCache>>()) else {
        return Err(vm.type_error("a functools._lru_cache_wrapper object is needed"));
    };
    let (args, function) = (args.rest(), this.function.value());
    let miss = || this.misses.set(this.misses.get() + 1);
    let Some(cache) = this.cache.cast::<Dict>().filter(|_| this.maxsize.get() > 0) else {
        miss();
        return Ok(Found::Uncached(function));
    };
    let key = make_key(vm, this, args)?;
    let hash = vm.hash(key)?;
    if let Some(v) = cache.get_hashed(vm, key, hash)? {
        if this.is_bounded() {
            cache.move_last(vm, key, hash, v)?;
        }
        this.hits.set(this.hits.get() + 1);
        return Ok(Found::Known(v));
    }
    miss();
    let (values, names) = args.parts();
    let values = List::new(vm, values)?.value();
    let names = names.map_or(Value::NONE, |names| names.value());
    new_task(vm, &MISS, &[this.value(), key, vm.int(hash)?, values, names]).map(Found::Missing)
}

static MISS: TaskDef = TaskDef { step: step_of_miss, failed: no_note };
const THIS: usize = 0;
const KEY: usize = 1;
const HASH: usize = 2;
const VALUES: usize = 3;
const NAMES: usize = 4;

fn step_of_miss(vm: &Vm, t: TaskRef, v: Value) -> R<Step> {
    let lost = || vm.system_error("a call of a cached function without its parts");
    let this = t.slots[THIS].cast::<Ext<LruCache>>().ok_or_else(lost)?;
    if t.stage.replace(1) == 0 {
        let values = t.slots[VALUES].cast::<List>().ok_or_else(lost)?;
        return Ok(Step::Call(this.function.value(), values, t.slots[NAMES].cast::<Tuple>()));
    }
    let cache = this.cache.cast::<Dict>().ok_or_else(lost)?;
    let (key, hash) = (t.slots[KEY].value(), vm.index_i64(t.slots[HASH].value())?);
    if this.is_bounded() {
        if cache.get_hashed(vm, key, hash)?.is_some() {
            // The call has cached this very result.
            return Ok(Step::Done(v));
        }
        while cache.len() >= this.maxsize.get() && cache.pop_first(vm).is_some() {}
    }
    cache.set_hashed(vm, key, hash, v)?;
    Ok(Step::Done(v))
}

fn call(vm: &Vm, args: Args<'_>) -> R<Value> {
    match look_up(vm, args)? {
        Found::Known(v) => Ok(v),
        Found::Uncached(function) => vm.call_args(function, args.rest()),
        Found::Missing(task) => run_task(vm, task),
    }
}

fn call_soft_(vm: &Vm, call: &SoftCall<'_>) -> At {
    match look_up(vm, call.args) {
        Ok(Found::Known(v)) => call.done(vm, v),
        Ok(Found::Uncached(function)) => {
            let r = call_soft(vm, call.resume, function, call.args.rest(), call.cont);
            call.go_on(vm, r)
        }
        Ok(Found::Missing(task)) => run_task_soft(vm, call, task),
        Err(Raised) => call.raised(vm),
    }
}

fn get(vm: &Vm, this: Value, instance: Value, _owner: Option<Value>) -> R<Value> {
    if instance.is_none() { Ok(this) } else { Ok(BoundMethod::new(vm, this, instance)?.value()) }
}

fn cache_info(vm: &Vm, this: ExtArg<LruCache>) -> R<Value> {
    let this = this.0;
    let len = this.cache.cast::<Dict>().map_or(0, |d| d.len());
    let maxsize = match this.maxsize.get() {
        usize::MAX => Value::NONE,
        n => vm.int(n as i64)?,
    };
    let row = [vm.int_u64(this.hits.get())?, vm.int_u64(this.misses.get())?, maxsize, vm.int(len as i64)?];
    vm.call(this.info_type.value(), &row)
}

fn cache_clear(vm: &Vm, this: ExtArg<LruCache>) {
    if let Some(d) = this.0.cache.cast::<Dict>() {
        d.clear(vm);
    }
    this.0.hits.set(0);
    this.0.misses.set(0);
}
