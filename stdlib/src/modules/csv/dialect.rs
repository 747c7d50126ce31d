//! Dialects of CSV.

use super::error;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, Payload};
use skein_runtime::types::ext::{class_argument, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;

pub const QUOTE_MINIMAL: i64 = 0;
pub const QUOTE_ALL: i64 = 1;
pub const QUOTE_NONNUMERIC: i64 = 2;
pub const QUOTE_NONE: i64 = 3;
pub const QUOTE_STRINGS: i64 = 4;
pub const QUOTE_NOTNULL: i64 = 5;

/// How rows are written.
pub struct Dialect {
    pub delimiter: u32,
    pub quotechar: Option<u32>,
    pub escapechar: Option<u32>,
    pub doublequote: bool,
    pub skipinitialspace: bool,
    pub lineterminator: Field,
    pub quoting: i64,
    pub strict: bool,
}

impl Payload for Dialect {
    const NAME: &'static str = "_csv.Dialect";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Dialect {
            delimiter: _,
            quotechar: _,
            escapechar: _,
            doublequote: _,
            skipinitialspace: _,
            lineterminator,
            quoting: _,
            strict: _,
        } = self;
        lineterminator.trace(t);
    }
}

pub type DialectRef = Ref<Ext<Dialect>>;

native_type! {
    pub DIALECT: "_csv.Dialect", Kind::Ext, type_flags::BASETYPE, "CSV dialect";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| -> R<Value> {
            class_argument(vm, &args, ext_type(vm, &DIALECT)?)?;
            Ok(make(vm, args.positional().get(1).copied(), args)?.value())
        };
        "__reduce__($self, /)" => |vm: &Vm, _: Value| -> R<()> { Err(vm.type_error("cannot pickle 'Dialect' instances")) };
        "__reduce_ex__($self, protocol, /)" => |vm: &Vm, _: Value, _: Value| -> R<()> { Err(vm.type_error("cannot pickle 'Dialect' instances")) };
    }
    getset {
        "delimiter" => |vm: &Vm, v: Value| character(vm, Some(this(vm, v)?.delimiter));
        "quotechar" => |vm: &Vm, v: Value| character(vm, this(vm, v)?.quotechar);
        "escapechar" => |vm: &Vm, v: Value| character(vm, this(vm, v)?.escapechar);
        "doublequote" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.doublequote));
        "skipinitialspace" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.skipinitialspace));
        "lineterminator" => |vm: &Vm, v: Value| Ok(this(vm, v)?.lineterminator.value());
        "quoting" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.quoting);
        "strict" => |vm: &Vm, v: Value| Ok(Value::bool(this(vm, v)?.strict));
    }
}

fn this(vm: &Vm, v: Value) -> R<DialectRef> {
    v.cast().ok_or_else(|| vm.type_error("not a _csv.Dialect object"))
}

fn character(vm: &Vm, c: Option<u32>) -> R<Value> {
    match c {
        None => Ok(Value::NONE),
        Some(c) => {
            let mut bytes = Vec::new();
            skein_runtime::types::str::push_code_point(&mut bytes, c);
            Ok(Str::new(vm, &bytes)?.value())
        }
    }
}

/// Dialects by name.
#[derive(Default)]
pub struct Registry(Cell<Option<Ref<Dict>>>);

impl Registry {
    pub fn dict(&self, vm: &Vm) -> R<Ref<Dict>> {
        if let Some(d) = self.0.get() {
            return Ok(d);
        }
        let d = Dict::new(vm)?;
        vm.roots.borrow_mut().push(d.value());
        self.0.set(Some(d));
        Ok(d)
    }
}

/// The registered dialect of a name.
pub fn by_name(vm: &Vm, name: Value) -> R<Value> {
    match vm.state::<Registry>().dict(vm)?.get(vm, name)? {
        Some(d) => Ok(d),
        None => Err(error(vm, "unknown dialect")),
    }
}

const FIELDS: [&str; 8] = [
    "delimiter",
    "doublequote",
    "escapechar",
    "lineterminator",
    "quotechar",
    "quoting",
    "skipinitialspace",
    "strict",
];

fn one_character(vm: &Vm, name: &str, v: Value, or_none: bool) -> R<Option<u32>> {
    if v.is_none() && or_none {
        return Ok(None);
    }
    let wanted = if or_none { "a unicode character or None" } else { "a unicode character" };
    match v.cast::<Str>() {
        Some(s) if s.char_len() == 1 => Ok(s.code_points().next()),
        Some(s) => {
            Err(vm
                .type_error(format!("\"{name}\" must be {wanted}, not a string of length {}", s.char_len())))
        }
        None => {
            let got = vm.type_name(v);
            Err(vm.type_error(format!("\"{name}\" must be {wanted}, not {got}")))
        }
    }
}

/// From a dialect, its name or any object with its attributes, and keyword arguments. TypeError.
pub fn make(vm: &Vm, base: Option<Value>, args: Args<'_>) -> R<DialectRef> {
    let mut base = base.filter(|b| !b.is_none());
    let mut given: [Option<Value>; 8] = [None; 8];
    for (k, v) in args.keywords() {
        let k = vm.str_string(k)?;
        match FIELDS.iter().position(|f| *f == k) {
            Some(i) => given[i] = Some(v),
            None if k == "dialect" => base = Some(v).filter(|b| !b.is_none()),
            None => {
                return Err(vm.type_error(format!("this function got an unexpected keyword argument '{k}'")));
            }
        }
    }
    if let Some(name) = base.filter(|b| b.cast::<Str>().is_some()) {
        base = Some(by_name(vm, name)?);
    }
    if let Some(d) = base.and_then(|b| b.cast::<Ext<Dialect>>())
        && given.iter().all(|g| g.is_none())
    {
        return Ok(d);
    }
    if let Some(b) = base {
        for (slot, name) in given.iter_mut().zip(FIELDS) {
            if slot.is_none() {
                *slot = vm.find_attr(b, vm.intern(name)?)?;
            }
        }
    }
    let [delimiter, doublequote, escapechar, lineterminator, quotechar, quoting, skipinitialspace, strict] =
        given;
    let truth = |v: Option<Value>, default| v.map_or(Ok(default), |v| vm.truth(v));
    let comma = u32::from(b',');
    let delimiter = match delimiter {
        None => comma,
        Some(v) => one_character(vm, "delimiter", v, false)?.unwrap_or(comma),
    };
    let doublequote = truth(doublequote, true)?;
    let escapechar = escapechar.map_or(Ok(None), |v| one_character(vm, "escapechar", v, true))?;
    let lineterminator = match lineterminator {
        None => vm.str("\r\n")?,
        Some(v) if v.cast::<Str>().is_some() => v,
        Some(v) => {
            let got = vm.type_name(v);
            return Err(vm.type_error(format!("\"lineterminator\" must be a string, not {got}")));
        }
    };
    let set_quotechar = quotechar;
    let quotechar = match quotechar {
        None => Some(u32::from(b'"')),
        Some(v) => one_character(vm, "quotechar", v, true)?,
    };
    let quoting = match quoting {
        // Without a character there are no quotes.
        None if quotechar.is_none() && set_quotechar.is_some() => QUOTE_NONE,
        None => QUOTE_MINIMAL,
        Some(v) if v.is_int() => v.as_small_int(),
        Some(v) => match vm.as_i64(v).filter(|_| !v.is_bool()) {
            Some(n) => n,
            None => {
                let got = vm.type_name(v);
                return Err(vm.type_error(format!("\"quoting\" must be an integer, not {got}")));
            }
        },
    };
    if !(QUOTE_MINIMAL..=QUOTE_NOTNULL).contains(&quoting) {
        return Err(vm.type_error("bad \"quoting\" value"));
    }
    if quoting != QUOTE_NONE && quotechar.is_none() {
        return Err(vm.type_error("quotechar must be set if quoting enabled"));
    }
    let skipinitialspace = truth(skipinitialspace, false)?;
    let strict = truth(strict, false)?;
    let ends: Vec<u32> = lineterminator.cast::<Str>().map(|s| s.code_points().collect()).unwrap_or_default();
    let special = [("delimiter", Some(delimiter)), ("escapechar", escapechar), ("quotechar", quotechar)];
    for (i, (name, c)) in special.iter().enumerate() {
        let Some(c) = *c else { continue };
        let space = c == u32::from(b' ') && skipinitialspace && *name != "delimiter";
        if matches!(c, 10 | 13) || space {
            return Err(vm.value_error(format!("bad {name} value")));
        }
        if ends.contains(&c) {
            return Err(vm.value_error(format!("bad {name} or lineterminator value")));
        }
        for (other, d) in &special[i + 1..] {
            if Some(c) == *d {
                return Err(vm.value_error(format!("bad {name} or {other} value")));
            }
        }
    }
    let d = Dialect {
        delimiter,
        quotechar,
        escapechar,
        doublequote,
        skipinitialspace,
        lineterminator: Field::new(Some(lineterminator)),
        quoting,
        strict,
    };
    Ext::new(vm, ext_type(vm, &DIALECT)?, d)
}
