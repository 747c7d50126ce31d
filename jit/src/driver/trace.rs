//! Traces as the driver keeps them.

use super::compiling::Way;
use super::{MAX_ABORTS, MAX_WAITS, buffer_size};
use crate::deopt::Plan;
use crate::ir::{ExitId, Tree};
use crate::machine::Compiled;
use crate::recorder::Frame;
use skein_runtime::object::Ref;
use skein_runtime::types::typeobj::Type;
use skein_runtime::value::Value;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

/// How an exit has fared.
#[derive(Clone, Copy)]
pub(super) struct Fate {
    /// Times taken since something was last tried.
    pub hits: u32,
    /// Hits at which a bridge is tried.
    pub limit: u32,
    pub aborts: u32,
    pub taken: u64,
    /// What comes behind it only leads out of the loop's frame.
    pub leads_out: bool,
}

impl Fate {
    /// The next try comes a little later.
    pub fn later(&mut self) {
        const LATER: u32 = 100;
        self.limit = self.hits.saturating_add(LATER);
    }
}

/// The limit of an exit that gets no bridge.
pub(super) const NEVER: u32 = u32::MAX;

/// A tree, or a bridge that is one of its own, as it was compiled.
pub(super) struct Part {
    pub compiled: Compiled,
    pub tree: Tree,
    /// The number of its first exit.
    pub first: u32,
    /// By exit.
    plans: Box<[OnceCell<Plan>]>,
}

impl Part {
    pub fn new(compiled: Compiled, tree: Tree, first: u32) -> Part {
        let plans = tree.exits.iter().map(|_| OnceCell::new()).collect();
        Part { compiled, tree, first, plans }
    }

    /// What the exit of this number has to do, if it is one of this part.
    #[inline]
    fn plan(&self, exit: ExitId) -> Option<&Plan> {
        let own = exit.0.wrapping_sub(self.first);
        let plan = self.plans.get(own as usize)?;
        Some(plan.get_or_init(|| Plan::new(&self.tree, &self.compiled.places, ExitId(own))))
    }
}

/// What was compiled of a trace. Who runs it keeps it.
pub(super) struct Code {
    pub main: Part,
    pub way: Way,
    /// Words of the buffer that it is given.
    pub words: usize,
    /// Bridges that were added, the last one behind.
    pub bridges: RefCell<Vec<Rc<Part>>>,
}

impl Code {
    pub fn new(compiled: Compiled, tree: Tree, way: Way) -> Code {
        let words = buffer_size(compiled.places.words(), compiled.takes_bridges());
        Code { main: Part::new(compiled, tree, 0), way, words, bridges: RefCell::default() }
    }

    /// Does with the exit what is to be done.
    #[inline]
    pub fn with_plan<T>(&self, exit: ExitId, act: impl FnOnce(&Plan) -> T) -> T {
        match self.main.plan(exit) {
            Some(plan) => act(plan),
            None => self.with_plan_of_bridge(exit, act),
        }
    }

    fn with_plan_of_bridge<T>(&self, exit: ExitId, act: impl FnOnce(&Plan) -> T) -> T {
        let Some(part) = self.bridge_of(exit) else { unreachable!("code leaves by its exits only") };
        let Some(plan) = part.plan(exit) else { unreachable!("the part is that of the exit") };
        act(plan)
    }

    /// The bridge that the exit is of. The numbers grow from one to the next.
    fn bridge_of(&self, exit: ExitId) -> Option<Rc<Part>> {
        let bridges = self.bridges.borrow();
        let behind = bridges.partition_point(|part| part.first <= exit.0);
        bridges.get(behind.checked_sub(1)?).cloned()
    }

    /// Calls `act` with the part that the exit is of, and the exit as that knows it.
    pub fn with_part<T>(&self, exit: ExitId, act: impl FnOnce(&Part, ExitId) -> T) -> Option<T> {
        if (exit.0 as usize) < self.main.tree.exits.len() {
            return Some(act(&self.main, exit));
        }
        let part = self.bridge_of(exit)?;
        let own = ExitId(exit.0 - part.first);
        ((own.0 as usize) < part.tree.exits.len()).then(|| act(&part, own))
    }

    /// Does the exit lead to a bridge with code of its own?
    pub fn leads_on(&self, exit: ExitId) -> bool {
        self.with_part(exit, |part, _| part.compiled.leads_on(exit.0)) == Some(true)
    }

    /// The exit leads to the interpreter again.
    pub fn lead_out(&self, exit: ExitId) {
        self.with_part(exit, |part, _| part.compiled.lead_out(exit.0));
    }

    pub fn bytes(&self) -> usize {
        let bridges = self.bridges.borrow();
        self.main.compiled.bytes + bridges.iter().map(|part| part.compiled.bytes).sum::<usize>()
    }
}

/// The loop's state that changes when a bridge is added.
pub(super) struct Body {
    /// As it was recorded and closed: what bridges are recorded on.
    pub closed: Tree,
    pub frame_sets: Vec<Rc<[Frame]>>,
    pub bridges: usize,
    pub roots: Vec<Value>,
    pub types: Vec<Ref<Type>>,
    /// Back edges that enter the trace.
    pub entries: Vec<*const u32>,
}

/// One loop's trace, or one function's.
pub(super) struct Trace {
    pub number: usize,
    /// It begins at a function's first instruction and leads to its return.
    pub is_function: bool,
    /// For messages, if there are any.
    pub name: String,
    /// The loop's first instruction, or the `EnterTraced` before a function's.
    pub head: usize,
    /// The code object.
    pub object: Value,
    /// None until it is compiled: nothing enters it before.
    pub code: RefCell<Option<Rc<Code>>>,
    /// It is being compiled.
    pub pending: Cell<bool>,
    /// Bytes of registers that the trace may use from the root frame's base on.
    pub extent: Cell<usize>,
    pub fates: RefCell<Vec<Fate>>,
    /// Times that exits were taken whose bridges are not compiled yet.
    pub waiting: Cell<u32>,
    /// Runs of it that have not been left yet.
    pub active: Cell<u32>,
    pub entered: Cell<u64>,
    /// Quanta of instructions that ended in it since its code was made.
    pub looks: Cell<u32>,
    /// The back edge by which the loop was found; null for a function.
    pub from: *const u32,
    /// First and last instruction of the loop.
    pub range: (usize, usize),
    pub valid: Rc<Cell<u32>>,
    pub body: RefCell<Body>,
}

impl Trace {
    pub fn is_compiled(&self) -> bool {
        self.code.borrow().is_some()
    }

    /// Is its code made quickly, and so not as good as it could be?
    pub fn is_quick(&self) -> bool {
        self.code.borrow().as_ref().is_some_and(|code| code.way == Way::Quick)
    }

    /// The trace has been left by this exit. May that get a bridge?
    #[inline]
    pub fn take_exit(&self, exit: ExitId) -> bool {
        let fate = &mut self.fates.borrow_mut()[exit.0 as usize];
        fate.hits = fate.hits.saturating_add(1);
        fate.taken += 1;
        fate.hits >= fate.limit && fate.limit != NEVER
    }

    /// Bytes of the code that is entered.
    pub fn bytes(&self) -> usize {
        self.code.borrow().as_ref().map_or(0, |code| code.bytes())
    }
}

#[derive(Clone, Copy, Default)]
pub(super) struct LoopFate {
    pub looks: u32,
    pub aborts: u32,
    /// Recordings that met an inner loop without a trace.
    pub waits: u32,
    /// Recordings whose second round would be another.
    pub restarts: u32,
    /// Times that its trace was given up because it went into functions that have rich traces of their own: after the
    /// first it calls these.
    pub anew: u32,
    /// Times that its trace was given up because shapes that it told apart are of one family.
    pub mixed: u32,
    pub trace: Option<usize>,
    /// A recording met the loop of this trace, which was being compiled.
    pub behind: Option<usize>,
}

impl LoopFate {
    /// Is it not recorded any more?
    pub fn is_given_up(&self) -> bool {
        self.aborts >= MAX_ABORTS || self.waits >= MAX_WAITS
    }
}
