//! Codes, cells, functions, modules, tracebacks and views of dicts in pickles.

use super::{bad, given, parts, reduced, wrap};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::cell::CellObject;
use skein_runtime::types::code::{CodeObject, load};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::dictview::DictView;
use skein_runtime::types::function::{Extra, Function};
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::str::Str;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_functions! { pub FUNCTIONS:
    "reduce_code(code, /)" => reduce_code;
    "code(data, /)" => make_code;
    "reduce_cell(cell, /)" => |vm: &Vm, c: Ref<CellObject>| -> R<Value> {
        let held = c.get();
        let state = vm.tuple(if held.is_unbound() { &[] } else { std::slice::from_ref(&held) })?;
        reduced(vm, "cell", &[], state, "set_cell")
    };
    "cell()" => |vm: &Vm| CellObject::new(vm, Value::UNBOUND);
    "set_cell(cell, state, /)" => |vm: &Vm, c: Ref<CellObject>, state: Ref<Tuple>| match state.items() {
        [] => {}
        [v, ..] => c.set(vm, *v),
    };
    "reduce_function(function, /)" => reduce_function;
    "function(code, /)" => make_function;
    "set_function(function, state, /)" => set_function;
    "reduce_module(module, /)" => reduce_module;
    "module(name, /)" => module;
    "reduce_traceback(traceback, /)" => reduce_traceback;
    "traceback(function, code, unit, line, /)" => make_traceback;
    "set_traceback(traceback, next, /)" => |vm: &Vm, tb: Ref<Traceback>, next: Value| -> R<()> {
        vm.set_attr(tb.value(), vm.intern("tb_next")?, next)?;
        tb.link(vm);
        Ok(())
    };
    "reduce_view(view, /)" => |vm: &Vm, view: Ref<DictView>| -> R<Value> {
        let name = vm.type_name(view.value()).trim_start_matches("dict_").to_string();
        let args = [view.dict.or_none(), vm.str(&name)?];
        vm.tuple(&[wrap(vm, "view")?, vm.tuple(&args)?])
    };
    "view(dict, name, /)" => |vm: &Vm, d: Ref<Dict>, name: Ref<Str>| -> R<Value> {
        match &*name.to_string_lossy() {
            which @ ("keys" | "values" | "items") => vm.call_method(d.value(), which, &[]),
            _ => Err(bad(vm, "no such view of a dict")),
        }
    };
}

fn reduce_code(vm: &Vm, code: Ref<CodeObject>) -> R<Value> {
    match skein_bytecode::write_file(code.portable()) {
        Ok(bytes) => vm.tuple(&[wrap(vm, "code")?, vm.tuple(&[vm.bytes(&bytes)?])?]),
        Err(e) => Err(vm.value_error(format!("cannot pickle the code of {}: {e}", code.name_string()))),
    }
}

/// Code that may come from anywhere. ValueError.
fn make_code(vm: &Vm, data: Ref<Bytes>) -> R<Ref<CodeObject>> {
    let code = skein_bytecode::read_file(data.bytes()).map_err(|e| bad(vm, &e.to_string()))?;
    skein_bytecode::verify(&code).map_err(|e| bad(vm, &e.to_string()))?;
    load(vm, skein_bytecode::CodeRef::new(code))
}

/// A module's dict goes by its name, any other as it is.
fn globals_part(vm: &Vm, globals: Ref<Dict>) -> R<Value> {
    let Some(name) = globals.get_str(vm, vm.names.__name__)? else { return Ok(globals.value()) };
    let loaded = match vm.modules.get() {
        Some(modules) => modules.get(vm, name)?,
        None => None,
    };
    let own = loaded.and_then(|m| m.cast::<Module>()).is_some_and(|m| m.dict() == globals);
    Ok(if own { name } else { globals.value() })
}

/// Places of a function's rarely used attributes, in the order of pickles.
const EXTRAS: &[Extra] = &[
    Extra::Name,
    Extra::Qualname,
    Extra::Doc,
    Extra::Dict,
    Extra::Module,
    Extra::Annotate,
    Extra::Annotations,
    Extra::TypeParams,
];

fn reduce_function(vm: &Vm, f: Ref<Function>) -> R<Value> {
    let extras = List::with_capacity(vm, EXTRAS.len())?;
    for &which in EXTRAS {
        extras.push(vm, f.extra(which).unwrap_or(Value::NONE))?;
    }
    let state = [
        globals_part(vm, f.globals())?,
        f.closure.or_none(),
        f.defaults.or_none(),
        f.kwdefaults.or_none(),
        vm.tuple(extras.items())?,
    ];
    reduced(vm, "function", &[f.code().value()], vm.tuple(&state)?, "set_function")
}

/// With empty cells for its closure: so it can be called, though not with success, before it is filled.
fn make_function(vm: &Vm, code: Ref<CodeObject>) -> R<Ref<Function>> {
    let f = Function::new(vm, code, Dict::new(vm)?)?;
    let n = code.portable().free_locals().count();
    if n > 0 {
        let cells = List::with_capacity(vm, n)?;
        for _ in 0..n {
            cells.push(vm, CellObject::new(vm, Value::UNBOUND)?.value())?;
        }
        f.closure.set(vm, f, Tuple::new(vm, cells.items())?.value());
    }
    Ok(f)
}

fn set_function(vm: &Vm, f: Ref<Function>, state: Value) -> R<()> {
    let [globals, closure, defaults, kwdefaults, extras] = parts(vm, state, "function")?;
    let globals = match (globals.cast::<Dict>(), globals.cast::<Str>()) {
        (Some(d), _) => d,
        (None, Some(name)) => match module(vm, name)?.cast::<Module>() {
            Some(m) => m.dict(),
            None => return Err(bad(vm, "globals of what is no module")),
        },
        (None, None) => return Err(bad(vm, "globals that are no dict")),
    };
    let cells = closure.cast::<Tuple>();
    let items = cells.as_ref().map_or(&[][..], |t| t.items());
    if items.len() != f.cells().len() || items.iter().any(|c| c.cast::<CellObject>().is_none()) {
        return Err(bad(vm, "a function's code needs another closure"));
    }
    let tuple = |v: Value| given(v).filter(|v| v.cast::<Tuple>().is_some());
    let dict = |v: Value| given(v).filter(|v| v.cast::<Dict>().is_some());
    f.globals.set(vm, f, globals.value());
    f.code().note_globals(vm, globals);
    f.closure.set(vm, f, tuple(closure));
    f.defaults.set(vm, f, tuple(defaults));
    f.kwdefaults.set(vm, f, dict(kwdefaults));
    let Some(extras) = extras.cast::<Tuple>() else { return Err(bad(vm, "attributes that are no tuple")) };
    for (&which, &v) in EXTRAS.iter().zip(extras.items()) {
        let fits = match which {
            Extra::Name | Extra::Qualname => v.cast::<Str>().is_some(),
            Extra::Dict | Extra::Annotations => v.cast::<Dict>().is_some(),
            Extra::TypeParams => v.cast::<Tuple>().is_some(),
            Extra::Annotate => vm.is_callable(v),
            Extra::Doc | Extra::Module | Extra::Builtins => true,
        };
        match given(v) {
            Some(v) if fits => f.set_extra(vm, which, Some(v))?,
            Some(_) => return Err(bad(vm, "a function's attribute of another type")),
            None => {}
        }
    }
    Ok(())
}

fn reduce_module(vm: &Vm, m: Ref<Module>) -> R<Value> {
    let name = vm.get_attr(m.value(), vm.names.__name__)?;
    vm.tuple(&[wrap(vm, "module")?, vm.tuple(&[name])?])
}

/// The module of that name, imported if need be. What importing raises.
fn module(vm: &Vm, name: Ref<Str>) -> R<Value> {
    let loaded = |vm: &Vm| match vm.modules.get() {
        Some(modules) => modules.get(vm, name.value()),
        None => Ok(None),
    };
    if let Some(m) = loaded(vm)? {
        return Ok(m);
    }
    let top = vm.import(&name.to_string_lossy())?;
    Ok(loaded(vm)?.unwrap_or(top))
}

fn reduce_traceback(vm: &Vm, tb: Ref<Traceback>) -> R<Value> {
    let frame = tb.frame.or_none();
    let function = match frame.cast::<skein_runtime::types::frame::FrameObject>() {
        Some(f) => f.function().value(),
        None => frame,
    };
    let code = tb.code().value();
    let args = [function, code, vm.int(tb.unit().into())?, vm.int(tb.line().into())?];
    reduced(vm, "traceback", &args, tb.next.or_none(), "set_traceback")
}

fn make_traceback(
    vm: &Vm,
    function: Value,
    code: Ref<CodeObject>,
    unit: u32,
    line: u32,
) -> R<Ref<Traceback>> {
    let Some(f) = function.cast::<Function>() else {
        return Err(bad(vm, "a traceback of what is no function"));
    };
    // The positions of a code are asked for by a unit that it has.
    if unit as usize >= code.portable().units.len() {
        return Err(bad(vm, "a traceback of no instruction"));
    }
    let tb = Traceback::new(vm, None, Some(f.value()), code, unit)?;
    tb.set_line(line);
    Ok(tb)
}
