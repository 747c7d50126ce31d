//! Functions of `builtins` about objects, scopes and code.

use crate::types::{Row, attribute_name, path_object};
use skein_bytecode::{Special, flags};
use skein_runtime::interp::{Walk, frame_code, frame_function, running_locals};
use skein_runtime::native_functions;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::cell::CellObject;
use skein_runtime::types::code::{CodeObject, load, specialise_for_globals};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::function::Function;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::{Compile, Mode, Tree, Vm, compile_flags};

native_functions! { pub FUNCTIONS:
    "getattr(object, name, default=None, /)" => getattr,
        "getattr(object, name[, default]) -> value\n\nGet a named attribute from an object; getattr(x, 'y') is equivalent to x.y.\nWhen a default argument is given, it is returned when the attribute doesn't\nexist; without it, an exception is raised in that case.";
    "setattr(obj, name, value, /)" => setattr,
        "Sets the named attribute on the given object to the specified value.\n\nsetattr(x, 'y', v) is equivalent to ``x.y = v``";
    "delattr(obj, name, /)" => delattr,
        "Deletes the named attribute from the given object.\n\ndelattr(x, 'y') is equivalent to ``del x.y``";
    "hasattr(obj, name, /)" => hasattr,
        "Return whether the object has an attribute with the given name.\n\nThis is done by calling getattr(obj, name) and catching AttributeError.";
    "callable(obj, /)" => callable,
        "Return whether the object is callable (i.e., some kind of function).\n\nNote that classes are callable, as are instances of classes with a\n__call__() method.";
    "vars(object=None, /)" => vars,
        "vars([object]) -> dictionary\n\nWithout arguments, equivalent to locals().\nWith an argument, equivalent to object.__dict__.";
    "dir(object=None, /)" => dir,
        "dir([object]) -> list of strings\n\nIf called without an argument, return the names in the current scope.\nElse, return an alphabetized list of names comprising (some of) the attributes\nof the given object, and of attributes reachable from it.";
    "globals()" => globals, "Return the dictionary containing the current scope's global variables.";
    "locals()" => locals, "Return a dictionary containing the current scope's local variables.";
    "compile(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)" => compile,
        "Compile source into a code object that can be executed by exec() or eval().";
    "exec(source, /, globals=None, locals=None, *, closure=None)" => exec, "Execute the given source in the context of globals and locals.";
    "eval(source, /, globals=None, locals=None)" => eval, "Evaluate the given source in the context of globals and locals.";
}

fn getattr(vm: &Vm, v: Value, name: Value, default: Option<Value>) -> R<Value> {
    let name = attribute_name(vm, name)?;
    match default {
        None => vm.get_attr(v, name).inspect_err(|_| vm.name_missing_attribute(v, name)),
        Some(d) => Ok(vm.find_attr(v, name)?.unwrap_or(d)),
    }
}

fn setattr(vm: &Vm, v: Value, name: Value, new: Value) -> R<()> {
    vm.set_attr(v, attribute_name(vm, name)?, new)
}

fn delattr(vm: &Vm, v: Value, name: Value) -> R<()> {
    vm.set_or_delete_attr(v, attribute_name(vm, name)?, None)
}

fn hasattr(vm: &Vm, v: Value, name: Value) -> R<bool> {
    Ok(vm.find_attr(v, attribute_name(vm, name)?)?.is_some())
}

fn callable(vm: &Vm, v: Value) -> bool {
    vm.type_of(v).special(vm, Special::Call).is_some()
}

fn vars(vm: &Vm, v: Option<Value>) -> R<Value> {
    match v {
        None => locals(vm),
        Some(v) => match vm.find_attr(v, vm.names.__dict__)? {
            Some(d) => Ok(d),
            None => Err(vm.type_error("vars() argument must have __dict__ attribute")),
        },
    }
}

/// The names in order; a list.
fn sorted(vm: &Vm, names: Value) -> R<Value> {
    let list = vm.list_from(names)?;
    if list.items().iter().all(|n| n.cast::<Str>().is_some()) {
        list.permute(vm, |items| {
            items.sort_by(|a, b| {
                let text = |v: &Value| v.cast::<Str>().map(|s| s.bytes().to_vec());
                text(a).cmp(&text(b))
            });
        });
    } else {
        vm.call_method(list.value(), "sort", &[])?;
    }
    Ok(list.value())
}

fn dir(vm: &Vm, v: Option<Value>) -> R<Value> {
    let Some(v) = v else {
        let names = locals(vm)?;
        return sorted(vm, vm.call_method(names, "keys", &[])?);
    };
    let ty = vm.type_of(v);
    let Some(f) = ty.lookup(vm, vm.intern("__dir__")?) else {
        return Err(vm.type_error("object does not provide __dir__"));
    };
    let names = vm.call(vm.bind(f, v, ty)?, &[])?;
    sorted(vm, names)
}

fn running_globals(vm: &Vm) -> R<Ref<Dict>> {
    match Walk::running(vm).next() {
        Some(w) => Ok(frame_function(w.base).globals()),
        None => Err(vm.system_error("globals do not exist")),
    }
}

fn globals(vm: &Vm) -> R<Value> {
    Ok(running_globals(vm)?.value())
}

fn locals(vm: &Vm) -> R<Value> {
    match running_locals(vm)? {
        Some(l) => Ok(l),
        None => Err(vm.system_error("frame does not exist")),
    }
}

/// Source of `compile`, `exec` and `eval`.
pub struct Text {
    pub bytes: Vec<u8>,
    /// It was a string.
    pub decoded: bool,
}

/// The source text; None for what is no text. SyntaxError, UnicodeEncodeError.
pub fn source_text(vm: &Vm, v: Value, skip_blanks: bool) -> R<Option<Text>> {
    let mut decoded = false;
    let bytes = if let Some(s) = v.cast::<Str>() {
        decoded = true;
        // Surrogates are no text.
        crate::types::codecs::utf8(vm, s)?
    } else {
        match Row::of(vm, v)? {
            Some(row) => row.into_bytes(vm)?,
            None => return Ok(None),
        }
    };
    if bytes.contains(&0) {
        return Err(vm.raise_text(vm.exc.syntax_error, "source code string cannot contain null bytes"));
    }
    let blanks = if skip_blanks { bytes.iter().take_while(|b| matches!(b, b' ' | b'\t')).count() } else { 0 };
    Ok(Some(Text { bytes: vm.copied(&bytes[blanks..])?, decoded }))
}

/// `from __future__` flags of the calling code.
fn inherited_flags(vm: &Vm) -> u32 {
    Walk::running(vm).next().map_or(0, |w| frame_code(w.base).portable().flags & flags::FUTURE_ANNOTATIONS)
}

fn compile_text(
    vm: &Vm,
    text: &Text,
    filename: &str,
    mode: Mode,
    flags: u32,
    optimize: u8,
) -> R<Ref<CodeObject>> {
    let what = Compile { source: &text.bytes, filename, mode, optimize, flags, decoded: text.decoded };
    let code = vm.hooks.clone().compile(vm, &what)?;
    load(vm, code)
}

/// A source's file name: text, bytes or a path. TypeError.
fn filename_of(vm: &Vm, v: Value) -> R<String> {
    let path = path_object(vm, v)?;
    match path.cast::<Bytes>() {
        Some(b) => Ok(String::from_utf8_lossy(b.bytes()).into_owned()),
        None => vm.str_string(path),
    }
}

#[expect(clippy::too_many_arguments, reason = "Python's signature")]
fn compile(
    vm: &Vm,
    source: Value,
    filename: Value,
    mode: Ref<Str>,
    flags_: Option<i64>,
    dont_inherit: Option<bool>,
    optimize: Option<i64>,
    version: Option<i64>,
) -> R<Value> {
    vm.audit("compile", || vm.tuple(&[source, filename]))?;
    let filename = filename_of(vm, filename)?;
    let wanted = flags_.unwrap_or(0) as u32;
    let only_tree = wanted & compile_flags::ONLY_AST != 0;
    let function_type = mode.bytes() == b"func_type";
    let mode = match mode.bytes() {
        b"exec" => Mode::Exec,
        b"eval" => Mode::Eval,
        b"single" => Mode::Single,
        b"func_type" if only_tree => Mode::Eval,
        b"func_type" => {
            return Err(vm.value_error("compile() mode 'func_type' requires flag PyCF_ONLY_AST"));
        }
        _ if only_tree => {
            return Err(vm.value_error("compile() mode must be 'exec', 'eval', 'single' or 'func_type'"));
        }
        _ => return Err(vm.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
    };
    if wanted & !(compile_flags::ALL | compile_flags::FUTURES) != 0 {
        return Err(vm.value_error("compile(): unrecognised flags"));
    }
    let optimize = match optimize.unwrap_or(-1) {
        -1 => vm.config.optimize,
        n @ 0..=2 => n as u8,
        _ => return Err(vm.value_error("compile(): invalid optimize value")),
    };
    let inherited = if dont_inherit.unwrap_or(false) { 0 } else { inherited_flags(vm) };
    let flags = inherited | wanted;
    let hooks = vm.hooks.clone();
    if hooks.is_tree(vm, source)? {
        let what = Compile { source: &[], filename: &filename, mode, optimize, flags, decoded: true };
        if only_tree {
            return hooks.checked_tree(vm, source, &what, function_type);
        }
        let code = hooks.compile_tree(vm, source, &what)?;
        return Ok(load(vm, code)?.value());
    }
    let Some(text) = source_text(vm, source, false)? else {
        return Err(vm.type_error("compile() arg 1 must be a string, bytes or AST object"));
    };
    if only_tree {
        let what = Compile {
            source: &text.bytes,
            filename: &filename,
            mode,
            optimize,
            flags,
            decoded: text.decoded,
        };
        let feature_version = version.and_then(|v| u8::try_from(v).ok());
        return hooks.parse(vm, &what, Tree { feature_version, function_type });
    }
    Ok(compile_text(vm, &text, &filename, mode, flags, optimize)?.value())
}

/// Globals and locals of `exec` and `eval`.
fn scopes(vm: &Vm, what: &str, globals: Option<Value>, locals: Option<Value>) -> R<(Ref<Dict>, Value)> {
    let given = |v: Option<Value>| v.filter(|v| !v.is_none());
    let (globals, locals) = match (given(globals), given(locals)) {
        (None, None) => (running_globals(vm)?.value(), self::locals(vm)?),
        (None, Some(l)) => (running_globals(vm)?.value(), l),
        (Some(g), l) => (g, l.unwrap_or(g)),
    };
    let Some(dict) = globals.cast::<Dict>() else {
        return Err(vm.type_error(format!("{what}() globals must be a dict, not {}", vm.type_name(globals))));
    };
    if vm.type_of(locals).special(vm, Special::GetItem).is_none() {
        return Err(
            vm.type_error(format!("{what}() locals must be a mapping or None, not {}", vm.type_name(locals)))
        );
    }
    if dict.get_str(vm, vm.names.__builtins__)?.is_none() {
        let own = match Walk::running(vm).next() {
            Some(w) => skein_runtime::interp::builtins_of(vm, frame_function(w.base))?,
            None => vm.builtins.get(),
        };
        if let Some(b) = own {
            dict.set_str(vm, vm.names.__builtins__, b.value())?;
        }
    }
    Ok((dict, locals))
}

/// Runs a code with these scopes.
fn run(
    vm: &Vm,
    code: Ref<CodeObject>,
    globals: Ref<Dict>,
    locals: Value,
    cells: Option<Ref<Tuple>>,
) -> R<Value> {
    let f = Function::new(vm, code, globals)?;
    f.closure.set(vm, f, cells.map(Value::from));
    if skein_runtime::interp::takes_namespace(code) {
        vm.call(f.value(), &[locals])
    } else {
        vm.call(f.value(), &[])
    }
}

/// Compiles the text that `exec` or `eval` got, of which audit hooks hear, and that it is run.
fn compile_told(vm: &Vm, source: Value, text: &Text, mode: Mode) -> R<Ref<CodeObject>> {
    vm.audit("compile", || vm.tuple(&[source, vm.str("<string>")?]))?;
    let code = compile_text(vm, text, "<string>", mode, inherited_flags(vm), vm.config.optimize)?;
    vm.audit("exec", || vm.tuple(&[code.value()]))?;
    Ok(code)
}

fn exec(
    vm: &Vm,
    source: Value,
    globals: Option<Value>,
    locals: Option<Value>,
    closure: Option<Value>,
) -> R<()> {
    let (globals, locals) = scopes(vm, "exec", globals, locals)?;
    let closure = closure.filter(|c| !c.is_none());
    if let Some(code) = source.cast::<CodeObject>() {
        vm.audit("exec", || vm.tuple(&[source]))?;
        let wanted = code.portable().free_locals().count();
        let cells = closure.and_then(|c| c.cast::<Tuple>());
        let fits = match cells {
            Some(t) => {
                t.len() == wanted && wanted > 0 && t.items().iter().all(|c| c.cast::<CellObject>().is_some())
            }
            None => closure.is_none() && wanted == 0,
        };
        if !fits {
            return Err(vm.type_error(if wanted == 0 {
                "cannot use a closure with this code object".to_string()
            } else {
                format!("code object requires a closure of exactly length {wanted}")
            }));
        }
        return run(vm, code, globals, locals, cells).map(|_| ());
    }
    if closure.is_some() {
        return Err(vm.type_error("closure argument cannot be used with a source string"));
    }
    let Some(text) = source_text(vm, source, false)? else {
        return Err(vm.type_error("exec() arg 1 must be a string, bytes or code object"));
    };
    let code = compile_told(vm, source, &text, Mode::Exec)?;
    if locals.is(globals.value()) {
        specialise_for_globals(vm, code)?;
    }
    run(vm, code, globals, locals, None).map(|_| ())
}

fn eval(vm: &Vm, source: Value, globals: Option<Value>, locals: Option<Value>) -> R<Value> {
    let (globals, locals) = scopes(vm, "eval", globals, locals)?;
    if let Some(code) = source.cast::<CodeObject>() {
        if code.portable().free_locals().next().is_some() {
            return Err(vm.type_error("code object passed to eval() may not contain free variables"));
        }
        vm.audit("exec", || vm.tuple(&[source]))?;
        return run(vm, code, globals, locals, None);
    }
    let Some(text) = source_text(vm, source, true)? else {
        return Err(vm.type_error("eval() arg 1 must be a string, bytes or code object"));
    };
    let code = compile_told(vm, source, &text, Mode::Eval)?;
    run(vm, code, globals, locals, None)
}

/// The names of a list of strings.
pub fn texts(list: Ref<List>) -> Vec<String> {
    list.items().iter().filter_map(|v| v.cast::<Str>()).map(|s| s.to_string_lossy().into_owned()).collect()
}
