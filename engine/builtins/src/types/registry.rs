//! Codecs and error handlers that are registered: what `codecs.register` and `codecs.register_error` keep, and
//! the encodings of the library, which register themselves when one of them is asked for first.

use super::exceptions::base::add_note_to_pending;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Raised, Value};
use skein_runtime::vm::Vm;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// The tables. `Vm::roots` keeps the values.
#[derive(Default)]
struct Registry {
    errors: RefCell<HashMap<String, Value>>,
    search: RefCell<Vec<Value>>,
    found: RefCell<HashMap<String, Value>>,
    ready: Cell<bool>,
}

/// As search functions get a name: lower case, and one `_` for all between letters, digits and dots. What is not ASCII
/// is left out.
pub fn normalized(name: &str) -> String {
    let mut out = String::new();
    let mut between = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() && c != '.' {
            between = true;
            continue;
        }
        if between && !out.is_empty() {
            out.push('_');
        }
        between = false;
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `codecs.register(function)`.
pub fn register(vm: &Vm, search: Value) {
    vm.roots.borrow_mut().push(search);
    vm.state::<Registry>().search.borrow_mut().push(search);
}

/// `codecs.unregister(function)`.
pub fn unregister(vm: &Vm, search: Value) {
    let state = vm.state::<Registry>();
    state.search.borrow_mut().retain(|f| !f.is(search));
    state.found.borrow_mut().clear();
}

/// `codecs.lookup(name)`: a tuple of four functions. LookupError.
pub fn lookup(vm: &Vm, name: &str) -> R<Ref<Tuple>> {
    let state = vm.state::<Registry>();
    let key = normalized(name);
    if let Some(t) = state.found.borrow().get(&key).and_then(|v| v.cast::<Tuple>()) {
        return Ok(t);
    }
    if !state.ready.replace(true) {
        crate::modules::import(vm, "encodings")?;
    }
    let text = vm.str(&key)?;
    let mut i = 0;
    while let Some(f) = { state.search.borrow().get(i).copied() } {
        i += 1;
        let r = vm.call(f, &[text])?;
        if r.is_none() {
            continue;
        }
        let Some(t) = r.cast::<Tuple>().filter(|t| t.len() == 4) else {
            return Err(vm.type_error("codec search functions must return 4-tuples"));
        };
        vm.roots.borrow_mut().push(r);
        state.found.borrow_mut().insert(key, r);
        return Ok(t);
    }
    Err(vm.lookup_error(format!("unknown encoding: {name}")))
}

/// What a codec's function gives for an object, without the length. LookupError, TypeError.
pub fn apply(vm: &Vm, object: Value, encoding: &str, errors: Option<Value>, decode: bool) -> R<Value> {
    let info = lookup(vm, encoding)?;
    let f = info.items()[usize::from(decode)];
    let r = match errors {
        Some(e) => vm.call(f, &[object, e]),
        None => vm.call(f, &[object]),
    };
    let r = match r {
        Ok(r) => r,
        Err(raised) => {
            let operation = if decode { "decoding" } else { "encoding" };
            add_note_to_pending(vm, &format!("{operation} with '{encoding}' codec failed"))?;
            return Err(raised);
        }
    };
    match r.cast::<Tuple>() {
        Some(t) if t.len() == 2 => Ok(t.items()[0]),
        _ => {
            let (who, what) = if decode { ("decoder", "object") } else { ("encoder", "object") };
            Err(vm.type_error(format!("{who} must return a tuple ({what},integer)")))
        }
    }
}

/// As [`apply`], for `str.encode` and `bytes.decode`: only codecs between text and bytes. LookupError, TypeError.
pub fn apply_text(vm: &Vm, object: Value, encoding: &str, errors: Option<Value>, decode: bool) -> R<Value> {
    let info = lookup(vm, encoding)?;
    let is_text = match vm.find_attr(info.value(), vm.intern("_is_text_encoding")?)? {
        Some(v) => vm.truth(v)?,
        None => true,
    };
    let verb = if decode { "decode" } else { "encode" };
    if !is_text {
        return Err(vm.lookup_error(format!(
            "'{encoding}' is not a text encoding; use codecs.{verb}() to handle arbitrary codecs"
        )));
    }
    let r = apply(vm, object, encoding, errors, decode)?;
    let (good, wanted) = match decode {
        true => (r.cast::<Str>().is_some(), "str"),
        false => (r.cast::<Bytes>().is_some(), "bytes"),
    };
    if good {
        return Ok(r);
    }
    let got = vm.type_name(r);
    Err(vm.type_error(format!(
        "'{encoding}' {verb}r returned '{got}' instead of '{wanted}'; use codecs.{verb}() to {verb} to arbitrary types"
    )))
}

// ---- error handlers

/// `codecs.register_error(name, handler)`.
pub fn register_error(vm: &Vm, name: &str, handler: Value) {
    vm.roots.borrow_mut().push(handler);
    vm.state::<Registry>().errors.borrow_mut().insert(name.into(), handler);
}

/// `codecs._unregister_error(name)`: was there one?
pub fn unregister_error(vm: &Vm, name: &str) -> bool {
    vm.state::<Registry>().errors.borrow_mut().remove(name).is_some()
}

/// A handler that was registered.
pub fn registered_error(vm: &Vm, name: &str) -> Option<Value> {
    vm.state::<Registry>().errors.borrow().get(name).copied()
}

/// What a handler gave: the replacement, and where to go on.
pub struct Handled {
    pub replacement: Value,
    pub at: usize,
    /// When decoding: the bytes to go on with, which the handler may have changed.
    pub object: Option<Ref<Bytes>>,
}

/// Calls a registered handler with the exception that `raised` left pending, for an object of this length. TypeError,
/// IndexError.
pub fn call_handler(vm: &Vm, f: Value, _raised: Raised, len: usize, decode: bool) -> R<Handled> {
    let Some(e) = vm.pending.take() else { return Err(vm.system_error("no exception to handle")) };
    let r = vm.call(f, &[e])?;
    let pair = r.cast::<Tuple>().filter(|t| t.len() == 2).map(|t| (t.items()[0], t.items()[1]));
    let fits = |v: Value| v.cast::<Str>().is_some() || (!decode && v.cast::<Bytes>().is_some());
    let Some((replacement, at)) = pair.filter(|(v, at)| fits(*v) && vm.is_int(*at)) else {
        return Err(vm.type_error(match decode {
            true => "decoding error handler must return (str, int) tuple",
            false => "encoding error handler must return (str/bytes, int) tuple",
        }));
    };
    let object = match decode {
        true => match vm.get_attr_str(e, "object")?.cast::<Bytes>() {
            Some(object) => Some(object),
            None => return Err(vm.type_error("UnicodeError 'object' attribute must be a bytes")),
        },
        false => None,
    };
    let len = object.map_or(len, |object| object.bytes().len());
    let asked = vm.index_clamped(at)?;
    let at = if asked < 0 { asked.saturating_add(len as i64) } else { asked };
    if at < 0 || at > len as i64 {
        return Err(vm.index_error(format!("position {asked} from error handler out of bounds")));
    }
    Ok(Handled { replacement, at: at as usize, object })
}
