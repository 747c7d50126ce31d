//! The text that a pattern is matched with: a str, or the bytes of a bytes-like object.

use super::super::support::bytes_of;
use super::engine::{Engine, Goal, NONE};
use super::pattern::PatternRef;
use super::text::{Narrow, Wide};
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::str::Str;
use skein_runtime::{R, Value, Vm};

/// The row that is searched.
#[derive(Clone, Copy)]
enum Row {
    Text(Ref<Str>),
    /// A copy where the object is not bytes itself, which may change.
    Bytes(Ref<Bytes>),
}

#[derive(Clone, Copy)]
pub struct Subject {
    /// As it was given.
    pub string: Value,
    row: Row,
}

impl Subject {
    /// Any text or bytes-like object. TypeError.
    pub fn new(vm: &Vm, string: Value) -> R<Subject> {
        let row = match (string.cast::<Str>(), string.cast::<Bytes>()) {
            (Some(s), _) => Row::Text(s),
            (_, Some(b)) => Row::Bytes(b),
            _ => match vm.absorb(vm.absorb(bytes_of(vm, string), vm.exc.type_error), vm.exc.buffer_error)? {
                Some(Some(bytes)) => Row::Bytes(Bytes::new(vm, &bytes)?),
                _ => {
                    let got = vm.type_name(string);
                    return Err(vm.type_error(format!("expected string or bytes-like object, got '{got}'")));
                }
            },
        };
        Ok(Subject { string, row })
    }

    /// As [`Subject::new`], of the pattern's kind. TypeError.
    pub fn for_pattern(vm: &Vm, pattern: PatternRef, string: Value) -> R<Subject> {
        let s = Subject::new(vm, string)?;
        match pattern.is_text {
            Some(true) if !s.is_text() => {
                Err(vm.type_error("cannot use a string pattern on a bytes-like object"))
            }
            Some(false) if s.is_text() => {
                Err(vm.type_error("cannot use a bytes pattern on a string-like object"))
            }
            _ => Ok(s),
        }
    }

    /// What [`Subject::row`] and the string were.
    pub fn restore(string: Value, row: Value) -> Option<Subject> {
        let row = match row.cast::<Str>() {
            Some(s) => Row::Text(s),
            None => Row::Bytes(row.cast()?),
        };
        Some(Subject { string, row })
    }

    pub fn row(&self) -> Value {
        match self.row {
            Row::Text(s) => s.value(),
            Row::Bytes(b) => b.value(),
        }
    }

    pub fn is_text(&self) -> bool {
        matches!(self.row, Row::Text(_))
    }

    pub fn bytes(&self) -> &[u8] {
        match &self.row {
            Row::Text(s) => s.bytes(),
            Row::Bytes(b) => b.bytes(),
        }
    }

    fn is_wide(&self) -> bool {
        matches!(self.row, Row::Text(s) if !s.is_ascii())
    }

    /// The byte offset of a position as Python counts, put into the text's bounds.
    pub fn offset(&self, position: i64) -> usize {
        match self.row {
            Row::Text(s) => s.byte_offset((position.max(0) as usize).min(s.char_len())),
            Row::Bytes(b) => (position.max(0) as usize).min(b.bytes().len()),
        }
    }

    /// The position of a byte offset as Python counts; -1 for none.
    pub fn position(&self, offset: usize) -> i64 {
        match offset {
            NONE => -1,
            n => match self.row {
                Row::Text(s) => s.char_index(n) as i64,
                Row::Bytes(_) => n as i64,
            },
        }
    }

    /// The part between two byte offsets. MemoryError.
    pub fn slice(&self, vm: &Vm, start: usize, end: usize) -> R<Value> {
        let whole = start == 0 && end == self.bytes().len();
        match self.row {
            Row::Text(s) if whole && vm.is_exact_str(s.value()) => Ok(s.value()),
            Row::Bytes(b) if whole && vm.type_of(b.value()) == vm.types.bytes => Ok(b.value()),
            Row::Text(s) => Ok(Str::new(vm, &s.bytes()[start..end])?.value()),
            Row::Bytes(b) => vm.bytes(&b.bytes()[start..end]),
        }
    }

    /// A value of the same kind from bytes that were gathered. MemoryError.
    pub fn make(&self, vm: &Vm, bytes: &[u8]) -> R<Value> {
        match self.row {
            Row::Text(_) => Ok(Str::new(vm, bytes)?.value()),
            Row::Bytes(_) => vm.bytes(bytes),
        }
    }

    /// A matcher for this text.
    pub fn matcher<'a>(&'a self, vm: &'a Vm, pattern: &'a PatternRef) -> Matcher<'a> {
        match self.is_wide() {
            true => Matcher::Wide(Engine::new(vm, pattern, Wide(self.bytes()))),
            false => Matcher::Narrow(Engine::new(vm, pattern, Narrow(self.bytes()))),
        }
    }
}

/// The engine for a kind of text.
pub enum Matcher<'a> {
    Narrow(Engine<'a, Narrow<'a>>),
    Wide(Engine<'a, Wide<'a>>),
}

/// How a pattern is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    Match,
    FullMatch,
    Search,
}

impl Matcher<'_> {
    /// Begin and end of a match, whose groups are in [`Matcher::groups`].
    pub fn run(&mut self, how: How, mut goal: Goal) -> R<Option<(usize, usize)>> {
        goal.whole = how == How::FullMatch;
        match (self, how) {
            (Matcher::Narrow(e), How::Search) => e.search(goal),
            (Matcher::Wide(e), How::Search) => e.search(goal),
            (Matcher::Narrow(e), _) => Ok(e.match_at(goal)?.map(|end| (goal.start, end))),
            (Matcher::Wide(e), _) => Ok(e.match_at(goal)?.map(|end| (goal.start, end))),
        }
    }

    /// Begins and ends of the groups, and the number of the one that was closed last.
    pub fn groups(&self) -> (&[usize], usize) {
        match self {
            Matcher::Narrow(e) => (e.marks(), e.last_group),
            Matcher::Wide(e) => (e.marks(), e.last_group),
        }
    }

    /// Begin and end of a group from 1 on, if it matched.
    pub fn group(&self, i: usize) -> Option<(usize, usize)> {
        let marks = self.groups().0;
        let (begin, end) = (*marks.get(i * 2 - 2)?, *marks.get(i * 2 - 1)?);
        (begin != NONE && end != NONE && begin <= end).then_some((begin, end))
    }
}
