//! `re.Match`.

use super::engine::NONE;
use super::pattern::{Pattern, PatternRef, compiled_template};
use super::subject::{Matcher, Subject};
use super::template::Template;
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::instance::Raw;
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Raised, Value, Vm, native_type};

/// Groups, the whole match included, that most patterns have at most.
const FEW: usize = 4;

/// What a match has found.
pub struct Match {
    pattern: Field,
    string: Field,
    /// The text that was searched: the string, or a copy of its bytes.
    row: Field,
    /// Begin and end of all groups, the whole match first, as byte offsets: those of few groups.
    few: [usize; 2 * FEW],
    /// Those of more, in a [`Raw`].
    many: Field,
    /// Groups, the whole match included.
    len: usize,
    pos: i64,
    endpos: i64,
    last_group: usize,
}

impl Payload for Match {
    const NAME: &'static str = "re.Match";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Match { pattern, string, row, few: _, many, len: _, pos: _, endpos: _, last_group: _ } = self;
        [pattern, string, row, many].iter().for_each(|f| f.trace(t));
    }
}

pub type MatchRef = Ref<Ext<Match>>;
type This = ExtArg<Match>;

native_type! {
    pub MATCH: "re.Match", Kind::Ext, type_flags::NO_NEW,
        "The result of re.match() and re.search().\nMatch objects always have a boolean value of True.";
    methods {
        "group($self, /, *args)" => group;
        "groups($self, /, default=None)" => groups, "Return a tuple containing all the subgroups of the match, from 1.";
        "groupdict($self, /, default=None)" => groupdict;
        "start($self, group=0, /)" => |vm: &Vm, m: This, g: Option<Value>| -> R<i64> { Ok(positions(vm, m.0, g)?.0) };
        "end($self, group=0, /)" => |vm: &Vm, m: This, g: Option<Value>| -> R<i64> { Ok(positions(vm, m.0, g)?.1) };
        "span($self, group=0, /)" => span;
        "expand($self, /, template)" => expand, "Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.";
        "__getitem__($self, key, /)" => |vm: &Vm, m: This, key: Value| one(vm, m.0, key);
        "__copy__($self, /)" => |_: &Vm, m: Value| m;
        "__deepcopy__($self, memo, /)" => |_: &Vm, m: Value, _: Value| m;
        "__repr__($self, /)" => repr;
        [class] "__class_getitem__($type, item, /)" => |vm: &Vm, class: Value, item: Value| vm.generic_alias(class, item);
    }
    getset {
        "re" => |vm: &Vm, v: Value| Ok(this(vm, v)?.pattern.value());
        "string" => |vm: &Vm, v: Value| Ok(this(vm, v)?.string.value());
        "pos" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.pos);
        "endpos" => |vm: &Vm, v: Value| vm.int(this(vm, v)?.endpos);
        "lastindex" => |vm: &Vm, v: Value| match this(vm, v)?.last_group { 0 => Ok(Value::NONE), n => vm.int(n as i64) };
        "lastgroup" => |vm: &Vm, v: Value| lastgroup(vm, this(vm, v)?);
        "regs" => |vm: &Vm, v: Value| regs(vm, this(vm, v)?);
    }
}

fn this(vm: &Vm, v: Value) -> R<MatchRef> {
    v.cast().ok_or_else(|| vm.type_error("not a re.Match object"))
}

/// The object for a match that the engine has found. MemoryError.
pub fn make(
    vm: &Vm,
    pattern: PatternRef,
    subject: &Subject,
    (pos, endpos): (i64, i64),
    (begin, end): (usize, usize),
    matcher: &Matcher<'_>,
) -> R<Value> {
    let (marks, last_group) = matcher.groups();
    let len = marks.len() / 2 + 1;
    let (mut few, mut many) = ([NONE; 2 * FEW], None);
    if len <= FEW {
        (few[0], few[1]) = (begin, end);
        few[2..2 * len].copy_from_slice(marks);
    } else {
        let spans = Raw::new(vm, 2 * len * size_of::<usize>())?;
        let to = spans.data_ptr().cast::<usize>();
        // SAFETY: the fresh array has room for all, and its data are aligned to 8 bytes.
        unsafe {
            to.write(begin);
            to.add(1).write(end);
            std::ptr::copy_nonoverlapping(marks.as_ptr(), to.add(2), marks.len());
        }
        many = Some(spans.value());
    }
    let m = Match {
        pattern: Field::new(Some(pattern.value())),
        string: Field::new(Some(subject.string)),
        row: Field::new(Some(subject.row())),
        few,
        many: Field::new(many),
        len,
        pos,
        endpos,
        last_group,
    };
    Ok(Ext::new(vm, ext_type(vm, &MATCH)?, m)?.value())
}

impl Match {
    pub fn subject(&self) -> Subject {
        match Subject::restore(self.string.value(), self.row.value()) {
            Some(s) => s,
            None => unreachable!("made from a subject"),
        }
    }

    /// Groups, the whole match included.
    fn len(&self) -> usize {
        self.len
    }

    /// Byte offsets of a group.
    fn raw_span(&self, i: usize) -> (usize, usize) {
        let Some(spans) = self.many.cast::<Raw>() else { return (self.few[i * 2], self.few[i * 2 + 1]) };
        // SAFETY: `make` filled the array with words, two for each group.
        let spans = unsafe { std::slice::from_raw_parts(spans.data_ptr().cast::<usize>(), 2 * self.len) };
        (spans[i * 2], spans[i * 2 + 1])
    }

    /// Byte offsets of a group that has matched.
    pub fn offsets(&self, i: usize) -> Option<(usize, usize)> {
        let (begin, end) = self.raw_span(i);
        (begin != NONE && end != NONE && begin <= end).then_some((begin, end))
    }

    fn pattern(&self) -> Option<PatternRef> {
        self.pattern.cast::<Ext<Pattern>>()
    }

    fn text(&self, vm: &Vm, i: usize, default: Value) -> R<Value> {
        match self.offsets(i) {
            Some((begin, end)) => self.subject().slice(vm, begin, end),
            None => Ok(default),
        }
    }
}

/// A group's number from a number or name. IndexError.
fn number(vm: &Vm, m: MatchRef, key: Value) -> R<usize> {
    let missing = || vm.index_error("no such group");
    let i = if vm.is_int(key) {
        vm.as_i64(key)
    } else {
        match m.pattern().and_then(|p| p.groupindex.cast::<Dict>()) {
            Some(names) => match vm.absorb(names.get(vm, key), vm.exc.type_error)?.flatten() {
                Some(i) => vm.as_i64(i),
                None if vm.type_of(key).special(vm, skein_bytecode::Special::Index).is_some() => {
                    Some(vm.index_clamped(key)?)
                }
                None => None,
            },
            None => None,
        }
    };
    i.and_then(|i| usize::try_from(i).ok()).filter(|&i| i < m.len()).ok_or_else(missing)
}

fn one(vm: &Vm, m: MatchRef, key: Value) -> R<Value> {
    let i = number(vm, m, key)?;
    m.text(vm, i, Value::NONE)
}

fn group(vm: &Vm, args: Args<'_>) -> R<Value> {
    let m = match args.positional().first() {
        Some(&m) => this(vm, m)?,
        None => return Err(vm.type_error("group() needs a match")),
    };
    if args.has_keywords() {
        return Err(vm.type_error("re.Match.group() takes no keyword arguments"));
    }
    match args.positional()[1..] {
        [] => m.text(vm, 0, Value::NONE),
        [key] => one(vm, m, key),
        ref keys => {
            let list = List::with_capacity(vm, keys.len())?;
            for &key in keys {
                list.push(vm, one(vm, m, key)?)?;
            }
            vm.tuple(list.items())
        }
    }
}

fn groups(vm: &Vm, m: This, default: Option<Value>) -> R<Value> {
    let list = List::with_capacity(vm, m.0.len())?;
    for i in 1..m.0.len() {
        list.push(vm, m.0.text(vm, i, default.unwrap_or(Value::NONE))?)?;
    }
    vm.tuple(list.items())
}

fn groupdict(vm: &Vm, m: This, default: Option<Value>) -> R<Ref<Dict>> {
    let out = Dict::new(vm)?;
    if let Some(names) = m.0.pattern().and_then(|p| p.groupindex.cast::<Dict>()) {
        for (name, i) in names.iter() {
            let i = number(vm, m.0, i)?;
            out.set(vm, name, m.0.text(vm, i, default.unwrap_or(Value::NONE))?)?;
        }
    }
    Ok(out)
}

fn positions(vm: &Vm, m: MatchRef, key: Option<Value>) -> R<(i64, i64)> {
    let i = key.map_or(Ok(0), |k| number(vm, m, k))?;
    let subject = m.subject();
    Ok(match m.offsets(i) {
        Some((begin, end)) => (subject.position(begin), subject.position(end)),
        None => (-1, -1),
    })
}

fn pair(vm: &Vm, (a, b): (i64, i64)) -> R<Value> {
    vm.tuple(&[Value::small_int(a), Value::small_int(b)])
}

fn span(vm: &Vm, m: This, key: Option<Value>) -> R<Value> {
    pair(vm, positions(vm, m.0, key)?)
}

fn regs(vm: &Vm, m: MatchRef) -> R<Value> {
    let list = List::with_capacity(vm, m.len())?;
    for i in 0..m.len() {
        list.push(vm, pair(vm, positions(vm, m, Some(Value::small_int(i as i64)))?)?)?;
    }
    vm.tuple(list.items())
}

fn lastgroup(_: &Vm, m: MatchRef) -> R<Value> {
    let names = m.pattern().and_then(|p| p.indexgroup.cast::<Tuple>());
    Ok(names.and_then(|n| n.items().get(m.last_group).copied()).unwrap_or(Value::NONE))
}

fn expand(vm: &Vm, m: This, template: Value) -> R<Value> {
    let Some(pattern) = m.0.pattern() else { return Err(Raised) };
    let compiled = compiled_template(vm, pattern, template)?;
    let Some(t) = compiled.cast::<Ext<Template>>() else { return Ok(compiled) };
    let mut out = Vec::new();
    let subject = m.0.subject();
    t.expand(vm, &subject, |i| m.0.offsets(i), m.0.len(), &mut out)?;
    subject.make(vm, &out)
}

fn repr(vm: &Vm, m: This) -> R<String> {
    let (begin, end) = positions(vm, m.0, None)?;
    let text = vm.repr_string(m.0.text(vm, 0, Value::NONE)?)?;
    let shown: String = text.chars().take(50).collect();
    Ok(format!("<re.Match object; span=({begin}, {end}), match={shown}>"))
}
