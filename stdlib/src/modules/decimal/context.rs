//! Contexts: rules, flags and traps; the current one; what is signalled becomes flags and exceptions.

use super::super::arguments::Parameters;
use super::number::{MAX_EMAX, MAX_PREC, MIN_EMIN, Num, Rounding, Rules, Work, status::*};
use super::signals::{self, SIGNALS, SignalDict};
use super::{State, class};
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::ext::{Ext, Payload, class_argument};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::variables::current;
use skein_runtime::{Args, R, Raised, Value, Vm};
use std::cell::Cell;

pub struct Context {
    pub rules: Cell<Rules>,
    pub capitals: Cell<bool>,
    pub flags: Cell<u32>,
    pub traps: Cell<u32>,
    /// The two as mappings, made when they are asked for.
    flags_dict: Field,
    traps_dict: Field,
}

impl Payload for Context {
    const NAME: &'static str = "decimal.Context";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Context { rules: _, capitals: _, flags: _, traps: _, flags_dict, traps_dict } = self;
        flags_dict.trace(t);
        traps_dict.trace(t);
    }
}

pub type ContextRef = Ref<Ext<Context>>;

const DEFAULT_TRAPS: u32 = ALL_INVALID | DIVISION_BY_ZERO | OVERFLOW;
const DEFAULT: Rules =
    Rules { prec: 28, emax: 999_999, emin: -999_999, rounding: Rounding::HalfEven, clamp: false };

/// A context of this class. MemoryError.
pub fn allocate(vm: &Vm, class: Ref<Type>, rules: Rules, traps: u32) -> R<ContextRef> {
    let payload = Context {
        rules: Cell::new(rules),
        capitals: Cell::new(true),
        flags: Cell::new(0),
        traps: Cell::new(traps),
        flags_dict: Field::new(None),
        traps_dict: Field::new(None),
    };
    Ext::new(vm, class, payload)
}

/// Those that the module has: default, basic and extended.
pub fn make_templates(vm: &Vm, class: Ref<Type>) -> R<[ContextRef; 3]> {
    let nine = Rules { prec: 9, ..DEFAULT };
    let basic = Rules { rounding: Rounding::HalfUp, ..nine };
    let basic_traps = DEFAULT_TRAPS | UNDERFLOW | CLAMPED;
    Ok([
        allocate(vm, class, DEFAULT, DEFAULT_TRAPS)?,
        allocate(vm, class, basic, basic_traps)?,
        allocate(vm, class, nine, 0)?,
    ])
}

/// A copy of the class itself. MemoryError.
pub fn copy(vm: &Vm, from: ContextRef) -> R<ContextRef> {
    let made = allocate(vm, class::context_type(vm)?, from.rules.get(), from.traps.get())?;
    made.capitals.set(from.capitals.get());
    made.flags.set(from.flags.get());
    Ok(made)
}

/// The current context, made of the default one if there is none yet.
pub fn get(vm: &Vm) -> R<ContextRef> {
    let state = vm.state::<State>();
    // Maps of variables never change: another value is in another map.
    let root = current(vm)?.root.get();
    if let Some(cache) = state.cache.get()
        && root.is_some()
        && cache.root.get().is_some_and(|known| root.is_some_and(|root| root.is(known)))
        && let Some(found) = cache.context.cast()
    {
        return Ok(found);
    }
    find(vm, &state)
}

#[cold]
fn find(vm: &Vm, state: &State) -> R<ContextRef> {
    let variable = state.variable(vm)?;
    let found = vm.call_method(variable, "get", &[Value::NONE])?;
    let found: ContextRef = match found.cast() {
        Some(found) => found,
        None => {
            let made = copy(vm, state.template(vm, 0)?)?;
            made.flags.set(0);
            vm.call_method(variable, "set", &[made.value()])?;
            made
        }
    };
    if let Some(cache) = state.cache.get() {
        cache.root.set(vm, cache, current(vm)?.root.get());
        cache.context.set(vm, cache, Some(found.value()));
    }
    Ok(found)
}

/// Makes a context the current one; the module's own are copied. TypeError.
pub fn set(vm: &Vm, v: Value) -> R<()> {
    let state = vm.state::<State>();
    let Some(mut context) = v.cast::<Ext<Context>>() else {
        return Err(vm.type_error("argument must be a context"));
    };
    for i in 0..3 {
        if state.template(vm, i)? == context {
            context = copy(vm, context)?;
            context.flags.set(0);
            break;
        }
    }
    vm.call_method(state.variable(vm)?, "set", &[context.value()]).map(|_| ())
}

/// A `context` argument, or the current one. TypeError.
pub fn argument(vm: &Vm, v: Option<Value>) -> R<ContextRef> {
    match v {
        None => get(vm),
        Some(v) if v.is_none() || v.is_unbound() => get(vm),
        Some(v) => v.cast().ok_or_else(|| vm.type_error("optional argument must be a context")),
    }
}

impl Context {
    /// An operation in this context.
    pub fn work<'v>(&self, vm: &'v Vm) -> Work<'v> {
        Work::new(vm, self.rules.get())
    }

    /// Keeps what was signalled, and raises what is trapped.
    #[inline]
    pub fn signal(&self, vm: &Vm, status: u32) -> R<()> {
        if status == 0 {
            return Ok(());
        }
        self.flags.set(self.flags.get() | status);
        match self.traps.get() & status {
            0 => Ok(()),
            trapped => Err(raise(vm, trapped)),
        }
    }
}

/// The exception of the first signal, with the list of all conditions.
#[cold]
fn raise(vm: &Vm, trapped: u32) -> Raised {
    let made = || -> R<Raised> {
        let class = signals::class_of(vm, signals::first(trapped))?;
        let list = signals::conditions(vm, trapped)?;
        let exception = vm.call(class, &[list])?;
        Ok(vm.raise(exception))
    };
    made().unwrap_or_else(|e| e)
}

/// Exact arithmetic for conversions: what cannot be exact is invalid.
pub fn exactly(vm: &Vm, context: ContextRef, f: impl FnOnce(&mut Work<'_>) -> R<Num>) -> R<Num> {
    let mut w = Work::new(vm, Rules::EXACT);
    let mut n = f(&mut w)?;
    if w.status & (INEXACT | ROUNDED | CLAMPED) != 0 {
        n = Num::nan();
        w.status = INVALID_OPERATION;
    }
    context.signal(vm, w.status & (ALL_INVALID | DIVISION_BY_ZERO))?;
    Ok(n)
}

// ---- attributes

const ROUNDINGS: &str = "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]";

/// A rounding mode by its name. TypeError.
pub fn rounding(vm: &Vm, v: Value) -> R<Rounding> {
    let found = v.cast::<Str>().and_then(|name| {
        Rounding::ALL.iter().find(|(_, known)| known.as_bytes() == name.bytes()).map(|(mode, _)| *mode)
    });
    found.ok_or_else(|| vm.type_error(ROUNDINGS))
}

/// An attribute's int in a range; ValueError with this text, TypeError, OverflowError.
fn in_range(vm: &Vm, v: Value, range: std::ops::RangeInclusive<i64>, text: &str) -> R<i64> {
    if !vm.is_int(v) {
        return Err(vm.type_error("an integer is required"));
    }
    let Some(n) = vm.as_i64(v) else {
        return Err(vm.overflow_error("Python int too large to convert to C ssize_t"));
    };
    if range.contains(&n) { Ok(n) } else { Err(vm.value_error(text)) }
}

/// A value to set; AttributeError for a deletion.
fn given(vm: &Vm, v: Option<Value>) -> R<Value> {
    v.ok_or_else(|| vm.attribute_error("context attributes cannot be deleted"))
}

type Setter = fn(&Vm, ContextRef, Option<Value>) -> R<()>;

pub fn set_prec(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    let prec = in_range(vm, given(vm, v)?, 1..=MAX_PREC, "valid range for prec is [1, MAX_PREC]")?;
    c.rules.set(Rules { prec, ..c.rules.get() });
    Ok(())
}

pub fn set_rounding(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    let rounding = rounding(vm, given(vm, v)?)?;
    c.rules.set(Rules { rounding, ..c.rules.get() });
    Ok(())
}

pub fn set_emin(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    let emin = in_range(vm, given(vm, v)?, MIN_EMIN..=0, "valid range for Emin is [MIN_EMIN, 0]")?;
    c.rules.set(Rules { emin, ..c.rules.get() });
    Ok(())
}

pub fn set_emax(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    let emax = in_range(vm, given(vm, v)?, 0..=MAX_EMAX, "valid range for Emax is [0, MAX_EMAX]")?;
    c.rules.set(Rules { emax, ..c.rules.get() });
    Ok(())
}

pub fn set_capitals(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    c.capitals.set(in_range(vm, given(vm, v)?, 0..=1, "valid values for capitals are 0 or 1")? == 1);
    Ok(())
}

pub fn set_clamp(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    let clamp = in_range(vm, given(vm, v)?, 0..=1, "valid values for clamp are 0 or 1")? == 1;
    c.rules.set(Rules { clamp, ..c.rules.get() });
    Ok(())
}

pub fn set_flags(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    c.flags.set(signals::dict_argument(vm, given(vm, v)?)?);
    Ok(())
}

pub fn set_traps(vm: &Vm, c: ContextRef, v: Option<Value>) -> R<()> {
    c.traps.set(signals::dict_argument(vm, given(vm, v)?)?);
    Ok(())
}

/// The mapping of the flags, or of the traps.
pub fn signal_dict(vm: &Vm, c: ContextRef, traps: bool) -> R<Value> {
    let field = if traps { &c.traps_dict } else { &c.flags_dict };
    if let Some(made) = field.get() {
        return Ok(made);
    }
    let class = vm.state::<State>().signal_dict(vm)?;
    let made = Ext::new(vm, class, SignalDict::new(c, traps))?.value();
    field.set(vm, c, Some(made));
    Ok(made)
}

// ---- construction

pub static NEW: Parameters = Parameters {
    function: None,
    names: &["prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps"],
    positional: 8,
};

/// In the order of the parameters.
const SETTERS: [Setter; 8] =
    [set_prec, set_rounding, set_emin, set_emax, set_capitals, set_clamp, set_flags, set_traps];

pub fn new(vm: &Vm, args: Args<'_>) -> R<ContextRef> {
    let class = class_argument(vm, &args, class::context_type(vm)?)?;
    let made = allocate(vm, class, DEFAULT, DEFAULT_TRAPS)?;
    // Parameters that are not given are those of the default context.
    let default = vm.state::<State>().template(vm, 0)?;
    made.rules.set(default.rules.get());
    made.traps.set(default.traps.get());
    made.capitals.set(default.capitals.get());
    Ok(made)
}

/// Sets what is given of a row of the constructor's arguments.
pub fn fill(vm: &Vm, c: ContextRef, given: &[Value; 8]) -> R<()> {
    for (i, (set, &v)) in SETTERS.iter().zip(given).enumerate() {
        if v.is_unbound() || v.is_none() {
            continue;
        }
        match v.cast::<List>() {
            // Flags and traps can be lists of signals here.
            Some(list) if i >= 6 => {
                let mask = signals::list_argument(vm, list)?;
                if i == 6 { c.flags.set(mask) } else { c.traps.set(mask) }
            }
            _ => set(vm, c, Some(v))?,
        }
    }
    Ok(())
}

pub fn repr(c: ContextRef) -> String {
    let Rules { prec, emax, emin, rounding, clamp } = c.rules.get();
    // In the order of their bits.
    const ORDER: [usize; 9] = [8, 0, 2, 6, 1, 3, 7, 5, 4];
    let names = |mask: u32| -> Vec<&str> {
        let all = ORDER.iter().map(|&i| &SIGNALS[i]);
        all.filter(|s| s.mask & mask != 0).map(|s| s.name).collect()
    };
    let (flags, traps) = (names(c.flags.get()).join(", "), names(c.traps.get()).join(", "));
    format!(
        "Context(prec={prec}, rounding={}, Emin={emin}, Emax={emax}, capitals={}, clamp={}, flags=[{flags}], traps=[{traps}])",
        rounding.name(),
        u8::from(c.capitals.get()),
        u8::from(clamp)
    )
}

pub fn reduce(vm: &Vm, c: ContextRef) -> R<Value> {
    let Rules { prec, emax, emin, rounding, clamp } = c.rules.get();
    let (flags, traps) = (signals::list(vm, c.flags.get())?, signals::list(vm, c.traps.get())?);
    let args = vm.tuple(&[
        vm.int(prec)?,
        vm.intern(rounding.name())?.value(),
        vm.int(emin)?,
        vm.int(emax)?,
        Value::small_int(c.capitals.get().into()),
        Value::small_int(clamp.into()),
        flags,
        traps,
    ])?;
    vm.tuple(&[vm.type_of(c.value()).value(), args])
}

/// The context of an interchange format of IEEE 754. ValueError.
pub fn ieee(vm: &Vm, bits: i64) -> R<ContextRef> {
    if bits <= 0 || bits > 512 || bits % 32 != 0 {
        return Err(vm.value_error("argument must be a multiple of 32, with a maximum of 512"));
    }
    let prec = 9 * (bits / 32) - 2;
    let emax = 3 << (bits / 16 + 3);
    let rules = Rules { prec, emax, emin: 1 - emax, rounding: Rounding::HalfEven, clamp: true };
    allocate(vm, class::context_type(vm)?, rules, 0)
}

// ---- localcontext

/// What `localcontext` gives: a context for the time of a with statement.
pub struct Manager {
    local: Field,
    previous: Field,
}

impl Payload for Manager {
    const NAME: &'static str = "decimal.ContextManager";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Manager { local, previous } = self;
        local.trace(t);
        previous.trace(t);
    }
}

static LOCAL: Parameters = Parameters {
    function: None,
    names: &["ctx", "prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps"],
    positional: 1,
};

pub fn local(vm: &Vm, args: Args<'_>) -> R<Value> {
    let all: [Value; 9] = LOCAL.bind(vm, args)?;
    let previous = get(vm)?;
    let from = argument(vm, Some(all[0]))?;
    let made = copy(vm, from)?;
    let mut rest = [Value::UNBOUND; 8];
    rest.copy_from_slice(&all[1..]);
    fill(vm, made, &rest)?;
    let manager =
        Manager { local: Field::new(Some(made.value())), previous: Field::new(Some(previous.value())) };
    Ok(Ext::new(vm, class::manager_type(vm)?, manager)?.value())
}

pub fn enter(vm: &Vm, m: Ref<Ext<Manager>>) -> R<Value> {
    set(vm, m.local.value())?;
    Ok(m.local.value())
}

pub fn exit(vm: &Vm, m: Ref<Ext<Manager>>) -> R<()> {
    set(vm, m.previous.value())
}
