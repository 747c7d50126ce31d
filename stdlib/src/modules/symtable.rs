//! `_symtable`: the scopes that the compiler finds in a source.

use super::io::encode_path;
use skein_builtins::modules::program_source;
use skein_compiler::symtable as table;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::vm::{Compile, Mode};
use skein_runtime::{R, Value, Vm, native_functions, native_type};

native_functions! { FUNCTIONS:
    "symtable(source, filename, startstr, /)" => symtable, "Return symbol and scope dictionaries used internally by compiler.";
}

/// A scope.
struct Entry {
    name: Field,
    symbols: Field,
    varnames: Field,
    children: Field,
    kind: u32,
    line: u32,
    nested: bool,
}

impl Payload for Entry {
    const NAME: &'static str = "symtable entry";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Entry { name, symbols, varnames, children, kind: _, line: _, nested: _ } = self;
        for field in [name, symbols, varnames, children] {
            field.trace(t);
        }
    }
}

native_type! {
    ENTRY: "symtable entry", Kind::Ext, type_flags::NO_NEW | type_flags::HAS_WEAKREF;
    methods {
        "__repr__($self, /)" => |vm: &Vm, e: ExtArg<Entry>| -> R<String> {
            let name = vm.str_string(e.0.name.or_none())?;
            Ok(format!("<symtable entry {name}({}), line {}>", e.0.value().bits(), e.0.line))
        };
    }
    getset {
        "id" => |vm: &Vm, e: ExtArg<Entry>| vm.int_u64(e.0.value().bits());
        "name" => |_: &Vm, e: ExtArg<Entry>| Ok(e.0.name.or_none());
        "symbols" => |_: &Vm, e: ExtArg<Entry>| Ok(e.0.symbols.or_none());
        "varnames" => |_: &Vm, e: ExtArg<Entry>| Ok(e.0.varnames.or_none());
        "children" => |_: &Vm, e: ExtArg<Entry>| Ok(e.0.children.or_none());
        "nested" => |_: &Vm, e: ExtArg<Entry>| Ok(Value::small_int(e.0.nested.into()));
        "type" => |_: &Vm, e: ExtArg<Entry>| Ok(Value::small_int(e.0.kind.into()));
        "lineno" => |_: &Vm, e: ExtArg<Entry>| Ok(Value::small_int(e.0.line.into()));
    }
}

/// The compiler's table as an object.
pub fn to_object(vm: &Vm, t: &table::Table) -> R<Value> {
    vm.check_depth()?;
    let symbols = Dict::new(vm)?;
    for (name, flags) in &t.symbols {
        symbols.set_name(vm, name, Value::small_int((*flags).into()))?;
    }
    let varnames = List::with_capacity(vm, t.parameters.len())?;
    for name in &t.parameters {
        varnames.push(vm, vm.intern(name)?.value())?;
    }
    let children = List::with_capacity(vm, t.children.len())?;
    for child in &t.children {
        children.push(vm, to_object(vm, child)?)?;
    }
    let entry = Entry {
        name: Field::new(Some(vm.intern(&t.name)?.value())),
        symbols: Field::new(Some(symbols.value())),
        varnames: Field::new(Some(varnames.value())),
        children: Field::new(Some(children.value())),
        kind: t.kind,
        line: t.line,
        nested: t.nested,
    };
    Ok(Ext::new(vm, ext_type(vm, &ENTRY)?, entry)?.value())
}

fn symtable(vm: &Vm, source: Value, filename: Value, mode: Value) -> R<Value> {
    let name = match filename.cast::<Bytes>() {
        Some(b) => String::from_utf8_lossy(b.bytes()).into_owned(),
        None => String::from_utf8_lossy(&encode_path(vm, filename)?).into_owned(),
    };
    let Some(mode) = mode.cast::<Str>() else {
        let got = vm.type_name(mode);
        return Err(vm.type_error(format!("symtable() argument 3 must be str, not {got}")));
    };
    let mode = match mode.bytes() {
        b"exec" => Mode::Exec,
        b"eval" => Mode::Eval,
        b"single" => Mode::Single,
        _ => return Err(vm.value_error("symtable() arg 3 must be 'exec' or 'eval' or 'single'")),
    };
    let Some(text) = program_source(vm, source, false)? else {
        return Err(vm.type_error("symtable() arg 1 must be a string or bytes object"));
    };
    let what = Compile {
        source: &text.bytes,
        filename: &name,
        mode,
        optimize: vm.config.optimize,
        flags: 0,
        decoded: text.decoded,
    };
    vm.hooks.clone().symbol_table(vm, &what)
}

#[rustfmt::skip]
const NUMBERS: &[(&str, u32)] = &[
    ("USE", table::USE), ("DEF_GLOBAL", table::DEF_GLOBAL), ("DEF_LOCAL", table::DEF_LOCAL),
    ("DEF_PARAM", table::DEF_PARAM), ("DEF_TYPE_PARAM", table::DEF_TYPE_PARAM), ("DEF_IMPORT", table::DEF_IMPORT),
    ("DEF_NONLOCAL", table::DEF_NONLOCAL), ("DEF_FREE_CLASS", table::DEF_FREE_CLASS), ("DEF_ANNOT", table::DEF_ANNOT),
    ("DEF_COMP_ITER", table::DEF_COMP_ITER), ("DEF_COMP_CELL", table::DEF_COMP_CELL),
    ("DEF_BOUND", table::DEF_LOCAL | table::DEF_PARAM | table::DEF_IMPORT),
    ("TYPE_FUNCTION", table::TYPE_FUNCTION), ("TYPE_CLASS", table::TYPE_CLASS), ("TYPE_MODULE", table::TYPE_MODULE),
    ("TYPE_ANNOTATION", table::TYPE_ANNOTATION), ("TYPE_TYPE_ALIAS", table::TYPE_TYPE_ALIAS),
    ("TYPE_TYPE_PARAMETERS", table::TYPE_TYPE_PARAMETERS), ("TYPE_TYPE_VARIABLE", table::TYPE_TYPE_VARIABLE),
    ("LOCAL", table::LOCAL), ("GLOBAL_EXPLICIT", table::GLOBAL_EXPLICIT), ("GLOBAL_IMPLICIT", table::GLOBAL_IMPLICIT),
    ("FREE", table::FREE), ("CELL", table::CELL),
    ("SCOPE_OFF", table::SCOPE_OFF), ("SCOPE_MASK", table::SCOPE_MASK),
];

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_symtable", FUNCTIONS)?;
    for &(name, n) in NUMBERS {
        m.dict().set_name(vm, name, Value::small_int(n.into()))?;
    }
    Ok(m)
}
