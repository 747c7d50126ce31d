//! Where tracebacks put their markers: the operator, subscript or call that an instruction stands for.

use ruff_python_ast::{Expr, ModModule, Stmt};
use ruff_text_size::Ranged;

/// Byte offsets in a piece of source between which the markers are `^`; the rest of it has `~`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchors {
    pub left: usize,
    pub right: usize,
}

/// The anchors of a piece of source that is one expression.
pub fn caret_anchors(segment: &str) -> Option<Anchors> {
    const OPEN: &str = "(\n";
    let text = format!("{OPEN}{segment}\n)");
    let module = parse(&text)?;
    let [Stmt::Expr(statement)] = module.body.as_slice() else { return None };
    let bytes = text.as_bytes();
    let behind = |e: &Expr| next_code(bytes, e.range().end().to_usize());
    let (left, right) = match &*statement.value {
        Expr::BinOp(op) => {
            let left = behind(&op.left)?;
            let mut right = left + 1;
            let second = *bytes.get(right)?;
            let before_operand = right < op.right.range().start().to_usize();
            if before_operand && !second.is_ascii_whitespace() && !matches!(second, b'\\' | b'#' | b'(') {
                right += 1;
            }
            (left, right)
        }
        Expr::Subscript(s) => (behind(&s.value)?, s.range.end().to_usize()),
        Expr::Call(c) => (behind(&c.func)?, c.range().end().to_usize()),
        _ => return None,
    };
    Some(Anchors { left: left - OPEN.len(), right: right - OPEN.len() })
}

/// Is the source a call that is assigned or returned, and is the call at these byte offsets (in its
/// first and its last line)? Markers would only repeat the line then.
pub fn is_plain_call(lines: &str, start: usize, end: usize) -> bool {
    const BLOCK: &str = "if 1:\n";
    // Lines as they stand in a block have it before them.
    let indented = lines.starts_with([' ', '\t', '\x0c']);
    let whole = if indented { format!("{BLOCK}{lines}") } else { lines.to_owned() };
    let shift = whole.len() - lines.len();
    let Some(module) = parse(&whole) else { return false };
    let first = match module.body.first() {
        Some(Stmt::If(block)) if indented => block.body.first(),
        first => first,
    };
    let value = match first {
        Some(Stmt::Return(r)) => match r.value.as_deref() {
            Some(Expr::Call(c)) if c.func.is_name_expr() => Some(c.range()),
            _ => None,
        },
        Some(Stmt::Assign(a)) => match (&*a.value, &*a.targets) {
            (Expr::Call(c), [Expr::Name(_)]) => Some(c.range()),
            _ => None,
        },
        _ => None,
    };
    let last_line = lines.rfind('\n').map_or(0, |i| i + 1);
    value.is_some_and(|r| {
        r.start().to_usize() == shift + start && r.end().to_usize() == shift + last_line + end
    })
}

fn parse(text: &str) -> Option<ModModule> {
    Some(ruff_python_parser::parse_module(text).ok()?.into_syntax())
}

/// The next byte that is code: no blank, closing parenthesis, comment or line joint.
fn next_code(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *text.get(at)? {
            b'#' => at += text[at..].iter().position(|&b| b == b'\n')?,
            b if b.is_ascii_whitespace() || matches!(b, b')' | b'\\') => at += 1,
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_subscripts_and_calls_are_found() {
        let at = |s: &str| caret_anchors(s).map(|a| (a.left, a.right));
        assert_eq!(at("a + b"), Some((2, 3)));
        assert_eq!(at("(a)//b"), Some((3, 5)));
        assert_eq!(at("a[1]"), Some((1, 4)));
        assert_eq!(at("f.g(1)"), Some((3, 6)));
        assert_eq!(at("a.b"), None);
    }
}
