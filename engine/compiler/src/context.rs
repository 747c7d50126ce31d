//! The compiler's state: the unit at work, its enclosing ones, and where each variable lives.

use crate::errors::{ErrorKind, Fault, Res, SyntaxWarning};
use crate::scopes::{Part, Resolution, ScopeId, ScopeKind, ScopeTree, Sym};
use crate::source::Source;
use crate::unit::{Label, NOWHERE, Reg, TEMP, Unit};
use crate::{Options, finish};
use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::{Ranged, TextRange};
use rustc_hash::FxHashMap;
use skein_bytecode::{Code, LocalKind, Op, flags};

/// A construct that `break`, `continue` and `return` leave or unwind.
#[derive(Clone)]
pub enum Block<'a> {
    Loop {
        break_to: Label,
        continue_to: Label,
    },
    /// A `try` body with handlers: only its protection ends.
    Protected {
        outer_handler: u32,
    },
    /// A `try` body with `finally`: its statements run on the way out.
    Finally {
        body: &'a [Stmt],
        outer_handler: u32,
    },
    /// An exception is being handled; `PopExc save` on the way out.
    Handling {
        save: Reg,
        outer_handler: u32,
    },
    /// `except … as name`: the name is unbound on the way out.
    ExceptName {
        name: Sym,
        outer_handler: u32,
    },
    /// The body of `with`; `exit` is called on the way out.
    With {
        exit: Reg,
        is_async: bool,
        outer_handler: u32,
        range: TextRange,
    },
    /// A `finally` body that runs with an exception or on the way out: for the warning of PEP 765.
    InFinally,
    /// An `except*` clause, which no jump may leave.
    ExceptStar,
}

/// What belongs to the unit at work beyond its instructions.
pub struct Frame<'a> {
    /// The scope that names are looked up in: the unit's or an inlined comprehension's.
    pub scope: ScopeId,
    /// Registers of locals and cells by the scope that binds them.
    pub vars: FxHashMap<(ScopeId, Sym), Reg>,
    /// Registers of the closure's cells.
    pub frees: FxHashMap<Sym, Reg>,
    /// Hidden locals that no comprehension uses now.
    pub hidden: Vec<Reg>,
    pub blocks: Vec<Block<'a>>,
    /// Whether a later operand may rebind a local that an earlier one has named.
    pub walrus: bool,
    /// Name of the first positional parameter, for `super()`.
    pub first_param: Option<Sym>,
    /// Register of the set `__conditional_annotations__` of a class.
    pub conditional_annotations: Option<Reg>,
}

pub struct Compiler<'a> {
    pub source: &'a Source,
    pub filename: &'a str,
    pub options: &'a Options,
    pub future_annotations: bool,
    pub interactive: bool,
    pub tree: ScopeTree<'a>,
    pub u: Unit,
    pub f: Frame<'a>,
    pub outer: Vec<(Unit, Frame<'a>)>,
    pub warnings: Vec<SyntaxWarning>,
    pub depth: u32,
}

/// Where a name's value is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Fast(Reg),
    Deref(Reg),
    Global,
    /// The namespace of a module or class first.
    Name,
    /// A class's namespace first, then the cell.
    ClassDeref(Reg),
    /// From an annotation scope: the class's namespace first, then global.
    ClassGlobal,
    /// From an annotation scope: the class's namespace first, then the cell.
    ClassDictDeref(Reg),
}

pub fn too_many_registers() -> Box<Fault> {
    Fault::bare(ErrorKind::Memory, "code needs too many registers")
}

impl<'a> Frame<'a> {
    pub fn new(scope: ScopeId) -> Frame<'a> {
        Frame {
            scope,
            vars: FxHashMap::default(),
            frees: FxHashMap::default(),
            hidden: Vec::new(),
            blocks: Vec::new(),
            walrus: false,
            first_param: None,
            conditional_annotations: None,
        }
    }
}

impl<'a> Compiler<'a> {
    pub fn error<T>(&self, message: impl Into<String>, range: TextRange) -> Res<T> {
        Err(Fault::syntax(message, range))
    }

    pub fn warn(&mut self, message: impl Into<String>, range: TextRange) {
        let warning = SyntaxWarning::new(message, range, self.source);
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// The scope that an AST node opens.
    pub fn scope_of(&self, node: usize, part: Part) -> Option<ScopeId> {
        self.tree.by_node.get(&(node, part)).copied()
    }

    pub fn unit_kind(&self) -> ScopeKind {
        self.tree.scopes[self.u.scope].kind
    }

    /// A name as it is spelt at run time: private names are mangled.
    pub fn mangle(&self, name: &str) -> Sym {
        match self.tree.scopes[self.f.scope].mangle(name) {
            Some(m) => m.into(),
            None => name.into(),
        }
    }

    // ---- units

    /// Begins a code object; its scope's variables get their registers. Parameters must be declared next.
    pub fn push_unit(&mut self, scope: ScopeId, name: &str, range: TextRange) {
        let qualname = self.qualname(scope, name);
        let first_line = self.source.line_of(range.start().to_u32());
        let mut unit = Unit::new(scope, name.into(), qualname.into(), first_line);
        unit.range = range;
        unit.introspects = self.tree.scopes[scope].introspects;
        if self.tree.scopes[scope].parent.is_some_and(|p| self.nested(p)) {
            unit.flags |= flags::NESTED;
        }
        if self.future_annotations {
            unit.flags |= flags::FUTURE_ANNOTATIONS;
        }
        let mut frame = Frame::new(scope);
        frame.walrus = self.tree.scopes[scope].has_walrus;
        let unit = std::mem::replace(&mut self.u, unit);
        let frame = std::mem::replace(&mut self.f, frame);
        self.outer.push((unit, frame));
    }

    fn nested(&self, mut scope: ScopeId) -> bool {
        loop {
            let s = &self.tree.scopes[scope];
            if s.is_function_like() {
                return true;
            }
            match s.parent {
                Some(p) => scope = p,
                None => return false,
            }
        }
    }

    pub fn qualname(&self, scope: ScopeId, name: &str) -> String {
        let Some(parent) = self.tree.scopes[scope].parent else { return name.into() };
        let mut parent = self.tree.unit_of(parent);
        // The scope of type parameters does not show in qualified names.
        while self.tree.scopes[parent].kind == ScopeKind::TypeParams {
            parent = self.tree.unit_of(self.tree.scopes[parent].parent.expect("inside a module"));
        }
        if self.tree.scopes[parent].kind == ScopeKind::Module {
            return name.into();
        }
        if matches!(self.tree.scopes[scope].kind, ScopeKind::Function | ScopeKind::Class)
            && self.tree.scopes[parent]
                .get(&self.mangle(name))
                .is_some_and(|s| s.resolution == Resolution::GlobalExplicit)
        {
            return name.into();
        }
        let outer = if self.u.scope == parent {
            &self.u.qualname
        } else {
            match self.outer.iter().rev().find(|(u, _)| u.scope == parent) {
                Some((u, _)) => &u.qualname,
                None => return name.into(),
            }
        };
        if self.tree.scopes[parent].is_function_like() {
            format!("{outer}.<locals>.{name}")
        } else {
            format!("{outer}.{name}")
        }
    }

    /// Ends the code object at work.
    pub fn pop_unit(&mut self) -> Res<Code> {
        let (unit, frame) = self.outer.pop().expect("a unit was pushed");
        let unit = std::mem::replace(&mut self.u, unit);
        self.f = frame;
        self.finish_unit(unit)
    }

    pub fn finish_unit(&self, unit: Unit) -> Res<Code> {
        let registers = unit.locals.len() + unit.max_temps as usize;
        if unit.overflow || registers > 0xff00 || unit.insns.len() > i32::MAX as usize / 8 {
            return Err(too_many_registers());
        }
        Ok(finish::finish(unit, self.source, self.filename))
    }

    /// Declares the parameters in register order, then the other variables, and emits what readies them.
    pub fn declare_variables(&mut self, params: &[Sym]) {
        let scope = self.u.scope;
        for p in params {
            let captured = self.tree.scopes[scope].get(p).is_some_and(|s| s.captured);
            let reg = self.u.add_local(p, if captured { LocalKind::Cell } else { LocalKind::Plain });
            self.f.vars.insert((scope, p.clone()), reg);
        }
        self.u.params = params.len() as u16;
        let mut cells: Vec<Reg> =
            (0..self.u.params).filter(|&r| self.u.locals[r as usize].kind == LocalKind::Cell).collect();
        let mut plain = Vec::new();
        if self.tree.scopes[scope].is_function_like() {
            for i in 0..self.tree.scopes[scope].symbols.len() {
                let s = &self.tree.scopes[scope].symbols[i];
                let (name, captured) = (s.name.clone(), s.captured);
                if s.resolution != Resolution::Local || params.contains(&name) {
                    continue;
                }
                let kind = if captured { LocalKind::Cell } else { LocalKind::Plain };
                let reg = self.u.add_local(&name, kind);
                if captured { &mut cells } else { &mut plain }.push(reg);
                self.f.vars.insert((scope, name), reg);
            }
        }
        for i in 0..self.tree.scopes[scope].frees.len() {
            let name = self.tree.scopes[scope].frees[i].clone();
            let reg = self.u.add_local(&name, LocalKind::Free);
            self.f.frees.insert(name, reg);
        }
        let range = std::mem::replace(&mut self.u.range, NOWHERE);
        for r in plain {
            self.u.init_unbound(r);
        }
        for r in cells {
            self.make_cell(r);
        }
        for i in 0..self.tree.scopes[scope].frees.len() {
            let reg = self.f.frees[&self.tree.scopes[scope].frees[i]];
            self.u.op3(Op::LoadClosure, reg, (i & 0xff) as u16, (i >> 8) as u16);
        }
        self.u.range = range;
    }

    /// Makes the cell of a variable; only a parameter has a value before.
    pub fn make_cell(&mut self, r: Reg) {
        if r >= self.u.params {
            self.u.load_unbound(r);
        }
        self.u.op1(Op::MakeCell, r);
    }

    // ---- names

    pub fn place(&self, name: &Sym) -> Place {
        let scope = &self.tree.scopes[self.f.scope];
        let resolution = scope.get(name).map_or(Resolution::GlobalImplicit, |s| s.resolution);
        match resolution {
            Resolution::Local if !scope.is_function_like() => Place::Name,
            Resolution::Local => self.own(self.f.scope, name),
            Resolution::GlobalExplicit => Place::Global,
            Resolution::GlobalImplicit if scope.sees_class => Place::ClassGlobal,
            Resolution::GlobalImplicit => match self.unit_kind() {
                ScopeKind::Module => Place::Name,
                ScopeKind::Class if self.f.scope == self.u.scope => Place::Name,
                _ => Place::Global,
            },
            Resolution::Free(owner) => {
                if self.tree.unit_of(owner) == self.u.scope {
                    return self.own(owner, name);
                }
                match self.f.frees.get(name) {
                    Some(&r) if scope.kind == ScopeKind::Class => Place::ClassDeref(r),
                    Some(&r) if scope.sees_class && &**name != "__classdict__" => Place::ClassDictDeref(r),
                    Some(&r) => Place::Deref(r),
                    None => Place::Global,
                }
            }
        }
    }

    fn own(&self, owner: ScopeId, name: &Sym) -> Place {
        let captured = self.tree.scopes[owner].get(name).is_some_and(|s| s.captured);
        match self.f.vars.get(&(owner, name.clone())) {
            Some(&r) if captured => Place::Deref(r),
            Some(&r) => Place::Fast(r),
            None => Place::Global,
        }
    }

    /// The register of the cell that a closure made here captures for `name`.
    pub fn cell_for_closure(&self, name: &Sym) -> Reg {
        let mut at = self.f.scope;
        loop {
            let scope = &self.tree.scopes[at];
            let own = self.f.vars.get(&(at, name.clone()));
            let implicit = scope.kind == ScopeKind::Class;
            if let Some(&r) = own
                && (implicit || scope.get(name).is_some_and(|s| s.captured))
            {
                return r;
            }
            if at == self.u.scope {
                return *self.f.frees.get(name).expect("captured names are free in the units between");
            }
            at = scope.parent.expect("inlined scopes have parents");
        }
    }

    /// Loads a name: into `want`, or anywhere.
    pub fn load_name(&mut self, name: &Sym, want: Option<Reg>) -> Reg {
        let place = self.place(name);
        if let Place::Fast(r) = place {
            let n = self.u.name(name);
            self.u.emit(Op::CheckBound, r, 0, 0, n);
            return match want {
                Some(dst) => {
                    self.u.mov(dst, r);
                    dst
                }
                None => r,
            };
        }
        let dst = want.unwrap_or_else(|| self.u.alloc());
        if &**name == "__debug__" {
            let on = self.options.optimize == 0;
            self.u.load_special(dst, if on { 1 } else { 2 });
            return dst;
        }
        let n = self.u.name(name);
        match place {
            Place::Fast(_) => {}
            Place::Deref(cell) => self.u.emit(Op::LoadDeref, dst, cell, 0, n),
            Place::Global => self.u.emit(Op::LoadGlobal, dst, 0, 0, n),
            Place::Name => self.u.emit(Op::LoadName, dst, 0, 0, n),
            Place::ClassDeref(cell) => {
                let done = self.u.new_label();
                self.in_temp(dst, |c, t| {
                    c.u.emit(Op::LookupMapping, t, 0, 0, n);
                    c.u.jump_if(Op::JumpBound, t, done);
                    c.u.emit(Op::LoadDeref, t, cell, 0, n);
                    c.u.place(done);
                });
            }
            Place::ClassGlobal | Place::ClassDictDeref(_) => {
                let done = self.u.new_label();
                let class: Sym = "__classdict__".into();
                let class = self.f.frees.get(&class).copied();
                self.in_temp(dst, |c, t| {
                    if let Some(cell) = class {
                        let class_name = c.u.name("__classdict__");
                        c.u.emit(Op::LoadDeref, t, cell, 0, class_name);
                        c.u.emit(Op::LookupMapping, t, t, 0, n);
                        c.u.jump_if(Op::JumpBound, t, done);
                    }
                    match place {
                        Place::ClassDictDeref(cell) => c.u.emit(Op::LoadDeref, t, cell, 0, n),
                        _ => c.u.emit(Op::LoadGlobal, t, 0, 0, n),
                    }
                    c.u.place(done);
                });
            }
        }
        dst
    }

    /// Runs `f` with `dst` if that is a temporary, else with a temporary that is moved to `dst`: a
    /// local must not hold half-made values.
    pub fn in_temp(&mut self, dst: Reg, f: impl FnOnce(&mut Self, Reg)) {
        if dst >= TEMP {
            return f(self, dst);
        }
        let mark = self.u.mark();
        let t = self.u.alloc();
        f(self, t);
        self.u.mov(dst, t);
        self.u.reset(mark);
    }

    pub fn store_name(&mut self, name: &Sym, src: Reg) {
        match self.place(name) {
            Place::Fast(r) => self.u.mov(r, src),
            Place::Deref(cell) | Place::ClassDeref(cell) | Place::ClassDictDeref(cell) => {
                self.u.op2(Op::StoreDeref, cell, src);
            }
            Place::Global | Place::ClassGlobal => {
                let n = self.u.name(name);
                self.u.emit(Op::StoreGlobal, src, 0, 0, n);
            }
            Place::Name => {
                let n = self.u.name(name);
                self.u.emit(Op::StoreName, src, 0, 0, n);
            }
        }
    }

    pub fn delete_name(&mut self, name: &Sym) {
        let n = self.u.name(name);
        match self.place(name) {
            Place::Fast(r) => self.u.emit(Op::DeleteLocal, r, 0, 0, n),
            Place::Deref(cell) | Place::ClassDeref(cell) | Place::ClassDictDeref(cell) => {
                self.u.emit(Op::DeleteDeref, cell, 0, 0, n);
            }
            Place::Global | Place::ClassGlobal => self.u.emit(Op::DeleteGlobal, 0, 0, 0, n),
            Place::Name => self.u.emit(Op::DeleteName, 0, 0, 0, n),
        }
    }

    /// The local register that a store to this target writes, if it is a plain one.
    pub fn fast_target(&self, target: &Expr) -> Option<Reg> {
        let Expr::Name(n) = target else { return None };
        match self.place(&self.mangle(&n.id)) {
            Place::Fast(r) => Some(r),
            _ => None,
        }
    }

    /// Runs `f` with the position of a node.
    pub fn at<T>(&mut self, node: &impl Ranged, f: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.u.range, node.range());
        let r = f(self);
        self.u.range = outer;
        r
    }
}
