//! Objects to trees: what a program hands to `compile()` may be anything.

use super::objects::class_types;
use num_bigint::Sign;
use skein_builtins::types::constant_of;
use skein_bytecode::{Const, Position};
use skein_compiler::tree::schema::{CLASSES, Class, Count, FieldDef, field};
use skein_compiler::tree::{Field, MAX_NODES_DEEP, Node};
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::Type;
use skein_runtime::{R, Raised, Value, Vm};

/// Is it a node of a tree?
pub fn is_node(vm: &Vm, v: Value) -> R<bool> {
    Ok(vm.is_exact_or_subtype(v, ext_type(vm, &super::methods::AST)?))
}

/// The tree of a node of one of the classes of modules. TypeError, ValueError, RecursionError.
pub fn from_object(vm: &Vm, object: Value, wanted: Class) -> R<Node> {
    check_class(vm, object, wanted)?;
    Converter { vm, types: class_types(vm)? }.fields(object, wanted, None, 0)
}

/// TypeError for a node of another class.
pub fn check_class(vm: &Vm, object: Value, wanted: Class) -> R<()> {
    let found = class_of(vm, class_types(vm)?, object, |c| c == wanted)?;
    if found.is_none() {
        let name = vm.type_name(object);
        return Err(vm.type_error(format!("expected {} node, got {name}", wanted.name())));
    }
    Ok(())
}

/// The class of an object among those that `wanted` takes.
fn class_of(vm: &Vm, types: Ref<List>, object: Value, wanted: impl Fn(Class) -> bool) -> R<Option<Class>> {
    for (def, ty) in CLASSES.iter().zip(types.items()).filter(|(def, _)| wanted(def.class)) {
        if let Some(ty) = ty.cast::<Type>()
            && vm.is_exact_or_subtype(object, ty)
        {
            return Ok(Some(def.class));
        }
    }
    Ok(None)
}

struct Converter<'a> {
    vm: &'a Vm,
    types: Ref<List>,
}

impl Converter<'_> {
    fn too_deep(&self) -> Raised {
        self.vm.recursion_error("maximum recursion depth exceeded during ast construction")
    }

    fn attr(&self, object: Value, name: &str) -> R<Option<Value>> {
        self.vm.find_attr(object, self.vm.intern(name)?)
    }

    /// A node of a class or of one of the classes of a base.
    fn node(&self, object: Value, ty: &'static str, depth: usize) -> R<Node> {
        let vm = self.vm;
        if depth > MAX_NODES_DEEP || vm.native_stack_low() {
            return Err(self.too_deep());
        }
        let of_type = |c: Class| c.def().base == ty || c.def().base.is_empty() && c.name() == ty;
        let attributes = CLASSES.iter().find(|def| of_type(def.class)).map_or(&[][..], |def| def.attributes);
        let place = if attributes.is_empty() { None } else { Some(self.place(object, ty, attributes)?) };
        match class_of(vm, self.types, object, of_type)? {
            Some(class) => self.fields(object, class, place, depth),
            None => {
                Err(vm.type_error(format!("expected some sort of {ty}, but got {}", vm.repr_string(object)?)))
            }
        }
    }

    fn place(&self, object: Value, ty: &str, attributes: &[&'static str]) -> R<Position> {
        let vm = self.vm;
        let mut numbers = [0i64; 4];
        for (i, f) in attributes.iter().map(|a| field(a)).enumerate() {
            numbers[i] = match self.attr(object, f.name)? {
                // The end is where the beginning is.
                None if f.count == Count::Optional => numbers[i - 2],
                Some(v) if v.is_none() && f.count == Count::Optional => numbers[i - 2],
                None => {
                    return Err(vm.type_error(format!("required field \"{}\" missing from {ty}", f.name)));
                }
                Some(v) => self.int(v)?,
            };
        }
        let [line, col, end_line, end_col] = numbers;
        if line <= end_line && (line < 0 && line != end_line || col < 0 && col != end_col) {
            return Err(vm.value_error(format!(
                "AST node column range ({col}, {end_col}) for line range ({line}, {end_line}) is not valid"
            )));
        }
        if line < 0 && line > end_line {
            return Err(vm.value_error(format!("AST node line range ({line}, {end_line}) is not valid")));
        }
        let [line, col, end_line, end_col] = numbers.map(|n| u32::try_from(n).unwrap_or(0));
        Ok(Position { line, end_line, col, end_col })
    }

    fn int(&self, v: Value) -> R<i64> {
        let vm = self.vm;
        if !vm.is_int(v) {
            return Err(vm.value_error(format!("invalid integer value: {}", vm.repr_string(v)?)));
        }
        let n = vm.index_i64(v)?;
        match i32::try_from(n) {
            Ok(n) => Ok(n.into()),
            Err(_) => Err(vm.overflow_error("Python int too large to convert to C int")),
        }
    }

    fn fields(&self, object: Value, class: Class, place: Option<Position>, depth: usize) -> R<Node> {
        if class == Class::Constant
            && let Some(node) = self.negative(object, place)?
        {
            return Ok(node);
        }
        let mut fields = Vec::new();
        for f in class.def().fields() {
            fields.push(self.field(object, class, &f, depth)?);
        }
        Ok(Node { class, place, fields })
    }

    /// A large negative int is no constant of code: it is a minus sign and one.
    fn negative(&self, object: Value, place: Option<Position>) -> R<Option<Node>> {
        let Some(v) = self.attr(object, "value")? else { return Ok(None) };
        if self.vm.type_of(v) != self.vm.types.int || self.vm.as_i64(v).is_some() {
            return Ok(None);
        }
        let Some(n) = self.vm.as_big(v).filter(|n| n.sign() == Sign::Minus) else { return Ok(None) };
        let digits = Field::Const(Const::BigInt(n.to_u32_digits().1));
        let mut operand = Class::Constant.node(vec![digits, Field::None]);
        operand.place = place;
        let mut node = Class::UnaryOp.node(vec![Class::USub.node(Vec::new()).into(), operand.into()]);
        node.place = place;
        Ok(Some(node))
    }

    fn field(&self, object: Value, class: Class, f: &FieldDef, depth: usize) -> R<Field> {
        let vm = self.vm;
        let found = self.attr(object, f.name)?;
        match f.count {
            Count::Many | Count::ManyOptional => {
                let Some(items) = found else { return Ok(Field::List(Vec::new())) };
                let Some(items) = items.cast::<List>() else {
                    let (class, ty) = (class.name(), vm.type_name(items));
                    let name = f.name;
                    return Err(vm.type_error(format!("{class} field \"{name}\" must be a list, not a {ty}")));
                };
                let mut out = Vec::new();
                let mut i = 0;
                while let Some(&item) = items.items().get(i) {
                    let len = items.len();
                    out.push(self.one(item, f, depth)?);
                    if items.len() != len {
                        let (class, name) = (class.name(), f.name);
                        return Err(vm.runtime_error(format!(
                            "{class} field \"{name}\" changed size during iteration"
                        )));
                    }
                    i += 1;
                }
                Ok(Field::List(out))
            }
            Count::Optional => match found {
                None => Ok(Field::None),
                Some(v) if v.is_none() => Ok(Field::None),
                Some(v) => self.one(v, f, depth),
            },
            Count::One => match found {
                None => {
                    let (class, name) = (class.name(), f.name);
                    Err(vm.type_error(format!("required field \"{name}\" missing from {class}")))
                }
                Some(v) if v.is_none() && f.ty != "constant" && f.ty != "int" => {
                    let (class, name) = (class.name(), f.name);
                    Err(vm.value_error(format!("field '{name}' is required for {class}")))
                }
                Some(v) => self.one(v, f, depth),
            },
        }
    }

    fn one(&self, v: Value, f: &FieldDef, depth: usize) -> R<Field> {
        let vm = self.vm;
        let text = |what: &str| match v.cast::<Str>() {
            Some(s) => Ok(Field::Text(s.to_string_lossy().as_ref().into())),
            None => Err(vm.type_error(format!("AST {what} must be of type str"))),
        };
        match f.ty {
            _ if v.is_none() && f.ty != "constant" && f.ty != "int" => Ok(Field::None),
            "identifier" => text("identifier"),
            "string" => text("string"),
            "int" => Ok(Field::Int(self.int(v)?)),
            "constant" => Ok(Field::Const(self.constant(v, depth)?)),
            ty => Ok(self.node(v, ty, depth + 1)?.into()),
        }
    }

    fn constant(&self, v: Value, depth: usize) -> R<Const> {
        let vm = self.vm;
        if depth > MAX_NODES_DEEP || vm.native_stack_low() {
            return Err(vm.recursion_error("maximum recursion depth exceeded during compilation"));
        }
        let found = constant_of(vm, v)?.filter(|c| !matches!(c, Const::Code(_)));
        match found {
            Some(c) => Ok(c),
            None => {
                let wrong = self.no_constant(v)?.unwrap_or(v);
                Err(vm.type_error(format!("got an invalid type in Constant: {}", vm.type_name(wrong))))
            }
        }
    }

    /// What makes a value no constant: itself, or something that is in it.
    fn no_constant(&self, v: Value) -> R<Option<Value>> {
        let vm = self.vm;
        vm.check_depth()?;
        if ![vm.types.tuple, vm.types.frozenset].contains(&vm.type_of(v)) {
            return Ok(constant_of(vm, v)?.is_none().then_some(v));
        }
        for &item in vm.list_from(v)?.items() {
            if let Some(wrong) = self.no_constant(item)? {
                return Ok(Some(wrong));
            }
        }
        Ok(None)
    }
}
