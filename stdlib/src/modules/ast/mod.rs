//! The module `_ast`: the classes of syntax trees. Making trees of source text is not there yet.

mod methods;
mod nodes;

use nodes::{Count, FieldDef, PRODUCTS, SUMS};
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Value, Vm};

/// Flags of `compile`.
const FLAGS: &[(&str, i64)] = &[
    ("PyCF_ONLY_AST", 0x400),
    ("PyCF_TYPE_COMMENTS", 0x1000),
    ("PyCF_ALLOW_TOP_LEVEL_AWAIT", 0x2000),
    ("PyCF_OPTIMIZED_AST", 0x8400),
];

pub(super) fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_ast", &[])?;
    let dict = m.dict();
    for &(name, n) in FLAGS {
        dict.set_name(vm, name, vm.int(n)?)?;
    }
    let root = ext_type(vm, &methods::AST)?;
    for name in ["_fields", "_attributes", "__match_args__"] {
        root.set_own(vm, vm.intern(name)?, vm.tuple(&[])?)?;
    }
    dict.set_name(vm, "AST", root)?;
    // First the classes, then the types of their fields, which name classes.
    for sum in SUMS {
        let doc = sum.nodes.join(&format!("\n{}| ", " ".repeat(sum.name.len() + 1)));
        let base = class(vm, dict, sum.name, root, &format!("{} = {doc}", sum.name))?;
        set_attributes(vm, base, sum.attributes)?;
        for text in sum.nodes {
            add_node(vm, dict, text, base)?;
        }
    }
    for (text, attributes) in PRODUCTS {
        let ty = add_node(vm, dict, text, root)?;
        set_attributes(vm, ty, attributes)?;
    }
    let product_texts = PRODUCTS.iter().map(|(text, _)| *text);
    for text in SUMS.iter().flat_map(|s| s.nodes.iter().copied()).chain(product_texts) {
        set_field_types(vm, dict, text)?;
    }
    Ok(m)
}

/// A class in the module.
fn class(vm: &Vm, module: Ref<Dict>, name: &str, base: Ref<Type>, doc: &str) -> R<Ref<Type>> {
    let namespace = Dict::new(vm)?;
    namespace.set_name(vm, "__module__", vm.intern("ast")?.value())?;
    namespace.set_name(vm, "__doc__", vm.str(doc)?)?;
    let empty = vm.tuple(&[])?;
    namespace.set_name(vm, "_fields", empty)?;
    namespace.set_name(vm, "__match_args__", empty)?;
    let bases = Tuple::new(vm, &[base.value()])?;
    let row = [vm.intern(name)?.value(), bases.value(), namespace.value()];
    let ty = vm.call(vm.types.type_.value(), &row)?;
    module.set_name(vm, name, ty)?;
    ty.cast().ok_or_else(|| vm.system_error("a class was expected"))
}

fn set_attributes(vm: &Vm, ty: Ref<Type>, attributes: &[&str]) -> R<()> {
    let names = List::with_capacity(vm, attributes.len())?;
    for f in attributes.iter().map(|a| nodes::field(a)) {
        names.push(vm, vm.intern(f.name)?.value())?;
        if f.count == Count::Optional {
            ty.set_own(vm, vm.intern(f.name)?, Value::NONE)?;
        }
    }
    ty.set_own(vm, vm.intern("_attributes")?, vm.tuple(names.items())?)
}

fn add_node(vm: &Vm, module: Ref<Dict>, text: &str, base: Ref<Type>) -> R<Ref<Type>> {
    let (name, fields) = nodes::node(text);
    let ty = class(vm, module, name, base, text)?;
    let names = List::with_capacity(vm, 4)?;
    for f in fields {
        let name = vm.intern(f.name)?;
        names.push(vm, name.value())?;
        if f.count == Count::Optional {
            ty.set_own(vm, name, Value::NONE)?;
        }
    }
    let row = vm.tuple(names.items())?;
    ty.set_own(vm, vm.intern("_fields")?, row)?;
    ty.set_own(vm, vm.intern("__match_args__")?, row)?;
    Ok(ty)
}

fn set_field_types(vm: &Vm, module: Ref<Dict>, text: &str) -> R<()> {
    let (name, fields) = nodes::node(text);
    let Some(ty) = module.get_name(vm, name)?.and_then(|t| t.cast::<Type>()) else { return Ok(()) };
    let types = Dict::new(vm)?;
    for f in fields {
        types.set_name(vm, f.name, field_type(vm, module, &f)?)?;
    }
    ty.set_own(vm, vm.intern("_field_types")?, types.value())?;
    ty.set_own(vm, vm.intern("__annotations__")?, types.value())
}

fn field_type(vm: &Vm, module: Ref<Dict>, f: &FieldDef<'_>) -> R<Value> {
    let one = match f.ty {
        "identifier" | "string" => vm.types.str.value(),
        "int" => vm.types.int.value(),
        "constant" => vm.types.object.value(),
        name => module.get_name(vm, name)?.unwrap_or(Value::NONE),
    };
    match f.count {
        Count::One => Ok(one),
        Count::Optional => vm.binary(skein_bytecode::Special::Or, one, Value::NONE),
        Count::Many => vm.generic_alias(vm.types.list.value(), one),
    }
}
