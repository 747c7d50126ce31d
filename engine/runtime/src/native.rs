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

use crate::object::{Kind, Object, Ref};
use crate::types::native::NativeFunction;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;

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
}

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
            soft: None,
            kind: NativeKind::Plain,
            effect: Effect::CallsPython,
            min,
            max,
            params: if F::RAW { 0 } else { params },
            keywords_optional,
            raw: F::RAW,
        }
    }

    /// Stands for an attribute's name where its receiver is converted.
    const fn receiver(name: &'static str) -> NativeDef {
        NativeDef {
            name,
            signature: "($self)",
            doc: None,
            call: |vm, def, _| Err(vm.type_error(def.name)),
            soft: None,
            kind: NativeKind::Plain,
            effect: Effect::CallsPython,
            min: 1,
            max: 1,
            params: 1,
            keywords_optional: true,
            raw: false,
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

    /// Binds the arguments to the signature's parameters first.
    #[cold]
    #[inline(never)]
    fn invoke_bound(&'static self, vm: &Vm, args: Args<'_>) -> R<Value> {
        let mut slots = [Value::UNBOUND; MAX_PARAMS];
        let slots = &mut slots[..self.params as usize];
        let positional = args.positional();
        if positional.len() > self.max as usize
            || (positional.len() < self.min as usize && !args.has_keywords())
        {
            return Err(self.count_error(vm, positional));
        }
        slots[..positional.len()].copy_from_slice(positional);
        for (name, value) in args.keywords() {
            let text = name.cast::<crate::types::str::Str>().map(|s| s.to_string_lossy().into_owned());
            let text = text.unwrap_or_default();
            match parameters(self.signature).position(|p| !p.positional_only && p.name == text) {
                Some(i) if slots[i].is_unbound() => slots[i] = value,
                Some(i) => {
                    return Err(vm.type_error(format!(
                        "argument for {}() given by name ('{text}') and position ({})",
                        self.name,
                        i + 1
                    )));
                }
                None if parameters(self.signature).all(|p| p.positional_only) => {
                    return Err(vm.type_error(format!("{} takes no keyword arguments", self.qualified())));
                }
                None => {
                    return Err(
                        vm.type_error(format!("{}() got an unexpected keyword argument '{text}'", self.name))
                    );
                }
            }
        }
        for (i, p) in parameters(self.signature).enumerate() {
            if p.required && slots[i].is_unbound() {
                if i < positional.len().max(self.min as usize) && self.is_method() && i == 0 {
                    return Err(self.count_error(vm, positional));
                }
                return Err(vm.type_error(format!(
                    "{}() missing required argument '{}' (pos {})",
                    self.name,
                    p.name,
                    i + usize::from(!self.is_method())
                )));
            }
        }
        (self.call)(vm, self, Args::new(slots, None))
    }

    fn is_method(&self) -> bool {
        parameters(self.signature).next().is_some_and(|p| p.name.starts_with('$'))
    }

    fn qualified(&self) -> String {
        format!("{}()", self.name)
    }

    /// The type among those of the receiver that has this very method.
    fn owner(&'static self, vm: &Vm, receiver: Value) -> Option<Ref<Type>> {
        let (found, owner) = vm.type_of(receiver).lookup_with_owner(vm, vm.intern(self.name).ok()?)?;
        let own = found.cast::<NativeFunction>().is_some_and(|native| std::ptr::eq(native.def(), self));
        own.then_some(owner)
    }

    /// TypeError for a wrong number of positional arguments, in CPython's words.
    fn count_error(&'static self, vm: &Vm, args: &[Value]) -> Raised {
        let own = usize::from(self.is_method());
        let (min, max) = ((self.min as usize).saturating_sub(own), (self.max as usize).saturating_sub(own));
        let given = args.len().saturating_sub(own);
        let name = self.name;
        let owner = args.first().filter(|_| own == 1).and_then(|receiver| self.owner(vm, *receiver));
        let full = owner.map_or(name.to_string(), |owner| format!("{}.{name}", owner.name_string()));
        let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
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

/// Most parameters of a typed native.
pub const MAX_PARAMS: usize = 16;

/// A parameter of a signature text.
pub struct Parameter<'a> {
    /// `$self` for the receiver, `*args` and `**kwargs` with their stars.
    pub name: &'a str,
    pub default: Option<&'a str>,
    pub positional_only: bool,
    pub keyword_only: bool,
    pub required: bool,
}

/// The parameters of a signature text such as `f($self, a, /, b=1, *, c)`.
pub fn parameters(signature: &str) -> impl Iterator<Item = Parameter<'_>> {
    let open = signature.find('(').map_or(0, |i| i + 1);
    let inner = &signature[open..signature.len().saturating_sub(1)];
    let slash = split_top(inner).position(|p| p == "/");
    let star = split_top(inner).position(|p| p.starts_with('*'));
    split_top(inner).enumerate().filter(|(_, p)| *p != "/" && *p != "*").map(move |(i, p)| {
        let (name, default) = match p.split_once('=') {
            Some((n, d)) => (n.trim(), Some(d.trim())),
            None => (p, None),
        };
        Parameter {
            name,
            default,
            positional_only: slash.is_some_and(|s| i < s),
            keyword_only: star.is_some_and(|s| i > s),
            required: default.is_none() && !name.starts_with('*'),
        }
    })
}

/// Splits at commas that are not in quotes or brackets.
fn split_top(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.trim().is_empty() {
            return None;
        }
        let (mut depth, mut quote) = (0, None);
        for (i, c) in rest.char_indices() {
            match (quote, c) {
                (Some(q), _) if c == q => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '(' | '[' | '{') => depth += 1,
                (None, ')' | ']' | '}') => depth -= 1,
                (None, ',') if depth == 0 => {
                    let part = rest[..i].trim();
                    rest = &rest[i + 1..];
                    return Some(part);
                }
                _ => {}
            }
        }
        Some(std::mem::take(&mut rest).trim())
    })
}

const fn name_of(signature: &'static str) -> &'static str {
    let bytes = signature.as_bytes();
    let mut i = 0;
    while i < bytes.len() && bytes[i] != b'(' {
        i += 1;
    }
    signature.split_at(i).0
}

/// (fewest positional, most positional, all parameters, whether all keyword-only ones have
/// defaults), at compile time.
const fn count_params(signature: &str) -> (u8, u8, u8, bool) {
    let b = signature.as_bytes();
    let (mut min, mut max, mut all) = (0u8, 0u8, 0u8);
    let (mut keyword_only, mut depth, mut quote) = (false, 0, 0u8);
    let (mut has_name, mut has_default, mut star, mut optional) = (false, false, false, true);
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        if quote != 0 {
            if c == quote {
                quote = 0;
            }
        } else if c == b'\'' || c == b'"' {
            quote = c;
        } else if c == b'(' || c == b'[' || c == b'{' {
            depth += 1;
        } else if depth == 1 && (c == b',' || c == b')') {
            if star {
                keyword_only = true;
            }
            if has_name {
                all += 1;
                if keyword_only && !star && !has_default {
                    optional = false;
                }
                if !keyword_only && !star {
                    max += 1;
                    if !has_default {
                        min += 1;
                    }
                }
            }
            has_name = false;
            has_default = false;
            star = false;
            if c == b')' {
                depth -= 1;
            }
        } else if c == b')' || c == b']' || c == b'}' {
            depth -= 1;
        } else if depth == 1 {
            if c == b'=' {
                has_default = true;
            } else if c == b'*' {
                star = true;
            } else if c != b'/' && c != b' ' {
                has_name = true;
            }
        }
        i += 1;
    }
    (min, max, all, optional)
}

/// What a native's parameter can be.
pub trait FromArg: Sized {
    /// Converts the argument in slot `i`; TypeError in CPython's words.
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Self>;
}

impl FromArg for Value {
    #[inline(always)]
    fn from_arg(_: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<Value> {
        Ok(v)
    }
}

impl<T: FromArg> FromArg for Option<T> {
    #[inline]
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Option<T>> {
        if v.is_unbound() { Ok(None) } else { T::from_arg(vm, def, i, v).map(Some) }
    }
}

impl<T: Object> FromArg for Ref<T> {
    #[inline]
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Ref<T>> {
        match v.cast::<T>() {
            Some(r) => Ok(r),
            None => Err(wrong_type(vm, def, i, v, vm.kind_name(T::KIND))),
        }
    }
}

/// The text for an int that does not fit, by what C calls the type.
fn too_large(ty: &str) -> String {
    let name = match ty {
        "i32" => "C int",
        "u32" => "C unsigned int",
        "i64" | "isize" => "C ssize_t",
        "u64" => "C unsigned long",
        "usize" => "C size_t",
        other => other,
    };
    format!("Python int too large to convert to {name}")
}

/// An integer argument: anything with `__index__`; OverflowError if it does not fit.
macro_rules! int_args {
    ($($ty:ty),*) => {$(
        impl FromArg for $ty {
            fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<$ty> {
                let i = vm.as_i64(vm.index(v)?).and_then(|i| <$ty>::try_from(i).ok());
                i.ok_or_else(|| vm.overflow_error(too_large(stringify!($ty))))
            }
        }
    )*};
}
int_args!(i64, i32, u32, u8, usize, u64);

impl FromArg for f64 {
    #[inline]
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<f64> {
        if v.is_float() { Ok(v.as_immediate_float()) } else { vm.to_f64(v) }
    }
}

/// The truth of any object.
impl FromArg for bool {
    fn from_arg(vm: &Vm, _: &'static NativeDef, _: usize, v: Value) -> R<bool> {
        vm.truth(v)
    }
}

/// TypeError for an argument of the wrong type.
#[cold]
pub fn wrong_type(vm: &Vm, def: &'static NativeDef, i: usize, v: Value, wanted: &str) -> Raised {
    let got = vm.type_name(v);
    if i == 0 && def.is_method() {
        return vm.type_error(format!(
            "descriptor '{}' for '{wanted}' objects doesn't apply to a '{got}' object",
            def.name
        ));
    }
    let params = def.params as usize - usize::from(def.is_method());
    let n = i + usize::from(!def.is_method());
    let which = if params == 1 { "argument".to_string() } else { format!("argument {n}") };
    vm.type_error(format!("{}() {which} must be {wanted}, not {got}", def.name))
}

/// What a native can return.
pub trait IntoRet {
    fn into_ret(self, vm: &Vm) -> R<Value>;
}

impl IntoRet for Value {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(self)
    }
}
impl IntoRet for () {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(Value::NONE)
    }
}
impl IntoRet for bool {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(Value::bool(self))
    }
}
impl IntoRet for i64 {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.int(self)
    }
}
impl IntoRet for usize {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.int_u64(self as u64)
    }
}
impl IntoRet for f64 {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.float(self)
    }
}
impl IntoRet for &str {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.str(self)
    }
}
impl IntoRet for String {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        vm.str(&self)
    }
}
impl<T: Object> IntoRet for Ref<T> {
    #[inline(always)]
    fn into_ret(self, _: &Vm) -> R<Value> {
        Ok(self.value())
    }
}
impl<T: IntoRet> IntoRet for Option<T> {
    fn into_ret(self, vm: &Vm) -> R<Value> {
        self.map_or(Ok(Value::NONE), |v| v.into_ret(vm))
    }
}
impl<T: IntoRet> IntoRet for R<T> {
    #[inline(always)]
    fn into_ret(self, vm: &Vm) -> R<Value> {
        self?.into_ret(vm)
    }
}

/// A Rust function that can be a native; `P` only tells the forms apart.
pub trait NativeFn<P>: Copy + 'static {
    const RAW: bool = false;
    fn call_with(vm: &Vm, def: &'static NativeDef, args: Args<'_>) -> R<Value>;
}

/// The function itself, out of its type.
///
/// SAFETY of the callers: `F` is the type of a function item, which has no size and no state.
#[inline(always)]
fn item<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "natives are function items or closures without captures") };
    // SAFETY: nothing is read, the type has size 0.
    unsafe { std::ptr::NonNull::<F>::dangling().as_ptr().read() }
}

/// Marks functions that take [`Args`].
pub struct RawForm;

impl<F, T> NativeFn<(RawForm, T)> for F
where
    F: for<'a, 'v> Fn(&'v Vm, Args<'a>) -> T + Copy + 'static,
    T: IntoRet,
{
    const RAW: bool = true;
    fn call_with(vm: &Vm, _: &'static NativeDef, args: Args<'_>) -> R<Value> {
        item::<F>()(vm, args).into_ret(vm)
    }
}

macro_rules! typed_natives {
    ($($n:tt: $($a:ident $i:tt),*;)*) => {$(
        impl<F, T, $($a),*> NativeFn<(T, $($a,)*)> for F
        where
            F: for<'v> Fn(&'v Vm, $($a),*) -> T + Copy + 'static,
            T: IntoRet,
            $($a: FromArg,)*
        {
            #[allow(unused_variables)]
            fn call_with(vm: &Vm, def: &'static NativeDef, args: Args<'_>) -> R<Value> {
                let all: &[Value; $n] = match args.all.try_into() {
                    Ok(all) => all,
                    Err(_) => return Err(def.count_error(vm, args.all)),
                };
                item::<F>()(vm, $($a::from_arg(vm, def, $i, all[$i])?),*).into_ret(vm)
            }
        }
    )*};
}
typed_natives! {
    0: ;
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, G 5;
    7: A 0, B 1, C 2, D 3, E 4, G 5, H 6;
    8: A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7;
    9: A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8;
    10: A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9;
}

/// A Rust function that can get an attribute: of what its parameter takes, as in [`FromArg`].
pub trait GetFn<A>: Copy + 'static {
    fn get_with(vm: &Vm, receiver: &'static NativeDef, v: Value) -> R<Value>;
}

impl<F, A> GetFn<A> for F
where
    F: for<'v> Fn(&'v Vm, A) -> R<Value> + Copy + 'static,
    A: FromArg,
{
    fn get_with(vm: &Vm, receiver: &'static NativeDef, v: Value) -> R<Value> {
        item::<F>()(vm, A::from_arg(vm, receiver, 0, v)?)
    }
}

/// As [`GetFn`], to set an attribute; `None` as the new value: delete.
pub trait SetFn<A>: Copy + 'static {
    fn set_with(vm: &Vm, receiver: &'static NativeDef, v: Value, new: Option<Value>) -> R<()>;
}

impl<F, A> SetFn<A> for F
where
    F: for<'v> Fn(&'v Vm, A, Option<Value>) -> R<()> + Copy + 'static,
    A: FromArg,
{
    fn set_with(vm: &Vm, receiver: &'static NativeDef, v: Value, new: Option<Value>) -> R<()> {
        item::<F>()(vm, A::from_arg(vm, receiver, 0, v)?, new)
    }
}

/// A computed attribute of a type.
pub struct GetSetDef {
    /// Stands for it where a receiver is no object of the type.
    receiver: NativeDef,
    get: fn(&Vm, &'static NativeDef, Value) -> R<Value>,
    set: Option<fn(&Vm, &'static NativeDef, Value, Option<Value>) -> R<()>>,
    pub doc: Option<&'static str>,
}

impl GetSetDef {
    pub const fn new<A, G: GetFn<A>>(name: &'static str, get: G) -> GetSetDef {
        let _ = get;
        GetSetDef { receiver: NativeDef::receiver(name), get: G::get_with, set: None, doc: None }
    }

    pub const fn settable<A, S: SetFn<A>>(mut self, set: S) -> GetSetDef {
        let _ = set;
        self.set = Some(S::set_with);
        self
    }

    pub const fn doc(mut self, doc: &'static str) -> GetSetDef {
        self.doc = Some(doc);
        self
    }

    pub fn name(&self) -> &'static str {
        self.receiver.name
    }

    pub fn is_settable(&self) -> bool {
        self.set.is_some()
    }

    /// The attribute of `v`, which may be anything. TypeError.
    pub fn get(&'static self, vm: &Vm, v: Value) -> R<Value> {
        (self.get)(vm, &self.receiver, v)
    }

    /// Sets or deletes (`None`) the attribute of `v`, which may be anything; None if it cannot be set. TypeError.
    pub fn set(&'static self, vm: &Vm, v: Value, new: Option<Value>) -> Option<R<()>> {
        self.set.map(|set| set(vm, &self.receiver, v, new))
    }
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
/// `static`, `pure`, `reads`.
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
///     getset { "real" => get_real; "cause" => get_cause, set_cause; }
/// }
/// ```
#[macro_export]
macro_rules! native_type {
    (
        $vis:vis $def:ident: $name:literal, $kind:expr, $flags:expr $(, base $base:expr)? $(, $doc:literal)?;
        $(construct { $construct:path })?
        $(methods { $($methods:tt)* })?
        $(getset { $($attr:literal => $get:expr $(, $set:expr)?;)* })?
    ) => {
        $vis static $def: $crate::native::TypeDef = {
            #[allow(unused_imports)]
            use $crate::native::{GetSetDef, NativeDef};
            $crate::native_functions! { METHODS: $($($methods)*)? }
            static GETSET: &[GetSetDef] =
                &[$($(GetSetDef::new($attr, $get)$(.settable($set))?),*)?];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_counted() {
        assert_eq!(count_params("f()"), (0, 0, 0, true));
        assert_eq!(count_params("f($self, x, /)"), (2, 2, 2, true));
        assert_eq!(count_params("f(a, /, b=',', *, c, d=(1, 2))"), (1, 2, 4, false));
        assert_eq!(name_of("sqrt(x, /)"), "sqrt");
        let p: Vec<_> = parameters("f(a, /, b=',', *, c)").map(|p| (p.name, p.keyword_only)).collect();
        assert_eq!(p, [("a", false), ("b", false), ("c", true)]);
    }
}
