//! The matcher: runs the library's pattern code over text, backtracking by a stack of its own.
//!
//! ```text
//! back   what to do when the path that is tried fails: go on elsewhere, or undo a change on the way there
//! reps   one node for each round of a repetition, linked to the repetition around it; never changed, so that
//!        going back is forgetting the nodes made since
//! subs   the look-arounds, atomic groups and possessive repetitions that are being matched
//! ```
//! Positions are byte offsets, so that one character is one step whatever it is encoded in. Words past the
//! code's end read as `FAILURE`: code that no compiler made does not match, but does no harm.

use super::chars::{ascii_lower, category, charset, charset_locale, is_ascii_word, is_word, lower};
use super::ops::{self, MAXREPEAT, at, info};
use super::pattern::Pattern;
use super::sets::{Sets, has};
use super::text::Text;
use skein_runtime::{R, Vm};
use std::cell::Cell;

/// No position, no node.
pub const NONE: usize = usize::MAX;

#[derive(Clone, Copy)]
enum Then {
    /// Go on at `pc`.
    Go,
    /// Try the next alternative of a branch, whose distance is at `pc`.
    Branch,
    /// One character less for a greedy repetition, down to `low`; `pc` is its tail.
    Greedy,
    /// One character more for a lazy repetition at `pc`, which has had `low` of them.
    Lazy,
    /// One more round of the lazy repetition whose `MIN_UNTIL` is at `pc`.
    More,
    /// Put a mark back: `pc` is its number, `at` its value, `low` the last group.
    Mark,
    /// The innermost of `subs` does not match.
    Sub,
}

/// An entry of the stack of what is left to try.
#[derive(Clone, Copy)]
struct Back {
    then: Then,
    pc: usize,
    at: usize,
    low: usize,
    rep: usize,
    /// Nodes that there were.
    reps: usize,
}

/// A round of a repetition.
#[derive(Clone, Copy)]
struct Rep {
    /// The `REPEAT`.
    pc: usize,
    count: u32,
    /// Where the last round that was not forced began.
    last: usize,
    outer: usize,
}

#[derive(Clone, Copy)]
enum SubKind {
    Assert,
    AssertNot,
    Atomic,
    Possessive,
}

/// A part of the pattern that ends with its own `SUCCESS`.
#[derive(Clone, Copy)]
struct Sub {
    kind: SubKind,
    pc: usize,
    at: usize,
    rep: usize,
    /// Rounds of a possessive repetition that matched.
    count: u32,
    /// Entries of `back` below the part's own.
    back: usize,
}

/// What is to be matched.
#[derive(Clone, Copy)]
pub struct Goal {
    pub start: usize,
    pub end: usize,
    /// To the very end.
    pub whole: bool,
    /// Not nothing at `start`.
    pub advance: bool,
}

/// A pattern that is being matched with a text.
pub struct Engine<'a, T> {
    vm: &'a Vm,
    code: &'a [u32],
    sets: &'a Sets,
    text: T,
    end: usize,
    stacks: Stacks,
    /// The group that was closed last, 0: none.
    pub last_group: usize,
    /// Steps until signals are looked for.
    patience: u32,
}

#[derive(Default)]
struct Stacks {
    /// Begin and end of each group, from the first on.
    marks: Vec<usize>,
    back: Vec<Back>,
    reps: Vec<Rep>,
    subs: Vec<Sub>,
}

/// Those of an engine that is gone, for the next one.
#[derive(Default)]
struct Spare(Cell<Stacks>);

/// Entries of stacks that are worth keeping.
const MAX_SPARE: usize = 1 << 10;

impl<T> Drop for Engine<'_, T> {
    fn drop(&mut self) {
        let s = &self.stacks;
        if [s.marks.capacity(), s.back.capacity(), s.reps.capacity(), s.subs.capacity()]
            .iter()
            .all(|n| *n <= MAX_SPARE)
        {
            self.vm.state::<Spare>().0.set(std::mem::take(&mut self.stacks));
        }
    }
}

/// Steps between two looks: well under a millisecond.
const PATIENCE: u32 = 1 << 14;
/// Entries that are pushed between two looks, at most but for rare cases.
const ROOM: usize = 2 * PATIENCE as usize;
/// Entries that the stacks may have: a gigabyte and a half.
const MAX_BACK: usize = 1 << 25;

type Place = (usize, usize, usize);

impl<'a, T: Text> Engine<'a, T> {
    pub fn new(vm: &'a Vm, pattern: &'a Pattern, text: T) -> Engine<'a, T> {
        let mut stacks = vm.state::<Spare>().0.take();
        // bounded: by the pattern
        stacks.marks.resize(pattern.groups * 2, NONE);
        Engine {
            vm,
            code: &pattern.code,
            sets: &pattern.sets,
            text,
            end: text.bytes().len(),
            stacks,
            last_group: 0,
            patience: PATIENCE,
        }
    }

    /// Begin and end of each group, from the first on.
    pub fn marks(&self) -> &[usize] {
        &self.stacks.marks
    }

    #[inline(always)]
    fn word(&self, pc: usize) -> u32 {
        self.code.get(pc).copied().unwrap_or(ops::FAILURE)
    }

    /// Where the code goes on after the distance that is at `pc`.
    #[inline(always)]
    fn skip(&self, pc: usize) -> usize {
        pc + self.word(pc) as usize
    }

    /// Matches at the start: the end of the match. What signal handlers raise.
    pub fn match_at(&mut self, goal: Goal) -> R<Option<usize>> {
        self.end = goal.end;
        if goal.start > goal.end {
            return Ok(None);
        }
        self.attempt(0, goal)
    }

    /// The first match at the start or later: its begin and end. What signal handlers raise.
    pub fn search(&mut self, mut goal: Goal) -> R<Option<(usize, usize)>> {
        self.end = goal.end;
        if goal.start > goal.end {
            return Ok(None);
        }
        let mut pc = 0;
        // <INFO> <skip> <flags> <least width> <greatest width> <prefix or set>
        if self.word(0) == ops::INFO {
            let flags = self.word(2);
            if goal.end - goal.start < self.word(3) as usize {
                return Ok(None);
            }
            pc = self.skip(1);
            if flags & info::PREFIX != 0 {
                return self.search_prefix(goal, flags & info::LITERAL != 0);
            }
            if flags & info::CHARSET != 0 {
                return self.search_set(goal, pc);
            }
        }
        let once =
            self.word(pc) == ops::AT && matches!(self.word(pc + 1), at::BEGINNING | at::BEGINNING_STRING);
        loop {
            if let Some(end) = self.attempt(pc, goal)? {
                return Ok(Some((goal.start, end)));
            }
            if once || goal.start >= goal.end {
                return Ok(None);
            }
            goal.advance = false;
            goal.start = self.text.next(goal.start).1;
        }
    }

    /// The text before the least width can be skipped to where the prefix stands.
    fn search_prefix(&mut self, mut goal: Goal, literal: bool) -> R<Option<(usize, usize)>> {
        let prefix = self.code.get(7..7 + self.word(5) as usize).unwrap_or_default();
        // bounded: by the pattern
        let mut needle = Vec::with_capacity(prefix.len());
        for &c in prefix {
            match T::NARROW {
                // Not in this text at all.
                true if c > 0xff => return Ok(None),
                true => needle.push(c as u8),
                false => skein_runtime::types::str::push_code_point(&mut needle, c),
            }
        }
        let finder = memchr::memmem::Finder::new(&needle);
        loop {
            let text = self.text;
            let Some(found) = finder.find(&text.bytes()[goal.start..goal.end]) else { return Ok(None) };
            goal.start += found;
            goal.advance = false;
            if literal {
                return Ok(Some((goal.start, goal.start + needle.len())));
            }
            if let Some(end) = self.attempt(0, goal)? {
                return Ok(Some((goal.start, end)));
            }
            goal.start = self.text.next(goal.start).1;
        }
    }

    fn search_set(&mut self, mut goal: Goal, pc: usize) -> R<Option<(usize, usize)>> {
        const SET: usize = 5;
        let map = self.sets.map(self.code, SET);
        let set = self.code.get(SET..).unwrap_or_default();
        goal.advance = false;
        while goal.start < goal.end {
            let (c, next) = self.text.next(goal.start);
            let within = match u8::try_from(c) {
                Ok(c) => has(&map, c),
                Err(_) => charset(set, c),
            };
            if within && let Some(end) = self.attempt(pc, goal)? {
                return Ok(Some((goal.start, end)));
            }
            goal.start = next;
        }
        Ok(None)
    }

    /// So many characters were gone through in one step.
    #[inline(always)]
    fn tire(&mut self, characters: usize) {
        const IN_A_STEP: usize = 8;
        let steps = u32::try_from(characters / IN_A_STEP).unwrap_or(u32::MAX);
        self.patience = self.patience.saturating_sub(steps).max(1);
    }

    fn look_for_signals(&mut self) -> R<()> {
        self.patience = PATIENCE;
        if self.stacks.back.len() > MAX_BACK || self.stacks.reps.len() > MAX_BACK {
            return Err(self.vm.memory_error());
        }
        // What is pushed until it is asked again fits.
        let Stacks { back, reps, subs, .. } = &mut self.stacks;
        self.vm.grow(back, ROOM)?;
        self.vm.grow(reps, ROOM)?;
        self.vm.grow(subs, ROOM)?;
        self.vm.check_signals()
    }

    #[inline(always)]
    fn push(&mut self, then: Then, (pc, at, rep): Place, low: usize) {
        let reps = self.stacks.reps.len();
        self.stacks.back.push(Back { then, pc, at, low, rep, reps });
    }

    fn node(&mut self, rep: Rep) -> usize {
        self.stacks.reps.push(rep);
        self.stacks.reps.len() - 1
    }

    fn attempt(&mut self, pc: usize, goal: Goal) -> R<Option<usize>> {
        self.stacks.back.clear();
        self.stacks.reps.clear();
        self.stacks.subs.clear();
        self.stacks.marks.fill(NONE);
        self.last_group = 0;
        let (mut pc, mut at, mut rep) = (pc, goal.start, NONE);
        loop {
            self.patience -= 1;
            if self.patience == 0 {
                self.look_for_signals()?;
            }
            let next = match self.word(pc) {
                ops::SUCCESS => match self.stacks.subs.pop() {
                    Some(sub) => self.sub_matched(sub, at),
                    None => {
                        let good = (!goal.whole || at == goal.end) && (!goal.advance || at != goal.start);
                        if good {
                            return Ok(Some(at));
                        }
                        None
                    }
                },
                ops::MARK => self.mark(pc, at, rep),
                ops::AT => self.is_at(self.word(pc + 1), at).then_some((pc + 2, at, rep)),
                ops::JUMP | ops::INFO => Some((self.skip(pc + 1), at, rep)),
                ops::BRANCH => self.branch(pc + 1, at, rep),
                ops::REPEAT => {
                    let node = self.node(Rep { pc, count: 0, last: NONE, outer: rep });
                    Some((self.skip(pc + 1), at, node))
                }
                ops::MAX_UNTIL => self.max_until(pc, at, rep),
                ops::MIN_UNTIL => self.min_until(pc, at, rep),
                ops::REPEAT_ONE => self.repeat_one(pc, at, rep),
                ops::MIN_REPEAT_ONE => self.min_repeat_one(pc, at, rep),
                ops::POSSESSIVE_REPEAT_ONE => {
                    let (end, n) = self.count(pc + 4, at, self.word(pc + 3));
                    (n >= self.word(pc + 2) as usize).then_some((self.skip(pc + 1), end, rep))
                }
                ops::ASSERT => self.look(SubKind::Assert, pc, at, rep),
                ops::ASSERT_NOT => self.look(SubKind::AssertNot, pc, at, rep),
                ops::ATOMIC_GROUP => {
                    self.enter(SubKind::Atomic, pc, at, rep);
                    Some((pc + 2, at, rep))
                }
                ops::POSSESSIVE_REPEAT => {
                    self.enter(SubKind::Possessive, pc, at, rep);
                    self.possessive_round(at, NONE)
                }
                op @ (ops::GROUPREF
                | ops::GROUPREF_IGNORE
                | ops::GROUPREF_LOC_IGNORE
                | ops::GROUPREF_UNI_IGNORE) => self.same_as_group(op, pc, at).map(|at| (pc + 2, at, rep)),
                // <GROUPREF_EXISTS> <group> <skip> yes <JUMP> no
                ops::GROUPREF_EXISTS => match self.group(self.word(pc + 1)) {
                    Some(_) => Some((pc + 3, at, rep)),
                    None => Some((self.skip(pc + 2) - 1, at, rep)),
                },
                ops::FAILURE => None,
                _ => self.one(pc, at).map(|next| (self.after_one(pc), next, rep)),
            };
            let next = match next {
                Some(n) => Some(n),
                None => self.backtrack()?,
            };
            match next {
                Some(n) => (pc, at, rep) = n,
                None => return Ok(None),
            }
        }
    }

    /// Tries what is left, the last first.
    fn backtrack(&mut self) -> R<Option<Place>> {
        while let Some(b) = self.stacks.back.pop() {
            self.patience -= 1;
            if self.patience == 0 {
                self.look_for_signals()?;
            }
            self.stacks.reps.truncate(b.reps);
            let next = match b.then {
                Then::Go => Some((b.pc, b.at, b.rep)),
                Then::Branch => self.branch(b.pc, b.at, b.rep),
                Then::Greedy => {
                    let at = self.text.back(b.at);
                    self.greedy((b.pc, at, b.rep), b.low)
                }
                Then::Lazy => {
                    let max = self.word(b.pc + 3);
                    if max != MAXREPEAT && b.low >= max as usize {
                        continue;
                    }
                    let Some(at) = self.one(b.pc + 4, b.at) else { continue };
                    self.push(Then::Lazy, (b.pc, at, b.rep), b.low + 1);
                    Some((self.skip(b.pc + 1), at, b.rep))
                }
                Then::More => self.more(b.at, b.rep),
                Then::Mark => {
                    if let Some(mark) = self.stacks.marks.get_mut(b.pc) {
                        *mark = b.at;
                    }
                    self.last_group = b.low;
                    None
                }
                Then::Sub => self.sub_failed(),
            };
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
    }

    fn mark(&mut self, pc: usize, at: usize, rep: usize) -> Option<Place> {
        let i = self.word(pc + 1) as usize;
        let old = *self.stacks.marks.get(i)?;
        self.push(Then::Mark, (i, old, NONE), self.last_group);
        self.stacks.marks[i] = at;
        if i & 1 == 1 {
            self.last_group = i / 2 + 1;
        }
        Some((pc + 2, at, rep))
    }

    /// Begin and end of a group, from 0 on, that has matched.
    fn group(&self, i: u32) -> Option<(usize, usize)> {
        let i = i as usize * 2;
        let (begin, end) = (*self.stacks.marks.get(i)?, *self.stacks.marks.get(i + 1)?);
        (begin != NONE && end != NONE && begin <= end).then_some((begin, end))
    }

    /// `at` is the distance to the alternative after the one that follows it; 0: there are no more.
    fn branch(&mut self, mut pc: usize, at: usize, rep: usize) -> Option<Place> {
        loop {
            if self.word(pc) == 0 {
                return None;
            }
            let (this, next) = (pc + 1, self.skip(pc));
            // Most alternatives are out by their first character.
            let out = match self.word(this) {
                ops::LITERAL | ops::IN => self.one(this, at).is_none(),
                _ => false,
            };
            if !out {
                if self.word(next) != 0 {
                    self.push(Then::Branch, (next, at, rep), 0);
                }
                return Some((this, at, rep));
            }
            pc = next;
        }
    }

    // ---- repetitions of more than a character

    fn rep(&self, rep: usize) -> Option<Rep> {
        self.stacks.reps.get(rep).copied()
    }

    fn round(&mut self, r: Rep, at: usize, last: usize) -> Option<Place> {
        let node = self.node(Rep { count: r.count.saturating_add(1), last, ..r });
        Some((r.pc + 4, at, node))
    }

    fn max_until(&mut self, pc: usize, at: usize, rep: usize) -> Option<Place> {
        let r = self.rep(rep)?;
        let (min, max) = (self.word(r.pc + 2), self.word(r.pc + 3));
        if r.count < min {
            return self.round(r, at, r.last);
        }
        if (r.count < max || max == MAXREPEAT) && at != r.last {
            self.push(Then::Go, (pc + 1, at, r.outer), 0);
            return self.round(r, at, at);
        }
        Some((pc + 1, at, r.outer))
    }

    fn min_until(&mut self, pc: usize, at: usize, rep: usize) -> Option<Place> {
        let r = self.rep(rep)?;
        if r.count < self.word(r.pc + 2) {
            return self.round(r, at, r.last);
        }
        self.push(Then::More, (pc, at, rep), 0);
        Some((pc + 1, at, r.outer))
    }

    fn more(&mut self, at: usize, rep: usize) -> Option<Place> {
        let r = self.rep(rep)?;
        let max = self.word(r.pc + 3);
        if (r.count >= max && max != MAXREPEAT) || at == r.last {
            return None;
        }
        self.round(r, at, at)
    }

    // ---- parts with their own end

    fn enter(&mut self, kind: SubKind, pc: usize, at: usize, rep: usize) {
        self.stacks.subs.push(Sub { kind, pc, at, rep, count: 0, back: self.stacks.back.len() });
        self.push(Then::Sub, (pc, at, rep), 0);
    }

    /// <ASSERT> <skip> <characters back> pattern
    fn look(&mut self, kind: SubKind, pc: usize, at: usize, rep: usize) -> Option<Place> {
        let mut from = at;
        for _ in 0..self.word(pc + 2) {
            if from == 0 {
                // Nothing to look back at: only the negative form holds.
                let holds = matches!(kind, SubKind::AssertNot);
                return holds.then_some((self.skip(pc + 1), at, rep));
            }
            from = self.text.back(from);
        }
        self.enter(kind, pc, at, rep);
        Some((pc + 3, from, rep))
    }

    /// Forgets what was left to try since, but not how to undo the marks.
    fn cut(&mut self, len: usize) {
        let mut kept = len;
        for i in len..self.stacks.back.len() {
            if matches!(self.stacks.back[i].then, Then::Mark) {
                self.stacks.back[kept] = self.stacks.back[i];
                kept += 1;
            }
        }
        self.stacks.back.truncate(kept);
    }

    fn sub_matched(&mut self, sub: Sub, at: usize) -> Option<Place> {
        let tail = self.skip(sub.pc + 1);
        match sub.kind {
            SubKind::Assert => {
                self.cut(sub.back);
                Some((tail, sub.at, sub.rep))
            }
            SubKind::AssertNot => {
                self.cut(sub.back);
                None
            }
            SubKind::Atomic => {
                self.cut(sub.back);
                Some((tail, at, sub.rep))
            }
            SubKind::Possessive => {
                self.cut(sub.back);
                // The marks of the rounds that matched stay below the next round's entries.
                let back = self.stacks.back.len();
                self.stacks.subs.push(Sub { at, count: sub.count.saturating_add(1), back, ..sub });
                self.push(Then::Sub, (sub.pc, at, sub.rep), 0);
                self.possessive_round(at, sub.at)
            }
        }
    }

    /// The next round of the possessive repetition that is the innermost part, or its tail.
    fn possessive_round(&mut self, at: usize, last: usize) -> Option<Place> {
        let sub = *self.stacks.subs.last()?;
        let (min, max) = (self.word(sub.pc + 2), self.word(sub.pc + 3));
        if sub.count < min || ((sub.count < max || max == MAXREPEAT) && at != last) {
            return Some((sub.pc + 4, at, sub.rep));
        }
        self.stacks.subs.pop();
        self.stacks.back.truncate(sub.back);
        Some((self.skip(sub.pc + 1) + 1, at, sub.rep))
    }

    fn sub_failed(&mut self) -> Option<Place> {
        let sub = self.stacks.subs.pop()?;
        match sub.kind {
            SubKind::Assert | SubKind::Atomic => None,
            SubKind::AssertNot => Some((self.skip(sub.pc + 1), sub.at, sub.rep)),
            SubKind::Possessive if sub.count >= self.word(sub.pc + 2) => {
                Some((self.skip(sub.pc + 1) + 1, sub.at, sub.rep))
            }
            SubKind::Possessive => None,
        }
    }

    // ---- repetitions of one character

    /// <REPEAT_ONE> <skip> <least> <most> item <SUCCESS> tail
    fn repeat_one(&mut self, pc: usize, at: usize, rep: usize) -> Option<Place> {
        let min = self.word(pc + 2) as usize;
        let (end, n) = self.count(pc + 4, at, self.word(pc + 3));
        self.tire(n);
        if n < min {
            return None;
        }
        let mut low = at;
        for _ in 0..min {
            low = if T::NARROW { low + 1 } else { self.text.next(low).1 };
        }
        self.greedy((self.skip(pc + 1), end, rep), low)
    }

    /// Goes on at the tail, with fewer characters later. If the tail begins with a character, only where it
    /// stands.
    fn greedy(&mut self, (pc, mut at, rep): Place, low: usize) -> Option<Place> {
        if self.word(pc) == ops::LITERAL {
            let (c, from) = (self.word(pc + 1), at);
            while at >= self.end || self.text.next(at).0 != c {
                if at <= low {
                    self.tire(from - at);
                    return None;
                }
                at = self.text.back(at);
            }
            self.tire(from - at);
        }
        if at > low {
            self.push(Then::Greedy, (pc, at, rep), low);
        }
        Some((pc, at, rep))
    }

    fn min_repeat_one(&mut self, pc: usize, at: usize, rep: usize) -> Option<Place> {
        let min = self.word(pc + 2);
        let (end, n) = self.count(pc + 4, at, min);
        if n < min as usize {
            return None;
        }
        self.push(Then::Lazy, (pc, end, rep), n);
        Some((self.skip(pc + 1), end, rep))
    }

    /// How far the instruction at `pc` matches characters from `at` on, and how many.
    fn count(&self, pc: usize, at: usize, max: u32) -> (usize, usize) {
        let left = self.end.saturating_sub(at);
        let max = if max == MAXREPEAT { left } else { left.min(max as usize) };
        if T::NARROW {
            let row = &self.text.bytes()[at..at + max];
            let c = self.word(pc + 1) as u8;
            let n = match self.word(pc) {
                ops::ANY => memchr::memchr(b'\n', row).unwrap_or(max),
                ops::ANY_ALL => max,
                ops::NOT_LITERAL if self.word(pc + 1) < 256 => memchr::memchr(c, row).unwrap_or(max),
                ops::IN => {
                    let map = self.sets.map(self.code, pc + 2);
                    row.iter().position(|&b| !has(&map, b)).unwrap_or(max)
                }
                _ => (at..at + max).find(|&i| self.one(pc, i).is_none()).unwrap_or(at + max) - at,
            };
            return (at + n, n);
        }
        let (mut end, mut n) = (at, 0);
        while n < max
            && let Some(next) = self.one(pc, end)
        {
            end = next;
            n += 1;
        }
        (end, n)
    }

    // ---- single characters

    /// Where the code goes on after an instruction for one character.
    #[inline(always)]
    fn after_one(&self, pc: usize) -> usize {
        match self.word(pc) {
            ops::ANY | ops::ANY_ALL => pc + 1,
            ops::IN | ops::IN_IGNORE | ops::IN_UNI_IGNORE | ops::IN_LOC_IGNORE => self.skip(pc + 1),
            _ => pc + 2,
        }
    }

    /// Matches the character at `at` with the instruction at `pc`: where the next character begins.
    #[inline(always)]
    fn one(&self, pc: usize, at: usize) -> Option<usize> {
        if at >= self.end {
            return None;
        }
        let (c, next) = self.text.next(at);
        let wanted = self.word(pc + 1);
        let set = || self.code.get(pc + 2..).unwrap_or_default();
        let matches = match self.word(pc) {
            ops::LITERAL => c == wanted,
            ops::NOT_LITERAL => c != wanted,
            ops::ANY => c != 10,
            ops::ANY_ALL => true,
            ops::IN => match u8::try_from(c) {
                Ok(c) => has(&self.sets.map(self.code, pc + 2), c),
                Err(_) => charset(set(), c),
            },
            ops::CATEGORY => category(wanted, c),
            ops::LITERAL_IGNORE => ascii_lower(c) == wanted,
            ops::NOT_LITERAL_IGNORE => ascii_lower(c) != wanted,
            ops::IN_IGNORE => charset(set(), ascii_lower(c)),
            ops::LITERAL_UNI_IGNORE => lower(c) == wanted,
            ops::NOT_LITERAL_UNI_IGNORE => lower(c) != wanted,
            ops::IN_UNI_IGNORE => charset(set(), lower(c)),
            ops::LITERAL_LOC_IGNORE => ascii_lower(c) == ascii_lower(wanted),
            ops::NOT_LITERAL_LOC_IGNORE => ascii_lower(c) != ascii_lower(wanted),
            ops::IN_LOC_IGNORE => charset_locale(set(), c),
            _ => false,
        };
        matches.then_some(next)
    }

    /// Matches the text of a group again: the end.
    fn same_as_group(&self, op: u32, pc: usize, at: usize) -> Option<usize> {
        let (mut from, to) = self.group(self.word(pc + 1))?;
        let fold = match op {
            ops::GROUPREF => |c| c,
            ops::GROUPREF_UNI_IGNORE => lower,
            _ => ascii_lower,
        };
        let mut at = at;
        while from < to {
            if at >= self.end {
                return None;
            }
            let ((a, next_a), (b, next_b)) = (self.text.next(from), self.text.next(at));
            if fold(a) != fold(b) {
                return None;
            }
            (from, at) = (next_a, next_b);
        }
        Some(at)
    }

    fn is_at(&self, place: u32, at: usize) -> bool {
        let first = at == 0;
        let last = at >= self.end;
        let is = |c: Option<u32>, what: fn(u32) -> bool| c.is_some_and(what);
        let before = || (!first).then(|| self.text.previous(at));
        let here = || (!last).then(|| self.text.next(at).0);
        let boundary = |word: fn(u32) -> bool| is(before(), word) != is(here(), word);
        match place {
            at::BEGINNING | at::BEGINNING_STRING => first,
            at::BEGINNING_LINE => before().is_none_or(|c| c == 10),
            at::END => last || (at + 1 == self.end && here() == Some(10)),
            at::END_LINE => here().is_none_or(|c| c == 10),
            at::END_STRING => last,
            at::BOUNDARY | at::LOC_BOUNDARY => boundary(is_ascii_word),
            at::NON_BOUNDARY | at::LOC_NON_BOUNDARY => !boundary(is_ascii_word),
            at::UNI_BOUNDARY => boundary(is_word),
            at::UNI_NON_BOUNDARY => !boundary(is_word),
            _ => false,
        }
    }
}
