//! The parser's errors in CPython's words and places.
//!
//! CPython names the token where no rule goes on ("invalid syntax"), unless one of its rules for common
//! mistakes applies; those are looked for here, by the kind of the parser's error, the tokens around it
//! and the expressions it recovered.

mod fields;
mod mistakes;
mod parameters;
mod strings;
mod targets;

use crate::errors::{ErrorKind, Fault};
use crate::source::Source;
use crate::tokenizer_errors as tokenizer;
use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{self as ast, AnyNodeRef, Expr, Mod};
use ruff_python_parser::{InterpolatedStringErrorType as Interpolated, LexicalErrorType as Lexical};
use ruff_python_parser::{ParseError, ParseErrorType as E};
use ruff_text_size::{Ranged, TextRange, TextSize};

/// What the messages are made from.
pub struct Context<'a> {
    pub source: &'a Source,
    pub tokens: &'a [Token],
    pub module: &'a Mod,
    pub errors: &'a [ParseError],
}

/// The range between two offsets; in a source with errors nothing is sure to come after another.
fn span(a: TextSize, b: TextSize) -> TextRange {
    TextRange::new(a.min(b), a.max(b))
}

/// The error that CPython gives for the parser's errors, of which there is one at least.
pub fn translate(c: &Context<'_>) -> Box<Fault> {
    let errors = c.errors;
    if let Some(f) = tokenizer::first(c.source, c.tokens, errors) {
        return f;
    }
    let e = &errors[0];
    if let Some(f) = c.replacement_field() {
        return f;
    }
    let at = e.location.start();
    if c.source.text[..at.to_usize()].ends_with('<') && c.source.text[at.to_usize()..].starts_with('>') {
        let diamond = TextRange::new(at - TextSize::from(1), at + TextSize::from(1));
        return Fault::syntax("invalid syntax. Maybe you meant '!=' instead of '<>'?", diamond);
    }
    let index = c.index_at(at);
    if c.kind_at(index) == TokenKind::Yield
        && let Some(f) = c.conditional_side(index)
    {
        return f;
    }
    let mut fault = c.message(e);
    if fault.message == "invalid syntax"
        && let Some(f) = c.field_with_brackets()
    {
        fault = f;
    }
    if let Some(open) = tokenizer::brackets(c.source, c.tokens).open {
        // An open bracket explains what follows on later lines, and an error at the end.
        let line = |r: TextRange| c.source.line_of(r.start().to_u32());
        let at_end = e.location.start().to_usize() >= c.source.text.trim_end().len();
        // A bracket behind an expression is looked at as a second one, up to the end.
        let ahead = open.start() == e.location.start();
        if line(e.location) > line(open) || at_end || ahead || matches!(e.error, E::Lexical(Lexical::Eof)) {
            return tokenizer::never_closed(c.source, open);
        }
    }
    fault
}

/// Whether more input might complete the source: the first error is its end.
pub fn is_incomplete(source: &Source, errors: &[ParseError], fault: &Fault) -> bool {
    let end = source.text.trim_end().len();
    let at_end = errors.first().is_some_and(|e| e.location.start().to_usize() >= end);
    let continued =
        fault.message == "unexpected EOF while parsing" || fault.message.starts_with("unterminated");
    let open = fault.message.ends_with("was never closed")
        || fault.message.starts_with("unterminated triple-quoted")
        || source.text.strip_suffix('\n').unwrap_or(&source.text).ends_with('\\') && continued
        || end == 0;
    open || at_end && (fault.kind == ErrorKind::Indentation || fault.message.starts_with("expected 'except'"))
}

/// CPython's name for a kind of expression.
fn expr_name(e: &Expr) -> &'static str {
    match e {
        Expr::Attribute(_) => "attribute",
        Expr::Subscript(_) => "subscript",
        Expr::Starred(_) => "starred",
        Expr::Name(_) => "name",
        Expr::List(_) => "list",
        Expr::Tuple(_) => "tuple",
        Expr::Lambda(_) => "lambda",
        Expr::Call(_) => "function call",
        Expr::BoolOp(_) | Expr::BinOp(_) | Expr::UnaryOp(_) => "expression",
        Expr::Generator(_) => "generator expression",
        Expr::Yield(_) | Expr::YieldFrom(_) => "yield expression",
        Expr::Await(_) => "await expression",
        Expr::ListComp(_) => "list comprehension",
        Expr::SetComp(_) => "set comprehension",
        Expr::DictComp(_) => "dict comprehension",
        Expr::Dict(_) => "dict literal",
        Expr::Set(_) => "set display",
        Expr::FString(_) => "f-string expression",
        Expr::TString(_) => "t-string expression",
        Expr::StringLiteral(_) | Expr::BytesLiteral(_) | Expr::NumberLiteral(_) => "literal",
        Expr::BooleanLiteral(b) if b.value => "True",
        Expr::BooleanLiteral(_) => "False",
        Expr::NoneLiteral(_) => "None",
        Expr::EllipsisLiteral(_) => "ellipsis",
        Expr::Compare(_) => "comparison",
        Expr::If(_) => "conditional expression",
        Expr::Named(_) => "named expression",
        Expr::Slice(_) | Expr::IpyEscapeCommand(_) => "expression",
    }
}

/// Whether the grammar's `bitwise_or` covers it.
fn is_bitwise_or(e: &Expr) -> bool {
    !matches!(
        e,
        Expr::Compare(_)
            | Expr::BoolOp(_)
            | Expr::If(_)
            | Expr::Lambda(_)
            | Expr::Named(_)
            | Expr::Starred(_)
    ) && !matches!(e, Expr::Yield(_) | Expr::YieldFrom(_))
        && !matches!(e, Expr::UnaryOp(u) if u.op == ast::UnaryOp::Not)
        && !matches!(e, Expr::Tuple(t) if !t.parenthesized)
}

/// Finds the largest expression that passes a test.
struct Finder<'a, F> {
    test: F,
    found: Option<&'a Expr>,
}

impl<'a, F: Fn(&Expr) -> bool> SourceOrderVisitor<'a> for Finder<'a, F> {
    fn enter_node(&mut self, _: AnyNodeRef<'a>) -> TraversalSignal {
        TraversalSignal::Traverse
    }

    fn visit_expr(&mut self, e: &'a Expr) {
        let larger = self.found.is_none_or(|f| f.range().len() < e.range().len());
        if (self.test)(e) && larger && !e.range().is_empty() {
            self.found = Some(e);
        }
        ast::visitor::source_order::walk_expr(self, e);
    }
}

impl<'a> Context<'a> {
    fn find(&self, test: impl Fn(&Expr) -> bool) -> Option<&'a Expr> {
        let mut f = Finder { test, found: None };
        match self.module {
            Mod::Module(m) => m.body.iter().for_each(|s| f.visit_stmt(s)),
            Mod::Expression(e) => f.visit_expr(&e.body),
        }
        f.found
    }

    fn expr_starting(&self, at: TextSize) -> Option<&'a Expr> {
        self.find(|e| e.start() == at && !matches!(e, Expr::Tuple(t) if !t.parenthesized))
    }

    fn expr_ending(&self, at: TextSize) -> Option<&'a Expr> {
        self.find(|e| {
            e.end() == at
                && !matches!(e, Expr::Tuple(t) if !t.parenthesized)
                && !matches!(e, Expr::Starred(_) | Expr::Named(_) | Expr::Generator(_))
        })
    }

    fn text(&self, r: TextRange) -> &str {
        &self.source.text[r]
    }

    /// Index of the first token that does not end before the offset, trivia left out.
    fn index_at(&self, offset: TextSize) -> usize {
        let i = self
            .tokens
            .partition_point(|t| t.end() <= offset && !(t.range().is_empty() && t.start() == offset));
        (i..self.tokens.len()).find(|&i| !self.tokens[i].kind().is_trivia()).unwrap_or(self.tokens.len())
    }

    fn token(&self, i: usize) -> Option<&'a Token> {
        self.tokens.get(i)
    }

    fn before(&self, i: usize) -> Option<&'a Token> {
        self.tokens[..i.min(self.tokens.len())].iter().rfind(|t| !t.kind().is_trivia())
    }

    fn after(&self, i: usize) -> Option<&'a Token> {
        self.tokens.get(i + 1..)?.iter().find(|t| !t.kind().is_trivia())
    }

    fn kind_at(&self, i: usize) -> TokenKind {
        self.token(i).map_or(TokenKind::EndOfFile, |t| t.kind())
    }

    fn in_brackets(&self, offset: TextSize) -> bool {
        let before: Vec<Token> = self.tokens.iter().take_while(|t| t.start() < offset).copied().collect();
        tokenizer::brackets(self.source, &before).open.is_some()
    }

    /// "invalid syntax" at the token that begins at or behind the offset.
    fn invalid(&self, at: TextSize) -> Box<Fault> {
        let i = self.index_at(at);
        let range = match self.token(i) {
            Some(t) if t.kind() == TokenKind::Indent => return self.unexpected_indent(at),
            Some(t) if t.kind() != TokenKind::EndOfFile => t.range(),
            _ => TextRange::empty(at),
        };
        Fault::syntax("invalid syntax", range)
    }

    fn indentation(&self, message: impl Into<String>, range: TextRange) -> Box<Fault> {
        Fault::new(ErrorKind::Indentation, message, range)
    }

    fn unexpected_indent(&self, at: TextSize) -> Box<Fault> {
        let i = self.index_at(at);
        let end = self.tokens[i.min(self.tokens.len() - 1)].range();
        if let Some(f) = tokenizer::inconsistent_tabs(self.source, end.end()) {
            return f;
        }
        // CPython points behind the indentation's last column.
        let range = TextRange::empty(end.end().checked_sub(1.into()).unwrap_or_default());
        self.indentation("unexpected indent", range)
    }

    fn message(&self, e: &ParseError) -> Box<Fault> {
        let r = e.location;
        let f = |m: &str| Fault::syntax(m, r);
        match &e.error {
            E::Lexical(k) => self.lexical(k, r),
            E::InvalidAssignmentTarget => self.loop_target(r).unwrap_or_else(|| self.assignment_target(r)),
            E::InvalidAugmentedAssignmentTarget => {
                let name = self.name_of(r);
                f(&format!("'{name}' is an illegal expression for augmented assignment"))
            }
            E::InvalidDeleteTarget => f(&format!("cannot delete {}", self.name_of(r))),
            E::InvalidAnnotatedAssignmentTarget => {
                let colon =
                    self.tokens[self.index_at(r.end())..].iter().find(|t| t.kind() == TokenKind::Colon);
                let annotated = colon.is_some_and(|t| self.expression_at(self.index_at(t.end())).is_some());
                match colon {
                    Some(t) if !annotated => self.invalid(t.start()),
                    _ => f("illegal target for annotation"),
                }
            }
            E::InvalidNamedAssignmentTarget => {
                f(&format!("cannot use assignment expressions with {}", self.name_of(r)))
            }
            E::PositionalAfterKeywordArgument => {
                Fault::syntax("positional argument follows keyword argument", self.closing(r))
            }
            E::PositionalAfterKeywordUnpacking => {
                Fault::syntax("positional argument follows keyword argument unpacking", self.closing(r))
            }
            E::InvalidArgumentUnpackingOrder => {
                let comma = self.before(self.index_at(r.start())).map_or(r, |t| t.range());
                Fault::syntax(
                    "iterable argument unpacking follows keyword argument unpacking",
                    span(comma.start(), r.end()),
                )
            }
            E::UnparenthesizedGeneratorExpression => {
                if self.kind_at(self.line_start(self.index_at(r.start()))) == TokenKind::Class {
                    return self.invalid(self.first_for(r));
                }
                f("Generator expression must be parenthesized")
            }
            E::ParamAfterVarKeywordParam => f("arguments cannot follow var-keyword argument"),
            E::NonDefaultParamAfterDefaultParam => {
                f("parameter without a default follows parameter with a default")
            }
            E::VarParameterWithDefault => self.variadic_default(r),
            E::ExpectedKeywordParam => self.bare_star(r),
            E::EmptyTypeParams => f("Type parameter list cannot be empty"),
            E::EmptyImportNames => self.empty_import(r),
            E::InvalidMatchPatternTarget => {
                let i = self.index_at(r.start());
                match self.before(i).map(|t| t.kind()) {
                    Some(TokenKind::DoubleStar) => self.invalid(r.start()),
                    _ => f("cannot use '_' as a target"),
                }
            }
            E::UnexpectedIndentation => self.unexpected_indent(r.start()),
            E::ExpectedExpression => self.expected_expression(r),
            E::SimpleStatementsOnSameLine => self.two_statements(r),
            E::ExpectedToken { expected, found } => self.expected_token(*expected, *found, r),
            E::InvalidStarredExpressionUsage => self.starred(r),
            E::FStringError(k) => self.interpolated("f", k, r),
            E::TStringError(k) => self.interpolated("t", k, r),
            E::OtherError(m) => self.other(m, r),
            E::ExpectedRealNumber => f("real number required in complex literal"),
            E::ExpectedImaginaryNumber => f("imaginary number required in complex literal"),
            E::InvalidStarPatternUsage => self.invalid(r.start()),
            E::IterableUnpackingInComprehension => f("iterable unpacking cannot be used in comprehension"),
            E::UnparenthesizedTupleExpression => match self.text(r).find(',') {
                Some(i) => self.invalid(r.start() + TextSize::new(i as u32)),
                None => self.invalid(r.start()),
            },
            E::UnparenthesizedNamedExpression => match self.text(r).find(":=") {
                Some(i) => self.invalid(r.start() + TextSize::new(i as u32)),
                None => self.invalid(r.start()),
            },
            _ => self.invalid(r.start()),
        }
    }

    fn name_of(&self, r: TextRange) -> &'static str {
        self.find(|e| e.range() == r).map_or("expression", expr_name)
    }

    /// The bracket that closes the arguments that hold the range.
    fn closing(&self, r: TextRange) -> TextRange {
        let mut depth = 0;
        for t in &self.tokens[self.index_at(r.end())..] {
            match t.kind() {
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace if depth == 0 => return t.range(),
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth -= 1,
                _ => {}
            }
        }
        r
    }

    fn parameter_star(&self, at: TextSize) -> bool {
        let i = self.index_at(at);
        let star =
            self.tokens[..i].iter().rfind(|t| matches!(t.kind(), TokenKind::Star | TokenKind::DoubleStar));
        star.is_none_or(|t| t.kind() == TokenKind::Star)
    }

    // ---- missing things

    fn expected_expression(&self, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.start());
        if let Some(f) = self.conditional_side(i) {
            return f;
        }
        let before = self.before(i);
        match before.map(|t| t.kind()) {
            Some(TokenKind::Star)
                if matches!(self.kind_at(i), TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Colon) =>
            {
                // A slice's part is no place for a star at all.
                let star = before.map_or(i, |t| self.index_at(t.start()));
                if self.before(star).is_some_and(|t| t.kind() == TokenKind::Colon) {
                    return self.invalid(self.tokens[star].start());
                }
                Fault::syntax("Invalid star expression", self.tokens[i].range())
            }
            Some(TokenKind::Lbrace)
                if self.kind_at(i) == TokenKind::Rbrace || self.kind_at(i) == TokenKind::Exclamation =>
            {
                let text = self.text(self.tokens[i].range());
                let kind = self.interpolated_kind(i);
                Fault::syntax(
                    format!("{kind}: valid expression required before '{text}'"),
                    self.tokens[i].range(),
                )
            }
            Some(TokenKind::Colon) if self.in_dict(i) => {
                let at = before.map_or(r, |t| t.range());
                Fault::syntax("expression expected after dictionary key and ':'", at)
            }
            Some(TokenKind::Equal)
                if self.in_brackets(r.start())
                    && matches!(self.kind_at(i), TokenKind::Rpar | TokenKind::Comma)
                    || matches!(self.kind_at(i), TokenKind::Comma | TokenKind::Colon)
                        && self.in_lambda_parameters(i) =>
            {
                self.missing_value(i, r)
            }
            _ => self.invalid(r.start()),
        }
    }

    fn in_dict(&self, i: usize) -> bool {
        let mut depth = 0;
        for t in self.tokens[..i].iter().rev() {
            match t.kind() {
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => depth += 1,
                TokenKind::Lpar | TokenKind::Lsqb if depth == 0 => return false,
                TokenKind::Lambda | TokenKind::FStringStart if depth == 0 => return false,
                TokenKind::Lbrace if depth == 0 => {
                    return self
                        .before(self.index_at(t.start()))
                        .is_none_or(|t| t.kind() != TokenKind::FStringMiddle);
                }
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth -= 1,
                _ => {}
            }
        }
        false
    }

    fn two_statements(&self, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.start());
        let Some(before) = self.before(i) else { return self.invalid(r.start()) };
        let word = self.text(before.range());
        // The rules for these want a whole expression behind the name.
        let line_end = self.tokens[i..].iter().find(|t| t.kind() == TokenKind::Newline).map(|t| t.start());
        let sound = self.errors.get(1).is_none_or(|e| line_end.is_some_and(|end| e.location.start() >= end));
        let start_of_statement = sound && {
            let j = self.index_at(before.start());
            self.before(j).is_none_or(|t| {
                matches!(
                    t.kind(),
                    TokenKind::Newline
                        | TokenKind::Indent
                        | TokenKind::Dedent
                        | TokenKind::Semi
                        | TokenKind::Colon
                )
            })
        };
        if start_of_statement && matches!(word, "print" | "exec") {
            let end = self.expr_starting(r.start()).map_or(r.end(), |e| e.end());
            let message = format!("Missing parentheses in call to '{word}'. Did you mean {word}(...)?");
            return Fault::syntax(message, span(before.start(), end));
        }
        let mistake = self.augmented_tuple(i).or_else(|| self.as_target(i));
        if let Some(f) = mistake.or_else(|| self.interrupted_string(i)) {
            return f;
        }
        let line = self.line_start(i);
        // `import a from b`
        if self.kind_at(line) == TokenKind::Import && self.kind_at(i) == TokenKind::From {
            let end =
                self.tokens[i..].iter().find(|t| matches!(t.kind(), TokenKind::Newline | TokenKind::As));
            let end = end.map_or(r.end(), |t| t.end());
            let message = "Did you mean to use 'from ... import ...' instead?";
            return Fault::syntax(message, span(self.tokens[line].start(), end));
        }
        self.invalid(r.start())
    }

    /// Index of the first token of the logical line.
    fn line_start(&self, i: usize) -> usize {
        let begin =
            |t: &Token| matches!(t.kind(), TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent);
        let at = self.tokens[..i].iter().rposition(begin).map_or(0, |n| n + 1);
        (at..self.tokens.len()).find(|&i| !self.tokens[i].kind().is_trivia()).unwrap_or(at)
    }

    fn empty_import(&self, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.start());
        if matches!(self.kind_at(i), TokenKind::Newline | TokenKind::EndOfFile | TokenKind::Semi) {
            return Fault::syntax(
                "Expected one or more names after 'import'",
                TextRange::at(r.start(), 0.into()),
            );
        }
        self.invalid(r.start())
    }

    fn expected_token(&self, expected: TokenKind, found: TokenKind, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.start());
        if found == TokenKind::Equal
            && let Some(f) = self.assigned_unpacking(i).or_else(|| self.mistaken_equal(r.start()))
        {
            return f;
        }
        let mistake = self
            .parenthesized_parameters(i)
            .or_else(|| self.comprehension_target(i))
            .or_else(|| self.type_parameter_bound(i))
            .or_else(|| self.augmented_tuple(i))
            .or_else(|| self.as_target(i))
            .or_else(|| self.interrupted_string(i))
            .or_else(|| self.keyword_generator(i));
        if let Some(f) = mistake {
            return f;
        }
        let slash = self.before(i).is_some_and(|t| t.kind() == TokenKind::Slash);
        if expected == TokenKind::Comma && found == TokenKind::Star && slash {
            return Fault::syntax("expected comma between / and *", r);
        }
        let line = self.kind_at(self.line_start(i));
        match expected {
            TokenKind::Colon => {
                if matches!(found, TokenKind::Rbrace | TokenKind::Comma)
                    && self.in_dict(i)
                    && let Some(t) = self.before(i)
                {
                    return Fault::syntax("':' expected after dictionary key", t.range());
                }
                let forced = matches!(
                    line,
                    TokenKind::Def | TokenKind::Else | TokenKind::Try | TokenKind::Finally | TokenKind::Async
                );
                if matches!(found, TokenKind::Newline | TokenKind::EndOfFile)
                    || forced && !self.in_brackets(r.start())
                {
                    return Fault::syntax("expected ':'", r);
                }
                self.forgotten_comma(i, r)
            }
            TokenKind::Lpar if matches!(line, TokenKind::Def | TokenKind::Async) => {
                Fault::syntax("expected '('", r)
            }
            TokenKind::Else => {
                let end = self.before(i).map_or(r.start(), |t| t.end());
                let conditional = self.find(|e| e.is_if_expr() && e.end() == end);
                let start = conditional.map_or(r.start(), |e| e.start());
                // `for x if …`: what looks like a conditional expression is a target without `in`.
                if let Some(t) = self.loop_without_in(start, end) {
                    return Fault::syntax("'in' expected after for-loop variables", t);
                }
                if self.kind_at(i) == TokenKind::Colon {
                    return self.invalid(r.start());
                }
                Fault::syntax("expected 'else' after 'if' expression", span(start, end))
            }
            TokenKind::In if self.in_brackets(r.start()) => {
                Fault::syntax("'in' expected after for-loop variables", r)
            }
            _ => self.forgotten_comma(i, r),
        }
    }

    /// Two expressions side by side in brackets.
    fn forgotten_comma(&self, i: usize, r: TextRange) -> Box<Fault> {
        let Some(before) = self.before(i) else { return self.invalid(r.start()) };
        let mut left = self.expr_ending(before.end());
        while let Some(Expr::Lambda(l)) = left {
            left = Some(&l.body);
        }
        // A keyword's name is an expression as far as its `=`.
        let keyword = || {
            let named = self.kind_at(i) == TokenKind::Name && self.kind_at(i + 1) == TokenKind::Equal;
            named.then_some(r.end())
        };
        let right = self.expr_starting(r.start()).map(|e| e.end()).or_else(keyword);
        if let (Some(a), Some(end)) = (left, right)
            && self.in_brackets(r.start())
            && !a.is_if_expr()
            && !(a.is_name_expr() && self.kind_at(i) == TokenKind::String)
            && !self
                .before(self.index_at(a.start()))
                .is_some_and(|t| matches!(t.kind(), TokenKind::In | TokenKind::If))
        {
            let message = "invalid syntax. Perhaps you forgot a comma?";
            return Fault::syntax(message, span(a.start(), end));
        }
        self.invalid(r.start())
    }

    fn starred(&self, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.start());
        let next = self.index_at(r.end());
        if self.kind_at(next) == TokenKind::Colon {
            return self.invalid(r.end());
        }
        match self.before(i).map(|t| t.kind()) {
            Some(TokenKind::Colon) if self.in_dict(i) => {
                Fault::syntax("cannot use a starred expression in a dictionary value", r)
            }
            Some(TokenKind::Lpar) => Fault::syntax("cannot use starred expression here", r),
            _ => self.invalid(r.start()),
        }
    }

    // ---- errors that only their text tells apart

    fn other(&self, m: &str, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.start());
        let f = |m: &str| Fault::syntax(m, r);
        if let Some(clause) = m.strip_prefix("Expected an indented block after ") {
            return self.missing_block(clause, r);
        }
        match m {
            "Only one '/' separator allowed" => f("/ may appear only once"),
            "Only one '*' parameter allowed"
            | "Only one '*' separator allowed"
            | "Keyword-only parameter separator not allowed after '*' parameter" => {
                Fault::syntax("* argument may appear only once", TextRange::at(r.start(), 1.into()))
            }
            "Only one '**' parameter allowed" => f("arguments cannot follow var-keyword argument"),
            "'/' parameter must appear before '*' parameter" => f("/ must be ahead of *"),
            "Position-only parameter separator not allowed as first parameter" => self.first_slash(r),
            "Multiple exception types must be parenthesized when using `as`" => {
                f("multiple exception types must be parenthesized when using 'as'")
            }
            "Cannot have both 'except' and 'except*' on the same 'try'" => {
                let star = self.after(i).filter(|t| t.kind() == TokenKind::Star).map(|t| t.end());
                let end = star.or(self.token(i).map(|t| t.end())).unwrap_or(r.end());
                let message = "cannot have both 'except' and 'except*' on the same 'try'";
                Fault::syntax(message, span(r.start(), end))
            }
            "Expected `except` or `finally` after `try` block" => {
                let t = match self.token(i) {
                    Some(t) if t.kind() != TokenKind::EndOfFile && !t.range().is_empty() => t.range(),
                    _ => self.source_end(r.start()),
                };
                Fault::syntax("expected 'except' or 'finally' block", t)
            }
            "Expected one or more exception types" => f("expected one or more exception types"),
            "Positional patterns cannot follow keyword patterns" => {
                f("positional patterns follow keyword patterns")
            }
            "Only single target (not tuple) can be annotated" => {
                f("only single target (not tuple) can be annotated")
            }
            "Only single target (not list) can be annotated" => {
                f("only single target (not list) can be annotated")
            }
            "Trailing comma not allowed" if self.kind_at(self.line_start(i)) == TokenKind::From => {
                let t = self.after(i).map_or(r, |t| t.range());
                Fault::syntax(
                    "trailing comma not allowed without surrounding parentheses",
                    TextRange::at(t.start(), t.len().min(1.into())),
                )
            }
            "Expected a parameter name" => self.parameter_name(r),
            "Cannot mix t-string literals with string or bytes literals" => self.mixed_templates(r),
            "Bytes literal cannot be mixed with non-bytes literals" => self.mixed_bytes(r),
            "Boolean 'not' expression cannot be used here" => {
                f("'not' after an operator must be parenthesized")
            }
            "Trailing comma not allowed" => {
                let t = self.after(i).map_or(r, |t| t.range());
                Fault::syntax("invalid syntax", t)
            }
            _ => {
                let mistake = self.comprehension_target(i).or_else(|| self.parenthesized_parameters(i));
                let mistake = mistake.or_else(|| self.type_parameter_bound(i));
                let mistake =
                    mistake.or_else(|| self.conditional_side(i)).or_else(|| self.elif_after_else(i));
                if let Some(f) = mistake.or_else(|| self.as_target(i)) {
                    return f;
                }
                if self.kind_at(i) == TokenKind::Equal
                    && let Some(f) = self.mistaken_equal(r.start())
                {
                    return f;
                }
                self.invalid(r.start())
            }
        }
    }

    /// `f(expr=value)`.
    fn parameter_name(&self, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.end());
        let end = self.token(i).map_or(r.end(), |t| t.end());
        let whole = span(r.start(), end);
        match self.text(r) {
            n @ ("True" | "False" | "None") => Fault::syntax(format!("cannot assign to {n}"), whole),
            n if n.starts_with('*') => {
                let value = self.after(i).and_then(|t| self.expr_starting(t.start()));
                let whole = span(r.start(), value.map_or(end, |e| e.end()));
                Fault::syntax("cannot assign to iterable argument unpacking", whole)
            }
            _ => Fault::syntax("expression cannot contain assignment, perhaps you meant \"==\"?", whole),
        }
    }

    /// The end of the last line with text, if nothing but blank space follows the offset; else the offset.
    fn source_end(&self, offset: TextSize) -> TextRange {
        let end = self.source.text.trim_end_matches(['\n', '\r']).len();
        let rest = &self.source.text[offset.to_usize().min(self.source.text.len())..];
        TextRange::empty(if rest.trim().is_empty() { TextSize::new(end as u32) } else { offset })
    }

    fn missing_block(&self, clause: &str, r: TextRange) -> Box<Fault> {
        let i = self.index_at(r.start());
        // The statement's first token is on the logical line that ends before the block.
        let newline = self.tokens[..(i + 1).min(self.tokens.len())]
            .iter()
            .rposition(|t| t.kind() == TokenKind::Newline)
            .unwrap_or(i);
        let start = self.line_start(newline.min(i));
        let line = self.token(start).map_or(1, |t| self.source.line_of(t.start().to_u32()));
        let what = match clause {
            "function definition" => "function definition".to_string(),
            "`class` definition" => "class definition".to_string(),
            c => {
                let word = c.split('`').nth(1).unwrap_or_default();
                let next = self.after(start).map(|t| t.kind());
                let star = word == "except" && next == Some(TokenKind::Star);
                format!("'{word}{}' statement", if star { "*" } else { "" })
            }
        };
        let range = match self.token(i) {
            Some(t) if !matches!(t.kind(), TokenKind::EndOfFile | TokenKind::Newline | TokenKind::Dedent) => {
                t.range()
            }
            _ => self.source_end(r.start()),
        };
        self.indentation(format!("expected an indented block after {what} on line {line}"), range)
    }
}
