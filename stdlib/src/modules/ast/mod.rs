//! The module `_ast`: the classes of syntax trees, and trees as objects.

mod from_object;
mod methods;
mod objects;

use skein_compiler::tree::schema::{self, BASES, CLASSES, ClassDef, Count, FieldDef};
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Value, Vm};

pub use from_object::{check_class, from_object, is_node};
pub use objects::to_object;

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
    for &(name, attributes) in BASES.iter().filter(|(name, _)| !name.is_empty()) {
        let nodes = CLASSES.iter().filter(|c| c.base == name).map(ClassDef::text).collect::<Vec<_>>();
        // bounded: names of node types
        let simple = CLASSES.iter().filter(|c| c.base == name).all(|c| c.fields().next().is_none());
        // bounded: by the name of a node type
        let indent = if simple { " ".to_owned() } else { format!("\n{}", " ".repeat(name.len() + 1)) };
        // bounded: names of node types
        let doc = nodes.join(&format!("{indent}| "));
        let base = class(vm, dict, name, root, &format!("{name} = {doc}"))?;
        set_attributes(vm, base, attributes)?;
    }
    for def in CLASSES {
        let base = match def.base {
            "" => root,
            base => type_named(vm, dict, base)?,
        };
        let ty = add_node(vm, dict, def, base)?;
        if def.base.is_empty() {
            set_attributes(vm, ty, def.attributes)?;
        }
    }
    for def in CLASSES {
        set_field_types(vm, dict, def)?;
    }
    objects::remember(vm, dict)?;
    Ok(m)
}

fn type_named(vm: &Vm, module: Ref<Dict>, name: &str) -> R<Ref<Type>> {
    let found = module.get_name(vm, name)?.and_then(|t| t.cast::<Type>());
    found.ok_or_else(|| vm.system_error(format!("_ast has no class {name}")))
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

fn set_attributes(vm: &Vm, ty: Ref<Type>, attributes: &[&'static str]) -> R<()> {
    let names = List::with_capacity(vm, attributes.len())?;
    for f in attributes.iter().map(|a| schema::field(a)) {
        names.push(vm, vm.intern(f.name)?.value())?;
        if f.count == Count::Optional {
            ty.set_own(vm, vm.intern(f.name)?, Value::NONE)?;
        }
    }
    ty.set_own(vm, vm.intern("_attributes")?, vm.tuple(names.items())?)
}

fn add_node(vm: &Vm, module: Ref<Dict>, def: &ClassDef, base: Ref<Type>) -> R<Ref<Type>> {
    let ty = class(vm, module, def.name, base, &def.text())?;
    let names = List::with_capacity(vm, 4)?;
    for f in def.fields() {
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

fn set_field_types(vm: &Vm, module: Ref<Dict>, def: &ClassDef) -> R<()> {
    let ty = type_named(vm, module, def.name)?;
    let types = Dict::new(vm)?;
    for f in def.fields() {
        types.set_name(vm, f.name, field_type(vm, module, &f)?)?;
    }
    ty.set_own(vm, vm.intern("_field_types")?, types.value())?;
    ty.set_own(vm, vm.intern("__annotations_cache__")?, types.value())
}

fn field_type(vm: &Vm, module: Ref<Dict>, f: &FieldDef) -> R<Value> {
    let one = match f.ty {
        "identifier" | "string" => vm.types.str.value(),
        "int" => vm.types.int.value(),
        "constant" => vm.types.object.value(),
        name => type_named(vm, module, name)?.value(),
    };
    match f.count {
        Count::One => Ok(one),
        Count::Optional => vm.binary(skein_bytecode::Special::Or, one, Value::NONE),
        Count::Many | Count::ManyOptional => vm.generic_alias(vm.types.list.value(), one),
    }
}
