//! Expressions back to text, for annotations that are kept as strings.

use crate::context::Compiler;
use ruff_python_ast::Expr;
use ruff_text_size::Ranged;

pub fn unparse(c: &Compiler<'_>, e: &Expr) -> String {
    c.source.text[e.range()].to_string()
}
