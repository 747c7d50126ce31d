//! Calls: arguments are evaluated in place, in the window that becomes the callee's frame.

use crate::context::Compiler;
use crate::errors::Res;
use crate::unit::{Reg, TEMP};
use ruff_python_ast::{self as ast, Expr};
use ruff_text_size::{Ranged, TextRange, TextSize};
use skein_bytecode::{Const, LocalKind, Op};

/// Registers between the callee and the first argument.
pub const GAP: u16 = 3;
/// More arguments than this go through a list.
const MAX_ARGS: usize = 200;

/// The arguments of a call or class definition.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    pub args: &'a [Expr],
    pub keywords: &'a [ast::Keyword],
}

impl<'a> Args<'a> {
    pub fn of(a: &'a ast::Arguments) -> Args<'a> {
        Args { args: &a.args, keywords: &a.keywords }
    }

    fn is_plain(&self, before: usize) -> bool {
        before + self.args.len() + self.keywords.len() <= MAX_ARGS
            && !self.args.iter().any(Expr::is_starred_expr)
            && self.keywords.iter().all(|k| k.arg.is_some())
    }
}

impl<'a> Compiler<'a> {
    /// The base of a window: `want` if that is the topmost temporary, else a new one.
    pub fn window(&mut self, want: Option<Reg>) -> Reg {
        match want {
            Some(r) if r >= TEMP && r - TEMP + 1 == self.u.mark() => r,
            _ => self.u.alloc(),
        }
    }

    /// Moves a call's result from its window to where it is wanted and frees the window.
    pub fn window_result(&mut self, w: Reg, want: Option<Reg>) -> Reg {
        self.u.reset(w - TEMP + 1);
        match want {
            Some(dst) if dst != w => {
                self.u.mov(dst, w);
                self.u.reset(w - TEMP);
                dst
            }
            _ => w,
        }
    }

    pub fn call(&mut self, c: &'a ast::ExprCall, want: Option<Reg>) -> Res<Reg> {
        self.check_keywords(&c.arguments.keywords)?;
        self.check_callee(&c.func);
        let args = Args::of(&c.arguments);
        let w = self.window(want);
        let outer = self.u.range;
        if let Expr::Attribute(a) = &*c.func
            && args.is_plain(1)
            && self.super_shape(&a.value).is_none()
        {
            let object = self.expr(&a.value, None)?;
            self.u.reset(w - TEMP + 1);
            self.u.alloc_row(GAP + 1);
            let name = self.mangle(&a.attr);
            let n = self.u.name(&name);
            self.u.range = self.beginning_at_name(a.range, a);
            self.u.emit(Op::LoadMethod, w, object, 0, n);
            self.u.range = self.beginning_at_name(outer, a);
            self.plain_args(args, w, 0, Op::CallMethod, Op::CallMethodKw)?;
        } else {
            self.expr(&c.func, Some(w))?;
            self.u.alloc_row(GAP);
            self.call_args(args, w, 0)?;
        }
        self.u.range = outer;
        Ok(self.window_result(w, want))
    }

    /// A range that begins where the attribute's name does if that is on another line, as in CPython's tracebacks.
    pub fn beginning_at_name(&self, range: TextRange, a: &ast::ExprAttribute) -> TextRange {
        let line = |at: TextSize| self.source.line_of(at.to_u32());
        let name = a.attr.range;
        // A tree that a program made does not say where the name is.
        if name.is_empty() || name.start() > range.end() || line(range.start()) == line(a.range.end()) {
            return range;
        }
        TextRange::new(name.start(), range.end())
    }

    /// Calls the callee in `w`; `before` arguments are in the window already.
    pub fn call_args(&mut self, args: Args<'a>, w: Reg, before: u16) -> Res<()> {
        if args.is_plain(before as usize) {
            return self.plain_args(args, w, before, Op::Call, Op::CallKw);
        }
        // Positional arguments: one starred iterable as it is, else a list of all.
        if let ([Expr::Starred(s)], 0) = (args.args, before) {
            self.expr_next(&s.value)?;
        } else if before == 0 && args.args.is_empty() {
            let slot = self.u.alloc();
            self.u.load_const(slot, &Const::Tuple(Vec::new()));
        } else {
            let list = if before > 0 { w + 1 + GAP } else { self.u.alloc() };
            self.u.op3(Op::BuildList, list, list, before);
            self.u.reset(list - TEMP + 1);
            self.extend_list(list, args.args, 1)?;
        }
        let kwargs = self.u.alloc();
        if args.keywords.is_empty() {
            self.u.load_unbound(kwargs);
        } else {
            self.u.op3(Op::BuildMap, kwargs, kwargs, 0);
            for k in args.keywords {
                let mark = self.u.mark();
                match &k.arg {
                    Some(name) => {
                        let key = self.u.alloc();
                        // Keywords are not mangled, unlike other private names.
                        self.u.load_str(key, name);
                        let value = self.expr(&k.value, None)?;
                        if args.keywords.iter().any(|k| k.arg.is_none()) {
                            // A name may repeat one of a mapping before it: merged as a mapping of one.
                            let value = self.behind(value, key);
                            self.u.op3(Op::BuildMap, key, key, 1);
                            debug_assert_eq!(value, key + 1);
                            self.u.op3(Op::MapMerge, kwargs, key, w);
                        } else {
                            self.u.op3(Op::MapAdd, kwargs, key, value);
                        }
                    }
                    None => {
                        let value = self.expr(&k.value, None)?;
                        self.u.op3(Op::MapMerge, kwargs, value, w);
                    }
                }
                self.u.reset(mark);
            }
        }
        self.u.emit(Op::CallEx, w, 0, 0, 0);
        Ok(())
    }

    /// Puts a value into the register behind `row`.
    fn behind(&mut self, value: Reg, row: Reg) -> Reg {
        if value != row + 1 {
            let t = self.u.alloc();
            self.u.mov(t, value);
            return t;
        }
        value
    }

    fn plain_args(&mut self, args: Args<'a>, w: Reg, before: u16, op: Op, op_kw: Op) -> Res<()> {
        for a in args.args {
            self.expr_next(a)?;
        }
        for k in args.keywords {
            self.expr_next(&k.value)?;
        }
        let n = before + (args.args.len() + args.keywords.len()) as u16;
        if args.keywords.is_empty() {
            self.u.emit(op, w, n, 0, 0);
            return Ok(());
        }
        let names = args.keywords.iter().filter_map(|k| k.arg.as_ref());
        let names = names.map(|n| Const::Str(n.as_bytes().into())).collect();
        let names = self.u.constant(Const::Tuple(names));
        self.u.emit(op_kw, w, n, 0, names);
        Ok(())
    }

    pub fn check_keywords(&self, keywords: &[ast::Keyword]) -> Res<()> {
        // `f((x)=1)`, which the parser lets through.
        let parenthesized = |k: &&ast::Keyword| k.arg.as_ref().is_some_and(|n| n.start() > k.start());
        if let Some(k) = keywords.iter().find(parenthesized)
            && let Some(name) = &k.arg
        {
            let equal = self.source.rest(name.end()).find('=').unwrap_or(0) + 1;
            let range = TextRange::new(name.start(), name.end() + TextSize::new(equal as u32));
            let message = "expression cannot contain assignment, perhaps you meant \"==\"?";
            return self.error(message, range);
        }
        if keywords.len() < 2 {
            return Ok(());
        }
        let mut seen = rustc_hash::FxHashSet::default();
        for k in keywords {
            if let Some(name) = &k.arg
                && !seen.insert(name.as_str())
            {
                return self.error(format!("keyword argument repeated: {name}"), k.range);
            }
        }
        Ok(())
    }

    // ---- super()

    /// Whether the expression is a call of `super` that `load.super_attr` serves, and with how many arguments.
    fn super_shape(&self, e: &'a Expr) -> Option<(Op, &'a [Expr])> {
        let Expr::Call(c) = e else { return None };
        let Expr::Name(n) = &*c.func else { return None };
        let unit = &self.tree.scopes[self.u.scope];
        if n.id.as_str() != "super"
            || !c.arguments.keywords.is_empty()
            || c.arguments.args.iter().any(Expr::is_starred_expr)
            || !unit.is_function_like()
            || self.f.scope != self.u.scope
            || !self.is_plain_global("super")
        {
            return None;
        }
        match &*c.arguments.args {
            args @ [_, _] => Some((Op::LoadSuperAttr, args)),
            args @ [] if self.f.first_param.is_some() && self.f.frees.contains_key("__class__") => {
                Some((Op::LoadSuperAttr0, args))
            }
            _ => None,
        }
    }

    /// Evaluates the parts of `super(…)` into a row, if the expression is such a call.
    pub fn super_row(&mut self, e: &'a Expr) -> Res<Option<(Op, Reg)>> {
        let Some((op, args)) = self.super_shape(e) else { return Ok(None) };
        let row = self.u.alloc();
        self.load_name(&"super".into(), Some(row));
        if let [class, object] = args {
            self.expr_next(class)?;
            self.expr_next(object)?;
        } else {
            let class = self.u.alloc();
            self.load_name(&"__class__".into(), Some(class));
            let object = self.u.alloc();
            let name = self.f.first_param.clone().expect("super_shape saw it");
            self.load_name(&name, Some(object));
        }
        Ok(Some((op, row)))
    }

    /// A hidden local, for a variable of an inlined comprehension.
    pub fn hidden_local(&mut self, name: &str, kind: LocalKind) -> Reg {
        debug_assert_eq!(kind, LocalKind::Hidden);
        match self.f.hidden.pop() {
            Some(r) => r,
            None => self.u.add_local(name, kind),
        }
    }
}
