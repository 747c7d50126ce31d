//! Declaring natives: typed Rust functions, listed once per module or type.
//!
//! ```ignore
//! fn sqrt(vm: &Vm, x: f64) -> R<f64> { … }
//! fn print(vm: &Vm, args: Args<'_>) -> R<()> { … }             // takes the call as it is
//!
//! native_functions! { pub FUNCTIONS:
//!     "sqrt(x, /)" => sqrt, "Return the square root of x.";
//!     "print(*args, sep=' ', end='\\n', file=None, flush=False)" => print;
//! }
//! ```
//! The signature text is Python's; from it come the name, `__text_signature__`, `__doc__` and the
//! binding of arguments. A typed function has one parameter for each parameter of the signature, in
//! order; one with a default is an `Option`. See [`FromArg`] for the types.

mod convert;
mod entry;
mod getset;
mod signature;

pub use convert::{FromArg, IntoRet, wrong_type};
pub use entry::{NativeFn, RawForm};
pub use getset::{GetFn, GetSetDef, SetFn};
pub use signature::{MAX_PARAMS, Parameter, parameters};
use signature::{count_params, name_of};

use crate::object::{Kind, Ref};
use crate::types::module::Module;
use crate::types::native::{NativeFunction, is_plain_there};
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use rustc_hash::FxHashMap;
use skein_bytecode::Special;
use std::cell::RefCell;
use std::rc::Rc;

/// The arguments of a call: positional ones, then the values of the keyword arguments.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    all: &'a [Value],
    names: Option<Ref<Tuple>>,
}

impl<'a> Args<'a> {
    #[inline(always)]
    pub fn new(all: &'a [Value], names: Option<Ref<Tuple>>) -> Args<'a> {
        Args { all, names }
    }

    #[inline(always)]
    pub fn positional(&self) -> &'a [Value] {
        &self.all[..self.all.len() - self.names.map_or(0, |n| n.len())]
    }

    /// Names and values of the keyword arguments. The names are strings.
    pub fn keywords(&self) -> impl Iterator<Item = (Value, Value)> + 'a {
        let n = self.positional().len();
        let names = self.names.map_or(&[][..], |n| {
            // SAFETY: the tuple is kept alive by the caller for the time of the call.
            unsafe { &*std::ptr::from_ref(n.items()) }
        });
        names.iter().copied().zip(self.all[n..].iter().copied())
    }

    /// All values and the names of the last ones, as they were passed.
    #[inline(always)]
    pub fn parts(&self) -> (&'a [Value], Option<Ref<Tuple>>) {
        (self.all, self.names.filter(|n| !n.is_empty()))
    }

    #[inline(always)]
    pub fn has_keywords(&self) -> bool {
        self.names.is_some_and(|n| !n.is_empty())
    }

    /// Without the first positional argument, which there is.
    pub fn rest(&self) -> Args<'a> {
        Args { all: &self.all[1..], names: self.names }
    }
}

/// What a native's call may do; the JIT reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Result depends on the arguments' values only.
    Pure,
    /// Reads mutable objects.
    ReadsHeap,
    /// May read and change objects, allocate and raise; runs no Python code and looks at no frame.
    Leaf,
    /// As `Leaf` where all operands are of builtin types, and none is an iterator, a slice or a class.
    Simple,
    /// May run Python code; the safe assumption.
    CallsPython,
    /// May switch to another microthread.
    MaySwitch,
}

/// How a native stands in its type or module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeKind {
    /// Function of a module; method of a type, bound on access.
    Plain,
    /// `@staticmethod`; also `__new__`.
    Static,
    /// `@classmethod`.
    Class,
}

/// The compiled side of a native.
pub type NativeCall = fn(&Vm, &'static NativeDef, Args<'_>) -> R<Value>;

/// The entry of a typed native that takes just its parameters, a register each; UNBOUND stands for a default. It
/// gives what the function gave: a `__next__` that has ended gives UNBOUND.
#[derive(Clone, Copy)]
pub enum Direct {
    /// Takes [`Args`], or more parameters than there are forms here.
    None,
    One(fn(&Vm, &'static NativeDef, Value) -> R<Value>),
    Two(fn(&Vm, &'static NativeDef, Value, Value) -> R<Value>),
    Three(fn(&Vm, &'static NativeDef, Value, Value, Value) -> R<Value>),
    Four(fn(&Vm, &'static NativeDef, Value, Value, Value, Value) -> R<Value>),
}

/// Where the interpreter goes on; see `interp`.
pub use crate::interp::At;
/// A native that works on the interpreter's state instead of calling it; see [`crate::interp::SoftCall`].
pub type SoftFn = fn(&Vm, &crate::interp::SoftCall<'_>) -> At;

/// Declaration of one native function or method.
pub struct NativeDef {
    /// As in the signature text.
    pub name: &'static str,
    /// Python's text, e.g. `sqrt(x, /)`.
    pub signature: &'static str,
    pub doc: Option<&'static str>,
    pub call: NativeCall,
    pub direct: Direct,
    /// Form for the interpreter's loop, where a call would hold a native stack.
    pub soft: Option<SoftFn>,
    pub kind: NativeKind,
    pub effect: Effect,
    /// Fewest and most positional arguments of a typed function; its slots are `params`.
    pub min: u8,
    pub max: u8,
    /// Parameters, for a typed function.
    pub params: u8,
    /// All keyword-only parameters have defaults.
    pub keywords_optional: bool,
    /// Takes [`Args`] as they are.
    pub raw: bool,
    /// A special method that is a slot of types in CPython.
    pub is_slot: bool,
}

/// Is it the name of a special method that is a slot of types?
const fn is_slot(name: &str) -> bool {
    let mut i = 0;
    while i < Special::ALL.len() {
        if is_same(name.as_bytes(), Special::ALL[i].name().as_bytes()) {
            return Special::ALL[i].is_slot();
        }
        i += 1;
    }
    false
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// Parameters of natives that were called with keywords, by their declarations' addresses.
#[derive(Default)]
struct KnownParameters(RefCell<FxHashMap<usize, Rc<[Parameter<'static>]>>>);

impl NativeDef {
    /// A declaration; used by the list macros.
    pub const fn new<P, F: NativeFn<P>>(signature: &'static str, f: F) -> NativeDef {
        let _ = f;
        let (min, max, params, keywords_optional) = count_params(signature);
        NativeDef {
            name: name_of(signature),
            signature,
            doc: None,
            call: F::call_with,
            direct: F::DIRECT,
            soft: None,
            kind: NativeKind::Plain,
            effect: Effect::CallsPython,
            min,
            max,
            params: if F::RAW { 0 } else { params },
            keywords_optional,
            raw: F::RAW,
            is_slot: is_slot(name_of(signature)),
        }
    }

    /// Stands for an attribute's name where its receiver is converted.
    const fn receiver(name: &'static str) -> NativeDef {
        NativeDef {
            name,
            signature: "($self)",
            doc: None,
            call: |vm, def, _| Err(vm.type_error(def.name)),
            direct: Direct::None,
            soft: None,
            kind: NativeKind::Plain,
            effect: Effect::CallsPython,
            min: 1,
            max: 1,
            params: 1,
            keywords_optional: true,
            raw: false,
            is_slot: false,
        }
    }

    pub const fn doc(mut self, doc: &'static str) -> NativeDef {
        self.doc = Some(doc);
        self
    }
    pub const fn soft(mut self, soft: SoftFn) -> NativeDef {
        self.soft = Some(soft);
        self.effect = Effect::MaySwitch;
        self
    }
    pub const fn class_method(mut self) -> NativeDef {
        self.kind = NativeKind::Class;
        self
    }
    pub const fn static_method(mut self) -> NativeDef {
        self.kind = NativeKind::Static;
        self
    }
    pub const fn effect(mut self, effect: Effect) -> NativeDef {
        self.effect = effect;
        self
    }

    /// Calls the native with these arguments. A `__next__` that has ended raises StopIteration.
    #[inline]
    pub fn invoke(&'static self, vm: &Vm, args: Args<'_>) -> R<Value> {
        match self.invoke_raw(vm, args) {
            Ok(v) if v.is_unbound() => Err(vm.stop_iteration(Value::NONE)),
            r => r,
        }
    }

    /// As [`NativeDef::invoke`], but a `__next__` that has ended gives UNBOUND.
    #[inline]
    pub fn invoke_raw(&'static self, vm: &Vm, args: Args<'_>) -> R<Value> {
        let n = args.all.len();
        if self.raw || (n == self.params as usize && args.names.is_none() && self.max == self.params) {
            return (self.call)(vm, self, args);
        }
        if args.names.is_none()
            && self.keywords_optional
            && (self.min as usize..=self.max as usize).contains(&n)
        {
            let mut slots = [Value::UNBOUND; MAX_PARAMS];
            slots[..n].copy_from_slice(args.all);
            return (self.call)(vm, self, Args::new(&slots[..self.params as usize], None));
        }
        self.invoke_bound(vm, args)
    }

    /// Calls the native with one argument. A `__next__` that has ended gives UNBOUND.
    #[inline(always)]
    pub fn call_1(&'static self, vm: &Vm, a: Value) -> R<Value> {
        match self.direct {
            Direct::One(f) => f(vm, self, a),
            _ => self.invoke_raw(vm, Args::new(&[a], None)),
        }
    }

    /// As [`NativeDef::call_1`], with two.
    #[inline(always)]
    pub fn call_2(&'static self, vm: &Vm, a: Value, b: Value) -> R<Value> {
        match self.direct {
            Direct::Two(f) => f(vm, self, a, b),
            _ => self.invoke_raw(vm, Args::new(&[a, b], None)),
        }
    }

    /// As [`NativeDef::call_1`], with three.
    #[inline(always)]
    pub fn call_3(&'static self, vm: &Vm, a: Value, b: Value, c: Value) -> R<Value> {
        match self.direct {
            Direct::Three(f) => f(vm, self, a, b, c),
            _ => self.invoke_raw(vm, Args::new(&[a, b, c], None)),
        }
    }

    /// Calls the native with a row of positional arguments.
    #[inline(always)]
    pub fn call_row(&'static self, vm: &Vm, row: &[Value]) -> R<Value> {
        let n = row.len();
        if n < self.min as usize || n > self.max as usize || !self.keywords_optional {
            return self.invoke(vm, Args::new(row, None));
        }
        const NO: Value = Value::UNBOUND;
        let r = match (self.direct, row) {
            (Direct::One(f), &[a]) => f(vm, self, a),
            (Direct::Two(f), &[a, b]) => f(vm, self, a, b),
            (Direct::Two(f), &[a]) => f(vm, self, a, NO),
            (Direct::Three(f), &[a, b, c]) => f(vm, self, a, b, c),
            (Direct::Three(f), &[a, b]) => f(vm, self, a, b, NO),
            (Direct::Three(f), &[a]) => f(vm, self, a, NO, NO),
            (Direct::Four(f), &[a, b, c, d]) => f(vm, self, a, b, c, d),
            (Direct::Four(f), &[a, b, c]) => f(vm, self, a, b, c, NO),
            (Direct::Four(f), &[a, b]) => f(vm, self, a, b, NO, NO),
            (Direct::Four(f), &[a]) => f(vm, self, a, NO, NO, NO),
            _ => return self.invoke(vm, Args::new(row, None)),
        };
        match r {
            Ok(v) if v.is_unbound() => Err(vm.stop_iteration(Value::NONE)),
            r => r,
        }
    }

    /// Binds the arguments to the signature's parameters first.
    #[cold]
    #[inline(never)]
    fn invoke_bound(&'static self, vm: &Vm, args: Args<'_>) -> R<Value> {
        let mut slots = [Value::UNBOUND; MAX_PARAMS];
        let slots = &mut slots[..self.params as usize];
        let positional = args.positional();
        let known = self.parameters(vm);
        let own = usize::from(known.first().is_some_and(Parameter::is_receiver));
        if args.has_keywords() && known.iter().skip(own).all(|p| p.positional_only) {
            let name = self.full_name(vm, positional);
            return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
        }
        if positional.len() > self.max as usize {
            return Err(self.count_error(vm, positional, args.keywords().count()));
        }
        let (given, all) = (args.all.len().saturating_sub(own), (self.params as usize).saturating_sub(own));
        if given > all {
            let name = self.spoken_name(vm, positional);
            return Err(too_many(vm, &name, all, given, positional.len() <= own));
        }
        if positional.len() < self.min as usize && !args.has_keywords() {
            return Err(self.count_error(vm, positional, 0));
        }
        slots[..positional.len()].copy_from_slice(positional);
        for (name, value) in args.keywords() {
            let text = name.cast::<Str>();
            let is_named = |p: &Parameter| {
                !p.positional_only && text.is_some_and(|text| text.bytes() == p.name.as_bytes())
            };
            match known.iter().position(is_named) {
                Some(i) if slots[i].is_unbound() => slots[i] = value,
                found => return Err(self.keyword_error(vm, positional, name, found)),
            }
        }
        for (i, p) in known.iter().enumerate() {
            if p.required && slots[i].is_unbound() {
                if i < positional.len().max(self.min as usize) && self.is_method() && i == 0 {
                    return Err(self.count_error(vm, positional, 0));
                }
                return Err(vm.type_error(format!(
                    "{}() missing required argument '{}' (pos {})",
                    self.spoken_name(vm, positional),
                    p.name,
                    i + usize::from(!self.is_method())
                )));
            }
        }
        (self.call)(vm, self, Args::new(slots, None))
    }

    /// The parameters; the signature is read once.
    fn parameters(&'static self, vm: &Vm) -> Rc<[Parameter<'static>]> {
        let known = vm.state::<KnownParameters>();
        let key = std::ptr::from_ref(self) as usize;
        if let Some(found) = known.0.borrow().get(&key) {
            return found.clone();
        }
        let all: Rc<[Parameter<'static>]> = parameters(self.signature).collect();
        known.0.borrow_mut().insert(key, all.clone());
        all
    }

    /// TypeError for a keyword argument that does not fit, or is for the parameter of this number, which has a value.
    #[cold]
    fn keyword_error(
        &'static self,
        vm: &Vm,
        positional: &[Value],
        name: Value,
        given: Option<usize>,
    ) -> Raised {
        let text = name.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let spoken = self.spoken_name(vm, positional);
        vm.type_error(match given {
            Some(i) => {
                let at = i + usize::from(!self.is_method());
                format!("argument for {spoken}() given by name ('{text}') and position ({at})")
            }
            None => {
                let known = self.parameters(vm);
                let known: Vec<&str> = known.iter().filter(|p| !p.positional_only).map(|p| p.name).collect();
                return unexpected_keyword(vm, &spoken, name, &known);
            }
        })
    }

    fn is_method(&self) -> bool {
        parameters(self.signature).next().is_some_and(|p| p.is_receiver())
    }

    /// The type among a class's bases that has this very constructor.
    fn declaring(&self, vm: &Vm, class: Ref<Type>) -> Ref<Type> {
        let has_it = |t: &Ref<Type>| {
            let own = t.dict().get_name(vm, self.name).ok().flatten();
            own.and_then(|f| f.cast::<NativeFunction>()).is_some_and(|f| std::ptr::eq(f.def(), self))
        };
        class.mro().items().iter().filter_map(|t| t.cast::<Type>()).find(has_it).unwrap_or(class)
    }

    /// What messages call it: a constructor, by the type's name.
    fn spoken_name(&self, vm: &Vm, args: &[Value]) -> String {
        match (self.name, args.first()) {
            ("__init__", Some(&this)) => self.declaring(vm, vm.type_of(this)).name_string(),
            ("__new__", Some(class)) => match class.cast::<Type>() {
                Some(class) => self.declaring(vm, class).name_string(),
                None => self.name.to_owned(),
            },
            _ => self.name.to_owned(),
        }
    }

    /// The name, of a method with that of its type, of a function with that of its module.
    fn full_name(&'static self, vm: &Vm, args: &[Value]) -> String {
        let name = self.spoken_name(vm, args);
        if matches!(self.name, "__new__" | "__init__") {
            return name;
        }
        let prefix = if self.is_method() {
            args.first().and_then(|receiver| self.owner(vm, *receiver)).map(|owner| owner.name_string())
        } else {
            self.module(vm)
        };
        prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}.{name}"))
    }

    /// The name of the module, other than `builtins`, that has this very function.
    fn module(&'static self, vm: &Vm) -> Option<String> {
        let name = vm.intern(self.name).ok()?;
        let is_own = |module: &Value| {
            let found = module.cast::<Module>().and_then(|m| m.dict().get_str(vm, name).ok().flatten());
            found.and_then(|f| f.cast::<NativeFunction>()).is_some_and(|f| std::ptr::eq(f.def(), self))
        };
        let modules = vm.modules.get()?;
        let (key, _) = modules.iter().find(|(_, module)| is_own(module))?;
        let key = key.cast::<Str>()?.to_string_lossy().into_owned();
        (key != "builtins").then_some(key)
    }

    /// The type among those of the receiver that has this very method.
    fn owner(&'static self, vm: &Vm, receiver: Value) -> Option<Ref<Type>> {
        let (found, owner) = vm.type_of(receiver).lookup_with_owner(vm, vm.intern(self.name).ok()?)?;
        let own = found.cast::<NativeFunction>().is_some_and(|native| std::ptr::eq(native.def(), self));
        own.then_some(owner)
    }

    /// TypeError for a wrong number of positional arguments, in CPython's words.
    fn count_error(&'static self, vm: &Vm, args: &[Value], keywords: usize) -> Raised {
        let own = usize::from(self.is_method());
        let (min, max) = ((self.min as usize).saturating_sub(own), (self.max as usize).saturating_sub(own));
        let given = args.len().saturating_sub(own);
        let name = self.spoken_name(vm, args);
        let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
        let all = (self.params as usize).saturating_sub(own);
        if !self.raw && given > max && parameters(self.signature).skip(own).any(|p| !p.positional_only) {
            let bound = |exact: bool| if exact { "exactly" } else { "at most" };
            let given_all = given + keywords;
            return vm.type_error(if given_all > all {
                format!("{name}() takes {} {all} {} ({given_all} given)", bound(min == all), plural(all))
            } else if max == 0 {
                format!("{name}() takes no positional arguments")
            } else {
                format!(
                    "{name}() takes {} {max} positional {} ({given} given)",
                    bound(min == max),
                    plural(max)
                )
            });
        }
        if !self.raw
            && given < min
            && args.len() >= own
            && let Some(p) = parameters(self.signature).nth(args.len()).filter(|p| !p.positional_only)
        {
            let position = args.len() + 1 - own;
            return vm
                .type_error(format!("{name}() missing required argument '{}' (pos {position})", p.name));
        }
        let is_plain =
            || self.owner(vm, args[0]).is_some_and(|owner| is_plain_there(vm, self, owner.value()));
        if self.is_slot && own == 1 && min == max && max <= 1 && !args.is_empty() && !is_plain() {
            return vm.type_error(format!("expected {max} {}, got {given}", plural(max)));
        }
        let full = self.full_name(vm, args);
        vm.type_error(if max == 0 {
            format!("{full}() takes no arguments ({given} given)")
        } else if min == max && max == 1 && self.params == self.max {
            format!("{full}() takes exactly one argument ({given} given)")
        } else if min == max {
            format!("{name} expected {max} {}, got {given}", plural(max))
        } else if given < min {
            format!("{name} expected at least {min} {}, got {given}", plural(min))
        } else {
            format!("{name} expected at most {max} {}, got {given}", plural(max))
        })
    }
}

/// TypeError for a keyword argument that is none of those known.
#[cold]
pub fn unexpected_keyword(vm: &Vm, function: &str, name: Value, known: &[&str]) -> Raised {
    // What only says that it is one of them, as a subclass of str may, is not taken for it.
    for &one in known {
        match vm.str(one).and_then(|one| vm.eq(one, name)) {
            Ok(false) => {}
            Ok(true) => return vm.type_error(format!("invalid keyword argument for {function}()")),
            Err(raised) => return raised,
        }
    }
    let text = name.cast::<Str>().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let hint = crate::interp::closest(&text, known.iter().copied());
    let hint = hint.map(|n| format!(". Did you mean '{n}'?")).unwrap_or_default();
    vm.type_error(format!("{function}() got an unexpected keyword argument '{text}'{hint}"))
}

/// TypeError for more arguments than there are parameters.
#[cold]
pub fn too_many(vm: &Vm, function: &str, most: usize, given: usize, only_keywords: bool) -> Raised {
    let keyword = if only_keywords { "keyword " } else { "" };
    let plural = if most == 1 { "" } else { "s" };
    vm.type_error(format!("{function}() takes at most {most} {keyword}argument{plural} ({given} given)"))
}

/// Declaration of a builtin type.
pub struct TypeDef {
    /// Qualified by its module unless that is builtins: `collections.deque`.
    pub name: &'static str,
    pub kind: Kind,
    /// [`crate::types::typeobj::type_flags`].
    pub flags: u32,
    pub doc: Option<&'static str>,
    pub methods: &'static [NativeDef],
    pub getset: &'static [GetSetDef],
    /// Direct base; `object` if None.
    pub base: Option<fn(&Vm) -> Ref<Type>>,
    /// What a call of the type itself (not of a subclass) does, `__new__` and `__init__` in one.
    pub construct: Option<SoftFn>,
}

impl TypeDef {
    /// The declaration of a method, which there is.
    pub fn method(&self, name: &str) -> &'static NativeDef {
        match self.methods.iter().find(|m| m.name == name) {
            Some(m) => m,
            None => unreachable!("{} declares {name}", self.name),
        }
    }
}

/// Declares `pub static NAME: &[NativeDef]`. Modifiers stand before the text: `soft(f)`, `class`,
/// `static`, `pure`, `reads`, `leaf`, `simple`: see [`Effect`].
#[macro_export]
macro_rules! native_functions {
    ($vis:vis $table:ident: $($([$($modifier:tt)*])? $signature:literal => $f:expr $(, $doc:literal)?;)*) => {
        $vis static $table: &[$crate::native::NativeDef] = &[
            $($crate::native_modifiers!(
                $crate::native::NativeDef::new($signature, $f) $(.doc($doc))?, $($($modifier)*)?
            )),*
        ];
    };
}

/// Applies the modifiers of [`native_functions!`].
#[macro_export]
macro_rules! native_modifiers {
    ($def:expr, ) => {
        $def
    };
    ($def:expr, soft $soft:path) => {
        $def.soft($soft)
    };
    ($def:expr, simple soft $soft:path) => {
        $def.soft($soft).effect($crate::native::Effect::Simple)
    };
    ($def:expr, leaf soft $soft:path) => {
        $def.soft($soft).effect($crate::native::Effect::Leaf)
    };
    ($def:expr, class) => {
        $def.class_method()
    };
    ($def:expr, static soft $soft:path) => {
        $def.soft($soft).static_method()
    };
    ($def:expr, static) => {
        $def.static_method()
    };
    ($def:expr, pure) => {
        $def.effect($crate::native::Effect::Pure)
    };
    ($def:expr, leaf) => {
        $def.effect($crate::native::Effect::Leaf)
    };
    ($def:expr, simple) => {
        $def.effect($crate::native::Effect::Simple)
    };
    ($def:expr, reads) => {
        $def.effect($crate::native::Effect::ReadsHeap)
    };
}

/// Declares a builtin type:
/// ```ignore
/// native_type! {
///     pub DEF: "list", Kind::List, type_flags::BASETYPE | type_flags::SEQUENCE, "Built-in mutable sequence.";
///     methods {
///         "append($self, object, /)" => append, "Append object to the end of the list.";
///         [class] "fromkeys($type, iterable, value=None, /)" => fromkeys;
///         [static] "__new__($type, *args, **kwargs)" => new;      // a raw function: gets the class first
///     }
///     getset { [leaf] "real" => get_real; "cause" => get_cause, set_cause; }
/// }
/// ```
#[macro_export]
macro_rules! native_type {
    (
        $vis:vis $def:ident: $name:literal, $kind:expr, $flags:expr $(, base $base:expr)? $(, $doc:literal)?;
        $(construct { $construct:path })?
        $(methods { $($methods:tt)* })?
        $(getset { $($([$modifier:ident])? $attr:literal => $get:expr $(, $set:expr)?;)* })?
    ) => {
        $vis static $def: $crate::native::TypeDef = {
            #[allow(unused_imports)]
            use $crate::native::{GetSetDef, NativeDef};
            $crate::native_functions! { METHODS: $($($methods)*)? }
            static GETSET: &[GetSetDef] =
                &[$($(GetSetDef::new($attr, $get)$(.settable($set))?$(.$modifier())?),*)?];
            $crate::native::TypeDef {
                name: $name,
                kind: $kind,
                flags: $flags,
                doc: $crate::first_or_none!($($doc)?),
                methods: METHODS,
                getset: GETSET,
                base: $crate::first_or_none!($($base)?),
                construct: $crate::first_or_none!($($construct)?),
            }
        };
    };
}

/// `Some(x)`, or `None` without one.
#[macro_export]
macro_rules! first_or_none {
    () => {
        None
    };
    ($x:expr) => {
        Some($x)
    };
}
