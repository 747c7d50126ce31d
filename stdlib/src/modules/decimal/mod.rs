//! `_decimal`: exact decimal numbers by the General Decimal Arithmetic Specification.
//!
//! Pure arithmetic on [`number::Num`] is in `coeff`, `number`, `arith`, `compare`, `digits` and `powers`; an operation collects what
//! it signals in its [`number::Work`], and the context makes flags and exceptions of that. `class` and `context_type` are what Python
//! sees of it.

mod arith;
mod class;
mod coeff;
mod compare;
mod context;
mod context_type;
mod convert;
mod digits;
mod format;
mod number;
mod powers;
mod signals;
mod text;

use context::ContextRef;
use skein_builtins::modules::import;
use skein_runtime::native_functions;
use skein_runtime::object::{Field, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm};
use std::cell::{Cell, RefCell};

/// The current context, for as long as the map of context variables is the same.
struct Cache {
    root: Field,
    context: Field,
}

impl Payload for Cache {
    const NAME: &'static str = "decimal context cache";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Cache { root, context } = self;
        root.trace(t);
        context.trace(t);
    }
}

/// What the module has made; `Vm::roots` keeps it.
#[derive(Default)]
struct State {
    decimal: Cell<Option<Ref<Type>>>,
    variable: Cell<Option<Value>>,
    templates: RefCell<Vec<ContextRef>>,
    signal_dict: Cell<Option<Ref<Type>>>,
    exceptions: RefCell<Vec<(&'static str, Value)>>,
    tuple: Cell<Option<Value>>,
    cache: Cell<Option<Ref<Ext<Cache>>>>,
}

impl State {
    fn variable(&self, vm: &Vm) -> R<Value> {
        self.variable.get().ok_or_else(|| missing(vm))
    }

    /// 0: the default context, 1: the basic one, 2: the extended one.
    fn template(&self, vm: &Vm, i: usize) -> R<ContextRef> {
        self.templates.borrow().get(i).copied().ok_or_else(|| missing(vm))
    }

    fn signal_dict(&self, vm: &Vm) -> R<Ref<Type>> {
        self.signal_dict.get().ok_or_else(|| missing(vm))
    }

    fn tuple(&self, vm: &Vm) -> R<Value> {
        self.tuple.get().ok_or_else(|| missing(vm))
    }

    fn exception(&self, vm: &Vm, name: &str) -> R<Value> {
        let all = self.exceptions.borrow();
        let found = all.iter().find(|(known, _)| *known == name).map(|(_, class)| *class);
        found.ok_or_else(|| missing(vm))
    }
}

#[cold]
fn missing(vm: &Vm) -> Raised {
    vm.system_error("_decimal is not imported")
}

native_functions! { FUNCTIONS:
    "getcontext()" => context::get, "Get the current default context.\n\n";
    "setcontext(context, /)" => context::set, "Set a new default context.\n\n";
    "localcontext(ctx=None, **kwargs)" => context::local,
        "Return a context manager that will set the default context to a copy of ctx\non entry to the with-statement and restore the previous default context when\nexiting the with-statement. If no context is specified, a copy of the current\ndefault context is used.\n\n";
    "IEEEContext(bits, /)" => context::ieee,
        "Return a context object initialized to the proper values for one of the\nIEEE interchange formats.  The argument must be a multiple of 32 and less\nthan IEEE_CONTEXT_MAX_BITS.\n\n";
}

/// The exceptions with their bases, which come first.
const EXCEPTIONS: [(&str, &[&str]); 14] = [
    ("DecimalException", &[]),
    ("Clamped", &["DecimalException"]),
    ("InvalidOperation", &["DecimalException"]),
    ("DivisionByZero", &["DecimalException", "ZeroDivisionError"]),
    ("Inexact", &["DecimalException"]),
    ("Rounded", &["DecimalException"]),
    ("Subnormal", &["DecimalException"]),
    ("Overflow", &["Inexact", "Rounded"]),
    ("Underflow", &["Inexact", "Rounded", "Subnormal"]),
    ("FloatOperation", &["DecimalException", "TypeError"]),
    ("ConversionSyntax", &["InvalidOperation"]),
    ("DivisionImpossible", &["InvalidOperation"]),
    ("DivisionUndefined", &["InvalidOperation", "ZeroDivisionError"]),
    ("InvalidContext", &["InvalidOperation"]),
];

/// A class made as a class statement would, of module `decimal`.
fn make_class(vm: &Vm, name: &str, bases: &[Value], module: &str) -> R<Value> {
    let namespace = Dict::new(vm)?;
    namespace.set_name(vm, "__module__", vm.str(module)?)?;
    let class = vm.call(vm.types.type_.value(), &[vm.str(name)?, vm.tuple(bases)?, namespace.value()])?;
    vm.roots.borrow_mut().push(class);
    Ok(class)
}

/// Makes what modules that are imported again share. MemoryError.
fn set_up(vm: &Vm, state: &State) -> R<()> {
    for (name, bases) in EXCEPTIONS {
        let base = |b: &&str| match *b {
            "ZeroDivisionError" => Ok(vm.exc.zero_division_error.value()),
            "TypeError" => Ok(vm.exc.type_error.value()),
            known => state.exception(vm, known),
        };
        let mut all = [vm.exc.arithmetic_error.value(); 3];
        for (slot, b) in all.iter_mut().zip(bases) {
            *slot = base(b)?;
        }
        let class = make_class(vm, name, &all[..bases.len().max(1)], "decimal")?;
        state.exceptions.borrow_mut().push((name, class));
    }
    let decimal = skein_runtime::types::ext::ext_type(vm, &class::DECIMAL)?;
    state.decimal.set(Some(decimal));
    for context in context::make_templates(vm, class::context_type(vm)?)? {
        vm.roots.borrow_mut().push(context.value());
        state.templates.borrow_mut().push(context);
    }
    let mixin = skein_runtime::types::ext::ext_type(vm, &signals::SIGNAL_DICT)?;
    let mapping = vm.get_attr_str(import(vm, "collections.abc")?, "MutableMapping")?;
    let dict = make_class(vm, "SignalDict", &[mixin.value(), mapping], "decimal")?;
    state.signal_dict.set(dict.cast());
    let variable = vm.get_attr_str(import(vm, "_contextvars")?, "ContextVar")?;
    let variable = vm.call(variable, &[vm.str("decimal_context")?])?;
    let cache = Ext::internal(vm, Cache { root: Field::new(None), context: Field::new(None) })?;
    let named_tuple = vm.get_attr_str(import(vm, "collections")?, "namedtuple")?;
    let tuple = vm.call(named_tuple, &[vm.str("DecimalTuple")?, vm.str("sign digits exponent")?])?;
    vm.set_attr(tuple, vm.names.__module__, vm.str("decimal")?)?;
    vm.roots.borrow_mut().extend([variable, cache.value(), tuple]);
    state.variable.set(Some(variable));
    state.cache.set(Some(cache));
    state.tuple.set(Some(tuple));
    let numbers = import(vm, "numbers")?;
    vm.call_method(vm.get_attr_str(numbers, "Number")?, "register", &[decimal.value()])?;
    Ok(())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_decimal", FUNCTIONS)?;
    let state = vm.state::<State>();
    if state.tuple.get().is_none() {
        set_up(vm, &state)?;
    }
    let d = m.dict();
    for (name, _) in EXCEPTIONS {
        d.set_name(vm, name, state.exception(vm, name)?)?;
    }
    for (mode, name) in number::Rounding::ALL {
        d.set_name(vm, name, vm.intern(mode.name())?.value())?;
    }
    for (i, name) in ["DefaultContext", "BasicContext", "ExtendedContext"].into_iter().enumerate() {
        d.set_name(vm, name, state.template(vm, i)?.value())?;
    }
    d.set_name(vm, "Decimal", class::decimal_type(vm)?.value())?;
    d.set_name(vm, "Context", class::context_type(vm)?.value())?;
    d.set_name(vm, "DecimalTuple", state.tuple(vm)?)?;
    for (name, n) in [
        ("MAX_PREC", number::MAX_PREC),
        ("MAX_EMAX", number::MAX_EMAX),
        ("MIN_EMIN", number::MIN_EMIN),
        ("MIN_ETINY", number::MIN_ETINY),
        ("IEEE_CONTEXT_MAX_BITS", 512),
    ] {
        d.set_name(vm, name, vm.int(n)?)?;
    }
    d.set_name(vm, "HAVE_THREADS", Value::TRUE)?;
    d.set_name(vm, "HAVE_CONTEXTVAR", Value::TRUE)?;
    d.set_name(vm, "__version__", vm.str("1.70")?)?;
    // The version of the arithmetic that programs may look at.
    d.set_name(vm, "__libmpdec_version__", vm.str("2.5.1")?)?;
    Ok(m)
}
