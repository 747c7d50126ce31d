//! Scopes and symbols: which name is local, a cell, free or global where.
//!
//! [`crate::symbols`] builds the tree of scopes in one walk over the AST; [`ScopeTree::resolve`] then
//! decides each name. A *unit* is a scope that becomes a code object of its own; inlined comprehensions
//! (PEP 709) are scopes but no units.

use crate::errors::{Fault, Res};
use ruff_python_ast as ast;
use ruff_text_size::{TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

pub type Sym = Rc<str>;
pub type ScopeId = usize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    Module,
    Class,
    Function,
    Lambda,
    ListComp,
    SetComp,
    DictComp,
    GenExpr,
    /// `__annotate__` of a function, class or module.
    Annotations,
    /// The scope of type parameters around a generic function, class or alias.
    TypeParams,
    /// Value of a `type` statement.
    TypeAlias,
    /// Bound, constraints or default of a type parameter.
    TypeVar,
}

impl ScopeKind {
    pub fn is_comprehension(self) -> bool {
        matches!(self, Self::ListComp | Self::SetComp | Self::DictComp | Self::GenExpr)
    }

    /// Scopes where `yield`, `await` and `:=` have no place.
    pub fn is_annotation_like(self) -> bool {
        matches!(self, Self::Annotations | Self::TypeParams | Self::TypeAlias | Self::TypeVar)
    }
}

/// What part of an AST node a scope belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Body,
    TypeParams,
    Annotations,
    Bound,
    Default,
}

pub mod def {
    pub const LOCAL: u16 = 1;
    pub const PARAM: u16 = 2;
    pub const GLOBAL: u16 = 4;
    pub const NONLOCAL: u16 = 8;
    pub const USED: u16 = 16;
    pub const ANNOTATED: u16 = 32;
    pub const TYPE_PARAM: u16 = 64;
    /// An iteration variable of a comprehension.
    pub const COMP_ITER: u16 = 128;
    /// Bound by an import.
    pub const IMPORTED: u16 = 256;
    pub const BOUND: u16 = LOCAL | PARAM | TYPE_PARAM | COMP_ITER;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    Local,
    GlobalExplicit,
    GlobalImplicit,
    /// Bound in an enclosing scope: directly reachable if that is in the same unit, else through a cell.
    Free(ScopeId),
}

#[derive(Debug)]
pub struct Symbol {
    pub name: Sym,
    pub flags: u16,
    pub resolution: Resolution,
    /// A unit inside refers to it: it lives in a cell.
    pub captured: bool,
    /// Where `global` or `nonlocal` declares it.
    pub declared: TextRange,
}

/// An annotation of a class or module variable, evaluated by `__annotate__`.
#[derive(Clone)]
pub struct Deferred<'a> {
    pub name: Sym,
    pub annotation: &'a ast::Expr,
    /// Its number among the conditional ones.
    pub condition: Option<u32>,
}

pub struct Scope<'a> {
    pub kind: ScopeKind,
    /// What `symtable` calls it, and where it begins.
    pub name: Sym,
    pub start: TextSize,
    pub parent: Option<ScopeId>,
    pub symbols: Vec<Symbol>,
    pub index: FxHashMap<Sym, usize>,
    /// Names of the closure, sorted; for units.
    pub frees: Vec<Sym>,
    pub is_async: bool,
    pub is_generator: bool,
    pub has_await: bool,
    /// A `return` with a value; for the async generator's error.
    pub returns_value: Option<TextRange>,
    pub has_walrus: bool,
    /// Looks at its own variables by name (`locals()` and the like).
    pub introspects: bool,
    pub inlined: bool,
    /// A comprehension's iterable is being visited: `:=` is an error.
    pub in_iterable: bool,
    /// Names in it are looked up in the enclosing class's namespace first.
    pub sees_class: bool,
    pub needs_class_cell: bool,
    pub needs_class_dict: bool,
    pub conditional_annotations: bool,
    pub deferred: Vec<Deferred<'a>>,
    /// Attributes assigned through a method's first parameter, for `__static_attributes__`.
    pub static_attributes: FxHashSet<Sym>,
    /// Name of the class for private names.
    pub private: Option<Sym>,
    /// Only these are private: around a generic class, names mean what they mean outside, but for the parameters.
    pub private_names: Option<Rc<[Sym]>>,
    /// What an annotation-like scope is called in messages.
    pub place: &'static str,
    /// Visited for its errors only: nothing in it is compiled.
    pub ghost: bool,
}

impl<'a> Scope<'a> {
    pub fn get(&self, name: &str) -> Option<&Symbol> {
        self.index.get(name).map(|&i| &self.symbols[i])
    }

    /// A private name in a class, prefixed by the class's name; None if it stays as it is.
    pub fn mangle(&self, name: &str) -> Option<String> {
        let class = self.private.as_deref()?.trim_start_matches('_');
        let hidden = name.starts_with("__") && !name.ends_with("__") && !name.contains('.');
        let affected = self.private_names.as_ref().is_none_or(|names| names.iter().any(|n| &**n == name));
        (hidden && affected && !class.is_empty()).then(|| format!("_{class}{name}"))
    }

    pub fn is_function_like(&self) -> bool {
        !matches!(self.kind, ScopeKind::Module | ScopeKind::Class)
    }
}

pub struct ScopeTree<'a> {
    pub scopes: Vec<Scope<'a>>,
    pub by_node: FxHashMap<(usize, Part), ScopeId>,
}

/// The address of an AST node, its key in the tree.
pub fn key<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

impl<'a> ScopeTree<'a> {
    /// The unit that a scope's code belongs to.
    pub fn unit_of(&self, mut id: ScopeId) -> ScopeId {
        while self.scopes[id].inlined {
            id = self.scopes[id].parent.expect("the module is no comprehension");
        }
        id
    }

    /// Decides every name of every scope.
    pub fn resolve(&mut self) -> Res<()> {
        for id in 0..self.scopes.len() {
            if self.is_ghost(id) {
                continue;
            }
            for i in 0..self.scopes[id].symbols.len() {
                self.resolve_symbol(id, i)?;
            }
        }
        for scope in &mut self.scopes {
            scope.frees.sort();
            scope.frees.dedup();
        }
        Ok(())
    }

    fn is_ghost(&self, mut id: ScopeId) -> bool {
        loop {
            if self.scopes[id].ghost {
                return true;
            }
            match self.scopes[id].parent {
                Some(p) => id = p,
                None => return false,
            }
        }
    }

    fn resolve_symbol(&mut self, id: ScopeId, i: usize) -> Res<()> {
        let scope = &self.scopes[id];
        let symbol = &scope.symbols[i];
        let (name, flags, declared) = (symbol.name.clone(), symbol.flags, symbol.declared);
        let resolution = if flags & def::GLOBAL != 0 {
            Resolution::GlobalExplicit
        } else if flags & def::BOUND != 0 && flags & def::NONLOCAL == 0 {
            Resolution::Local
        } else {
            self.look_outward(id, &name, flags & def::NONLOCAL != 0)
        };
        if flags & def::NONLOCAL != 0 && !matches!(resolution, Resolution::Free(_)) {
            let text = if self.is_type_parameter(id, &name) {
                format!("nonlocal binding not allowed for type parameter '{name}'")
            } else {
                format!("no binding for nonlocal '{name}' found")
            };
            return Err(Fault::syntax(text, declared));
        }
        if let Resolution::Free(owner) = resolution {
            self.capture(id, owner, &name);
        }
        self.scopes[id].symbols[i].resolution = resolution;
        Ok(())
    }

    /// Whether the nearest binding around the scope is a type parameter's.
    fn is_type_parameter(&self, id: ScopeId, name: &str) -> bool {
        let outer = |id: ScopeId| self.scopes[id].parent;
        std::iter::successors(outer(id), |&p| outer(p))
            .filter(|&p| self.scopes[p].is_function_like())
            .find_map(|p| self.scopes[p].get(name).filter(|s| s.flags & def::BOUND != 0))
            .is_some_and(|s| s.flags & def::TYPE_PARAM != 0)
    }

    fn look_outward(&self, id: ScopeId, name: &str, nonlocal: bool) -> Resolution {
        let mut sees_class = self.scopes[id].sees_class;
        let mut at = self.scopes[id].parent;
        while let Some(p) = at {
            let scope = &self.scopes[p];
            match scope.kind {
                ScopeKind::Module => break,
                ScopeKind::Class => {
                    let has = match name {
                        "__class__" | "__classdict__" => true,
                        "__conditional_annotations__" => scope.conditional_annotations,
                        _ => false,
                    };
                    if has {
                        return Resolution::Free(p);
                    }
                    // An annotation scope sees the class's own names through its namespace.
                    if sees_class && let Some(s) = scope.get(name) {
                        if s.flags & def::GLOBAL != 0 {
                            return Resolution::GlobalExplicit;
                        }
                        if s.flags & def::BOUND != 0 && s.flags & def::NONLOCAL == 0 {
                            return Resolution::GlobalImplicit;
                        }
                    }
                    sees_class = false;
                }
                _ => {
                    if let Some(s) = scope.get(name) {
                        if s.flags & def::GLOBAL != 0 {
                            return Resolution::GlobalImplicit;
                        }
                        if s.flags & def::BOUND != 0 && s.flags & def::NONLOCAL == 0 {
                            if nonlocal && s.flags & def::TYPE_PARAM != 0 {
                                return Resolution::GlobalImplicit;
                            }
                            return Resolution::Free(p);
                        }
                    }
                    sees_class = sees_class && scope.sees_class;
                }
            }
            at = scope.parent;
        }
        Resolution::GlobalImplicit
    }

    /// Marks `name` of `owner` as used from `user`: a cell and closure entries if that crosses units.
    fn capture(&mut self, user: ScopeId, owner: ScopeId, name: &Sym) {
        let owner_unit = self.unit_of(owner);
        let mut unit = self.unit_of(user);
        if unit == owner_unit {
            return;
        }
        while unit != owner_unit {
            self.scopes[unit].frees.push(name.clone());
            let parent = self.scopes[unit].parent.expect("the owner is outside");
            unit = self.unit_of(parent);
        }
        let scope = &mut self.scopes[owner];
        match &**name {
            "__class__" if scope.kind == ScopeKind::Class => scope.needs_class_cell = true,
            "__classdict__" if scope.kind == ScopeKind::Class => scope.needs_class_dict = true,
            "__conditional_annotations__" if scope.kind == ScopeKind::Class => {}
            _ => {
                let i = scope.index[name];
                scope.symbols[i].captured = true;
            }
        }
    }
}
