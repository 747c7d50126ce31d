//! `_locale`: the C library's locale.

use super::support::add_exception;
use skein_runtime::object::Ref;
use skein_runtime::types::dict::Dict;
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm, native_functions};
use std::ffi::{CStr, CString};

native_functions! { FUNCTIONS:
    "setlocale(category, locale=None, /)" => set_locale, "Activates/queries locale processing.";
    "localeconv()" => conventions, "Returns numeric and monetary locale-specific parameters.";
    "strcoll(os1, os2, /)" => collate, "Compares two strings according to the locale.";
    "strxfrm(string, /)" => transform, "Return a string that can be used as a key for locale-aware comparisons.";
    "nl_langinfo(key, /)" => information, "Return the value for the locale information associated with key.";
    "gettext(msg, /)" => |vm: &Vm, msg: Ref<Str>| translated(vm, None, msg, None), "gettext(msg) -> string\n\nReturn translation of msg.";
    "dgettext(domain, msg, /)" => |vm: &Vm, domain: Value, msg: Ref<Str>| translated(vm, Some(domain), msg, None), "dgettext(domain, msg) -> string\n\nReturn translation of msg in domain.";
    "dcgettext(domain, msg, category, /)" => |vm: &Vm, domain: Value, msg: Ref<Str>, category: i32| translated(vm, Some(domain), msg, Some(category)), "Return translation of msg in domain and category.";
    "textdomain(domain, /)" => |vm: &Vm, domain: Value| bound(vm, domain, None, |d, _| unsafe { catalogs::textdomain(d) }), "Set the C library's textdmain to domain, returning the new domain.";
    "bindtextdomain(domain, dir, /)" => |vm: &Vm, domain: Ref<Str>, dir: Value| bind_domain(vm, domain, dir), "Bind the C library's domain to dir.";
    "bind_textdomain_codeset(domain, codeset, /)" => |vm: &Vm, domain: Value, codeset: Value| bound(vm, domain, Some(codeset), |d, c| unsafe { catalogs::bind_textdomain_codeset(d, c) }), "Bind the C library's domain to codeset.";
    "getencoding()" => |_: &Vm| "UTF-8", "Get the current locale encoding.";
}

/// Text of the C library, in whatever encoding its locale has.
fn text(vm: &Vm, p: *const libc::c_char) -> R<Value> {
    if p.is_null() {
        return vm.str("");
    }
    // SAFETY: the library's texts end with a zero, and nothing changes the locale meanwhile.
    let bytes = unsafe { CStr::from_ptr(p) }.to_bytes();
    vm.str(&String::from_utf8_lossy(bytes))
}

fn c_text(vm: &Vm, s: Ref<Str>) -> R<CString> {
    CString::new(s.bytes()).map_err(|_| vm.value_error("embedded null character"))
}

fn set_locale(vm: &Vm, category: i32, name: Option<Value>) -> R<Value> {
    let name = match name.filter(|n| !n.is_none()) {
        None => None,
        Some(n) => match n.cast::<Str>() {
            Some(s) => Some(c_text(vm, s)?),
            None => {
                let got = vm.type_name(n);
                return Err(vm.type_error(format!("setlocale() argument 2 must be str or None, not {got}")));
            }
        },
    };
    if !(libc::LC_CTYPE..=libc::LC_ALL).contains(&category) {
        return Err(super::support::raise(vm, "locale.Error", "invalid locale category"));
    }
    // SAFETY: a category that the library knows, and a text or null; all threads that call the library hold the lock.
    let set = unsafe { libc::setlocale(category, name.as_ref().map_or(std::ptr::null(), |n| n.as_ptr())) };
    if set.is_null() {
        let what = if name.is_some() { "unsupported locale setting" } else { "locale query failed" };
        return Err(super::support::raise(vm, "locale.Error", what));
    }
    text(vm, set)
}

/// The C library's catalogs of messages, which the crate `libc` does not declare.
mod catalogs {
    use libc::{c_char, c_int};
    unsafe extern "C" {
        pub fn dcgettext(domain: *const c_char, msg: *const c_char, category: c_int) -> *mut c_char;
        pub fn textdomain(domain: *const c_char) -> *mut c_char;
        pub fn bindtextdomain(domain: *const c_char, dir: *const c_char) -> *mut c_char;
        pub fn bind_textdomain_codeset(domain: *const c_char, codeset: *const c_char) -> *mut c_char;
    }
}

/// A text, or nothing for None. TypeError, ValueError.
fn optional_text(vm: &Vm, v: Value) -> R<Option<CString>> {
    match v.cast::<Str>() {
        _ if v.is_none() => Ok(None),
        Some(s) => c_text(vm, s).map(Some),
        None => Err(vm.type_error(format!("argument must be str or None, not {}", vm.type_name(v)))),
    }
}

fn pointer(text: Option<&CString>) -> *const libc::c_char {
    text.map_or(std::ptr::null(), |t| t.as_ptr())
}

fn translated(vm: &Vm, domain: Option<Value>, msg: Ref<Str>, category: Option<i32>) -> R<Value> {
    let domain = domain.map_or(Ok(None), |d| optional_text(vm, d))?;
    let category = category.unwrap_or(libc::LC_MESSAGES);
    if !(libc::LC_CTYPE..libc::LC_ALL).contains(&category) {
        return Err(vm.value_error("invalid locale category"));
    }
    let msg = c_text(vm, msg)?;
    // SAFETY: texts that end with a zero, and a category that the library knows; what it gives is the message itself or
    // static.
    text(vm, unsafe { catalogs::dcgettext(pointer(domain.as_ref()), msg.as_ptr(), category) })
}

/// What one of the functions that bind a domain gives. OSError.
fn bound(
    vm: &Vm,
    domain: Value,
    what: Option<Value>,
    f: impl FnOnce(*const libc::c_char, *const libc::c_char) -> *mut libc::c_char,
) -> R<Value> {
    let domain = optional_text(vm, domain)?;
    let what = what.map_or(Ok(None), |w| optional_text(vm, w))?;
    let found = f(pointer(domain.as_ref()), pointer(what.as_ref()));
    if found.is_null() { Ok(Value::NONE) } else { text(vm, found) }
}

fn bind_domain(vm: &Vm, domain: Ref<Str>, dir: Value) -> R<Value> {
    if domain.bytes().is_empty() {
        return Err(super::support::raise(vm, "locale.Error", "domain must be a non-empty string"));
    }
    let dir =
        if dir.is_none() { dir } else { vm.call(vm.get_attr_str(vm.import("os")?, "fsdecode")?, &[dir])? };
    // SAFETY: texts that end with a zero, or null.
    bound(vm, domain.value(), Some(dir), |d, dir| unsafe { catalogs::bindtextdomain(d, dir) })
}

/// Sizes of groups, which end with 0 or with [`libc::c_char::MAX`].
fn sizes(vm: &Vm, p: *const libc::c_char) -> R<Value> {
    let list = List::new(vm, &[])?;
    let mut at = p;
    loop {
        // SAFETY: the row ends as said.
        let n = if at.is_null() { 0 } else { unsafe { *at } };
        if at.is_null() || (n == 0 && list.is_empty()) {
            break;
        }
        list.push(vm, Value::small_int(n.into()))?;
        if n == 0 || n == libc::c_char::MAX {
            break;
        }
        at = at.wrapping_add(1);
    }
    Ok(list.value())
}

fn conventions(vm: &Vm) -> R<Value> {
    // SAFETY: the library's own struct, which stays as long as the locale.
    let l = unsafe { &*libc::localeconv() };
    let d = Dict::new(vm)?;
    for (name, p) in [
        ("decimal_point", l.decimal_point),
        ("thousands_sep", l.thousands_sep),
        ("int_curr_symbol", l.int_curr_symbol),
        ("currency_symbol", l.currency_symbol),
        ("mon_decimal_point", l.mon_decimal_point),
        ("mon_thousands_sep", l.mon_thousands_sep),
        ("positive_sign", l.positive_sign),
        ("negative_sign", l.negative_sign),
    ] {
        d.set_name(vm, name, text(vm, p)?)?;
    }
    d.set_name(vm, "grouping", sizes(vm, l.grouping)?)?;
    d.set_name(vm, "mon_grouping", sizes(vm, l.mon_grouping)?)?;
    for (name, n) in [
        ("int_frac_digits", l.int_frac_digits),
        ("frac_digits", l.frac_digits),
        ("p_cs_precedes", l.p_cs_precedes),
        ("p_sep_by_space", l.p_sep_by_space),
        ("n_cs_precedes", l.n_cs_precedes),
        ("n_sep_by_space", l.n_sep_by_space),
        ("p_sign_posn", l.p_sign_posn),
        ("n_sign_posn", l.n_sign_posn),
    ] {
        d.set_name(vm, name, Value::small_int(n.into()))?;
    }
    Ok(d.value())
}

fn collate(vm: &Vm, a: Ref<Str>, b: Ref<Str>) -> R<i64> {
    let (a, b) = (c_text(vm, a)?, c_text(vm, b)?);
    // SAFETY: texts that end with a zero.
    Ok(unsafe { libc::strcoll(a.as_ptr(), b.as_ptr()) }.into())
}

fn transform(vm: &Vm, s: Ref<Str>) -> R<Value> {
    let s = c_text(vm, s)?;
    // SAFETY: asks for the length only.
    let n = unsafe { libc::strxfrm(std::ptr::null_mut(), s.as_ptr(), 0) };
    let mut out = vm.filled(0u8, n + 1)?;
    // SAFETY: the buffer is as long as said.
    unsafe { libc::strxfrm(out.as_mut_ptr().cast(), s.as_ptr(), out.len()) };
    out.truncate(n);
    vm.str(&String::from_utf8_lossy(&out))
}

/// What `nl_langinfo` can be asked for.
const INFORMATION: &[(&str, libc::nl_item)] = &[
    ("DAY_1", libc::DAY_1),
    ("DAY_2", libc::DAY_2),
    ("DAY_3", libc::DAY_3),
    ("DAY_4", libc::DAY_4),
    ("DAY_5", libc::DAY_5),
    ("DAY_6", libc::DAY_6),
    ("DAY_7", libc::DAY_7),
    ("ABDAY_1", libc::ABDAY_1),
    ("ABDAY_2", libc::ABDAY_2),
    ("ABDAY_3", libc::ABDAY_3),
    ("ABDAY_4", libc::ABDAY_4),
    ("ABDAY_5", libc::ABDAY_5),
    ("ABDAY_6", libc::ABDAY_6),
    ("ABDAY_7", libc::ABDAY_7),
    ("MON_1", libc::MON_1),
    ("MON_2", libc::MON_2),
    ("MON_3", libc::MON_3),
    ("MON_4", libc::MON_4),
    ("MON_5", libc::MON_5),
    ("MON_6", libc::MON_6),
    ("MON_7", libc::MON_7),
    ("MON_8", libc::MON_8),
    ("MON_9", libc::MON_9),
    ("MON_10", libc::MON_10),
    ("MON_11", libc::MON_11),
    ("MON_12", libc::MON_12),
    ("ABMON_1", libc::ABMON_1),
    ("ABMON_2", libc::ABMON_2),
    ("ABMON_3", libc::ABMON_3),
    ("ABMON_4", libc::ABMON_4),
    ("ABMON_5", libc::ABMON_5),
    ("ABMON_6", libc::ABMON_6),
    ("ABMON_7", libc::ABMON_7),
    ("ABMON_8", libc::ABMON_8),
    ("ABMON_9", libc::ABMON_9),
    ("ABMON_10", libc::ABMON_10),
    ("ABMON_11", libc::ABMON_11),
    ("ABMON_12", libc::ABMON_12),
    ("RADIXCHAR", libc::RADIXCHAR),
    ("THOUSEP", libc::THOUSEP),
    ("CRNCYSTR", libc::CRNCYSTR),
    ("D_FMT", libc::D_FMT),
    // Of `date`, which the crate `libc` lacks.
    ("_DATE_FMT", 0x2_006c),
    ("D_T_FMT", libc::D_T_FMT),
    ("T_FMT", libc::T_FMT),
    ("T_FMT_AMPM", libc::T_FMT_AMPM),
    ("AM_STR", libc::AM_STR),
    ("PM_STR", libc::PM_STR),
    ("CODESET", libc::CODESET),
    ("ERA", libc::ERA),
    ("ERA_D_FMT", libc::ERA_D_FMT),
    ("ERA_D_T_FMT", libc::ERA_D_T_FMT),
    ("ERA_T_FMT", libc::ERA_T_FMT),
    ("ALT_DIGITS", libc::ALT_DIGITS),
    ("YESEXPR", libc::YESEXPR),
    ("NOEXPR", libc::NOEXPR),
];

fn information(vm: &Vm, key: i32) -> R<Value> {
    if !INFORMATION.iter().any(|(_, known)| *known == key) {
        return Err(vm.value_error("unsupported langinfo constant"));
    }
    // SAFETY: a key that the library knows.
    text(vm, unsafe { libc::nl_langinfo(key) })
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_locale", FUNCTIONS)?;
    add_exception(vm, m, "locale.Error", vm.exc.exception)?;
    for (name, n) in [
        ("LC_CTYPE", libc::LC_CTYPE),
        ("LC_NUMERIC", libc::LC_NUMERIC),
        ("LC_TIME", libc::LC_TIME),
        ("LC_COLLATE", libc::LC_COLLATE),
        ("LC_MONETARY", libc::LC_MONETARY),
        ("LC_MESSAGES", libc::LC_MESSAGES),
        ("LC_ALL", libc::LC_ALL),
        ("CHAR_MAX", libc::c_char::MAX.into()),
    ] {
        m.dict().set_name(vm, name, Value::small_int(n.into()))?;
    }
    for &(name, n) in INFORMATION {
        m.dict().set_name(vm, name, Value::small_int(n.into()))?;
    }
    Ok(m)
}
