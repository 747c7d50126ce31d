//! `string.templatelib.Template` and `Interpolation`: what t-strings make (PEP 750).

use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{check_class, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cell::Cell;

// ---- Interpolation

struct Interpolation {
    value: Field,
    expression: Field,
    /// A string of one letter, or None.
    conversion: Field,
    format_spec: Field,
}

impl Payload for Interpolation {
    const NAME: &'static str = "string.templatelib.Interpolation";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Interpolation { value, expression, conversion, format_spec } = self;
        for f in [value, expression, conversion, format_spec] {
            f.trace(t);
        }
    }
}

native_type! {
    INTERPOLATION: "string.templatelib.Interpolation", Kind::Ext, 0, "An expression in a t-string and its value.";
    methods {
        [static] "__new__($type, value, expression='', conversion=None, format_spec='')" => new_interpolation;
        "__repr__($self, /)" => |vm: &Vm, i: ExtArg<Interpolation>| -> R<Value> {
            let fields = i.0.fields();
            let row = Tuple::new(vm, &fields)?;
            let mut out = vm.type_of(i.0.value()).name_string().into_bytes();
            out.extend_from_slice(vm.repr(row.value())?.bytes());
            Ok(Str::new(vm, &out)?.value())
        };
        "__reduce__($self, /)" => |vm: &Vm, i: ExtArg<Interpolation>| -> R<Value> {
            vm.tuple(&[vm.type_of(i.0.value()).value(), vm.tuple(&i.0.fields())?])
        };
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "value" => |_: &Vm, v: Ref<Ext<Interpolation>>| Ok(v.value.value());
        "expression" => |_: &Vm, v: Ref<Ext<Interpolation>>| Ok(v.expression.value());
        "conversion" => |_: &Vm, v: Ref<Ext<Interpolation>>| Ok(v.conversion.value());
        "format_spec" => |_: &Vm, v: Ref<Ext<Interpolation>>| Ok(v.format_spec.value());
    }
}

impl Interpolation {
    fn fields(&self) -> [Value; 4] {
        [&self.value, &self.expression, &self.conversion, &self.format_spec].map(|f| f.value())
    }
}

fn interpolation_type(vm: &Vm) -> R<Ref<Type>> {
    let ty = ext_type(vm, &INTERPOLATION)?;
    // What class patterns match by position; it cannot be declared, being no function.
    if ty.dict().get_str(vm, vm.names.__match_args__)?.is_none() {
        let names = ["value", "expression", "conversion", "format_spec"];
        let row = List::with_capacity(vm, names.len())?;
        for n in names {
            row.push(vm, vm.intern(n)?.value())?;
        }
        ty.set_own(vm, vm.names.__match_args__, vm.tuple(row.items())?)?;
    }
    Ok(ty)
}

fn make(vm: &Vm, ty: Ref<Type>, fields: [Value; 4]) -> R<Value> {
    let [value, expression, conversion, format_spec] = fields.map(|v| Field::new(Some(v)));
    Ok(Ext::new(vm, ty, Interpolation { value, expression, conversion, format_spec })?.value())
}

/// The Interpolation of an expression in a t-string; conversions are numbered as in the op.
pub fn interpolation_of(
    vm: &Vm,
    value: Value,
    expression: Value,
    conversion: usize,
    spec: Value,
) -> R<Value> {
    let conversion = match ["", "s", "r", "a"].get(conversion) {
        Some(&"") | None => Value::NONE,
        Some(letter) => vm.intern(letter)?.value(),
    };
    make(vm, interpolation_type(vm)?, [value, expression, conversion, spec])
}

fn new_interpolation(
    vm: &Vm,
    class: Ref<Type>,
    value: Value,
    expression: Option<Value>,
    conversion: Option<Value>,
    format_spec: Option<Value>,
) -> R<Value> {
    check_class(vm, class, &INTERPOLATION)?;
    let text = |v: Option<Value>, name: &str| match v {
        None => vm.str(""),
        Some(v) if v.cast::<Str>().is_some() => Ok(v),
        Some(v) => Err(
            vm.type_error(format!("Interpolation() argument '{name}' must be str, not {}", vm.type_name(v)))
        ),
    };
    let expression = text(expression, "expression")?;
    let conversion = conversion.unwrap_or(Value::NONE);
    if !conversion.is_none() {
        let letter = text(Some(conversion), "conversion")?;
        if !letter.cast::<Str>().is_some_and(|s| matches!(s.bytes(), b"s" | b"r" | b"a")) {
            return Err(
                vm.value_error("Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'")
            );
        }
    }
    let spec = text(format_spec, "format_spec")?;
    make(vm, interpolation_type(vm)?, [value, expression, conversion, spec])
}

// ---- Template

/// One more string than there are interpolations; they alternate.
struct Template {
    strings: Field,
    interpolations: Field,
}

impl Payload for Template {
    const NAME: &'static str = "string.templatelib.Template";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Template { strings, interpolations } = self;
        strings.trace(t);
        interpolations.trace(t);
    }
}

type This = Ref<Ext<Template>>;

native_type! {
    TEMPLATE: "string.templatelib.Template", Kind::Ext, 0, "The parts of a t-string: strings and interpolations.";
    methods {
        [static] "__new__($type, *args)" => new_template;
        "__repr__($self, /)" => |vm: &Vm, t: ExtArg<Template>| -> R<Value> {
            let mut out = vm.type_of(t.0.value()).name_string().into_bytes();
            out.extend_from_slice(b"(strings=");
            out.extend_from_slice(vm.repr(t.0.strings.value())?.bytes());
            out.extend_from_slice(b", interpolations=");
            out.extend_from_slice(vm.repr(t.0.interpolations.value())?.bytes());
            out.push(b')');
            Ok(Str::new(vm, &out)?.value())
        };
        "__iter__($self, /)" => |vm: &Vm, t: ExtArg<Template>| -> R<Value> {
            let parts = Parts { template: Field::new(Some(t.0.value())), next: Cell::new(0) };
            Ok(Ext::new(vm, ext_type(vm, &ITERATOR)?, parts)?.value())
        };
        "__add__($self, value, /)" => concatenate;
        "__reduce__($self, /)" => |vm: &Vm, t: ExtArg<Template>| -> R<Value> {
            let module = crate::modules::import(vm, "string.templatelib")?;
            let f = vm.get_attr_str(module, "_template_unpickle")?;
            vm.tuple(&[f, vm.tuple(&[t.0.strings.value(), t.0.interpolations.value()])?])
        };
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "strings" => |_: &Vm, v: This| Ok(v.strings.value());
        "interpolations" => |_: &Vm, v: This| Ok(v.interpolations.value());
        "values" => |vm: &Vm, v: This| {
            let (_, interpolations) = v.parts();
            let row = List::with_capacity(vm, interpolations.len())?;
            for i in interpolations.items().iter().filter_map(|i| i.cast::<Ext<Interpolation>>()) {
                row.push(vm, i.value.value())?;
            }
            vm.tuple(row.items())
        };
    }
}

impl Template {
    fn parts(&self) -> (Ref<Tuple>, Ref<Tuple>) {
        // SAFETY: set by `template_of` to tuples.
        unsafe { (self.strings.value().cast_unchecked(), self.interpolations.value().cast_unchecked()) }
    }
}

/// The Template of a tuple of strings and one of interpolations, one shorter.
pub fn template_of(vm: &Vm, strings: Value, interpolations: Value) -> R<Value> {
    if strings.cast::<Tuple>().is_none() || interpolations.cast::<Tuple>().is_none() {
        return Err(vm.system_error("a template of what is no tuple"));
    }
    let payload =
        Template { strings: Field::new(Some(strings)), interpolations: Field::new(Some(interpolations)) };
    Ok(Ext::new(vm, ext_type(vm, &TEMPLATE)?, payload)?.value())
}

/// Collects parts; strings next to each other become one.
struct Builder {
    strings: Ref<List>,
    interpolations: Ref<List>,
    text: Vec<u8>,
}

impl Builder {
    fn new(vm: &Vm) -> R<Builder> {
        Ok(Builder {
            strings: List::with_capacity(vm, 4)?,
            interpolations: List::with_capacity(vm, 4)?,
            text: Vec::new(),
        })
    }

    fn end_text(&mut self, vm: &Vm) -> R<()> {
        let text = Str::new(vm, &std::mem::take(&mut self.text))?;
        self.strings.push(vm, text.value())
    }

    fn interpolation(&mut self, vm: &Vm, v: Value) -> R<()> {
        self.end_text(vm)?;
        self.interpolations.push(vm, v)
    }

    fn finish(mut self, vm: &Vm) -> R<Value> {
        self.end_text(vm)?;
        template_of(vm, vm.tuple(self.strings.items())?, vm.tuple(self.interpolations.items())?)
    }
}

fn new_template(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = skein_runtime::types::ext::class_argument(vm, &args, ext_type(vm, &TEMPLATE)?)?;
    check_class(vm, class, &TEMPLATE)?;
    if args.has_keywords() {
        return Err(vm.type_error("Template.__new__ only accepts *args arguments"));
    }
    let mut b = Builder::new(vm)?;
    for &v in args.rest().positional() {
        if let Some(s) = v.cast::<Str>() {
            b.text.extend_from_slice(s.bytes());
        } else if v.cast::<Ext<Interpolation>>().is_some() {
            b.interpolation(vm, v)?;
        } else {
            return Err(vm.type_error(format!(
                "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {}",
                vm.type_name(v)
            )));
        }
    }
    b.finish(vm)
}

fn concatenate(vm: &Vm, left: ExtArg<Template>, right: Value) -> R<Value> {
    let Some(right) = right.cast::<Ext<Template>>() else {
        return Err(vm.type_error(format!(
            "can only concatenate string.templatelib.Template (not \"{}\") to string.templatelib.Template",
            vm.type_name(right)
        )));
    };
    let mut b = Builder::new(vm)?;
    for t in [left.0, right] {
        let (strings, interpolations) = t.parts();
        for (i, s) in strings.items().iter().enumerate() {
            if let Some(s) = s.cast::<Str>() {
                b.text.extend_from_slice(s.bytes());
            }
            if let Some(&v) = interpolations.items().get(i) {
                b.interpolation(vm, v)?;
            }
        }
    }
    b.finish(vm)
}

// ---- iteration

/// The parts of a template in order, without empty strings.
struct Parts {
    template: Field,
    /// Even: the string at half of it; odd: the interpolation.
    next: Cell<usize>,
}

impl Payload for Parts {
    const NAME: &'static str = "string.templatelib.TemplateIter";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Parts { template, next: _ } = self;
        template.trace(t);
    }
}

native_type! {
    ITERATOR: "string.templatelib.TemplateIter", Kind::Ext, type_flags::NO_NEW;
    methods {
        [leaf] "__iter__($self, /)" => |_: &Vm, it: Value| it;
        "__next__($self, /)" => next;
    }
}

fn next(vm: &Vm, it: ExtArg<Parts>) -> Value {
    let Some(template) = it.0.template.cast::<Ext<Template>>() else { return vm.stop() };
    let (strings, interpolations) = template.parts();
    loop {
        let n = it.0.next.get();
        let row = if n.is_multiple_of(2) { strings } else { interpolations };
        let Some(&v) = row.items().get(n / 2) else { return vm.stop() };
        it.0.next.set(n + 1);
        if v.cast::<Str>().is_none_or(|s| !s.bytes().is_empty()) {
            return v;
        }
    }
}
