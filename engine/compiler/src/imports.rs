//! Import statements.

use crate::context::Compiler;
use crate::errors::Res;
use crate::unit::{Reg, TEMP};
use ruff_python_ast as ast;
use skein_bytecode::{Const, Op};

/// Features that `from __future__ import` knows.
const FUTURE_FEATURES: [&str; 10] = [
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "barry_as_FLUFL",
    "generator_stop",
    "annotations",
];

impl<'a> Compiler<'a> {
    fn import_name(&mut self, module: &str, fromlist: &Const, level: u32) -> Reg {
        let row = self.u.alloc_row(2);
        self.u.load_const(row, fromlist);
        self.u.load_const(row + 1, &Const::Int(i64::from(level)));
        let n = self.u.name(module);
        self.u.emit(Op::ImportName, row, row, 0, n);
        row
    }

    pub fn import(&mut self, i: &'a ast::StmtImport) -> Res<()> {
        for alias in &i.names {
            let mark = self.u.mark();
            let r = self.import_name(&alias.name, &Const::None, 0);
            match &alias.asname {
                None => {
                    let top = alias.name.split('.').next().unwrap_or_default();
                    let name = self.mangle(top);
                    self.store_name(&name, r);
                }
                Some(asname) => {
                    for part in alias.name.split('.').skip(1) {
                        let n = self.u.name(part);
                        self.u.emit(Op::ImportFrom, r, r, 0, n);
                    }
                    let name = self.mangle(asname);
                    self.store_name(&name, r);
                }
            }
            self.u.reset(mark);
        }
        Ok(())
    }

    pub fn import_from(&mut self, i: &'a ast::StmtImportFrom) -> Res<()> {
        let module = i.module.as_deref().unwrap_or_default();
        let mark = self.u.mark();
        let names = i.names.iter().map(|a| Const::Str(a.name.as_bytes().into())).collect();
        let r = self.import_name(module, &Const::Tuple(names), i.level);
        if i.names.iter().any(|a| &*a.name == "*") {
            self.u.op1(Op::ImportStar, r);
        } else {
            let item = TEMP + self.u.mark();
            for alias in &i.names {
                let target = self.u.alloc();
                debug_assert_eq!(target, item);
                let n = self.u.name(&alias.name);
                self.u.emit(Op::ImportFrom, target, r, 0, n);
                let name = self.mangle(alias.asname.as_ref().unwrap_or(&alias.name));
                self.store_name(&name, target);
                self.u.reset(item - TEMP);
            }
        }
        self.u.reset(mark);
        Ok(())
    }
}

/// Whether the body turns on `annotations`; errors for unknown or late features.
pub fn future_annotations(body: &[ast::Stmt]) -> Res<bool> {
    use crate::errors::Fault;
    use ruff_python_ast::Stmt;
    let mut annotations = false;
    let mut early = true;
    for (i, s) in body.iter().enumerate() {
        match s {
            Stmt::ImportFrom(f) if f.level == 0 && f.module.as_deref() == Some("__future__") => {
                if !early {
                    let message = "from __future__ imports must occur at the beginning of the file";
                    return Err(Fault::syntax(message, f.range));
                }
                for a in &f.names {
                    match a.name.as_str() {
                        "annotations" => annotations = true,
                        "braces" => return Err(Fault::syntax("not a chance", a.range)),
                        n if FUTURE_FEATURES.contains(&n) => {}
                        n => {
                            let message = format!("future feature {n} is not defined");
                            return Err(Fault::syntax(message, a.range));
                        }
                    }
                }
            }
            Stmt::Expr(e) if i == 0 && e.value.is_string_literal_expr() => {}
            _ => early = false,
        }
    }
    Ok(annotations)
}
