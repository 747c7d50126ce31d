//! What Python code sees of `str`.

mod case;
mod change;
pub mod format;
mod iterator;
mod predicates;
mod search;
pub mod split;

pub use iterator::ITERATOR;
pub use predicates::is_printable;

use crate::types::{codecs, format as number_format, percent, text};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::bytes::{ByteArray, Bytes};
use skein_runtime::types::growing::concatenated;
use skein_runtime::types::seqiter::SeqIter;
use skein_runtime::types::slice::Slice;
use skein_runtime::types::slice::SliceRange;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::{Type, type_flags};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;
use std::cmp::Ordering;

native_type! {
    pub DEF: "str", Kind::Str, type_flags::BASETYPE | type_flags::MATCH_SELF,
        "str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\nCreate a new string object from the given object. If encoding or\nerrors is specified, then the object must expose a data buffer\nthat will be decoded using the given encoding and error handler.\nOtherwise, returns the result of object.__str__() (if defined)\nor repr(object).\nencoding defaults to 'utf-8'.\nerrors defaults to 'strict'.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__repr__($self, /)" => repr;
        [simple] "__str__($self, /)" => |vm: &Vm, s: Ref<Str>| exact(vm, s);
        [simple] "__hash__($self, /)" => |vm: &Vm, s: Ref<Str>| s.hash(vm);
        [reads] "__len__($self, /)" => |_: &Vm, s: Ref<Str>| s.char_len();
        [simple] "__eq__($self, value, /)" => |_: &Vm, a: Ref<Str>, b: Value| compare(a, b, Ordering::is_eq);
        [simple] "__ne__($self, value, /)" => |_: &Vm, a: Ref<Str>, b: Value| compare(a, b, Ordering::is_ne);
        [simple] "__lt__($self, value, /)" => |_: &Vm, a: Ref<Str>, b: Value| compare(a, b, Ordering::is_lt);
        [simple] "__le__($self, value, /)" => |_: &Vm, a: Ref<Str>, b: Value| compare(a, b, Ordering::is_le);
        [simple] "__gt__($self, value, /)" => |_: &Vm, a: Ref<Str>, b: Value| compare(a, b, Ordering::is_gt);
        [simple] "__ge__($self, value, /)" => |_: &Vm, a: Ref<Str>, b: Value| compare(a, b, Ordering::is_ge);
        [simple] "__add__($self, value, /)" => add;
        [simple] "__mul__($self, value, /)" => multiply;
        [simple] "__rmul__($self, value, /)" => multiply;
        "__mod__($self, value, /)" => |vm: &Vm, s: Ref<Str>, v: Value| percent::format_str(vm, s, v);
        "__rmod__($self, value, /)" => |vm: &Vm, s: Ref<Str>, v: Value| match v.cast::<Str>() {
            Some(f) => percent::format_str(vm, f, s.value()),
            None => Ok(Value::NOT_IMPLEMENTED),
        };
        [simple] "__contains__($self, key, /)" => contains;
        [simple] "__getitem__($self, key, /)" => getitem;
        [leaf] "__iter__($self, /)" => |vm: &Vm, s: Ref<Str>| SeqIter::new(vm, vm.types.str_iterator, s.value(), 0);
        "__format__($self, format_spec, /)" => |vm: &Vm, s: Ref<Str>, spec: Ref<Str>| number_format::format_str(vm, s, spec), "Return a formatted version of the string as described by format_spec.";
        "__getnewargs__($self, /)" => |vm: &Vm, s: Ref<Str>| {
            let s = Str::new(vm, s.bytes())?;
            Tuple::new(vm, &[s.value()])
        };
        "format($self, /, *args, **kwargs)" => format::format, "Return a formatted version of the string, using substitutions from args and kwargs.\n\nThe substitutions are identified by braces ('{' and '}').";
        "format_map($self, mapping, /)" => format::format_map, "Return a formatted version of the string, using substitutions from mapping.\n\nThe substitutions are identified by braces ('{' and '}').";
        "encode($self, /, encoding='utf-8', errors='strict')" => encode, "Encode the string using the codec registered for encoding.";
        [simple] "find($self, sub, start=None, end=None, /)" => search::find, "Return the lowest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nReturn -1 on failure.";
        [simple] "rfind($self, sub, start=None, end=None, /)" => search::rfind, "Return the highest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nReturn -1 on failure.";
        [simple] "index($self, sub, start=None, end=None, /)" => search::index, "Return the lowest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nRaises ValueError when the substring is not found.";
        [simple] "rindex($self, sub, start=None, end=None, /)" => search::rindex, "Return the highest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nRaises ValueError when the substring is not found.";
        [simple] "count($self, sub, start=None, end=None, /)" => search::count, "Return the number of non-overlapping occurrences of substring sub in string S[start:end].";
        [simple] "startswith($self, prefix, start=None, end=None, /)" => search::startswith, "Return True if the string starts with the specified prefix, False otherwise.";
        [simple] "endswith($self, suffix, start=None, end=None, /)" => search::endswith, "Return True if the string ends with the specified suffix, False otherwise.";
        [simple] "removeprefix($self, prefix, /)" => search::removeprefix, "Return a str with the given prefix string removed if present.";
        [simple] "removesuffix($self, suffix, /)" => search::removesuffix, "Return a str with the given suffix string removed if present.";
        [simple] "replace($self, old, new, /, count=-1)" => search::replace, "Return a copy with all occurrences of substring old replaced by new.";
        [simple] "split($self, /, sep=None, maxsplit=-1)" => split::split, "Return a list of the substrings in the string, using sep as the separator string.";
        [simple] "rsplit($self, /, sep=None, maxsplit=-1)" => split::rsplit, "Return a list of the substrings in the string, using sep as the separator string.";
        [simple] "splitlines($self, /, keepends=False)" => split::splitlines, "Return a list of the lines in the string, breaking at line boundaries.";
        [simple] "partition($self, sep, /)" => |vm: &Vm, s: Ref<Str>, sep: Value| split::partition(vm, s, separator(vm, sep)?), "Partition the string into three parts using the given separator.";
        [simple] "rpartition($self, sep, /)" => |vm: &Vm, s: Ref<Str>, sep: Value| split::rpartition(vm, s, separator(vm, sep)?), "Partition the string into three parts using the given separator.";
        [simple soft crate::modules::hosted::join_all] "join($self, iterable, /)" => split::join, "Concatenate any number of strings.";
        [simple] "strip($self, chars=None, /)" => split::strip, "Return a copy of the string with leading and trailing whitespace removed.";
        [simple] "lstrip($self, chars=None, /)" => split::lstrip, "Return a copy of the string with leading whitespace removed.";
        [simple] "rstrip($self, chars=None, /)" => split::rstrip, "Return a copy of the string with trailing whitespace removed.";
        [simple] "upper($self, /)" => case::upper, "Return a copy of the string converted to uppercase.";
        [simple] "lower($self, /)" => case::lower, "Return a copy of the string converted to lowercase.";
        [simple] "title($self, /)" => case::title, "Return a version of the string where each word is titlecased.";
        [simple] "capitalize($self, /)" => case::capitalize, "Return a capitalized version of the string.";
        [simple] "swapcase($self, /)" => case::swapcase, "Convert uppercase characters to lowercase and lowercase characters to uppercase.";
        [simple] "casefold($self, /)" => case::casefold, "Return a version of the string suitable for caseless comparisons.";
        [simple] "center($self, width, fillchar=' ', /)" => change::center, "Return a centered string of length width.";
        [simple] "ljust($self, width, fillchar=' ', /)" => change::ljust, "Return a left-justified string of length width.";
        [simple] "rjust($self, width, fillchar=' ', /)" => change::rjust, "Return a right-justified string of length width.";
        [simple] "zfill($self, width, /)" => change::zfill, "Pad a numeric string with zeros on the left, to fill a field of the given width.";
        [simple] "expandtabs($self, /, tabsize=8)" => change::expandtabs, "Return a copy where all tab characters are expanded using spaces.";
        "translate($self, table, /)" => change::translate, "Replace each character in the string using the given translation table.";
        [static] "maketrans(x, y=None, z=None, /)" => change::maketrans, "Return a translation table usable for str.translate().";
        [simple] "isalpha($self, /)" => predicates::isalpha, "Return True if the string is an alphabetic string, False otherwise.";
        [simple] "isalnum($self, /)" => predicates::isalnum, "Return True if the string is an alpha-numeric string, False otherwise.";
        [simple] "isascii($self, /)" => |_: &Vm, s: Ref<Str>| s.is_ascii(), "Return True if all characters in the string are ASCII, False otherwise.";
        [simple] "isdecimal($self, /)" => predicates::isdecimal, "Return True if the string is a decimal string, False otherwise.";
        [simple] "isdigit($self, /)" => predicates::isdigit, "Return True if the string is a digit string, False otherwise.";
        [simple] "isnumeric($self, /)" => predicates::isnumeric, "Return True if the string is a numeric string, False otherwise.";
        [simple] "isidentifier($self, /)" => predicates::isidentifier, "Return True if the string is a valid Python identifier, False otherwise.";
        [simple] "islower($self, /)" => predicates::islower, "Return True if the string is a lowercase string, False otherwise.";
        [simple] "isupper($self, /)" => predicates::isupper, "Return True if the string is an uppercase string, False otherwise.";
        [simple] "istitle($self, /)" => predicates::istitle, "Return True if the string is a title-cased string, False otherwise.";
        [simple] "isspace($self, /)" => predicates::isspace, "Return True if the string is a whitespace string, False otherwise.";
        [simple] "isprintable($self, /)" => predicates::isprintable, "Return True if all characters in the string are printable, False otherwise.";
    }
}

/// The string itself, or its text as an exact `str`.
pub fn exact(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    if vm.is_exact_str(s.value()) { Ok(s) } else { Str::new(vm, s.bytes()) }
}

/// A part of the string, the string itself where that is all.
pub fn part(vm: &Vm, s: Ref<Str>, start: usize, end: usize) -> R<Ref<Str>> {
    if end - start == s.bytes().len() {
        return exact(vm, s);
    }
    let bytes = &s.bytes()[start..end];
    if s.is_ascii() {
        if let [c] = bytes {
            return vm.char_str(u32::from(*c)).map(|v| v.cast().unwrap_or(s));
        }
        return Str::build(vm, bytes.len(), bytes.len(), |to| to.copy_from_slice(bytes));
    }
    Str::new(vm, bytes)
}

/// TypeError.
fn separator(vm: &Vm, sep: Value) -> R<Ref<Str>> {
    sep.cast().ok_or_else(|| vm.type_error(format!("must be str, not {}", vm.type_name(sep))))
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some((first, rest)) = args.positional().split_first() else {
        return Err(vm.type_error("str.__new__(): not enough arguments"));
    };
    let Some(ty) = first.cast::<Type>() else {
        return Err(
            vm.type_error(format!("str.__new__(X): X is not a type object ({})", vm.type_name(*first)))
        );
    };
    if rest.len() > 3 {
        return Err(vm.type_error(format!("str expected at most 3 arguments, got {}", rest.len())));
    }
    let given = rest.len() + args.keywords().count();
    if given > 3 {
        return Err(vm.type_error(format!("str() takes at most 3 arguments ({given} given)")));
    }
    let mut slots = [None; 3];
    for (slot, &v) in slots.iter_mut().zip(rest) {
        *slot = Some(v);
    }
    for (k, v) in args.keywords() {
        let name = k.cast::<Str>().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        match ["object", "encoding", "errors"].iter().position(|n| *n == name) {
            Some(i) if slots[i].is_none() => slots[i] = Some(v),
            Some(i) => {
                return Err(vm.type_error(format!(
                    "argument for str() given by name ('{name}') and position ({})",
                    i + 1
                )));
            }
            None => return Err(vm.type_error(format!("str() got an unexpected keyword argument '{name}'"))),
        }
    }
    let text = match slots {
        [None, _, _] => vm.intern("")?,
        [Some(v), None, None] => vm.to_str(v)?,
        [Some(v), encoding, errors] => {
            let name = |v: Option<Value>, which: &str| -> R<Option<Ref<Str>>> {
                match v {
                    None => Ok(None),
                    Some(v) => match v.cast::<Str>() {
                        Some(s) => Ok(Some(s)),
                        None => Err(vm.type_error(format!(
                            "str() argument '{which}' must be str, not {}",
                            vm.type_name(v)
                        ))),
                    },
                }
            };
            let (encoding, errors) = (name(encoding, "encoding")?, name(errors, "errors")?);
            if v.cast::<Str>().is_some() {
                return Err(vm.type_error("decoding str is not supported"));
            }
            let v = match crate::types::bytes::Row::of(vm, v)? {
                Some(_) if v.cast::<Bytes>().is_some() || v.cast::<ByteArray>().is_some() => v,
                Some(row) => vm.bytes(row.data())?,
                None => {
                    return Err(vm.type_error(format!(
                        "decoding to str: need a bytes-like object, {} found",
                        vm.type_name(v)
                    )));
                }
            };
            let v = codecs::decode_object(vm, v, encoding, errors)?;
            match v.cast::<Str>() {
                Some(s) => s,
                None => return Ok(v),
            }
        }
    };
    if ty == vm.types.str {
        return Ok(text.value());
    }
    Ok(Str::of_type(vm, text.bytes(), ty)?.value())
}

fn encode(vm: &Vm, s: Ref<Str>, encoding: Option<Ref<Str>>, errors: Option<Ref<Str>>) -> R<Value> {
    codecs::encode(vm, s, encoding, errors)
}

fn compare(a: Ref<Str>, b: Value, test: fn(Ordering) -> bool) -> Value {
    match b.cast::<Str>() {
        // The order of WTF-8 bytes is that of code points.
        Some(b) => Value::bool(test(if a.same(b) { Ordering::Equal } else { a.bytes().cmp(b.bytes()) })),
        None => Value::NOT_IMPLEMENTED,
    }
}

fn repr(vm: &Vm, s: Ref<Str>) -> R<Ref<Str>> {
    let plain = |c: u8| (32..127).contains(&c) && c != b'\'' && c != b'\\';
    let bytes = s.bytes();
    if bytes.iter().all(|&c| plain(c)) {
        let n = bytes.len() + 2;
        return Str::build(vm, n, n, |to| {
            to[0] = b'\'';
            to[1..n - 1].copy_from_slice(bytes);
            to[n - 1] = b'\'';
        });
    }
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    let mut out = vm.buffer(bytes.len() + 8)?;
    out.push(quote);
    for c in s.code_points() {
        match c {
            9 => out.extend_from_slice(b"\\t"),
            10 => out.extend_from_slice(b"\\n"),
            13 => out.extend_from_slice(b"\\r"),
            92 => out.extend_from_slice(b"\\\\"),
            _ if c == u32::from(quote) => out.extend_from_slice(&[b'\\', quote]),
            _ if is_printable(c) => push_code_point(&mut out, c),
            0..0x100 => out.extend_from_slice(format!("\\x{c:02x}").as_bytes()),
            0x100..0x1_0000 => out.extend_from_slice(format!("\\u{c:04x}").as_bytes()),
            _ => out.extend_from_slice(format!("\\U{c:08x}").as_bytes()),
        }
    }
    out.push(quote);
    Str::new(vm, &out)
}

fn add(vm: &Vm, a: Ref<Str>, b: Value) -> R<Value> {
    let Some(other) = b.cast::<Str>() else {
        return text::cannot_concatenate(vm, a.value(), b, || {
            format!("can only concatenate str (not \"{}\") to str", vm.type_name(b))
        });
    };
    if a.char_len() == 0 {
        return Ok(exact(vm, other)?.value());
    }
    if other.char_len() == 0 {
        return Ok(exact(vm, a)?.value());
    }
    Ok(concatenated(vm, a, other)?.value())
}

fn multiply(vm: &Vm, s: Ref<Str>, n: Value) -> R<Value> {
    let Some(n) = text::repeat_count(vm, s.value(), n)? else { return Ok(Value::NOT_IMPLEMENTED) };
    if n == 1 {
        return Ok(exact(vm, s)?.value());
    }
    let bytes = s.bytes();
    let Some(len) = bytes.len().checked_mul(n).filter(|&n| n <= isize::MAX as usize) else {
        return Err(vm.overflow_error("repeated string is too long"));
    };
    let r = Str::build(vm, len, s.char_len() * n, |to| {
        if let [b] = bytes {
            to.fill(*b);
        } else if !bytes.is_empty() {
            to.chunks_exact_mut(bytes.len()).for_each(|c| c.copy_from_slice(bytes));
        }
    })?;
    Ok(r.value())
}

fn contains(vm: &Vm, s: Ref<Str>, v: Value) -> R<bool> {
    match v.cast::<Str>() {
        Some(sub) => Ok(match sub.bytes() {
            [b] => memchr::memchr(*b, s.bytes()).is_some(),
            sub => text::find(s.bytes(), sub).is_some(),
        }),
        None => Err(
            vm.type_error(format!("'in <string>' requires string as left operand, not {}", vm.type_name(v)))
        ),
    }
}

fn getitem(vm: &Vm, s: Ref<Str>, key: Value) -> R<Value> {
    if let Some(slice) = key.cast::<Slice>() {
        return Ok(substring(vm, s, slice)?.value());
    }
    let i = if key.is_int() {
        key.as_small_int()
    } else {
        if !vm.is_int(key) && vm.type_of(key).special(vm, skein_bytecode::Special::Index).is_none() {
            return Err(
                vm.type_error(format!("string indices must be integers, not '{}'", vm.type_name(key)))
            );
        }
        let i = vm.index(key)?;
        match vm.as_i64(i) {
            Some(i) => i,
            None => {
                return Err(
                    vm.index_error(format!("cannot fit '{}' into an index-sized integer", vm.type_name(key)))
                );
            }
        }
    };
    let Some(i) = text::place_index(i, s.char_len()) else {
        return Err(vm.index_error("string index out of range"));
    };
    let at = s.byte_offset(i);
    let first = s.bytes()[at];
    if first < 0x80 {
        return vm.char_str(u32::from(first));
    }
    let width = skein_runtime::types::str::char_width(first);
    Ok(Str::new(vm, &s.bytes()[at..at + width])?.value())
}

fn substring(vm: &Vm, s: Ref<Str>, slice: Ref<Slice>) -> R<Ref<Str>> {
    let SliceRange { start, step, count, .. } = vm.slice_range(slice, || s.char_len())?;
    if count == 0 {
        return vm.intern("");
    }
    if step == 1 {
        let (start, end) = (start as usize, start as usize + count);
        return part(vm, s, s.byte_offset(start), s.byte_offset(end));
    }
    let places = (0..count as i64).map(|i| (start + i * step) as usize);
    if s.is_ascii() {
        let bytes = s.bytes();
        return Str::build(vm, count, count, |to| {
            for (to, i) in to.iter_mut().zip(places) {
                *to = bytes[i];
            }
        });
    }
    let mut points: Vec<u32> = vm.buffer(s.char_len())?;
    points.extend(s.code_points());
    Str::new(vm, &text::from_code_points(places.map(|i| points[i])))
}
