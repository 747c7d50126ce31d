//! What all nodes of syntax trees can do.

use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};

native_type! {
    pub AST: "ast.AST", Kind::Instance, type_flags::BASETYPE | type_flags::HAS_DICT;
    methods {
        "__init__($self, *args, **kwargs)" => init;
        "__repr__($self, /)" => |vm: &Vm, node: Value| -> R<Value> { Ok(Str::new(vm, &text(vm, node, 3)?)?.value()) };
        "__reduce__($self, /)" => reduce;
        "__replace__($self, /, **fields)" => replace;
    }
    getset { "__dict__" => |vm: &Vm, v: Value| Ok(dict(vm, v)?.value()); }
}

/// A tuple of strings that the class has under `name`.
fn names(vm: &Vm, node: Value, name: &str) -> R<Ref<Tuple>> {
    let v = vm.find_attr(vm.type_of(node).value(), vm.intern(name)?)?;
    match v {
        Some(v) => Tuple::new(vm, vm.list_from(v)?.items()),
        None => Tuple::new(vm, &[]),
    }
}

fn dict(vm: &Vm, node: Value) -> R<Ref<Dict>> {
    vm.instance_dict(node)?.ok_or_else(|| vm.attribute_error("__dict__"))
}

fn contains(row: Ref<Tuple>, name: Ref<Str>) -> bool {
    row.items().iter().any(|v| v.cast::<Str>().is_some_and(|s| s.same(name)))
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let [node, given @ ..] = args.positional() else {
        return Err(vm.type_error("descriptor '__init__' of 'ast.AST' object needs an argument"));
    };
    let (node, class) = (*node, vm.type_name(*node));
    let fields = names(vm, node, "_fields")?;
    if given.len() > fields.len() {
        let plural = if fields.len() == 1 { "" } else { "s" };
        return Err(vm.type_error(format!(
            "{class} constructor takes at most {} positional argument{plural}",
            fields.len()
        )));
    }
    let remaining = List::new(vm, &fields.items()[given.len()..])?;
    for (&name, &v) in fields.items().iter().zip(given) {
        if let Some(name) = name.cast::<Str>() {
            vm.set_attr(node, name, v)?;
        }
    }
    let attributes = names(vm, node, "_attributes")?;
    for (name, v) in args.keywords() {
        let Some(name) = name.cast::<Str>() else { continue };
        let at = remaining.items().iter().position(|f| f.cast::<Str>().is_some_and(|f| f.same(name)));
        if let Some(i) = at {
            remaining.splice(vm, i, i + 1, &[])?;
        } else if contains(fields, name) {
            let text = vm.repr_string(name.value())?;
            return Err(vm.type_error(format!("{class} got multiple values for argument {text}")));
        } else if !contains(attributes, name) {
            let text = vm.repr_string(name.value())?;
            vm.warn(
                vm.exc.deprecation_warning,
                &format!(
                    "{class}.__init__ got an unexpected keyword argument {text}. Support for arbitrary keyword arguments is deprecated and will be removed in Python 3.15."
                ),
            )?;
        }
        vm.set_attr(node, name, v)?;
    }
    fill(vm, node, &class, remaining)
}

/// Gives the fields that were left out their defaults.
fn fill(vm: &Vm, node: Value, class: &str, remaining: Ref<List>) -> R<()> {
    let types = vm.find_attr(vm.type_of(node).value(), vm.intern("_field_types")?)?;
    let Some(types) = types.and_then(|t| t.cast::<Dict>()) else { return Ok(()) };
    for &name in remaining.items() {
        let Some(ty) = types.get(vm, name)? else {
            let text = vm.repr_string(name)?;
            vm.warn(
                vm.exc.deprecation_warning,
                &format!(
                    "Field {text} is missing from {class}._field_types. This will become an error in Python 3.15."
                ),
            )?;
            continue;
        };
        let Some(name) = name.cast::<Str>() else { continue };
        if vm.type_of(ty) == vm.types.union {
            // The class has None for it.
            continue;
        }
        if vm.type_of(ty) == vm.types.generic_alias {
            vm.set_attr(node, name, List::with_capacity(vm, 0)?.value())?;
        } else if vm.find_attr(ty, vm.names.__name__)?.is_some_and(|n| is(n, "expr_context")) {
            let module = skein_builtins::modules::import(vm, "_ast")?;
            let load = vm.call(vm.get_attr_str(module, "Load")?, &[])?;
            vm.set_attr(node, name, load)?;
        } else {
            let text = vm.repr_string(name.value())?;
            vm.warn(
                vm.exc.deprecation_warning,
                &format!(
                    "{class}.__init__ missing 1 required positional argument: {text}. This will become an error in Python 3.15."
                ),
            )?;
        }
    }
    Ok(())
}

fn is(v: Value, text: &str) -> bool {
    v.cast::<Str>().is_some_and(|s| s.bytes() == text.as_bytes())
}

/// Placeholders for the fields that are there, so that the constructor does not warn, then the dictionary.
fn reduce(vm: &Vm, node: Value) -> R<Value> {
    let (fields, dict) = (names(vm, node, "_fields")?, dict(vm, node)?);
    let mut n = 0;
    for &name in fields.items() {
        if !dict.contains(vm, name)? {
            break;
        }
        n += 1;
    }
    let none = vm.filled(Value::NONE, n)?;
    vm.tuple(&[vm.type_of(node).value(), vm.tuple(&none)?, dict.value()])
}

fn replace(vm: &Vm, args: Args<'_>) -> R<Value> {
    let [node] = args.positional() else {
        return Err(vm.type_error("__replace__() takes no positional arguments"));
    };
    let (fields, attributes) = (names(vm, *node, "_fields")?, names(vm, *node, "_attributes")?);
    let (all, values) = (dict(vm, *node)?, Dict::new(vm)?);
    // What is neither a field nor a position stays behind.
    for &name in fields.items().iter().chain(attributes.items()) {
        if let Some(v) = all.get(vm, name)? {
            values.set(vm, name, v)?;
        }
    }
    for (name, v) in args.keywords() {
        let known = name.cast::<Str>().is_some_and(|n| contains(fields, n) || contains(attributes, n));
        if !known {
            return Err(vm.type_error(format!(
                "{}.__replace__ got an unexpected keyword argument {}.",
                vm.type_name(*node),
                vm.repr_string(name)?
            )));
        }
        values.set(vm, name, v)?;
    }
    check_all_there(vm, *node, fields, values)?;
    let (keys, row) = (List::with_capacity(vm, values.len())?, List::with_capacity(vm, values.len())?);
    for (k, v) in values.iter() {
        keys.push(vm, k)?;
        row.push(vm, v)?;
    }
    let keys = Tuple::new(vm, keys.items())?;
    vm.call_args(vm.type_of(*node).value(), Args::new(row.items(), Some(keys)))
}

/// TypeError for fields that have no value and may not be left out.
fn check_all_there(vm: &Vm, node: Value, fields: Ref<Tuple>, values: Ref<Dict>) -> R<()> {
    let class = vm.type_of(node).value();
    let types = vm.find_attr(class, vm.intern("_field_types")?)?.and_then(|t| t.cast::<Dict>());
    let mut missing = Vec::new();
    for &name in fields.items() {
        let ty = match types {
            Some(types) => types.get(vm, name)?,
            None => None,
        };
        let may_be_none = ty.is_some_and(|ty| vm.type_of(ty) == vm.types.union);
        if !may_be_none && !values.contains(vm, name)? {
            vm.push(&mut missing, vm.repr_string(name)?)?;
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let plural = if missing.len() == 1 { "" } else { "s" };
    Err(vm.type_error(format!(
        "{}.__replace__ missing {} keyword argument{plural}: {}.",
        vm.type_name(node),
        missing.len(),
        missing.join(", ")
    )))
}

/// The node with its fields, down to a depth.
fn text(vm: &Vm, node: Value, depth: usize) -> R<Vec<u8>> {
    let class = vm.type_name(node);
    let short = || format!("{class}(...)").into_bytes();
    if depth == 0 {
        return Ok(short());
    }
    let whole = vm.repr_guard(node, || {
        let mut out = format!("{class}(").into_bytes();
        for (i, &name) in names(vm, node, "_fields")?.items().iter().enumerate() {
            let Some(name) = name.cast::<Str>() else { continue };
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(name.bytes());
            out.push(b'=');
            let v = vm.get_attr(node, name)?;
            out.extend(value_text(vm, v, depth)?);
        }
        out.push(b')');
        Ok(out)
    })?;
    Ok(whole.unwrap_or_else(short))
}

fn value_text(vm: &Vm, v: Value, depth: usize) -> R<Vec<u8>> {
    if vm.is_exact_or_subtype(v, ext_type(vm, &AST)?) {
        return text(vm, v, depth - 1);
    }
    let (open, close, items) = match (v.cast::<List>(), v.cast::<Tuple>()) {
        (Some(l), _) => ('[', ']', Tuple::new(vm, l.items())?),
        (_, Some(t)) => ('(', ')', t),
        _ => return Ok(vm.repr(v)?.bytes().to_vec()),
    };
    // Of a long row only the ends.
    let mut out = vec![open as u8];
    if let Some((&first, rest)) = items.items().split_first() {
        out.extend(item_text(vm, first, depth)?);
        if let Some(&last) = rest.last() {
            out.extend_from_slice(if rest.len() > 1 { b", ..., " } else { b", " });
            out.extend(item_text(vm, last, depth)?);
        }
    }
    out.push(close as u8);
    Ok(out)
}

fn item_text(vm: &Vm, v: Value, depth: usize) -> R<Vec<u8>> {
    match vm.is_exact_or_subtype(v, ext_type(vm, &AST)?) {
        true => text(vm, v, depth - 1),
        false => Ok(vm.repr(v)?.bytes().to_vec()),
    }
}
