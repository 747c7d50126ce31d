//! `itemgetter`, `attrgetter`, `methodcaller`.

use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::ext::{class_argument, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// The items to get, or a method's arguments: a tuple.
fn tuple(f: &Field) -> Option<Ref<Tuple>> {
    f.cast::<Tuple>()
}

struct ItemGetter(Field);

impl Payload for ItemGetter {
    const NAME: &'static str = "operator.itemgetter";
    fn trace(&self, t: &mut Tracer<'_>) {
        self.0.trace(t);
    }
}

native_type! {
    pub ITEMGETTER: "operator.itemgetter", Kind::Ext, 0, "Return a callable object that fetches the given item(s) from its operand.\nAfter f = itemgetter(2), the call f(r) returns r[2].\nAfter g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])";
    methods {
        [static] "__new__($type, item, /, *items)" => new_itemgetter;
        "__call__($self, obj, /)" => call_itemgetter;
        "__repr__($self, /)" => |vm: &Vm, g: ExtArg<ItemGetter>| repr_of(vm, "itemgetter", &g.0.0);
        "__reduce__($self, /)" => |vm: &Vm, g: ExtArg<ItemGetter>| { let ty = vm.type_of(g.0.value()).value(); vm.tuple(&[ty, g.0.0.value()]) };
    }
}

fn repr_of(vm: &Vm, name: &str, items: &Field) -> R<Value> {
    let items = tuple(items);
    let at = |i: usize| items.and_then(|t| t.items().get(i).copied());
    crate::types::string_of_items(vm, &format!("operator.{name}("), ")", at)
}

/// The arguments behind the class, of which there must be one.
fn one_or_more(vm: &Vm, name: &str, args: Args<'_>) -> R<Value> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    if args.positional().len() < 2 {
        return Err(vm.type_error(format!("{name} expected at least 1 argument, got 0")));
    }
    vm.tuple(&args.positional()[1..])
}

fn new_itemgetter(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &ITEMGETTER)?)?;
    let items = one_or_more(vm, "itemgetter", args)?;
    Ok(Ext::new(vm, class, ItemGetter(Field::new(Some(items))))?.value())
}

/// One result as it is, several as a tuple.
fn each(vm: &Vm, items: Option<Ref<Tuple>>, f: impl Fn(Value) -> R<Value>) -> R<Value> {
    let Some(items) = items else { return Ok(Value::NONE) };
    if let &[one] = items.items() {
        return f(one);
    }
    let out = List::with_capacity(vm, items.len())?;
    for &v in items.items() {
        out.push(vm, f(v)?)?;
    }
    vm.tuple(out.items())
}

fn call_itemgetter(vm: &Vm, g: ExtArg<ItemGetter>, object: Value) -> R<Value> {
    each(vm, tuple(&g.0.0), |item| vm.get_item(object, item))
}

struct AttrGetter(Field);

impl Payload for AttrGetter {
    const NAME: &'static str = "operator.attrgetter";
    fn trace(&self, t: &mut Tracer<'_>) {
        self.0.trace(t);
    }
}

native_type! {
    pub ATTRGETTER: "operator.attrgetter", Kind::Ext, 0, "Return a callable object that fetches the given attribute(s) from its operand.\nAfter f = attrgetter('name'), the call f(r) returns r.name.\nAfter g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).\nAfter h = attrgetter('name.first', 'name.last'), the call h(r) returns\n(r.name.first, r.name.last).";
    methods {
        [static] "__new__($type, attr, /, *attrs)" => new_attrgetter;
        "__call__($self, obj, /)" => call_attrgetter;
        "__repr__($self, /)" => |vm: &Vm, g: ExtArg<AttrGetter>| repr_of(vm, "attrgetter", &g.0.0);
        "__reduce__($self, /)" => |vm: &Vm, g: ExtArg<AttrGetter>| { let ty = vm.type_of(g.0.value()).value(); vm.tuple(&[ty, g.0.0.value()]) };
    }
}

fn new_attrgetter(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &ATTRGETTER)?)?;
    let names = one_or_more(vm, "attrgetter", args)?;
    if args.positional()[1..].iter().any(|v| v.cast::<Str>().is_none()) {
        return Err(vm.type_error("attribute name must be a string"));
    }
    Ok(Ext::new(vm, class, AttrGetter(Field::new(Some(names))))?.value())
}

fn call_attrgetter(vm: &Vm, g: ExtArg<AttrGetter>, object: Value) -> R<Value> {
    each(vm, tuple(&g.0.0), |path| {
        let Some(path) = path.cast::<Str>() else { return Ok(Value::NONE) };
        if !path.bytes().contains(&b'.') {
            return vm.get_attr(object, vm.intern_str(path));
        }
        let mut v = object;
        for name in path.bytes().split(|&b| b == b'.') {
            v = vm.get_attr(v, vm.intern_bytes(name)?)?;
        }
        Ok(v)
    })
}

struct MethodCaller {
    name: Field,
    args: Field,
    keywords: Field,
}

impl Payload for MethodCaller {
    const NAME: &'static str = "operator.methodcaller";
    fn trace(&self, t: &mut Tracer<'_>) {
        let MethodCaller { name, args, keywords } = self;
        name.trace(t);
        args.trace(t);
        keywords.trace(t);
    }
}

native_type! {
    pub METHODCALLER: "operator.methodcaller", Kind::Ext, 0, "Return a callable object that calls the given method on its operand.\nAfter f = methodcaller('name'), the call f(r) returns r.name().\nAfter g = methodcaller('name', 'date', foo=1), the call g(r) returns\nr.name('date', foo=1).";
    methods {
        [static] "__new__($type, name, /, *args, **kwargs)" => new_methodcaller;
        "__call__($self, obj, /)" => call_methodcaller;
        "__repr__($self, /)" => repr_methodcaller;
        "__reduce__($self, /)" => reduce_methodcaller, "Return state information for pickling.";
    }
}

fn new_methodcaller(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &METHODCALLER)?)?;
    let [_, name, rest @ ..] = args.positional() else {
        return Err(vm.type_error("methodcaller needs at least one argument, the method name"));
    };
    let Some(name) = name.cast::<Str>() else { return Err(vm.type_error("method name must be a string")) };
    let keywords = Dict::new(vm)?;
    for (k, v) in args.keywords() {
        keywords.set(vm, k, v)?;
    }
    let payload = MethodCaller {
        name: Field::new(Some(vm.intern_str(name).value())),
        args: Field::new(Some(vm.tuple(rest)?)),
        keywords: Field::new(Some(keywords.value())),
    };
    Ok(Ext::new(vm, class, payload)?.value())
}

fn call_methodcaller(vm: &Vm, m: ExtArg<MethodCaller>, object: Value) -> R<Value> {
    let m = m.0;
    let (Some(name), Some(args)) = (m.name.cast::<Str>(), tuple(&m.args)) else { return Ok(Value::NONE) };
    let method = vm.get_attr(object, name)?;
    let keywords = match m.keywords.cast::<Dict>() {
        Some(k) if !k.is_empty() => k,
        _ => return vm.call(method, args.items()),
    };
    let (row, names) = (List::new(vm, args.items())?, List::with_capacity(vm, keywords.len())?);
    for (k, v) in keywords.iter() {
        names.push(vm, k)?;
        row.push(vm, v)?;
    }
    let names = Tuple::new(vm, names.items())?;
    vm.call_args(method, Args::new(row.items(), Some(names)))
}

/// The class and its arguments; where there are keywords, a `partial` of the class that has them.
fn reduce_methodcaller(vm: &Vm, m: ExtArg<MethodCaller>) -> R<Value> {
    let m = m.0;
    let class = vm.type_of(m.value()).value();
    let args = tuple(&m.args);
    let args = args.as_ref().map_or(&[][..], |t| t.items());
    let keywords = m.keywords.cast::<Dict>().filter(|k| !k.is_empty());
    let Some(keywords) = keywords else {
        let row = List::new(vm, &[m.name.value()])?;
        row.extend(vm, args)?;
        return vm.tuple(&[class, vm.tuple(row.items())?]);
    };
    let partial = vm.get_attr_str(crate::modules::import(vm, "functools")?, "partial")?;
    let (row, names) = (List::new(vm, &[class, m.name.value()])?, List::with_capacity(vm, keywords.len())?);
    for (k, v) in keywords.iter() {
        names.push(vm, k)?;
        row.push(vm, v)?;
    }
    let maker = vm.call_args(partial, Args::new(row.items(), Some(Tuple::new(vm, names.items())?)))?;
    vm.tuple(&[maker, vm.tuple(args)?])
}

fn repr_methodcaller(vm: &Vm, m: ExtArg<MethodCaller>) -> R<String> {
    let m = m.0;
    let mut out = format!("operator.methodcaller({}", vm.repr_string(m.name.value())?);
    for &v in tuple(&m.args).as_ref().map_or(&[][..], |t| t.items()) {
        out.push_str(", ");
        out.push_str(&vm.repr_string(v)?);
    }
    if let Some(keywords) = m.keywords.cast::<Dict>() {
        for (k, v) in keywords.iter() {
            out.push_str(&format!(", {}={}", vm.str_string(k)?, vm.repr_string(v)?));
        }
    }
    out.push(')');
    Ok(out)
}
