//! Builds the tree of scopes: one walk over the AST that notes every binding and use of a name.

mod comprehensions;
mod definitions;

use crate::errors::{Fault, Res};
use crate::scopes::{
    Deferred, Part, Resolution, Scope, ScopeId, ScopeKind, ScopeTree, Sym, Symbol, def, key,
};
use ruff_python_ast::{self as ast, Expr, ExprContext, Pattern, Stmt};
use ruff_text_size::{TextRange, TextSize};
use rustc_hash::{FxHashMap, FxHashSet};

/// Names whose mere mention may mean that a function looks at its own frame.
const INTROSPECTION: [&str; 5] = ["locals", "vars", "dir", "eval", "exec"];
const FRAME_ACCESS: [&str; 4] = ["_getframe", "currentframe", "f_locals", "f_back"];

/// CPython's limits of f-strings in f-strings, and of replacement fields in specifications.
const MAX_INTERPOLATED: u32 = 150;
const MAX_SPECIFICATIONS: u32 = 3;

pub struct SymbolBuilder<'a> {
    tree: ScopeTree<'a>,
    current: ScopeId,
    names: FxHashSet<Sym>,
    future_annotations: bool,
    /// Inside `if`, `for`, `try` and so on of a module or class.
    conditional: u32,
    condition_count: u32,
    depth: u32,
    interpolated_depth: u32,
}

/// Builds and resolves the scopes of a module.
pub fn build<'a>(body: Body<'a>, future_annotations: bool) -> Res<ScopeTree<'a>> {
    let tree = ScopeTree { scopes: Vec::new(), by_node: FxHashMap::default() };
    let mut b = SymbolBuilder {
        tree,
        current: 0,
        names: FxHashSet::default(),
        future_annotations,
        conditional: 0,
        condition_count: 0,
        depth: 0,
        interpolated_depth: 0,
    };
    b.enter(ScopeKind::Module, 0, Part::Body, None);
    match body {
        Body::Suite(suite) => b.stmts(suite)?,
        Body::Expr(e) => b.expr(e)?,
    }
    b.tree.resolve()?;
    Ok(b.tree)
}

#[derive(Clone, Copy)]
pub enum Body<'a> {
    Suite(&'a [Stmt]),
    Expr(&'a Expr),
}

impl<'a> SymbolBuilder<'a> {
    fn scope(&mut self) -> &mut Scope<'a> {
        &mut self.tree.scopes[self.current]
    }

    fn kind(&self) -> ScopeKind {
        self.tree.scopes[self.current].kind
    }

    fn intern(&mut self, name: &str) -> Sym {
        if let Some(s) = self.names.get(name) {
            return s.clone();
        }
        let s: Sym = name.into();
        self.names.insert(s.clone());
        s
    }

    fn mangled(&mut self, name: &str) -> Sym {
        match self.tree.scopes[self.current].mangle(name) {
            Some(m) => self.intern(&m),
            None => self.intern(name),
        }
    }

    /// Opens a scope below the current one; the caller restores the returned one.
    fn enter(&mut self, kind: ScopeKind, node: usize, part: Part, private: Option<Sym>) -> ScopeId {
        let id = self.tree.scopes.len();
        let outer = self.current;
        let parent = (id > 0).then_some(outer);
        let (outer_private, private_names, outer_sees, outer_kind, in_iterable) = match parent {
            Some(p) => {
                let s = &self.tree.scopes[p];
                (s.private.clone(), s.private_names.clone(), s.sees_class, s.kind, s.in_iterable)
            }
            None => (None, None, false, ScopeKind::Module, false),
        };
        // In a class's body all names are private.
        let private_names = private_names.filter(|_| kind != ScopeKind::Class);
        let sees_class =
            kind.is_annotation_like() && parent.is_some() && (outer_kind == ScopeKind::Class || outer_sees);
        let inlined = kind.is_comprehension() && kind != ScopeKind::GenExpr && !outer_sees;
        let name = self.intern(match kind {
            ScopeKind::Module => "top",
            ScopeKind::Lambda => "lambda",
            ScopeKind::ListComp => "listcomp",
            ScopeKind::SetComp => "setcomp",
            ScopeKind::DictComp => "dictcomp",
            ScopeKind::GenExpr => "genexpr",
            _ => "__annotate__",
        });
        self.tree.scopes.push(Scope {
            kind,
            name,
            start: TextSize::default(),
            parent,
            symbols: Vec::new(),
            index: FxHashMap::default(),
            frees: Vec::new(),
            is_async: false,
            is_generator: kind == ScopeKind::GenExpr,
            has_await: false,
            returns_value: None,
            has_walrus: false,
            introspects: false,
            inlined,
            in_iterable,
            sees_class,
            needs_class_cell: false,
            needs_class_dict: false,
            conditional_annotations: false,
            deferred: Vec::new(),
            static_attributes: FxHashSet::default(),
            private: private.or(outer_private),
            private_names,
            place: match kind {
                ScopeKind::Annotations => "an annotation",
                ScopeKind::TypeAlias => "a type alias",
                ScopeKind::TypeParams => "the definition of a generic",
                ScopeKind::Class => "a class body",
                _ => "",
            },
            ghost: false,
        });
        self.tree.by_node.insert((node, part), id);
        self.current = id;
        if sees_class {
            let name = self.intern("__classdict__");
            self.note(name, def::USED, TextRange::default());
        }
        outer
    }

    /// Name and beginning of the scope just entered.
    fn describe(&mut self, name: &str, start: TextSize) {
        let name = self.intern(name);
        self.scope().name = name;
        self.scope().start = start;
    }

    fn note(&mut self, name: Sym, flags: u16, declared: TextRange) {
        let scope = self.scope();
        match scope.index.get(&name) {
            Some(&i) => {
                scope.symbols[i].flags |= flags;
                if flags & (def::GLOBAL | def::NONLOCAL) != 0 {
                    scope.symbols[i].declared = declared;
                }
            }
            None => {
                scope.index.insert(name.clone(), scope.symbols.len());
                scope.symbols.push(Symbol {
                    name,
                    flags,
                    resolution: Resolution::GlobalImplicit,
                    captured: false,
                    declared,
                });
            }
        }
    }

    fn use_name(&mut self, name: &str) {
        if INTROSPECTION.contains(&name) {
            self.mark_introspection();
        }
        let name = self.mangled(name);
        // super() without arguments finds the class through the __class__ cell.
        if &*name == "super" && self.tree.scopes[self.current].is_function_like() {
            let class = self.intern("__class__");
            self.note(class, def::USED, TextRange::default());
        }
        self.note(name, def::USED, TextRange::default());
    }

    fn mark_introspection(&mut self) {
        let unit = self.tree.unit_of(self.current);
        self.tree.scopes[unit].introspects = true;
    }

    fn bind(&mut self, name: &str, flags: u16, range: TextRange) -> Res<()> {
        if name == "__debug__" {
            return Err(Fault::syntax("cannot assign to __debug__", range));
        }
        let name = self.mangled(name);
        if flags & def::TYPE_PARAM != 0
            && let Some(s) = self.tree.scopes[self.current].get(&name)
            && s.flags & def::TYPE_PARAM != 0
        {
            return Err(Fault::syntax(format!("duplicate type parameter '{name}'"), range));
        }
        if flags & def::PARAM != 0
            && let Some(s) = self.tree.scopes[self.current].get(&name)
            && s.flags & def::PARAM != 0
        {
            return Err(Fault::syntax(format!("duplicate argument '{name}' in function definition"), range));
        }
        let mut comprehension_local = self.kind().is_comprehension() && flags == def::LOCAL;
        if comprehension_local && let Some(s) = self.tree.scopes[self.current].get(&name) {
            if s.flags & (def::GLOBAL | def::NONLOCAL) != 0 {
                let message =
                    format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
                return Err(Fault::syntax(message, range));
            }
            comprehension_local = false;
        }
        let flags = if comprehension_local { flags | def::COMP_ITER } else { flags };
        self.note(name, flags, TextRange::default());
        Ok(())
    }

    pub fn stmts(&mut self, body: &'a [Stmt]) -> Res<()> {
        for s in body {
            self.stmt(s)?;
        }
        Ok(())
    }

    fn conditional_stmts(&mut self, body: &'a [Stmt]) -> Res<()> {
        self.conditional += 1;
        self.stmts(body)?;
        self.conditional -= 1;
        Ok(())
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Res<()> {
        match stmt {
            Stmt::FunctionDef(f) => self.function(f)?,
            Stmt::ClassDef(c) => self.class(c)?,
            Stmt::Return(r) => {
                if let Some(v) = &r.value {
                    self.expr(v)?;
                    self.scope().returns_value = Some(r.range);
                }
            }
            Stmt::Delete(d) => self.exprs(&d.targets)?,
            Stmt::TypeAlias(t) => self.type_alias(t)?,
            Stmt::Assign(a) => {
                self.expr(&a.value)?;
                self.exprs(&a.targets)?;
            }
            Stmt::AugAssign(a) => {
                if let Expr::Name(n) = &*a.target {
                    self.use_name(&n.id);
                }
                self.expr(&a.target)?;
                self.expr(&a.value)?;
            }
            Stmt::AnnAssign(a) => self.ann_assign(a)?,
            Stmt::For(f) => {
                self.expr(&f.target)?;
                self.expr(&f.iter)?;
                if f.is_async {
                    self.scope().has_await = true;
                }
                self.conditional_stmts(&f.body)?;
                self.conditional_stmts(&f.orelse)?;
            }
            Stmt::While(w) => {
                self.expr(&w.test)?;
                self.conditional_stmts(&w.body)?;
                self.conditional_stmts(&w.orelse)?;
            }
            Stmt::If(i) => {
                self.expr(&i.test)?;
                self.conditional_stmts(&i.body)?;
                for clause in &i.elif_else_clauses {
                    if let Some(t) = &clause.test {
                        self.expr(t)?;
                    }
                    self.conditional_stmts(&clause.body)?;
                }
            }
            Stmt::With(w) => {
                for item in &w.items {
                    self.expr(&item.context_expr)?;
                    if let Some(v) = &item.optional_vars {
                        self.expr(v)?;
                    }
                }
                if w.is_async {
                    self.scope().has_await = true;
                }
                self.conditional_stmts(&w.body)?;
            }
            Stmt::Match(m) => {
                self.expr(&m.subject)?;
                for case in &m.cases {
                    self.pattern(&case.pattern)?;
                    if let Some(g) = &case.guard {
                        self.expr(g)?;
                    }
                    self.conditional_stmts(&case.body)?;
                }
            }
            Stmt::Raise(r) => {
                self.exprs(r.exc.as_deref())?;
                self.exprs(r.cause.as_deref())?;
            }
            Stmt::Try(t) => {
                self.conditional_stmts(&t.body)?;
                for ast::ExceptHandler::ExceptHandler(h) in &t.handlers {
                    self.exprs(h.type_.as_deref())?;
                    if let Some(n) = &h.name {
                        self.bind(n, def::LOCAL, n.range)?;
                    }
                    self.conditional_stmts(&h.body)?;
                }
                self.conditional_stmts(&t.orelse)?;
                self.conditional_stmts(&t.finalbody)?;
            }
            Stmt::Assert(a) => {
                self.expr(&a.test)?;
                self.exprs(a.msg.as_deref())?;
            }
            Stmt::Import(i) => {
                for alias in &i.names {
                    self.alias(alias)?;
                }
            }
            Stmt::ImportFrom(i) => {
                for alias in &i.names {
                    if &*alias.name == "*" {
                        if self.kind() != ScopeKind::Module {
                            return Err(Fault::syntax("import * only allowed at module level", i.range));
                        }
                    } else {
                        self.alias(alias)?;
                    }
                }
            }
            Stmt::Global(g) => self.declare(&g.names, def::GLOBAL, g.range)?,
            Stmt::Nonlocal(n) => self.declare(&n.names, def::NONLOCAL, n.range)?,
            Stmt::Expr(e) => self.expr(&e.value)?,
            Stmt::Pass(_) | Stmt::Break(_) | Stmt::Continue(_) | Stmt::IpyEscapeCommand(_) => {}
        }
        Ok(())
    }

    fn alias(&mut self, alias: &ast::Alias) -> Res<()> {
        match &alias.asname {
            Some(n) => self.bind(n, def::LOCAL | def::IMPORTED, alias.range),
            None => {
                let top = alias.name.split('.').next().unwrap_or_default();
                self.bind(top, def::LOCAL | def::IMPORTED, alias.range)
            }
        }
    }

    fn declare(&mut self, names: &[ast::Identifier], flag: u16, range: TextRange) -> Res<()> {
        let word = if flag == def::GLOBAL { "global" } else { "nonlocal" };
        if flag == def::NONLOCAL && self.kind() == ScopeKind::Module {
            return Err(Fault::syntax("nonlocal declaration not allowed at module level", range));
        }
        for n in names {
            let name = self.mangled(n);
            let flags = self.scope().get(&name).map_or(0, |s| s.flags);
            let message = if flags & def::PARAM != 0 {
                format!("name '{name}' is parameter and {word}")
            } else if flags & def::TYPE_PARAM != 0 {
                format!("nonlocal binding not allowed for type parameter '{name}'")
            } else if flags & (def::GLOBAL | def::NONLOCAL) & !flag != 0 {
                // The first of the two declarations is to blame.
                let first = self.scope().get(&name).map_or(range, |s| s.declared);
                return Err(Fault::syntax(format!("name '{name}' is nonlocal and global"), first));
            } else if flags & def::USED != 0 {
                format!("name '{name}' is used prior to {word} declaration")
            } else if flags & def::ANNOTATED != 0 {
                format!("annotated name '{name}' can't be {word}")
            } else if flags & def::LOCAL != 0 && flags & flag == 0 {
                format!("name '{name}' is assigned to before {word} declaration")
            } else {
                self.note(name.clone(), flag, range);
                if flag == def::GLOBAL {
                    // As in CPython, the module's own code then means the global too, where the two differ.
                    let current = std::mem::replace(&mut self.current, 0);
                    self.note(name, flag, range);
                    self.current = current;
                }
                continue;
            };
            return Err(Fault::syntax(message, range));
        }
        Ok(())
    }

    fn ann_assign(&mut self, a: &'a ast::StmtAnnAssign) -> Res<()> {
        match &*a.target {
            Expr::Name(n) => {
                let name = self.mangled(&n.id);
                let flags = self.scope().get(&name).map_or(0, |s| s.flags);
                if a.simple && flags & (def::GLOBAL | def::NONLOCAL) != 0 && self.kind() != ScopeKind::Module
                {
                    let word = if flags & def::GLOBAL != 0 { "global" } else { "nonlocal" };
                    return Err(Fault::syntax(format!("annotated name '{name}' can't be {word}"), a.range));
                }
                let annotated = if a.simple { def::ANNOTATED | def::LOCAL } else { 0 };
                if a.simple {
                    self.bind(&n.id, annotated, n.range)?;
                }
                if a.value.is_some() {
                    self.bind(&n.id, def::LOCAL, n.range)?;
                }
                self.variable_annotation(a, name)?;
            }
            target => {
                self.expr(target)?;
                if matches!(self.kind(), ScopeKind::Module | ScopeKind::Class) && !self.future_annotations {
                    self.expr(&a.annotation)?;
                } else {
                    self.ghost_annotation(&a.annotation)?;
                }
            }
        }
        self.exprs(a.value.as_deref())
    }

    fn variable_annotation(&mut self, a: &'a ast::StmtAnnAssign, name: Sym) -> Res<()> {
        let kind = self.kind();
        if self.future_annotations || !matches!(kind, ScopeKind::Module | ScopeKind::Class) {
            if self.future_annotations && a.simple && matches!(kind, ScopeKind::Module | ScopeKind::Class) {
                let deferred = Deferred { name, annotation: &a.annotation, condition: None };
                self.scope().deferred.push(deferred);
            }
            return self.ghost_annotation(&a.annotation);
        }
        if !a.simple {
            return self.expr(&a.annotation);
        }
        let owner = self.current;
        // A module's annotations are all conditional: its `__annotate__` may run while its body does.
        let condition = (kind == ScopeKind::Module || self.conditional > 0).then(|| {
            self.condition_count += 1;
            self.condition_count - 1
        });
        if condition.is_some() && !self.tree.scopes[owner].conditional_annotations {
            self.tree.scopes[owner].conditional_annotations = true;
            if kind == ScopeKind::Module {
                let n = self.intern("__conditional_annotations__");
                self.note(n, def::USED | def::LOCAL, TextRange::default());
            }
        }
        self.scope().deferred.push(Deferred { name, annotation: &a.annotation, condition });
        let node = owner;
        let outer = match self.tree.by_node.get(&(node, Part::Annotations)) {
            Some(&id) => std::mem::replace(&mut self.current, id),
            None => {
                let outer = self.enter(ScopeKind::Annotations, node, Part::Annotations, None);
                self.scope().start = a.range.start();
                self.bind_plain(".format");
                outer
            }
        };
        if condition.is_some() {
            let n = self.intern("__conditional_annotations__");
            self.note(n, def::USED, TextRange::default());
        }
        self.expr(&a.annotation)?;
        self.current = outer;
        Ok(())
    }

    fn bind_plain(&mut self, name: &str) {
        let n = self.intern(name);
        self.note(n, def::PARAM, TextRange::default());
    }

    fn ghost_annotation(&mut self, annotation: &'a Expr) -> Res<()> {
        let outer = self.enter(ScopeKind::Annotations, key(annotation), Part::Annotations, None);
        self.scope().ghost = true;
        self.expr(annotation)?;
        self.current = outer;
        Ok(())
    }

    fn exprs(&mut self, es: impl IntoIterator<Item = &'a Expr>) -> Res<()> {
        for e in es {
            self.expr(e)?;
        }
        Ok(())
    }

    fn forbid_in_annotation(&self, what: &str, range: TextRange) -> Res<()> {
        if !self.kind().is_annotation_like() {
            return Ok(());
        }
        let place = self.tree.scopes[self.current].place;
        Err(Fault::syntax(format!("{what} cannot be used within {place}"), range))
    }

    fn expr(&mut self, e: &'a Expr) -> Res<()> {
        self.depth += 1;
        if self.depth > crate::MAX_DEPTH {
            return Err(crate::too_deep());
        }
        let r = self.expr_inner(e);
        self.depth -= 1;
        r
    }

    fn expr_inner(&mut self, e: &'a Expr) -> Res<()> {
        match e {
            Expr::BoolOp(b) => self.exprs(&b.values)?,
            Expr::Named(n) => self.named(n)?,
            Expr::BinOp(b) => {
                self.expr(&b.left)?;
                self.expr(&b.right)?;
            }
            Expr::UnaryOp(u) => self.expr(&u.operand)?,
            Expr::Lambda(l) => {
                if let Some(p) = &l.parameters {
                    self.defaults(p)?;
                }
                let outer = self.enter(ScopeKind::Lambda, key(l), Part::Body, None);
                self.scope().start = l.range.start();
                if let Some(p) = &l.parameters {
                    self.parameters(p)?;
                }
                self.expr(&l.body)?;
                self.current = outer;
            }
            Expr::If(i) => {
                self.expr(&i.test)?;
                self.expr(&i.body)?;
                self.expr(&i.orelse)?;
            }
            Expr::Dict(d) => {
                for item in &d.items {
                    self.exprs(item.key.as_ref())?;
                    self.expr(&item.value)?;
                }
            }
            Expr::Set(s) => self.exprs(&s.elts)?,
            Expr::ListComp(c) => {
                self.comprehension(ScopeKind::ListComp, key(c), &c.generators, &c.elt, None)?;
            }
            Expr::SetComp(c) => {
                self.comprehension(ScopeKind::SetComp, key(c), &c.generators, &c.elt, None)?;
            }
            Expr::DictComp(c) => {
                let kind = ScopeKind::DictComp;
                self.comprehension(kind, key(c), &c.generators, &c.value, c.key.as_deref())?;
            }
            Expr::Generator(c) => {
                self.comprehension(ScopeKind::GenExpr, key(c), &c.generators, &c.elt, None)?;
            }
            Expr::Await(a) => {
                self.forbid_in_annotation("await expression", a.range)?;
                self.scope().has_await = true;
                self.expr(&a.value)?;
            }
            Expr::Yield(y) => {
                self.yields(y.range)?;
                self.exprs(y.value.as_deref())?;
            }
            Expr::YieldFrom(y) => {
                self.yields(y.range)?;
                self.expr(&y.value)?;
            }
            Expr::Compare(c) => {
                self.expr(&c.left)?;
                self.exprs(c.comparators.iter())?;
            }
            Expr::Call(c) => {
                self.expr(&c.func)?;
                self.exprs(c.arguments.args.iter())?;
                for k in &c.arguments.keywords {
                    if let Some(a) = &k.arg
                        && a.as_str() == "__debug__"
                    {
                        return Err(Fault::syntax("cannot assign to __debug__", k.range));
                    }
                    self.expr(&k.value)?;
                }
            }
            Expr::FString(f) => {
                for part in &f.value {
                    if let ast::FStringPart::FString(f) = part {
                        self.interpolated(f.range, &f.elements)?;
                    }
                }
            }
            Expr::TString(t) => {
                for part in &t.value {
                    self.interpolated(part.range, &part.elements)?;
                }
            }
            Expr::Attribute(a) => {
                if FRAME_ACCESS.contains(&a.attr.as_str()) {
                    self.mark_introspection();
                }
                if a.attr.as_str() == "__debug__" && a.ctx != ExprContext::Load {
                    let verb = if a.ctx == ExprContext::Del { "delete" } else { "assign to" };
                    return Err(Fault::syntax(format!("cannot {verb} __debug__"), a.range));
                }
                self.expr(&a.value)?;
            }
            Expr::Subscript(s) => {
                self.expr(&s.value)?;
                self.expr(&s.slice)?;
            }
            Expr::Starred(s) => self.expr(&s.value)?,
            Expr::Name(n) => match n.ctx {
                ExprContext::Load | ExprContext::Invalid => self.use_name(&n.id),
                ExprContext::Store => self.bind(&n.id, def::LOCAL, n.range)?,
                ExprContext::Del => {
                    if n.id.as_str() == "__debug__" {
                        return Err(Fault::syntax("cannot delete __debug__", n.range));
                    }
                    self.bind(&n.id, def::LOCAL, n.range)?;
                }
            },
            Expr::List(l) => self.exprs(&l.elts)?,
            Expr::Tuple(t) => self.exprs(&t.elts)?,
            Expr::Slice(s) => {
                self.exprs(s.lower.as_deref())?;
                self.exprs(s.upper.as_deref())?;
                self.exprs(s.step.as_deref())?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The parts of an f-string or t-string.
    fn interpolated(&mut self, range: TextRange, elements: &'a ast::InterpolatedStringElements) -> Res<()> {
        self.interpolated_depth += 1;
        if self.interpolated_depth >= MAX_INTERPOLATED {
            let at = TextRange::empty(range.start() + TextSize::new(1));
            return Err(Fault::syntax("too many nested f-strings or t-strings", at));
        }
        self.interpolations(elements, 1)?;
        self.interpolated_depth -= 1;
        Ok(())
    }

    fn interpolations(&mut self, elements: &'a ast::InterpolatedStringElements, depth: u32) -> Res<()> {
        for i in elements.interpolations() {
            if depth > MAX_SPECIFICATIONS {
                let at = TextRange::empty(i.range.start() - TextSize::new(1));
                return Err(Fault::syntax("f-string: expressions nested too deeply", at));
            }
            self.expr(&i.expression)?;
            if let Some(spec) = &i.format_spec {
                self.interpolations(&spec.elements, depth + 1)?;
            }
        }
        Ok(())
    }

    fn yields(&mut self, range: TextRange) -> Res<()> {
        self.forbid_in_annotation("yield expression", range)?;
        let kind = self.kind();
        if kind.is_comprehension() {
            let place = match kind {
                ScopeKind::ListComp => "list comprehension",
                ScopeKind::SetComp => "set comprehension",
                ScopeKind::DictComp => "dict comprehension",
                _ => "generator expression",
            };
            return Err(Fault::syntax(format!("'yield' inside {place}"), range));
        }
        self.scope().is_generator = true;
        Ok(())
    }

    fn pattern(&mut self, p: &'a Pattern) -> Res<()> {
        match p {
            Pattern::MatchValue(v) => self.expr(&v.value)?,
            Pattern::MatchSingleton(_) => {}
            Pattern::MatchSequence(s) => {
                for p in &s.patterns {
                    self.pattern(p)?;
                }
            }
            Pattern::MatchMapping(m) => {
                self.exprs(m.keys.iter())?;
                for p in &m.patterns {
                    self.pattern(p)?;
                }
                if let Some(r) = &m.rest {
                    self.bind(r, def::LOCAL, r.range)?;
                }
            }
            Pattern::MatchClass(c) => {
                self.expr(&c.cls)?;
                for p in &c.arguments.patterns {
                    self.pattern(p)?;
                }
                for k in &c.arguments.keywords {
                    self.pattern(&k.pattern)?;
                }
            }
            Pattern::MatchStar(s) => {
                if let Some(n) = &s.name {
                    self.bind(n, def::LOCAL, n.range)?;
                }
            }
            Pattern::MatchAs(a) => {
                if let Some(p) = &a.pattern {
                    self.pattern(p)?;
                }
                if let Some(n) = &a.name {
                    self.bind(n, def::LOCAL, n.range)?;
                }
            }
            Pattern::MatchOr(o) => {
                for p in &o.patterns {
                    self.pattern(p)?;
                }
            }
        }
        Ok(())
    }
}
