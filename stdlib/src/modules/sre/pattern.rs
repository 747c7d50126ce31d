//! `re.Pattern` and its scanners.

use super::engine::Goal;
use super::matched;
use super::ops::flag;
use super::sets::Sets;
use super::subject::{How, Matcher, Subject};
use super::template::{Template, literal_bytes};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::mappingproxy::MappingProxy;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Value, Vm, native_type};
use std::cell::Cell;

/// A compiled pattern.
pub struct Pattern {
    pub pattern: Field,
    pub groupindex: Field,
    /// Names by number.
    pub indexgroup: Field,
    pub flags: u32,
    pub groups: usize,
    pub code: Box<[u32]>,
    pub sets: Sets,
    /// For text or for bytes; None: for both.
    pub is_text: Option<bool>,
}

impl Payload for Pattern {
    const NAME: &'static str = "re.Pattern";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Pattern { pattern, groupindex, indexgroup, flags: _, groups: _, code: _, sets: _, is_text: _ } =
            self;
        [pattern, groupindex, indexgroup].iter().for_each(|f| f.trace(t));
    }
}

pub type PatternRef = Ref<Ext<Pattern>>;
type This = ExtArg<Pattern>;
type Bound = Option<Value>;

native_type! {
    pub PATTERN: "re.Pattern", Kind::Ext, type_flags::NO_NEW | type_flags::HAS_WEAKREF, "Compiled regular expression object.";
    methods {
        "match($self, /, string, pos=0, endpos=sys.maxsize)" => |vm: &Vm, p: This, s: Value, pos: Bound, end: Bound| first(vm, p.0, s, pos, end, How::Match), "Matches zero or more characters at the beginning of the string.";
        "fullmatch($self, /, string, pos=0, endpos=sys.maxsize)" => |vm: &Vm, p: This, s: Value, pos: Bound, end: Bound| first(vm, p.0, s, pos, end, How::FullMatch), "Matches against all of the string.";
        "search($self, /, string, pos=0, endpos=sys.maxsize)" => |vm: &Vm, p: This, s: Value, pos: Bound, end: Bound| first(vm, p.0, s, pos, end, How::Search), "Scan through string looking for a match, and return a corresponding match object instance.\n\nReturn None if no position in the string matches.";
        "findall($self, /, string, pos=0, endpos=sys.maxsize)" => findall, "Return a list of all non-overlapping matches of pattern in string.";
        "finditer($self, /, string, pos=0, endpos=sys.maxsize)" => |vm: &Vm, p: This, s: Value, pos: Bound, end: Bound| scanner(vm, p.0, s, pos, end, &FINDITER), "Return an iterator over all non-overlapping matches for the RE pattern in string.\n\nFor each match, the iterator returns a match object.";
        "scanner($self, /, string, pos=0, endpos=sys.maxsize)" => |vm: &Vm, p: This, s: Value, pos: Bound, end: Bound| scanner(vm, p.0, s, pos, end, &SCANNER);
        "split($self, /, string, maxsplit=0)" => split, "Split string by the occurrences of pattern.";
        "sub($self, /, repl, string, count=0)" => |vm: &Vm, p: This, repl: Value, s: Value, n: Option<i64>| -> R<Value> { Ok(substitute(vm, p.0, repl, s, n)?.0) }, "Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the replacement repl.";
        "subn($self, /, repl, string, count=0)" => |vm: &Vm, p: This, repl: Value, s: Value, n: Option<i64>| -> R<Value> { let (v, n) = substitute(vm, p.0, repl, s, n)?; vm.tuple(&[v, vm.int(n)?]) }, "Return the tuple (new_string, number_of_subs_made) found by replacing the leftmost non-overlapping occurrences of pattern with the replacement repl.";
        "__copy__($self, /)" => |_: &Vm, p: Value| p;
        "__deepcopy__($self, memo, /)" => |_: &Vm, p: Value, _: Value| p;
        "__repr__($self, /)" => repr;
        "__hash__($self, /)" => hash;
        "__eq__($self, value, /)" => eq;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "pattern" => |vm: &Vm, v: Value| Ok(this(vm, v)?.pattern.value());
        "flags" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.flags.into());
        "groups" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.groups as i64);
        "groupindex" => |vm: &Vm, v: Value| Ok(MappingProxy::new(vm, this(vm, v)?.groupindex.value())?.value());
    }
}

fn this(vm: &Vm, v: Value) -> R<PatternRef> {
    v.cast().ok_or_else(|| vm.type_error("not a re.Pattern object"))
}

/// Where to search, and `pos` and `endpos` as the match shows them. TypeError.
fn goal(vm: &Vm, s: &Subject, pos: Bound, endpos: Bound) -> R<(Goal, (i64, i64))> {
    let bound = |v: Bound, default: i64| v.map_or(Ok(default), |v| vm.index_clamped(v));
    let (start, end) = (s.offset(bound(pos, 0)?), s.offset(bound(endpos, i64::MAX)?));
    let shown = (s.position(start), s.position(end));
    Ok((Goal { start, end, whole: false, advance: false }, shown))
}

fn first(vm: &Vm, p: PatternRef, string: Value, pos: Bound, endpos: Bound, how: How) -> R<Value> {
    let s = Subject::for_pattern(vm, p, string)?;
    let (goal, shown) = goal(vm, &s, pos, endpos)?;
    let mut matcher = s.matcher(vm, &p);
    match matcher.run(how, goal)? {
        Some(span) => matched::make(vm, p, &s, shown, span, &matcher),
        None => Ok(Value::NONE),
    }
}

/// Calls `f` for each match from left to right; false ends it.
fn each(
    matcher: &mut Matcher<'_>,
    mut goal: Goal,
    mut f: impl FnMut(&Matcher<'_>, (usize, usize)) -> R<bool>,
) -> R<()> {
    while let Some((begin, end)) = matcher.run(How::Search, goal)? {
        if !f(matcher, (begin, end))? {
            break;
        }
        goal.start = end;
        goal.advance = begin == end;
    }
    Ok(())
}

fn findall(vm: &Vm, p: This, string: Value, pos: Bound, endpos: Bound) -> R<Ref<List>> {
    let p = p.0;
    let s = Subject::for_pattern(vm, p, string)?;
    let (goal, _) = goal(vm, &s, pos, endpos)?;
    let out = List::with_capacity(vm, 0)?;
    let part = |m: &Matcher<'_>, i: usize| {
        let (begin, end) = m.group(i).unwrap_or((0, 0));
        s.slice(vm, begin, end)
    };
    each(&mut s.matcher(vm, &p), goal, |m, (begin, end)| {
        let item = match p.groups {
            0 => s.slice(vm, begin, end)?,
            1 => part(m, 1)?,
            n => {
                let row = List::with_capacity(vm, n)?;
                for i in 1..=n {
                    row.push(vm, part(m, i)?)?;
                }
                vm.tuple(row.items())?
            }
        };
        out.push(vm, item)?;
        Ok(true)
    })?;
    Ok(out)
}

fn split(vm: &Vm, p: This, string: Value, maxsplit: Option<i64>) -> R<Ref<List>> {
    let p = p.0;
    let s = Subject::for_pattern(vm, p, string)?;
    let (goal, _) = goal(vm, &s, None, None)?;
    let max = maxsplit.unwrap_or(0);
    let out = List::with_capacity(vm, 0)?;
    let (mut at, mut n) = (0, 0);
    if max >= 0 {
        each(&mut s.matcher(vm, &p), goal, |m, (begin, end)| {
            out.push(vm, s.slice(vm, at, begin)?)?;
            for i in 1..=p.groups {
                let part = m.group(i).map_or(Ok(Value::NONE), |(a, b)| s.slice(vm, a, b))?;
                out.push(vm, part)?;
            }
            at = end;
            n += 1;
            Ok(n != max)
        })?;
    }
    out.push(vm, s.slice(vm, at, s.bytes().len())?)?;
    Ok(out)
}

/// What matches are replaced by.
enum Replacement {
    Literal,
    Template(Ref<Ext<Template>>),
    Call,
}

/// The library's compiled form of a replacement text with backslashes.
pub fn compiled_template(vm: &Vm, p: PatternRef, repl: Value) -> R<Value> {
    let re = skein_builtins::modules::import(vm, "re")?;
    let f = vm.get_attr_str(re, "_compile_template")?;
    let cached = vm.call(f, &[p.value(), repl]);
    let plain = repl.cast::<Str>().is_some() || repl.cast::<Bytes>().is_some();
    if !plain && let None = vm.absorb(cached, vm.exc.type_error)? {
        // Buffers are not hashable.
        let bytes = vm.bytes(&super::super::support::bytes_of(vm, repl)?)?;
        return vm.call(f, &[p.value(), bytes]);
    }
    cached
}

fn substitute(vm: &Vm, p: PatternRef, repl: Value, string: Value, count: Option<i64>) -> R<(Value, i64)> {
    let count = count.unwrap_or(0);
    let s = Subject::for_pattern(vm, p, string)?;
    let mut value = repl;
    let how = if vm.is_callable(repl) {
        Replacement::Call
    } else {
        let plain = literal_bytes(vm, &repl).map(|b| !b.contains(&b'\\'));
        match vm.absorb(plain, vm.exc.type_error)? {
            Some(true) if repl.cast::<Str>().is_some() == s.is_text() => Replacement::Literal,
            _ => {
                value = compiled_template(vm, p, repl)?;
                match value.cast::<Ext<Template>>() {
                    Some(t) => Replacement::Template(t),
                    None => Replacement::Literal,
                }
            }
        }
    };
    let (goal, shown) = goal(vm, &s, None, None)?;
    let mut out = Vec::new();
    let (mut at, mut n) = (0, 0);
    if count >= 0 {
        each(&mut s.matcher(vm, &p), goal, |m, (begin, end)| {
            vm.put(&mut out, &s.bytes()[at..begin])?;
            match &how {
                Replacement::Literal => append_result(vm, &s, value, n, &mut out)?,
                Replacement::Template(t) => {
                    let group = |i| if i == 0 { Some((begin, end)) } else { m.group(i) };
                    if let Some(other) = t.literal_of_other_kind(s.is_text()) {
                        append_result(vm, &s, other, n, &mut out)?;
                    }
                    t.expand(vm, &s, group, p.groups + 1, &mut out)?;
                }
                Replacement::Call => {
                    let found = matched::make(vm, p, &s, shown, (begin, end), m)?;
                    append_result(vm, &s, vm.call(value, &[found])?, n, &mut out)?;
                }
            }
            at = end;
            n += 1;
            Ok(n != count)
        })?;
    }
    if n == 0 {
        return Ok((s.slice(vm, 0, s.bytes().len())?, 0));
    }
    vm.put(&mut out, &s.bytes()[at..])?;
    Ok((s.make(vm, &out)?, n))
}

fn append_result(vm: &Vm, s: &Subject, v: Value, n: i64, out: &mut Vec<u8>) -> R<()> {
    if v.is_none() {
        return Ok(());
    }
    if v.cast::<Str>().is_some() == s.is_text() && (s.is_text() || v.cast::<Bytes>().is_some()) {
        return vm.put(out, literal_bytes(vm, &v)?);
    }
    if !s.is_text() && v.cast::<Str>().is_none() {
        return vm.put(out, &super::super::support::bytes_of(vm, v)?);
    }
    let wanted = if s.is_text() { "str instance" } else { "a bytes-like object" };
    Err(vm.type_error(format!("sequence item {n}: expected {wanted}, {} found", vm.type_name(v))))
}

fn repr(vm: &Vm, p: This) -> R<String> {
    let p = p.0;
    let mut flags = p.flags;
    if p.is_text == Some(true) && flags & (flag::LOCALE | flag::UNICODE | 256) == flag::UNICODE {
        flags &= !flag::UNICODE;
    }
    let mut names = Vec::new();
    for &(name, bit) in flag::NAMES {
        if flags & bit != 0 {
            names.push(name.to_string());
            flags &= !bit;
        }
    }
    if flags != 0 {
        names.push(format!("{flags:#x}"));
    }
    let text: String = vm.repr_string(p.pattern.value())?.chars().take(200).collect();
    let (comma, names) = (if names.is_empty() { "" } else { ", " }, names.join("|"));
    Ok(format!("re.compile({text}{comma}{names})"))
}

fn hash(vm: &Vm, p: This) -> R<i64> {
    let own = p.0.code.iter().fold(u64::from(p.0.flags), |h, &w| {
        (h ^ u64::from(w)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    Ok(vm.hash(p.0.pattern.value())? ^ (own >> 2) as i64)
}

fn eq(vm: &Vm, p: This, other: Value) -> R<Value> {
    let Some(o) = other.cast::<Ext<Pattern>>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let p = p.0;
    let same = p.flags == o.flags && p.is_text == o.is_text && p.code == o.code;
    Ok(Value::bool(p == o || (same && vm.eq(p.pattern.value(), o.pattern.value())?)))
}

// ---- scanners

/// A search that goes on from match to match.
struct Scanner {
    pattern: Field,
    string: Field,
    row: Field,
    goal: Cell<Goal>,
    shown: (i64, i64),
}

impl Payload for Scanner {
    const NAME: &'static str = "_sre.SRE_Scanner";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Scanner { pattern, string, row, goal: _, shown: _ } = self;
        [pattern, string, row].iter().for_each(|f| f.trace(t));
    }
}

native_type! {
    SCANNER: "_sre.SRE_Scanner", Kind::Ext, type_flags::NO_NEW;
    methods {
        "match($self, /)" => |vm: &Vm, s: ExtArg<Scanner>| -> R<Value> { Ok(advance(vm, s.0, How::Match)?.unwrap_or(Value::NONE)) };
        "search($self, /)" => |vm: &Vm, s: ExtArg<Scanner>| -> R<Value> { Ok(advance(vm, s.0, How::Search)?.unwrap_or(Value::NONE)) };
    }
    getset {
        "pattern" => |vm: &Vm, v: Value| match v.cast::<Ext<Scanner>>() {
            Some(s) => Ok(s.pattern.value()),
            None => Err(vm.type_error("not a scanner")),
        };
    }
}

native_type! {
    FINDITER: "re.finditer_iterator", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__iter__($self, /)" => |_: &Vm, s: Value| s;
        "__next__($self, /)" => |vm: &Vm, s: ExtArg<Scanner>| -> R<Value> { Ok(advance(vm, s.0, How::Search)?.unwrap_or(vm.stop())) };
    }
}

fn scanner(
    vm: &Vm,
    p: PatternRef,
    string: Value,
    pos: Bound,
    endpos: Bound,
    def: &'static skein_runtime::native::TypeDef,
) -> R<Value> {
    let s = Subject::for_pattern(vm, p, string)?;
    let (goal, shown) = goal(vm, &s, pos, endpos)?;
    let scanner = Scanner {
        pattern: Field::new(Some(p.value())),
        string: Field::new(Some(string)),
        row: Field::new(Some(s.row())),
        goal: Cell::new(goal),
        shown,
    };
    Ok(Ext::new(vm, ext_type(vm, def)?, scanner)?.value())
}

fn advance(vm: &Vm, s: Ref<Ext<Scanner>>, how: How) -> R<Option<Value>> {
    let p = this(vm, s.pattern.value())?;
    let Some(subject) = Subject::restore(s.string.value(), s.row.value()) else { return Ok(None) };
    let mut goal = s.goal.get();
    if goal.start > goal.end {
        return Ok(None);
    }
    let mut matcher = subject.matcher(vm, &p);
    let Some(span) = matcher.run(how, goal)? else {
        // At its end for good.
        goal.start = goal.end + 1;
        s.goal.set(goal);
        return Ok(None);
    };
    goal.start = span.1;
    goal.advance = span.0 == span.1;
    s.goal.set(goal);
    matched::make(vm, p, &subject, s.shown, span, &matcher).map(Some)
}
