//! Chains of generators that delegate to each other (`yield from`, `await`): who resumes the first, the *root*, goes on
//! in the last one at once.
//!
//! ```text
//! consumer --resumes--> root --YieldFrom--> generator --YieldFrom--> ... --YieldFrom--> innermost
//! ```
//!
//! Only the innermost is put onto the stack; those between stay suspended in their `YieldFrom`. What it yields goes to
//! the consumer. When it ends, the one that waits for it takes its place, with its result or its exception.
//!
//! The root and the innermost name each other (`link`, with [`LEADS`] and [`ENDS`]), and each but the root names the
//! one that waits for it (`outer`). Generators can be resumed by themselves, and two can delegate to the same one: what
//! is named holds as long as root and innermost agree. Who walks along a chain makes its names right on the way, and
//! takes their ends from all others that it meets there.

use crate::interp::At;
use crate::interp::cont::Cont;
use crate::interp::generators::{push, suspended_at};
use crate::object::Ref;
use crate::types::generator::{ASYNC, ENDS, GenState, Generator, LEADS, WAITING};
use crate::value::{R, Value};
use crate::vm::Vm;

/// Is the innermost generator of a chain farther from the root than calls may be? Those between take no stack, so that
/// nothing else would end one that delegates to itself for ever.
#[inline(always)]
pub fn is_too_deep(vm: &Vm, root: Ref<Generator>, innermost: Ref<Generator>) -> bool {
    innermost != root && innermost.depth.get() > vm.recursion_limit.get()
}

/// The generator to put onto the stack in order to resume this one, which is suspended in a `YieldFrom`: itself where
/// it delegates to something else than a suspended generator. None: the chain runs already.
#[inline(always)]
pub fn innermost(vm: &Vm, root: Ref<Generator>) -> Option<Ref<Generator>> {
    if vm.events.has_listeners() {
        // Each is resumed by itself, so that all of it is told.
        cut(vm, root);
        return Some(root);
    }
    match known_innermost(root) {
        Some(known) if !known.is_delegating() => Some(known),
        known => walk(vm, root, known),
    }
}

/// The innermost as root and innermost agree, if it is suspended.
#[inline(always)]
fn known_innermost(root: Ref<Generator>) -> Option<Ref<Generator>> {
    if !root.flag(LEADS) {
        return None;
    }
    let known = root.link.cast::<Generator>()?;
    (known.flag(ENDS) && known.link.get() == Some(root.value()) && known.state() == GenState::Suspended)
        .then_some(known)
}

/// The suspended generator that this suspended one delegates to, so that it need not be on the stack itself.
fn delegate(vm: &Vm, g: Ref<Generator>) -> Option<Ref<Generator>> {
    // What it handles is what its delegate sees as handled.
    if g.handled.get().is_some() {
        return None;
    }
    vm.yield_from_target(g)?.cast::<Generator>().filter(|d| !d.flag(ASYNC))
}

#[inline(never)]
fn walk(vm: &Vm, root: Ref<Generator>, known: Option<Ref<Generator>>) -> Option<Ref<Generator>> {
    let start = known.unwrap_or(root);
    // If it runs, none of its names may change.
    let running = running_from(vm, start);
    if running == Some(root) {
        return None;
    }
    let mut last = start;
    let mut depth = known.map_or(0, |known| known.depth.get());
    while let Some(next) = delegate(vm, last)
        && next.state() == GenState::Suspended
        && running != Some(next)
    {
        last.set_flag(ENDS, false);
        // Not traced while it does not run, and then written anew.
        next.outer.set(vm, next, last.value());
        depth += 1;
        next.depth.set(depth);
        last = next;
    }
    if last != root {
        link(vm, root, last);
    }
    Some(last)
}

/// They are the ends of a chain.
pub(super) fn link(vm: &Vm, root: Ref<Generator>, last: Ref<Generator>) {
    root.link.set(vm, root, last.value());
    root.set_flag(LEADS, true);
    root.set_flag(ENDS, false);
    last.link.set(vm, last, root.value());
    last.set_flag(ENDS, true);
    last.set_flag(LEADS, false);
}

/// The first generator of the chain beginning with `g` that runs: itself, or by way of the one that runs for it.
pub fn running_from(vm: &Vm, g: Ref<Generator>) -> Option<Ref<Generator>> {
    let next_of = |g| vm.yield_from_target(g)?.cast::<Generator>();
    let mut last = g;
    while let Some(next) = next_of(last) {
        last = next;
    }
    if last.state() != GenState::Running {
        return None;
    }
    Waiting::of(last).for_each(|w| w.set_flag(WAITING, true));
    let mut first = g;
    while first != last && !first.flag(WAITING) {
        first = next_of(first).unwrap_or(last);
    }
    Waiting::of(last).for_each(|w| w.set_flag(WAITING, false));
    Some(first)
}

/// Is it on a stack, or waits for one that runs for it?
pub fn is_running(vm: &Vm, g: Ref<Generator>) -> bool {
    running_from(vm, g) == Some(g)
}

/// The generators that a running one runs for, from the nearest to the root.
pub struct Waiting {
    next: Option<Ref<Generator>>,
    root: Option<Ref<Generator>>,
}

impl Waiting {
    pub fn of(running: Ref<Generator>) -> Waiting {
        if !running.runs_for_root() {
            return Waiting { next: None, root: None };
        }
        Waiting { next: running.outer.cast(), root: running.link.cast() }
    }
}

impl Iterator for Waiting {
    type Item = Ref<Generator>;

    fn next(&mut self) -> Option<Ref<Generator>> {
        let this = self.next?;
        self.next = if Some(this) == self.root { None } else { this.outer.cast() };
        Some(this)
    }
}

/// A generator that ran for a root has returned `v`: the one that waits for it goes on. Its resumer goes on at `to`.
pub(super) fn returned(vm: &Vm, to: At, cont: Cont, ended: Ref<Generator>, v: Value) -> R<At> {
    let (outer, root) = waiting(vm, ended)?;
    vm.leave_yield_from(outer, v);
    take_place(vm, to, cont, outer, root)
}

/// What compiled code resumes for a suspended root in the same way: the innermost of its chain. None: it is not the
/// plain case.
pub fn innermost_at_hand(vm: &Vm, root: Ref<Generator>) -> Option<Ref<Generator>> {
    if vm.events.has_listeners() || root.state() != GenState::Suspended {
        return None;
    }
    innermost(vm, root).filter(|&last| last.state() == GenState::Suspended && !is_too_deep(vm, root, last))
}

/// What [`returned`] does but for the frame, for compiled code: who goes on, suspended behind its delegation.
pub fn hand_over(vm: &Vm, ended: Ref<Generator>, v: Value) -> R<Ref<Generator>> {
    let (outer, root) = waiting(vm, ended)?;
    vm.leave_yield_from(outer, v);
    end_at(vm, outer, root);
    Ok(outer)
}

/// As [`returned`], with the pending exception: the place where it is raised now.
pub(super) fn raised(vm: &Vm, to: At, cont: Cont, ended: Ref<Generator>) -> R<At> {
    let (outer, root) = waiting(vm, ended)?;
    let at = take_place(vm, to, cont, outer, root)?;
    Ok(At { pc: suspended_at(outer, at.pc), base: at.base })
}

/// Who waits for a generator, and the root.
fn waiting(vm: &Vm, ended: Ref<Generator>) -> R<(Ref<Generator>, Ref<Generator>)> {
    let Waiting { next: Some(outer), root: Some(root) } = Waiting::of(ended) else {
        return Err(vm.system_error("a delegation without its generators"));
    };
    if outer.state() != GenState::Suspended || !outer.is_delegating() {
        return Err(vm.system_error("a generator does not wait for what it delegates to"));
    }
    ended.finish();
    Ok((outer, root))
}

/// Puts the frame of who waited onto the stack, as the innermost. MemoryError, RecursionError: they have all ended.
fn take_place(vm: &Vm, to: At, cont: Cont, outer: Ref<Generator>, root: Ref<Generator>) -> R<At> {
    end_at(vm, outer, root);
    push(vm, to, outer, cont, outer != root).inspect_err(|_| {
        let all = Waiting { next: Some(outer), root: Some(root) };
        all.for_each(Ref::<Generator>::finish);
    })
}

/// The chain from the root ends with this one from now on.
fn end_at(vm: &Vm, last: Ref<Generator>, root: Ref<Generator>) {
    if last == root {
        root.link.init(None::<Value>);
        root.set_flag(LEADS, false);
    } else {
        link(vm, root, last);
    }
}

/// A generator goes on by itself, and not by way of what it delegates to: no chain through it holds any more.
pub(super) fn cut(vm: &Vm, g: Ref<Generator>) {
    let mut last = g;
    loop {
        last.set_flag(ENDS, false);
        match vm.yield_from_target(last).and_then(|v| v.cast::<Generator>()) {
            Some(next) => last = next,
            None => return,
        }
    }
}
