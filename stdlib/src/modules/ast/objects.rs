//! Trees to objects.

use skein_bytecode::Position;
use skein_compiler::tree::schema::{CLASSES, Class};
use skein_compiler::tree::{Field, Node};
use skein_runtime::object::Ref;
use skein_runtime::types::code::constant_value;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Value, Vm};
use std::cell::Cell;

/// The classes, by [`Class`].
#[derive(Default)]
struct Classes {
    /// A tuple per class: the type, its names of fields, and the one instance of those that have no fields.
    rows: Cell<Option<Ref<List>>>,
}

/// Notes the module's classes.
pub fn remember(vm: &Vm, module: Ref<Dict>) -> R<()> {
    vm.root_tracers.borrow_mut().push(|vm, t| {
        if let Some(rows) = vm.state::<Classes>().rows.get() {
            t.visit_word(rows.value().bits());
        }
    });
    let rows = List::with_capacity(vm, CLASSES.len())?;
    for def in CLASSES {
        let ty = super::type_named(vm, module, def.name)?.value();
        let names = List::with_capacity(vm, 4)?;
        for f in def.fields() {
            names.push(vm, vm.intern(f.name)?.value())?;
        }
        let alone = if names.items().is_empty() && def.attributes.is_empty() {
            vm.call(ty, &[])?
        } else {
            Value::NONE
        };
        let names = vm.tuple(names.items())?;
        rows.push(vm, vm.tuple(&[ty, names, alone])?)?;
    }
    vm.state::<Classes>().rows.set(Some(rows));
    Ok(())
}

/// The rows of the classes; imports the module if nobody has.
fn rows(vm: &Vm) -> R<Ref<List>> {
    let state = vm.state::<Classes>();
    if state.rows.get().is_none() {
        skein_builtins::modules::import(vm, "_ast")?;
    }
    state.rows.get().ok_or_else(|| vm.system_error("_ast has no classes"))
}

fn row(vm: &Vm, rows: Ref<List>, class: Class) -> R<Ref<Tuple>> {
    let row = rows.items().get(class as usize).and_then(|r| r.cast::<Tuple>());
    row.ok_or_else(|| vm.system_error("a class of _ast is missing"))
}

/// The types of the classes, by [`Class`].
pub fn class_types(vm: &Vm) -> R<Ref<List>> {
    let rows = rows(vm)?;
    let types = List::with_capacity(vm, rows.len())?;
    for row in rows.items().iter().filter_map(|r| r.cast::<Tuple>()) {
        types.push(vm, row.items()[0])?;
    }
    Ok(types)
}

/// What is yet to be done.
enum Step<'a> {
    Visit(&'a Field),
    /// Makes the node of the values of its fields, which are the last ones.
    Node(&'a Node),
    /// Makes a list of so many last values.
    List(usize),
}

/// The tree as an object. Without recursion: trees nest deeper than a native stack may.
pub fn to_object(vm: &Vm, tree: &Node) -> R<Value> {
    let rows = rows(vm)?;
    let values = List::with_capacity(vm, 16)?;
    let mut steps = vec![Step::Node(tree)];
    steps.extend(tree.fields.iter().rev().map(Step::Visit));
    let take = |n: usize| -> R<Ref<List>> {
        let len = values.len();
        let last = List::new(vm, &values.items()[len - n..])?;
        values.splice(vm, len - n, len, &[])?;
        Ok(last)
    };
    while let Some(step) = steps.pop() {
        let made = match step {
            Step::Visit(Field::Node(node)) => {
                steps.push(Step::Node(node));
                steps.extend(node.fields.iter().rev().map(Step::Visit));
                continue;
            }
            Step::Visit(Field::List(items)) => {
                steps.push(Step::List(items.len()));
                steps.extend(items.iter().rev().map(Step::Visit));
                continue;
            }
            Step::Visit(Field::None) => Value::NONE,
            Step::Visit(Field::Text(text)) => vm.intern(text)?.value(),
            Step::Visit(Field::Int(n)) => vm.int(*n)?,
            Step::Visit(Field::Const(c)) => constant_value(vm, c)?,
            Step::List(n) => take(n)?.value(),
            Step::Node(node) => object(vm, row(vm, rows, node.class)?, node, take(node.fields.len())?)?,
        };
        values.push(vm, made)?;
    }
    values.items().last().copied().ok_or_else(|| vm.system_error("no tree"))
}

fn object(vm: &Vm, row: Ref<Tuple>, node: &Node, fields: Ref<List>) -> R<Value> {
    let [ty, names, alone] = row.items() else { return Err(vm.system_error("a bad row of _ast")) };
    if !alone.is_none() {
        return Ok(*alone);
    }
    let Some(ty) = ty.cast::<Type>() else { return Err(vm.system_error("a class was expected")) };
    let object = vm.new_instance(ty)?;
    if let Some(names) = names.cast::<Tuple>() {
        for (name, &v) in names.items().iter().zip(fields.items()) {
            if let Some(name) = name.cast::<Str>() {
                vm.set_attr(object, name, v)?;
            }
        }
    }
    if let Some(place) = node.place {
        let Position { line, end_line, col, end_col } = place;
        for (name, n) in
            [("lineno", line), ("col_offset", col), ("end_lineno", end_line), ("end_col_offset", end_col)]
        {
            vm.set_attr(object, vm.intern(name)?, Value::small_int(n.into()))?;
        }
    }
    Ok(object)
}
