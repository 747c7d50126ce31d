//! Type comments: `# type: …` behind assignments, parameters and the heads of compound statements.

use super::Field;
use super::schema::Class;
use crate::errors::{Fault, Res};
use crate::source::Source;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_text_size::{Ranged, TextRange, TextSize};
use std::cell::Cell;

/// The type comments of a source, and which of them belong to a node.
pub struct TypeComments<'a> {
    tokens: &'a Tokens,
    comments: Vec<Comment>,
    /// Line and tag of each `# type: ignore`.
    ignores: Vec<(u32, String)>,
}

struct Comment {
    range: TextRange,
    text: Box<str>,
    taken: Cell<bool>,
}

/// What follows `# type:` in a comment.
fn type_of(comment: &str) -> Option<&str> {
    let blanks = [' ', '\t'];
    let rest = comment.strip_prefix('#')?.trim_start_matches(blanks).strip_prefix("type:")?;
    Some(rest.trim_start_matches(blanks))
}

/// The tag of a `# type: ignore`.
fn ignore_tag(text: &str) -> Option<&str> {
    let tag = text.strip_prefix("ignore")?;
    let ends = tag.chars().next().is_none_or(|c| c.is_ascii() && !c.is_ascii_alphanumeric());
    ends.then_some(tag)
}

impl<'a> TypeComments<'a> {
    pub fn of(source: &Source, tokens: &'a Tokens) -> TypeComments<'a> {
        let (mut comments, mut ignores) = (Vec::new(), Vec::new());
        for token in tokens.iter().filter(|t| t.kind() == TokenKind::Comment) {
            let range = token.range();
            let Some(text) = type_of(&source.text[range.to_std_range()]) else { continue };
            match ignore_tag(text) {
                Some(tag) => ignores.push((source.line_of(range.start().to_u32()), tag.to_owned())),
                None => comments.push(Comment { range, text: text.into(), taken: Cell::new(false) }),
            }
        }
        TypeComments { tokens, comments, ignores }
    }

    fn take(&self, at: TextSize) -> Option<&Comment> {
        let comment = self.comments.iter().find(|c| c.range.start() == at)?;
        comment.taken.set(true);
        Some(comment)
    }

    /// The comment behind `from` with nothing but tokens of these kinds in between.
    pub fn behind(&self, from: TextSize, between: &[TokenKind]) -> Field {
        let first = self.tokens.partition_point(|t| t.start() < from);
        let next = self.tokens[first..].iter().find(|t| !between.contains(&t.kind()));
        let comment = next.and_then(|t| self.take(t.start()));
        comment.map_or(Field::None, |c| Field::Text(c.text.clone()))
    }

    /// The comment of a function whose head's last part ends there: on its line or alone on the next one.
    pub fn of_function(&self, from: TextSize) -> Res<Field> {
        let first = self.tokens.partition_point(|t| t.start() < from);
        let mut rest =
            self.tokens[first..].iter().skip_while(|t| t.kind() != TokenKind::Colon).skip(1).peekable();
        let on_line = rest.next_if(|t| t.kind() == TokenKind::Comment).and_then(|t| self.take(t.start()));
        let next = rest.next_if(|t| t.kind() == TokenKind::Newline).and(rest.peek());
        let below = next.filter(|t| t.kind() == TokenKind::Comment).and_then(|t| self.take(t.start()));
        match (on_line, below) {
            (Some(_), Some(second)) => {
                Err(Fault::syntax("Cannot have two type comments on def", second.range))
            }
            (one, other) => Ok(one.or(other).map_or(Field::None, |c| Field::Text(c.text.clone()))),
        }
    }

    /// The module's list, once all nodes are made. SyntaxError: a comment that is no node's.
    pub fn ignored(&self) -> Res<Field> {
        if let Some(c) = self.comments.iter().find(|c| !c.taken.get()) {
            return Err(Fault::syntax("invalid syntax", c.range));
        }
        let node = |(line, tag): &(u32, String)| -> Field {
            let fields = vec![Field::Int((*line).into()), Field::Text(tag.as_str().into())];
            Class::TypeIgnore.node(fields).into()
        };
        Ok(Field::List(self.ignores.iter().map(node).collect()))
    }
}

/// The signature of a function's type comment: `(int, *str) -> bool`.
pub fn function_type(text: &str) -> Option<(TextRange, TextRange)> {
    let open = text.find('(')?;
    if !text[..open].trim().is_empty() {
        return None;
    }
    let arrow = text.rfind("->")?;
    let close = text[..arrow].rfind(')')?;
    if !text[close + 1..arrow].trim().is_empty() {
        return None;
    }
    let range = |a: usize, b: usize| TextRange::new((a as u32).into(), (b as u32).into());
    Some((range(open, close + 1), range(arrow + 2, text.len())))
}
