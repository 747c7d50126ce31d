//! Class definitions.
//!
//! A class body is a function of one parameter, the namespace, called by `__build_class__`; it returns
//! the `__class__` cell, or None if no method needs one.

use crate::calls::{Args, GAP};
use crate::context::Compiler;
use crate::errors::Res;
use crate::scopes::{Part, ScopeId, Sym, key};
use crate::unit::{NOWHERE, Reg};
use ruff_python_ast as ast;
use ruff_text_size::TextRange;
use skein_bytecode::{Code, Const, Intrinsic, LocalKind, Op};

impl<'a> Compiler<'a> {
    pub fn class_def(&mut self, c: &'a ast::StmtClassDef) -> Res<()> {
        let mark = self.u.mark();
        if let Some(a) = &c.arguments {
            self.check_keywords(&a.keywords)?;
        }
        let slot = self.decorators(&c.decorator_list)?;
        self.u.range = TextRange::new(c.range.start(), c.name.range.end());
        // Without its decorators.
        let decorated = !c.decorator_list.is_empty();
        let start = if decorated { c.name.range.start() } else { c.range.start() };
        let outer = std::mem::replace(&mut self.u.range, TextRange::new(start, c.range.end()));
        if c.type_params.is_some() {
            self.generic_class(c, slot)?;
        } else {
            self.build_class(c, slot, false)?;
        }
        self.apply_decorators(&c.decorator_list, slot);
        let name = self.mangle(&c.name);
        self.store_name(&name, crate::unit::TEMP + mark);
        self.u.range = outer;
        self.u.reset(mark);
        Ok(())
    }

    /// Calls `__build_class__` in the window `w`, which is the topmost temporary.
    fn build_class(&mut self, c: &'a ast::StmtClassDef, w: Reg, generic: bool) -> Res<()> {
        self.u.op2(Op::LoadCommon, w, 2);
        self.u.alloc_row(GAP);
        let scope = self.scope_of(key(c), Part::Body).expect("every class has a scope");
        let code = self.class_code(c, scope)?;
        let f = self.u.alloc();
        self.make_simple_function(code, scope, f);
        let name = self.u.alloc();
        self.u.load_str(name, &c.name);
        let args = match &c.arguments {
            Some(a) => Args::of(a),
            None => Args { args: &[], keywords: &[] },
        };
        if !generic {
            self.call_args(args, w, 2)?;
            self.u.reset(w - crate::unit::TEMP + 1);
            return Ok(());
        }
        // The implicit base Generic[...] comes last: always through a list.
        self.u.op3(Op::BuildList, f, f, 2);
        self.u.reset(f - crate::unit::TEMP + 1);
        self.extend_list(f, args.args, 1)?;
        let base = self.load_name(&".generic_base".into(), None);
        self.u.op2(Op::ListAppend, f, base);
        self.u.reset(f - crate::unit::TEMP + 1);
        let kwargs = self.u.alloc();
        if args.keywords.is_empty() {
            self.u.load_unbound(kwargs);
        } else {
            self.u.op3(Op::BuildMap, kwargs, kwargs, 0);
        }
        for k in args.keywords {
            let mark = self.u.mark();
            let pair = self.u.alloc();
            match &k.arg {
                Some(name) => {
                    self.u.load_str(pair, name);
                    self.expr_next(&k.value)?;
                    self.u.op3(Op::BuildMap, pair, pair, 1);
                }
                None => {
                    self.expr(&k.value, Some(pair))?;
                }
            }
            self.u.op3(Op::MapMerge, kwargs, pair, w);
            self.u.reset(mark);
        }
        self.u.emit(Op::CallEx, w, 0, 0, 0);
        self.u.reset(w - crate::unit::TEMP + 1);
        Ok(())
    }

    fn generic_class(&mut self, c: &'a ast::StmtClassDef, dst: Reg) -> Res<()> {
        let mark = self.u.mark();
        let scope = self.scope_of(key(c), Part::TypeParams).expect("generic");
        self.push_unit(scope, &format!("<generic parameters of {}>", c.name), c.range);
        self.u.flags |= skein_bytecode::flags::OPTIMIZED | skein_bytecode::flags::NEWLOCALS;
        self.declare_variables(&[]);
        let t = self.u.alloc();
        if let Some(tp) = &c.type_params {
            self.type_params(tp, t)?;
        }
        self.store_name(&".type_params".into(), t);
        self.u.op3(Op::Intrinsic, t, t, Intrinsic::SubscriptGeneric as u16);
        self.store_name(&".generic_base".into(), t);
        self.build_class(c, t, true)?;
        self.emit_return(t);
        let code = self.pop_unit()?;
        let w = self.u.alloc();
        self.make_simple_function(code, scope, w);
        self.u.alloc_row(GAP);
        self.u.emit(Op::Call, w, 0, 0, 0);
        self.u.reset(mark);
        self.u.mov(dst, w);
        Ok(())
    }

    fn class_code(&mut self, c: &'a ast::StmtClassDef, scope: ScopeId) -> Res<Code> {
        let first = c.decorator_list.first().map_or(c.range, |d| d.range);
        self.push_unit(scope, &c.name, first);
        self.u.range = TextRange::at(first.start(), 0.into());
        self.declare_namespace();
        let t = self.u.alloc();
        self.load_name(&"__name__".into(), Some(t));
        self.store_plain("__module__", t);
        let qualname = self.u.qualname.clone();
        self.u.load_str(t, &qualname);
        self.store_plain("__qualname__", t);
        let first_line = self.u.first_line;
        self.u.load_const(t, &Const::Int(i64::from(first_line)));
        self.store_plain("__firstlineno__", t);
        if c.type_params.is_some() {
            self.load_name(&".type_params".into(), Some(t));
            self.store_plain("__type_params__", t);
        }
        if let Some(&cell) = self.f.vars.get(&(scope, Sym::from("__classdict__"))) {
            self.u.op2(Op::StoreDeref, cell, 0);
        }
        if let Some(&cell) = self.f.vars.get(&(scope, Sym::from("__conditional_annotations__"))) {
            self.u.op3(Op::Intrinsic, t, t, Intrinsic::NewSet as u16);
            self.u.op2(Op::StoreDeref, cell, t);
            self.f.conditional_annotations = Some(cell);
        }
        self.u.reset(0);
        let (doc, body) = self.docstring(&c.body);
        if let Some(doc) = doc {
            let t = self.u.alloc();
            self.at(&c.body[0], |c| {
                c.u.load_const(t, &doc);
                c.store_plain("__doc__", t);
            });
            self.u.reset(0);
        }
        self.annotations_prologue(scope);
        self.stmts(body)?;
        self.u.range = TextRange::at(first.start(), 0.into());
        self.annotate_variables(scope, "__annotate_func__")?;
        self.u.range = NOWHERE;
        let t = self.u.alloc();
        let mut attributes: Vec<Sym> = self.tree.scopes[scope].static_attributes.iter().cloned().collect();
        attributes.sort();
        let attributes = attributes.iter().map(|a| Const::Str(a.as_bytes().into())).collect();
        self.u.load_const(t, &Const::Tuple(attributes));
        self.store_plain("__static_attributes__", t);
        if let Some(&cell) = self.f.vars.get(&(scope, Sym::from("__classdict__"))) {
            self.store_plain("__classdictcell__", cell);
        }
        match self.f.vars.get(&(scope, Sym::from("__class__"))) {
            Some(&cell) => {
                self.store_plain("__classcell__", cell);
                self.emit_return(cell);
            }
            None => self.return_none(),
        }
        self.u.reset(0);
        self.pop_unit()
    }

    /// Stores into the namespace of a module or class, whatever the name is declared as.
    pub fn store_plain(&mut self, name: &str, src: Reg) {
        let n = self.u.name(name);
        self.u.emit(Op::StoreName, src, 0, 0, n);
    }

    /// The namespace parameter of a module or class, its implicit cells and its closure.
    pub fn declare_namespace(&mut self) {
        let scope = self.u.scope;
        self.u.arg_count = 1;
        self.declare_variables_of_namespace(scope);
    }

    fn declare_variables_of_namespace(&mut self, scope: ScopeId) {
        self.u.add_local(".namespace", LocalKind::Hidden);
        self.u.params = 1;
        let s = &self.tree.scopes[scope];
        let is_class = s.kind == crate::scopes::ScopeKind::Class;
        let wanted = [
            ("__class__", s.needs_class_cell),
            ("__classdict__", s.needs_class_dict),
            ("__conditional_annotations__", is_class && s.conditional_annotations),
        ];
        let frees = s.frees.clone();
        for (name, needed) in wanted {
            if needed {
                let r = self.u.add_local(name, LocalKind::Cell);
                self.f.vars.insert((scope, name.into()), r);
                self.make_cell(r);
            }
        }
        for (i, name) in frees.into_iter().enumerate() {
            let r = self.u.add_local(&name, LocalKind::Free);
            self.f.frees.insert(name, r);
            self.u.op3(Op::LoadClosure, r, (i & 0xff) as u16, (i >> 8) as u16);
        }
    }
}
