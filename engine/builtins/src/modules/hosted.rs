//! Builtins that go over a generator, or a `map` or `filter` by a Python function, written in Python.
//!
//! A native that asks these for their items runs the interpreter's loop anew for each, and a trace cannot follow
//! it. So where `any`, `sum`, `list` and the like are called with one, they are functions in Python, of which
//! the code of each generator or function gets its own: their loops are those of one, and traces go through both.
//! Nobody sees their frames (`flags::HOSTED`).

use super::builtins_iteration::{FUNCTIONS, Filter, sum_on};
use super::streams::{self, Stream};
use crate::types::str::DEF as STR;
use crate::types::str::split::join;
use crate::types::{sort_by_keys, sort_list};
use skein_bytecode::{Code, CodeRef, Const, flags};
use skein_runtime::interp::{At, SoftCall, call_soft, construct};
use skein_runtime::native::{Args, NativeDef};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::code::{CodeObject, load};
use skein_runtime::types::ext::Ext;
use skein_runtime::types::function::Function;
use skein_runtime::types::generator::Generator;
use skein_runtime::types::iterators::Map;
use skein_runtime::types::list::List;
use skein_runtime::types::native::NativeFunction;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Compile, Mode, Vm};
use std::cell::RefCell;
use std::collections::HashMap;

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hosted {
    Any,
    All,
    Sum,
    Min,
    Max,
    Sorted,
    List,
    Tuple,
    Set,
    Join,
    SortedBy,
    MinBy,
    MaxBy,
    /// Generators that go over iterators: see [`super::streams`].
    Filter,
    Kept,
    Map,
    Enumerate,
    Zip,
    Zip3,
    Islice,
    Chain,
}

/// In the order of [`Hosted`], up to those of [`streams`]. What is no generator's item comes behind it, as they are called.
const SOURCE: &str = "
def any(items):
    for item in items:
        if item:
            return True
    return False

def all(items):
    for item in items:
        if not item:
            return False
    return True

def sum(items, type, int, float, rest):
    total = 0
    for item in items:
        if type(item) is not int:
            break
        total += item
    else:
        return total
    if type(item) is not float or type(total) is not int:
        return rest(items, total, 0.0, item)
    total = rest((), total, 0.0, 0.0) + item
    lost = 0.0
    for item in items:
        if type(item) is not float:
            return rest(items, total, lost, item)
        # What the sum loses by rounding, exactly.
        sum = total + item
        part = sum - total
        lost += (total - (sum - part)) + (item - part)
        total = sum
    return rest((), total, lost, 0.0)

def min(items, empty):
    for least in items:
        break
    else:
        empty()
    for item in items:
        if item < least:
            least = item
    return least

def max(items, empty):
    for most in items:
        break
    else:
        empty()
    for item in items:
        if item > most:
            most = item
    return most

def sorted(items, sort):
    all = [item for item in items]
    sort(all)
    return all

def list(items):
    return [item for item in items]

def tuple(items):
    return (*[item for item in items],)

def set(items):
    return {item for item in items}

def join(items, join, separator):
    return join(separator, [item for item in items])

def sorted_by(items, function, order, reverse):
    all = [item for item in items]
    return order(all, [function(item) for item in all], reverse)

def min_by(items, function, empty):
    least = empty
    for item in items:
        key = function(item)
        if least is empty or key < least_key:
            least = item
            least_key = key
    if least is empty:
        empty()
    return least

def max_by(items, function, empty):
    most = empty
    for item in items:
        key = function(item)
        if most is empty or key > most_key:
            most = item
            most_key = key
    if most is empty:
        empty()
    return most
";
const COUNT: usize = Hosted::Chain as usize + 1;

/// How often the items of one code are asked for natively before it gets functions of its own.
const FEW: u8 = 4;

/// Their codes, each compiled at its first use.
#[derive(Default)]
struct Codes(RefCell<HashMap<Hosted, CodeRef>>);

/// Natives that the functions call.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Sum,
    Min,
    Max,
    Sort,
    Join,
    Order,
    Number,
    Ended,
    Ahead,
    End,
    Begin,
}

native_functions! { PARTS:
    // No program sees them; the functions call them. In the order of [`Part`].
    "sum(items, total, lost, item, /)" => sum_on;
    "min()" => |vm: &Vm| -> R<Value> { Err(vm.value_error("min() iterable argument is empty")) };
    "max()" => |vm: &Vm| -> R<Value> { Err(vm.value_error("max() iterable argument is empty")) };
    "sort(items, /)" => |vm: &Vm, items: Ref<List>| sort_list(vm, items, None, false);
    "join(separator, items, /)" => join;
    "order(items, keys, reverse, /)" => |vm: &Vm, items: Ref<List>, keys: Ref<List>, reverse: bool| {
        sort_by_keys(vm, items, keys, reverse).map(|()| items.value())
    };
}

fn compiled(vm: &Vm, which: Hosted) -> R<CodeRef> {
    let codes = vm.state::<Codes>();
    if let Some(code) = codes.0.borrow().get(&which) {
        return Ok(code.clone());
    }
    let lost = || vm.system_error("no such hosted builtin");
    let all = [SOURCE, streams::SOURCE].concat();
    debug_assert!(all.split("\n\n").count() == COUNT);
    let one = all.split("\n\n").nth(which as usize).ok_or_else(lost)?;
    let what = Compile {
        source: one.as_bytes(),
        filename: "<builtin>",
        mode: Mode::Exec,
        optimize: 0,
        flags: 0,
        decoded: true,
    };
    let module = vm.hooks.clone().compile(vm, &what)?;
    let mut found = module.consts.iter().filter_map(|c| match c {
        Const::Code(code) => Some(Code::clone(code)),
        _ => None,
    });
    let mut code = found.next().ok_or_else(lost)?;
    code.flags |= flags::HOSTED;
    let code = CodeRef::new(code);
    codes.0.borrow_mut().insert(which, code.clone());
    Ok(code)
}

/// What the code that makes items has for those that go over them: its functions, and [`PARTS`] behind them, which are
/// the same each time, so that traces know them. MemoryError.
fn owned(vm: &Vm, owner: Ref<CodeObject>, i: usize, make: impl FnOnce() -> R<Value>) -> R<Value> {
    let all = match owner.consumers.cast::<List>() {
        Some(all) => all,
        None => {
            let all = List::filled(vm, Value::NONE, COUNT + PARTS.len() + streams::PARTS.len())?;
            owner.consumers.set(vm, owner, all.value());
            all
        }
    };
    if let Some(v) = all.get(i).filter(|v| !v.is_none()) {
        return Ok(v);
    }
    let v = make()?;
    all.store(vm, i, v);
    Ok(v)
}

/// The function for what this code makes the items of. MemoryError.
pub(super) fn function(vm: &Vm, owner: Ref<CodeObject>, which: Hosted) -> R<Value> {
    owned(vm, owner, which as usize, || {
        // They have no globals of their own.
        let globals = vm.builtins.get().ok_or_else(|| vm.system_error("lost builtins"))?;
        Ok(Function::new(vm, load(vm, compiled(vm, which)?)?, globals)?.value())
    })
}

/// One of [`PARTS`] or [`streams::PARTS`]. MemoryError.
pub(super) fn part(vm: &Vm, owner: Ref<CodeObject>, part: Part) -> R<Value> {
    let i = part as usize;
    owned(vm, owner, COUNT + i, || {
        let def = PARTS.get(i).unwrap_or_else(|| &streams::PARTS[i - PARTS.len()]);
        Ok(NativeFunction::function(vm, def, Value::NONE)?.value())
    })
}

/// The Python code that makes the items: a generator's, or that of the function of a `map` or `filter`; and the generator
/// that is to be gone over in their place. None: there is none, or it is not [`worth_it`].
fn maker(vm: &Vm, items: Value) -> Option<(Ref<CodeObject>, Option<Stream>)> {
    let stream = || {
        streams::over(vm, items).or_else(|| {
            // Those of subclasses may do anything.
            vm.type_of(items).def()?;
            let filter = items.cast::<Ext<Filter>>()?;
            Some(Stream::of_filter(vm, filter.function.cast::<Function>()?.code(), &filter))
        })
    };
    let (code, stream) = if items.cast::<Generator>().is_some() {
        (streams::waiting(items)?, None)
    } else if let Some(stream) = stream() {
        (stream.owner, Some(stream))
    } else {
        vm.type_of(items).def()?;
        (items.cast::<Ext<Map>>()?.0.function.cast::<Function>()?.code(), None)
    };
    Some((worth_it(vm, code)?, stream))
}

/// The code, if it is called often enough, and nobody would notice.
pub(super) fn worth_it(vm: &Vm, code: Ref<CodeObject>) -> Option<Ref<CodeObject>> {
    if vm.events.sees_hosted() {
        return None;
    }
    code.uses.set(code.uses.get().saturating_add(1));
    (code.uses.get() > FEW).then_some(code)
}

/// Goes over the generator, or what takes items from one, that is the call's only argument, in the loop.
/// `others` are what the function wants besides. None: it is to be done natively.
pub fn consume(
    vm: &Vm,
    call: &SoftCall<'_>,
    which: Hosted,
    others: impl FnOnce(&Vm, Ref<CodeObject>) -> R<Vec<Value>>,
) -> Option<At> {
    let &[.., items] = call.args.positional() else { return None };
    let (code, stream) = maker(vm, items).filter(|_| !call.args.has_keywords())?;
    let row = || {
        let items = match stream {
            Some(stream) => streams::make(vm, items, &stream)?,
            None => items,
        };
        List::new(vm, &[items])
    };
    Some(begin(vm, call, which, code, row, || others(vm, code)))
}

/// Calls the function that the code has for this, with the items of a list and others behind them.
fn begin(
    vm: &Vm,
    call: &SoftCall<'_>,
    which: Hosted,
    code: Ref<CodeObject>,
    row: impl FnOnce() -> R<Ref<List>>,
    others: impl FnOnce() -> R<Vec<Value>>,
) -> At {
    let begun = || {
        let f = function(vm, code, which)?;
        // What is in no list while something is made is seen by no collection.
        let row = row()?;
        row.extend(vm, &others()?)?;
        call_soft(vm, call.resume, f, Args::new(row.items(), None), call.cont)
    };
    let r = begun();
    call.go_on(vm, r)
}

/// Goes in the loop over the items that are the call's only positional argument, and have a Python function for a `key`,
/// which has this code.
fn consume_by_key(
    vm: &Vm,
    call: &SoftCall<'_>,
    which: Hosted,
    others: impl FnOnce(&Vm, Ref<CodeObject>, bool) -> R<Vec<Value>>,
) -> Option<At> {
    let &[items] = call.args.positional() else { return None };
    let (mut key, mut reverse) = (None, false);
    for (name, v) in call.args.keywords() {
        match name.cast::<Str>()?.bytes() {
            b"key" => key = v.cast::<Function>(),
            b"reverse" if v.is_bool() && which == Hosted::SortedBy => reverse = v.is(Value::TRUE),
            _ => return None,
        }
    }
    let key = key?;
    let code = worth_it(vm, key.code())?;
    let row = || List::new(vm, &[items, key.value()]);
    Some(begin(vm, call, which, code, row, || others(vm, code, reverse)))
}

/// A call of one of the builtin types that take an iterable.
fn make(vm: &Vm, call: &SoftCall<'_>, which: Hosted, ty: Ref<Type>) -> At {
    let alone = call.args.positional().len() == 1;
    match alone.then(|| consume(vm, call, which, |_, _| Ok(Vec::new()))).flatten() {
        Some(at) => at,
        None => call.go_on(vm, construct(vm, call.resume, ty, call.args, call.cont)),
    }
}

/// A call of a builtin function, `def`, with nothing but an iterable behind `before` others.
fn call_function(
    vm: &Vm,
    call: &SoftCall<'_>,
    which: Hosted,
    (def, before): (&'static NativeDef, usize),
    others: impl FnOnce(&Vm, Ref<CodeObject>) -> R<Vec<Value>>,
) -> At {
    let alone = call.args.positional().len() == 1 + before;
    match alone.then(|| consume(vm, call, which, others)).flatten() {
        Some(at) => at,
        None => call.natively(vm, def),
    }
}

macro_rules! functions {
    ($($name:ident $which:ident $def:expr, $before:literal, |$vm:ident, $code:ident, $call:ident| $others:expr;)*) => {$(
        pub fn $name(vm: &Vm, call: &SoftCall<'_>) -> At {
            let $call = call;
            let others = |$vm: &Vm, $code: Ref<CodeObject>| -> R<Vec<Value>> { Ok($others) };
            call_function(vm, call, Hosted::$which, ($def, $before), others)
        }
    )*};
}
functions! {
    any Any iteration("any"), 0, |_vm, _code, _call| Vec::new();
    all All iteration("all"), 0, |_vm, _code, _call| Vec::new();
    sum Sum iteration("sum"), 0, |vm, code, _call| {
        let t = &vm.types;
        vec![t.type_.value(), t.int.value(), t.float.value(), part(vm, code, Part::Sum)?]
    };
    smallest Min iteration("min"), 0, |vm, code, _call| vec![part(vm, code, Part::Min)?];
    largest Max iteration("max"), 0, |vm, code, _call| vec![part(vm, code, Part::Max)?];
    in_order Sorted iteration("sorted"), 0, |vm, code, _call| vec![part(vm, code, Part::Sort)?];
    join_all Join STR.method("join"), 1, |vm, code, call| vec![part(vm, code, Part::Join)?, call.args.positional()[0]];
}

pub fn min(vm: &Vm, call: &SoftCall<'_>) -> At {
    consume_by_key(vm, call, Hosted::MinBy, |vm, code, _| Ok(vec![part(vm, code, Part::Min)?]))
        .unwrap_or_else(|| smallest(vm, call))
}

pub fn max(vm: &Vm, call: &SoftCall<'_>) -> At {
    consume_by_key(vm, call, Hosted::MaxBy, |vm, code, _| Ok(vec![part(vm, code, Part::Max)?]))
        .unwrap_or_else(|| largest(vm, call))
}

pub fn sorted(vm: &Vm, call: &SoftCall<'_>) -> At {
    let others = |vm: &Vm, code, reverse| Ok(vec![part(vm, code, Part::Order)?, Value::bool(reverse)]);
    consume_by_key(vm, call, Hosted::SortedBy, others).unwrap_or_else(|| in_order(vm, call))
}

/// One of the functions that go over an iterable.
fn iteration(name: &str) -> &'static NativeDef {
    FUNCTIONS.iter().find(|def| def.name == name).expect("declared there")
}

pub fn list(vm: &Vm, call: &SoftCall<'_>) -> At {
    make(vm, call, Hosted::List, vm.types.list)
}

pub fn tuple(vm: &Vm, call: &SoftCall<'_>) -> At {
    make(vm, call, Hosted::Tuple, vm.types.tuple)
}

pub fn set(vm: &Vm, call: &SoftCall<'_>) -> At {
    make(vm, call, Hosted::Set, vm.types.set)
}
