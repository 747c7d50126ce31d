//! Functions whose types have been looked at: calls of them take no more than it takes to convert numbers and addresses.

use super::{State, USE_ERRNO, address, object, scalar, with_errno};
use skein_foreign::{Argument, Scalar, Type, call as call_c};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::Type as Class;
use skein_runtime::{R, Raised, Value, Vm, native_type};

/// A function's types, by the codes of ctypes' simple types, `&` for a typed pointer, and for the result `X` for an address as a number.
pub struct Function {
    parameters: Vec<u8>,
    result: u8,
    flags: i64,
    /// The class of arguments by reference; the names of attributes of data and of those; the class of each parameter and, for
    /// a pointer, of what it points to.
    known: Field,
}

impl Payload for Function {
    const NAME: &'static str = "_foreign.Function";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Function { parameters: _, result: _, flags: _, known } = self;
        known.trace(t);
    }
}

native_type! {
    pub FUNCTION: "_foreign.Function", Kind::Ext, 0, "The types of a function of C.";
    methods {
        [static] "__new__($type, result, parameters, flags, reference, names, classes, /)" => new;
    }
}

/// Flag of a function whose arguments are converted as cffi does: numbers must fit, `&` is a cdata of just the parameter's type, or bytes
/// where the second of its classes is true, and the function's address is given itself.
const STRICT: i64 = 1 << 16;

/// Places in `known`.
const REFERENCE: usize = 0;
const ADDRESS: usize = 1;
const VALUE: usize = 2;
const OBJECT: usize = 3;
const CLASSES: usize = 4;

/// How many arguments a call may have here.
const MOST: usize = 12;

#[expect(clippy::too_many_arguments, reason = "what a function is made of")]
fn new(
    vm: &Vm,
    _: Value,
    result: Ref<Str>,
    parameters: Ref<Str>,
    flags: i64,
    reference: Value,
    names: Ref<Tuple>,
    classes: Ref<Tuple>,
) -> R<Value> {
    let parameters = parameters.bytes().to_vec();
    let &[code] = result.bytes() else { return Err(vm.type_error("a result's code is one character")) };
    for &code in parameters.iter().filter(|c| **c != b'&') {
        scalar(vm, code)?;
    }
    if code != b'v' {
        scalar(vm, code)?;
    }
    if names.len() != 3 || !names.items().iter().all(|n| n.cast::<Str>().is_some()) {
        return Err(vm.type_error("three names are wanted"));
    }
    if classes.len() != 2 * parameters.len() {
        return Err(vm.type_error("a parameter has two classes"));
    }
    let known = List::with_capacity(vm, CLASSES + classes.len())?;
    known.push(vm, reference)?;
    for &one in names.items().iter().chain(classes.items()) {
        known.push(vm, one)?;
    }
    let known = vm.tuple(known.items())?;
    let function = Function { parameters, result: code, flags, known: Field::new(Some(known)) };
    Ok(Ext::new(vm, ext_type(vm, &FUNCTION)?, function)?.value())
}

/// What is known of one parameter.
struct Parameter {
    code: u8,
    class: Value,
    inner: Value,
}

struct Call<'a> {
    vm: &'a Vm,
    known: &'a [Value],
    strict: bool,
}

/// Does an integer type hold the number?
fn holds(s: Scalar, n: i64) -> bool {
    match s {
        Scalar::Int(size) => s.narrowed(n as u64) == n as u64 || size >= 8,
        Scalar::Uint(size) => n >= 0 && (size >= 8 || n >> (8 * u32::from(size)) == 0),
        _ => false,
    }
}

impl Call<'_> {
    fn attribute(&self, of: Value, name: usize) -> R<Value> {
        let Some(name) = self.known[name].cast::<Str>() else { return Ok(Value::NONE) };
        self.vm.get_attr(of, name)
    }

    /// The address that a ctypes instance has its data at.
    fn place(&self, of: Value) -> R<usize> {
        address(self.vm, self.attribute(of, ADDRESS)?)
    }

    /// An argument as a word, if it can be passed as it is: nothing of Python's is run for that. None: it has to be looked at
    /// more closely.
    fn word(&self, p: &Parameter, v: Value) -> R<Option<(Scalar, u64)>> {
        let vm = self.vm;
        if self.strict && p.code == b'&' {
            return self.cdata(p, v);
        }
        let s = if p.code == b'&' { Scalar::Uint(8) } else { scalar(vm, p.code)? };
        let found = match p.code {
            b'f' | b'd' => {
                let number = if v.is_int() { Some(v.as_small_int() as f64) } else { vm.as_float(v) };
                number.map(|n| if s == Scalar::F32 { (n as f32).to_bits().into() } else { n.to_bits() })
            }
            b'z' | b'P' if v.is_none() => Some(0),
            b'&' if v.is_none() => Some(0),
            b'z' | b'P' if vm.type_of(v) == vm.types.bytes => {
                v.cast::<Bytes>().map(|b| b.as_c_str().addr() as u64)
            }
            b'c' => v.cast::<Bytes>().and_then(|b| match b.bytes() {
                &[byte] => Some(byte.into()),
                _ => None,
            }),
            b'P' if v.is_int() => Some(v.as_small_int() as u64),
            b'?' if v.is_bool() => Some((v == Value::TRUE).into()),
            b'b' | b'B' | b'h' | b'H' | b'i' | b'I' | b'l' | b'L' | b'q' | b'Q' => {
                vm.as_i64(v).filter(|n| !self.strict || holds(s, *n)).map(|n| n as u64)
            }
            _ => None,
        };
        if let Some(word) = found {
            return Ok(Some((s, word)));
        }
        if self.strict {
            return Ok(None);
        }
        let Some(ty) = v.is_ptr().then(|| vm.type_of(v).value()) else { return Ok(None) };
        if ty == self.known[REFERENCE] {
            let to = self.attribute(v, OBJECT)?;
            let fits = match p.code {
                b'P' => !to.is_none(),
                b'&' => to.is_ptr() && vm.type_of(to).value() == p.inner,
                _ => false,
            };
            return if fits {
                Ok(Some((s, address(vm, self.attribute(v, VALUE)?)? as u64)))
            } else {
                Ok(None)
            };
        }
        if ty == p.class {
            let at = self.place(v)?;
            return Ok(Some((s, super::load(s, at as *const u8))));
        }
        if p.code == b'&' && ty == p.inner {
            return Ok(Some((s, self.place(v)? as u64)));
        }
        Ok(None)
    }

    /// As `word`, for a pointer of cffi's.
    fn cdata(&self, p: &Parameter, v: Value) -> R<Option<(Scalar, u64)>> {
        let (vm, s) = (self.vm, Scalar::Uint(8));
        if let Some(bytes) = v.cast::<Bytes>().filter(|_| vm.type_of(v) == vm.types.bytes) {
            return Ok((p.inner == Value::TRUE).then(|| (s, bytes.as_c_str().addr() as u64)));
        }
        let is_cdata = self.known[REFERENCE].cast::<Class>().is_some_and(|c| vm.is_exact_or_subtype(v, c));
        if !is_cdata || self.attribute(v, VALUE)? != p.class {
            return Ok(None);
        }
        Ok(Some((s, self.place(v)? as u64)))
    }

    /// As `word`, for an argument that no parameter names.
    fn open(&self, v: Value) -> R<Option<(Scalar, u64)>> {
        let int = v.is_int() || v.is_bool();
        let code = if int { b'i' } else { b'P' };
        self.word(&Parameter { code, class: Value::NONE, inner: Value::NONE }, v)
    }
}

/// Calls the function whose address lies at a place. NotImplemented: an argument has to be looked at more closely.
pub fn call_known(vm: &Vm, function: ExtArg<Function>, place: Value, args: Ref<Tuple>) -> R<Value> {
    let f: &Function = &function.0;
    let Some(known) = f.known.get().and_then(|k| k.cast::<Tuple>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let values = args.items();
    if values.len() < f.parameters.len() || values.len() > MOST {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let strict = f.flags & STRICT != 0;
    if strict && values.len() > f.parameters.len() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let call = Call { vm, known: known.items(), strict };
    let mut words = [const { Argument::Scalar(Scalar::Uint(8), 0) }; MOST];
    for (i, &v) in values.iter().enumerate() {
        let word = match f.parameters.get(i) {
            Some(&code) => {
                let classes = CLASSES + 2 * i;
                let (class, inner) = (call.known[classes], call.known[classes + 1]);
                call.word(&Parameter { code, class, inner }, v)?
            }
            None => call.open(v)?,
        };
        let Some((s, word)) = word else { return Ok(Value::NOT_IMPLEMENTED) };
        words[i] = Argument::Scalar(s, word);
    }
    let at = match strict {
        true => address(vm, place)?,
        false => super::load(Scalar::Uint(8), super::checked(vm, place)?) as usize,
    };
    if at == 0 {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    if !strict {
        vm.audit("ctypes.call_function", || vm.tuple(&[vm.int_u64(at as u64)?, args.value()]))?;
    }
    let result = if f.result == b'v' { Type::Void } else { Type::Scalar(scalar(vm, f.result)?) };
    let arguments = &words[..values.len()];
    // SAFETY: the program says that this is a function of these types; the arguments keep what they lead to.
    let run = || unsafe { call_c(at, &result, arguments, &mut []) };
    let run = || if f.flags & USE_ERRNO != 0 { with_errno(run) } else { run() };
    let word = if vm.state::<State>().callbacks.get() == 0 { vm.without_gil(run) } else { run() };
    // What a signal's handler raised in a callback.
    if vm.pending.get().is_some() {
        return Err(Raised);
    }
    match (f.result, result) {
        (b'?', _) => Ok(Value::bool(word != 0)),
        (b'c', _) => vm.bytes(&[word as u8]),
        (b'P' | b'z', _) if word == 0 => Ok(Value::NONE),
        // SAFETY: the program says that a text with an end is there.
        (b'z', _) => vm.bytes(unsafe { std::ffi::CStr::from_ptr(word as *const _) }.to_bytes()),
        (_, Type::Scalar(s)) => object(vm, s, word),
        _ => Ok(Value::NONE),
    }
}
