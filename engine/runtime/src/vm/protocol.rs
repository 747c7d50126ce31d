//! What every object can be asked: type, truth, equality, hash, text, length, numbers.

use crate::native::Args;
use crate::object::{Kind, Ref, dict_word};
use crate::types::bytes::Bytes;
use crate::types::complex::Complex;
use crate::types::dict::Dict;
use crate::types::float::Float;
use crate::types::function::{BoundMethod, Function};
use crate::types::int::BigInt;
use crate::types::list::List;
use crate::types::native::NativeFunction;
use crate::types::set::Set;
use crate::types::str::Str;
use crate::types::tuple::Tuple;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;
use num_bigint::BigInt as Big;
use skein_bytecode::Special;

impl Vm {
    /// `type(v)`.
    #[inline(always)]
    pub fn type_of(&self, v: Value) -> Ref<Type> {
        match v.header() {
            Some(h) => self.shapes.get(h.shape.get()).ty.get(),
            None => self.type_of_immediate(v),
        }
    }

    #[inline(never)]
    fn type_of_immediate(&self, v: Value) -> Ref<Type> {
        if v.is_int() {
            self.types.int
        } else if v.is_float() {
            self.types.float
        } else if v.is_bool() {
            self.types.bool
        } else if v.is(Value::ELLIPSIS) {
            self.types.ellipsis
        } else if v.is(Value::NOT_IMPLEMENTED) {
            self.types.not_implemented
        } else {
            self.types.none
        }
    }

    /// The name of the value's type, for messages.
    pub fn type_name(&self, v: Value) -> String {
        self.type_of(v).message_name()
    }

    /// Name of a builtin layout's type, for messages.
    pub fn kind_name(&self, kind: Kind) -> &'static str {
        self.builtin.types.iter().find(|d| d.kind == kind).map_or("object", |d| d.name)
    }

    #[inline(always)]
    pub fn is_exact_str(&self, v: Value) -> bool {
        v.header().is_some_and(|h| h.shape.get() == self.types.str.root_shape_id())
    }

    // ---- making values

    /// MemoryError.
    pub fn str(&self, text: &str) -> R<Value> {
        Ok(Str::new(self, text.as_bytes())?.value())
    }

    /// MemoryError.
    pub fn bytes(&self, bytes: &[u8]) -> R<Value> {
        Ok(Bytes::new(self, bytes)?.value())
    }

    /// MemoryError.
    #[inline]
    pub fn int(&self, i: i64) -> R<Value> {
        match Value::try_int(i) {
            Some(v) => Ok(v),
            None => Ok(BigInt::new_wide(self, i.into())?.value()),
        }
    }

    /// MemoryError.
    #[inline]
    pub fn wide_int(&self, i: i128) -> R<Value> {
        match i64::try_from(i).ok().and_then(Value::try_int) {
            Some(v) => Ok(v),
            None => Ok(BigInt::new_wide(self, i)?.value()),
        }
    }

    /// MemoryError.
    pub fn int_u64(&self, i: u64) -> R<Value> {
        self.wide_int(i.into())
    }

    /// An int of any size, immediate if it fits. MemoryError.
    pub fn big_int(&self, b: Big) -> R<Value> {
        match i64::try_from(&b).ok().and_then(Value::try_int) {
            Some(v) => Ok(v),
            None => Ok(BigInt::new(self, b)?.value()),
        }
    }

    /// MemoryError.
    #[inline]
    pub fn float(&self, f: f64) -> R<Value> {
        match Value::try_float(f) {
            Some(v) => Ok(v),
            None => Ok(Float::new(self, f)?.value()),
        }
    }

    /// MemoryError.
    pub fn complex(&self, re: f64, im: f64) -> R<Value> {
        Ok(Complex::new(self, re, im)?.value())
    }

    /// A frozenset of these items.
    pub fn frozenset(&self, items: &[Value]) -> R<Value> {
        let s = self.alloc_fixed::<Set>(self.types.frozenset.root_shape_id())?;
        for &v in items {
            s.add(self, v)?;
        }
        Ok(s.value())
    }

    /// MemoryError.
    pub fn tuple(&self, items: &[Value]) -> R<Value> {
        Ok(Tuple::new(self, items)?.value())
    }

    // ---- reading numbers

    /// The value of an int object that fits an i64, bools included.
    #[inline]
    pub fn as_i64(&self, v: Value) -> Option<i64> {
        if v.is_int() {
            return Some(v.as_small_int());
        }
        if v.is_bool() {
            return Some(i64::from(v.is(Value::TRUE)));
        }
        v.cast::<BigInt>().and_then(|b| b.small())
    }

    /// The value of an int object of any size, bools included; None for anything else.
    pub fn as_big(&self, v: Value) -> Option<Big> {
        match v.cast::<BigInt>() {
            Some(b) => Some(b.get().into_owned()),
            None => self.as_i64(v).map(Big::from),
        }
    }

    /// Is it an int (bools and subclass instances included)?
    pub fn is_int(&self, v: Value) -> bool {
        v.is_int() || v.is_bool() || v.cast::<BigInt>().is_some()
    }

    /// The value of a float object.
    #[inline]
    pub fn as_float(&self, v: Value) -> Option<f64> {
        if v.is_float() { Some(v.as_immediate_float()) } else { v.cast::<Float>().map(|f| f.get()) }
    }

    /// `operator.index(v)`: an int object. TypeError.
    pub fn index(&self, v: Value) -> R<Value> {
        if self.is_int(v) {
            return Ok(v);
        }
        let Some(f) = self.type_of(v).special(self, Special::Index) else {
            return Err(self
                .type_error(format!("'{}' object cannot be interpreted as an integer", self.type_name(v))));
        };
        let r = self.special_1(f, v)?;
        self.exact_int(r, "__index__")
    }

    /// As [`Vm::index`], as an i64; OverflowError if it does not fit.
    #[inline]
    pub fn index_i64(&self, v: Value) -> R<i64> {
        if v.is_int() {
            return Ok(v.as_small_int());
        }
        let i = self.index(v)?;
        self.as_i64(i).ok_or_else(|| self.overflow_error("Python int too large to convert to C ssize_t"))
    }

    /// As [`Vm::index`] for sequence indices and slices: values that do not fit become the nearest that do.
    pub fn index_clamped(&self, v: Value) -> R<i64> {
        let i = self.index(v)?;
        Ok(self.as_i64(i).unwrap_or_else(|| {
            let negative = self.as_big(i).is_some_and(|b| b.sign() == num_bigint::Sign::Minus);
            if negative { i64::MIN } else { i64::MAX }
        }))
    }

    /// `float(v)` of a number: by `__float__` or `__index__`. TypeError.
    pub fn to_f64(&self, v: Value) -> R<f64> {
        if let Some(f) = self.as_float(v) {
            return Ok(f);
        }
        if self.is_int(v) {
            return self.int_to_f64(v);
        }
        let ty = self.type_of(v);
        if let Some(f) = ty.special(self, Special::Float) {
            let r = self.special_1(f, v)?;
            return self.float_result(ty, r);
        }
        if ty.special(self, Special::Index).is_some() {
            let i = self.index(v)?;
            return self.int_to_f64(i);
        }
        Err(self.type_error(format!("must be real number, not {}", ty.name_string())))
    }

    /// An int object as the nearest float. OverflowError.
    pub fn int_to_f64(&self, v: Value) -> R<f64> {
        if let Some(i) = self.as_i64(v) {
            return Ok(i as f64);
        }
        let f = self.as_big(v).map_or(f64::NAN, |b| crate::types::int::big_to_f64(&b));
        if f.is_finite() { Ok(f) } else { Err(self.overflow_error("int too large to convert to float")) }
    }

    // ---- truth and comparison

    /// Truth of builtin types that need no call.
    pub fn builtin_truth(&self, v: Value) -> Option<bool> {
        if let Some(t) = crate::interp::quick_truth(v) {
            return Some(t);
        }
        if v.is_float() {
            return Some(v.as_immediate_float() != 0.0);
        }
        let Some(h) = v.header() else { return (!v.is(Value::NOT_IMPLEMENTED)).then_some(true) };
        if h.kind.get() == Kind::Instance as u8 {
            return None;
        }
        let ty = self.shapes.get(h.shape.get()).ty.get();
        let t = &self.types;
        if ty == t.str {
            return v.cast::<Str>().map(|s| !s.bytes().is_empty());
        }
        if ty == t.list {
            return v.cast::<List>().map(|l| !l.is_empty());
        }
        if ty == t.dict {
            return v.cast::<Dict>().map(|d| !d.is_empty());
        }
        if ty == t.tuple {
            return v.cast::<Tuple>().map(|t| !t.is_empty());
        }
        None
    }

    /// `bool(v)`.
    #[inline]
    pub fn truth(&self, v: Value) -> R<bool> {
        if let Some(t) = self.builtin_truth(v) {
            return Ok(t);
        }
        let ty = self.type_of(v);
        if let Some(f) = ty.special(self, Special::Bool) {
            let r = self.special_1(f, v)?;
            if !r.is_bool() {
                return Err(
                    self.type_error(format!("__bool__ should return bool, returned {}", self.type_name(r)))
                );
            }
            return Ok(r.is(Value::TRUE));
        }
        match ty.special(self, Special::Len) {
            Some(_) => Ok(self.len(v)? != 0),
            None => Ok(true),
        }
    }

    /// `len(v)`. TypeError.
    pub fn len(&self, v: Value) -> R<usize> {
        let ty = self.type_of(v);
        let t = &self.types;
        // SAFETY: the types are exact.
        unsafe {
            if ty == t.list {
                return Ok(v.cast_unchecked::<List>().len());
            } else if ty == t.str {
                return Ok(v.cast_unchecked::<Str>().char_len());
            } else if ty == t.tuple {
                return Ok(v.cast_unchecked::<Tuple>().len());
            } else if ty == t.dict {
                return Ok(v.cast_unchecked::<Dict>().len());
            }
        }
        let Some(f) = ty.special(self, Special::Len) else {
            return Err(self.type_error(format!("object of type '{}' has no len()", ty.name_string())));
        };
        let r = self.special_1(f, v)?;
        if r.is_int() && r.as_small_int() >= 0 {
            return Ok(r.as_small_int() as usize);
        }
        self.check_len(r)
    }

    /// What `__len__` returned, as a length.
    pub fn check_len(&self, r: Value) -> R<usize> {
        let i = self.index(r)?;
        match self.as_i64(i) {
            Some(n) if n >= 0 => Ok(n as usize),
            Some(_) => Err(self.value_error("__len__() should return >= 0")),
            None => Err(self.overflow_error("cannot fit 'int' into an index-sized integer")),
        }
    }

    /// The comparison of exact builtin values that need no call.
    #[inline]
    pub fn quick_compare(&self, op: Special, l: Value, r: Value) -> Option<bool> {
        use std::cmp::Ordering;
        let by = |o: Ordering| match op {
            Special::Lt => o.is_lt(),
            Special::Le => o.is_le(),
            Special::Eq => o.is_eq(),
            Special::Ne => o.is_ne(),
            Special::Gt => o.is_gt(),
            _ => o.is_ge(),
        };
        if l.is_int() && r.is_int() {
            return Some(by(l.as_small_int().cmp(&r.as_small_int())));
        }
        if self.is_exact_str(l) && self.is_exact_str(r) {
            // SAFETY: the shape is str's.
            let (a, b): (Ref<Str>, Ref<Str>) = unsafe { (l.cast_unchecked(), r.cast_unchecked()) };
            return Some(match op {
                Special::Eq => a.same(b),
                Special::Ne => !a.same(b),
                // The order of UTF-8 bytes is that of code points, of surrogates too.
                _ => by(a.bytes().cmp(b.bytes())),
            });
        }
        if let (Some(a), Some(b)) = (self.quick_float(l), self.quick_float(r))
            && (l.is_float() || r.is_float())
        {
            return Some(match a.partial_cmp(&b) {
                Some(o) => by(o),
                None => op == Special::Ne,
            });
        }
        None
    }

    /// A float, or an int that is exact as one.
    fn quick_float(&self, v: Value) -> Option<f64> {
        if v.is_float() {
            return Some(v.as_immediate_float());
        }
        const EXACT: i64 = 1 << 53;
        (v.is_int() && v.as_small_int().abs() <= EXACT).then(|| v.as_small_int() as f64)
    }

    /// `l == r` with identity first, as containers compare.
    #[inline]
    pub fn eq(&self, l: Value, r: Value) -> R<bool> {
        if l.is(r) {
            return Ok(true);
        }
        if let Some(t) = self.quick_compare(Special::Eq, l, r) {
            return Ok(t);
        }
        let tuple = self.types.tuple;
        if let (Some(a), Some(b)) = (l.cast::<Tuple>(), r.cast::<Tuple>())
            && self.type_of(l) == tuple
            && self.type_of(r) == tuple
        {
            return crate::types::tuple::equal_tuples(self, a, b);
        }
        let v = self.rich_compare(Special::Eq, l, r)?;
        self.truth(v)
    }

    /// `l < r`, as sorting compares.
    #[inline]
    pub fn lt(&self, l: Value, r: Value) -> R<bool> {
        if let Some(t) = self.quick_compare(Special::Lt, l, r) {
            return Ok(t);
        }
        let v = self.rich_compare(Special::Lt, l, r)?;
        self.truth(v)
    }

    /// `hash(v)`. TypeError.
    pub fn hash(&self, v: Value) -> R<i64> {
        if v.is_int() {
            return Ok(crate::types::int::hash_i64(v.as_small_int()));
        }
        if self.is_exact_str(v) {
            // SAFETY: the shape is str's.
            return Ok(unsafe { v.cast_unchecked::<Str>() }.hash(self));
        }
        let ty = self.type_of(v);
        if ty == self.types.tuple
            && let Some(t) = v.cast::<Tuple>()
        {
            return crate::types::tuple::hash_tuple(self, t);
        }
        match ty.special(self, Special::Hash) {
            Some(f) if !f.is_none() => {
                let r = self.special_1(f, v)?;
                if r.is_int() {
                    // As an object's hash is a word, not any int.
                    return Ok(match r.as_small_int() {
                        -1 => -2,
                        h => h,
                    });
                }
                if let Some(h) = self.as_i64(r) {
                    return Ok(h);
                }
                match self.as_big(r) {
                    Some(b) => Ok(crate::types::int::hash_big(&b)),
                    None => Err(self.type_error("__hash__ method should return an integer")),
                }
            }
            _ => Err(self.type_error(format!("unhashable type: '{}'", ty.message_name()))),
        }
    }

    /// As [`Vm::hash`], for what is to be `role`: "a dict key", "a set element". TypeError in these words.
    #[inline]
    pub fn hash_as(&self, v: Value, role: &str) -> R<i64> {
        match self.hash(v) {
            Ok(h) => Ok(h),
            Err(e) => Err(self.unhashable_as(v, role, e)),
        }
    }

    #[cold]
    fn unhashable_as(&self, v: Value, role: &str, raised: Raised) -> Raised {
        let plain = self.pending.get().filter(|&e| self.type_of(e) == self.exc.type_error);
        let Some(e) = plain else { return raised };
        self.pending.set(None);
        let ty = self.type_of(v);
        let name = self.qualified_type_name(ty, &[b"builtins"]);
        match name.and_then(|name| Ok((name, self.str_string(e)?))) {
            Ok((name, text)) => self.type_error(format!("cannot use '{name}' as {role} ({text})")),
            Err(e) => e,
        }
    }

    /// The type's name with its module, unless that is one of these.
    pub fn qualified_type_name(&self, ty: Ref<Type>, without: &[&[u8]]) -> R<String> {
        let module = crate::types::typeobj::type_module(self, ty)?;
        let name = self.str_string(ty.qualname.value())?;
        Ok(match module.and_then(|m| m.cast::<Str>()) {
            Some(m) if !without.contains(&m.bytes()) => format!("{}.{name}", m.to_string_lossy()),
            _ => name,
        })
    }

    /// `item in container` where the type has no `__contains__`.
    pub fn contains_by_iteration(&self, container: Value, item: Value) -> R<bool> {
        let ty = self.type_of(container);
        if ty.special(self, Special::Iter).is_none() && ty.special(self, Special::GetItem).is_none() {
            return Err(self.type_error(format!(
                "argument of type '{}' is not a container or iterable",
                ty.name_string()
            )));
        }
        let it = self.iter(container)?;
        while let Some(v) = self.next(it)? {
            if self.eq(v, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `item in container`.
    pub fn contains(&self, container: Value, item: Value) -> R<bool> {
        match self.type_of(container).special(self, Special::Contains) {
            Some(f) if !f.is_none() => {
                let r = self.special_2(f, container, item)?;
                self.truth(r)
            }
            Some(_) => {
                Err(self.type_error(format!("'{}' object is not a container", self.type_name(container))))
            }
            None => self.contains_by_iteration(container, item),
        }
    }

    // ---- text

    fn text_by(&self, v: Value, s: Special) -> R<Ref<Str>> {
        let ty = self.type_of(v);
        let Some(f) = ty.special(self, s) else {
            return Err(self.type_error(format!("'{}' object has no {}", ty.name_string(), s.name())));
        };
        let r = self.special_1(f, v)?;
        crate::interp::check_text(self, s, r)?;
        r.cast::<Str>().ok_or(Raised)
    }

    /// `str(v)`.
    pub fn to_str(&self, v: Value) -> R<Ref<Str>> {
        if self.is_exact_str(v) {
            // SAFETY: the shape is str's.
            return Ok(unsafe { v.cast_unchecked() });
        }
        self.text_by(v, Special::Str)
    }

    /// `repr(v)`.
    pub fn repr(&self, v: Value) -> R<Ref<Str>> {
        self.text_by(v, Special::Repr)
    }

    /// `repr(v)` as Rust text.
    pub fn repr_string(&self, v: Value) -> R<String> {
        Ok(self.repr(v)?.to_string_lossy().into_owned())
    }

    /// `str(v)` as Rust text.
    pub fn str_string(&self, v: Value) -> R<String> {
        Ok(self.to_str(v)?.to_string_lossy().into_owned())
    }

    /// `ascii(v)`.
    pub fn ascii(&self, v: Value) -> R<Ref<Str>> {
        let r = self.repr(v)?;
        if r.is_ascii() {
            return Ok(r);
        }
        let mut out = String::with_capacity(r.bytes().len() * 2);
        for c in r.code_points() {
            use std::fmt::Write;
            // Writing to a String does not fail.
            let _ = match c {
                0..0x80 => write!(out, "{}", c as u8 as char),
                0x80..0x100 => write!(out, "\\x{c:02x}"),
                0x100..0x10000 => write!(out, "\\u{c:04x}"),
                _ => write!(out, "\\U{c:08x}"),
            };
        }
        Str::new(self, out.as_bytes())
    }

    /// `format(v, spec)`; UNBOUND: empty specification.
    pub fn format(&self, v: Value, spec: Value) -> R<Value> {
        let spec = if spec.is_unbound() { self.intern("")?.value() } else { spec };
        let ty = self.type_of(v);
        let Some(f) = ty.special(self, Special::Format) else {
            return Err(self.type_error(format!("Type {} doesn't define __format__", ty.name_string())));
        };
        let r = self.special_2(f, v, spec)?;
        crate::interp::check_text(self, Special::Format, r)?;
        Ok(r)
    }

    /// Runs `f` unless `v` is being shown already (a container in itself): then None.
    pub fn repr_guard<T>(&self, v: Value, f: impl FnOnce() -> R<T>) -> R<Option<T>> {
        if self.repr_stack.borrow().iter().any(|x| x.is(v)) {
            return Ok(None);
        }
        if self.repr_stack.borrow().len() > 4 * self.recursion_limit.get().min(1 << 20) {
            return Err(
                self.recursion_error("maximum recursion depth exceeded while getting the repr of an object")
            );
        }
        self.repr_stack.borrow_mut().push(v);
        let r = f();
        self.repr_stack.borrow_mut().retain(|x| !x.is(v));
        r.map(Some)
    }

    /// `callable(v)`.
    pub fn is_callable(&self, v: Value) -> bool {
        let kind = v.header().map(|h| Kind::ALL[h.kind.get() as usize]);
        matches!(kind, Some(Kind::Function | Kind::BoundMethod | Kind::Native | Kind::Type))
            || self.type_of(v).special(self, Special::Call).is_some()
    }

    /// A callee in error messages: `module.name()`.
    pub fn callable_text(&self, callee: Value) -> String {
        if let Some(f) = callee.cast::<Function>() {
            let module =
                f.globals().get_str(self, self.names.__name__).ok().flatten().and_then(|m| m.cast::<Str>());
            return match module {
                Some(m) if m.bytes() != b"builtins" => {
                    format!("{}.{}()", m.to_string_lossy(), f.qualname_string())
                }
                _ => format!("{}()", f.qualname_string()),
            };
        }
        if let Some(m) = callee.cast::<BoundMethod>() {
            return self.callable_text(m.function.value());
        }
        if let Some(n) = callee.cast::<NativeFunction>() {
            return format!("{}()", n.def().name);
        }
        match callee.cast::<Type>() {
            Some(t) => format!("{}()", t.name_string()),
            None => format!("{} object", self.type_name(callee)),
        }
    }

    // ---- instances and classes

    /// A plain `object()`. MemoryError.
    pub fn new_plain_object(&self) -> R<Value> {
        self.new_instance(self.types.object)
    }

    /// Does the class derive from the other (by MRO, no hooks)?
    pub fn is_exact_or_subtype(&self, v: Value, ty: Ref<Type>) -> bool {
        self.type_of(v).is_subtype(ty)
    }

    /// `isinstance(v, class)`.
    pub fn is_instance(&self, v: Value, class: Value) -> R<bool> {
        if let Some(t) = class.cast::<Type>()
            && self.type_of(class) == self.types.type_
        {
            return self.is_instance_plain(v, t);
        }
        if self.type_of(v).value().is(class) {
            return Ok(true);
        }
        if let Some(t) = class.cast::<Tuple>() {
            crate::interp::check_native_stack(self, " in __instancecheck__")?;
            for &c in t.items() {
                if self.is_instance(v, c)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(f) = self.type_of(class).special(self, Special::InstanceCheck) {
            let r = self.special_2(f, class, v)?;
            return self.truth(r);
        }
        self.is_instance_by_bases(v, class)
    }

    /// `type.__instancecheck__`: by type, then by `__class__`.
    pub fn is_instance_plain(&self, v: Value, t: Ref<Type>) -> R<bool> {
        let own = self.type_of(v);
        if own.is_subtype(t) {
            return Ok(true);
        }
        let plain = self.types.object;
        if own.lookup(self, self.names.__class__) == plain.lookup(self, self.names.__class__)
            && own.special(self, Special::GetAttribute) == plain.special(self, Special::GetAttribute)
        {
            return Ok(false);
        }
        let class = self.find_attr(v, self.names.__class__)?;
        Ok(class.and_then(|c| c.cast::<Type>()).is_some_and(|c| c != own && c.is_subtype(t)))
    }

    fn is_instance_by_bases(&self, v: Value, class: Value) -> R<bool> {
        if self.find_attr(class, self.names.__bases__)?.is_none() {
            return Err(self.type_error("isinstance() arg 2 must be a type, a tuple of types, or a union"));
        }
        match self.find_attr(v, self.names.__class__)? {
            Some(c) => self.is_subclass_by_bases(c, class),
            None => Ok(false),
        }
    }

    /// `issubclass(c, class)`.
    pub fn is_subclass(&self, c: Value, class: Value) -> R<bool> {
        if let (Some(a), Some(b)) = (c.cast::<Type>(), class.cast::<Type>())
            && self.type_of(class) == self.types.type_
        {
            return Ok(a.is_subtype(b));
        }
        if let Some(t) = class.cast::<Tuple>() {
            crate::interp::check_native_stack(self, " in __subclasscheck__")?;
            for &b in t.items() {
                if self.is_subclass(c, b)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Some(f) = self.type_of(class).special(self, Special::SubclassCheck) {
            let r = self.special_2(f, class, c)?;
            return self.truth(r);
        }
        self.is_subclass_by_bases(c, class)
    }

    /// The check by `__bases__` that `issubclass` falls back to.
    pub fn is_subclass_by_bases(&self, c: Value, class: Value) -> R<bool> {
        crate::interp::check_native_stack(self, " in __issubclass__")?;
        if let (Some(a), Some(b)) = (c.cast::<Type>(), class.cast::<Type>()) {
            return Ok(a.is_subtype(b));
        }
        let bases = |v: Value, which: &str| -> R<Ref<Tuple>> {
            let bases = self.find_attr(v, self.names.__bases__)?.and_then(|b| b.cast::<Tuple>());
            bases.ok_or_else(|| {
                self.type_error(if which == "1" {
                    "issubclass() arg 1 must be a class".to_string()
                } else {
                    "issubclass() arg 2 must be a class, a tuple of classes, or a union".to_string()
                })
            })
        };
        bases(class, "2")?;
        let mut c = c;
        loop {
            if c.is(class) {
                return Ok(true);
            }
            let above = bases(c, "1")?;
            let &[only] = above.items() else {
                for &b in above.items() {
                    if self.is_subclass_by_bases(b, class)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            };
            // A chain of bases may be long, or lead into itself.
            self.check_signals()?;
            c = only;
        }
    }

    /// Has the object its dictionary in a trailing word?
    pub fn has_dict_word(&self, v: Value) -> bool {
        v.header().and_then(dict_word).is_some()
    }

    /// Calls an object's method by name.
    pub fn call_method(&self, obj: Value, name: &str, args: &[Value]) -> R<Value> {
        let name = self.intern(name)?;
        let ty = self.type_of(obj);
        // Without making a bound method where the type has a native or plain function.
        if self.known.is_getattribute(ty.special(self, Special::GetAttribute).unwrap_or(Value::NONE))
            && let Some(f) = ty.lookup(self, name)
            && (f.cast::<Function>().is_some()
                || f.cast::<NativeFunction>().is_some_and(|n| n.is_method(self)))
            && obj.cast::<crate::types::instance::Instance>().is_none()
            && !self.has_dict_word(obj)
        {
            return crate::interp::with_first(self, obj, Args::new(args, None), |a| {
                self.call_special_method(f, a)
            });
        }
        self.call(self.get_attr(obj, name)?, args)
    }

    /// For what does not work yet: a clear error.
    pub fn unsupported(&self, what: &str) -> Raised {
        self.not_implemented(format!("Skein does not support {what} yet"))
    }
}

impl Vm {
    /// A function or class of the module `builtins`. AttributeError.
    pub fn builtin(&self, name: &str) -> R<Value> {
        let found = match self.builtins.get() {
            Some(d) => d.get_name(self, name)?,
            None => None,
        };
        found.ok_or_else(|| self.name_error(format!("name '{name}' is not defined")))
    }
}
