//! SyntaxWarnings about expressions that can hardly be meant.

use crate::context::Compiler;
use ruff_python_ast::{self as ast, CmpOp, Expr};
use ruff_text_size::Ranged;

/// Name of the type that an expression's value has in any case.
fn type_name(e: &Expr) -> Option<&'static str> {
    Some(match e {
        Expr::NoneLiteral(_) => "NoneType",
        Expr::BooleanLiteral(_) => "bool",
        Expr::EllipsisLiteral(_) => "ellipsis",
        Expr::NumberLiteral(n) => match n.value {
            ast::Number::Int(_) => "int",
            ast::Number::Float(_) => "float",
            ast::Number::Complex { .. } => "complex",
        },
        Expr::StringLiteral(_) | Expr::FString(_) => "str",
        Expr::TString(_) => "string.templatelib.Template",
        Expr::BytesLiteral(_) => "bytes",
        Expr::Tuple(_) => "tuple",
        Expr::List(_) | Expr::ListComp(_) => "list",
        Expr::Dict(_) | Expr::DictComp(_) => "dict",
        Expr::Set(_) | Expr::SetComp(_) => "set",
        Expr::Generator(_) => "generator",
        Expr::Lambda(_) => "function",
        _ => return None,
    })
}

impl Compiler<'_> {
    pub fn check_callee(&mut self, callee: &Expr) {
        let Some(kind) = type_name(callee).filter(|_| !callee.is_lambda_expr()) else { return };
        self.warn(format!("'{kind}' object is not callable; perhaps you missed a comma?"), callee.range());
    }

    pub fn check_subscript(&mut self, s: &ast::ExprSubscript) {
        let Some(kind) = type_name(&s.value) else { return };
        let has_items = matches!(kind, "str" | "bytes" | "tuple" | "list" | "dict");
        if !has_items {
            let message = format!("'{kind}' object is not subscriptable; perhaps you missed a comma?");
            return self.warn(message, s.value.range());
        }
        if kind != "dict"
            && let Some(index) = type_name(&s.slice).filter(|i| !matches!(*i, "int" | "bool"))
        {
            let message = format!(
                "{kind} indices must be integers or slices, not {index}; perhaps you missed a comma?"
            );
            self.warn(message, s.value.range());
        }
    }

    pub fn check_is_literal(&mut self, c: &ast::ExprCompare) {
        let mut left = &*c.left;
        for (op, right) in c.ops.iter().zip(&c.comparators) {
            if let CmpOp::Is | CmpOp::IsNot = op {
                let kind = [left, right].into_iter().find_map(|e| match e {
                    Expr::StringLiteral(_)
                    | Expr::BytesLiteral(_)
                    | Expr::Tuple(_)
                    | Expr::NumberLiteral(_) => type_name(e),
                    _ => None,
                });
                if let Some(kind) = kind {
                    let (is, eq) = if *op == CmpOp::Is { ("is", "==") } else { ("is not", "!=") };
                    let message = format!("\"{is}\" with '{kind}' literal. Did you mean \"{eq}\"?");
                    self.warn(message, c.range);
                }
            }
            left = right;
        }
    }
}
