//! Tokens as the module `tokenize` shows them.
//!
//! The parser's lexer is not used: here numbers run into names, unknown characters are operators, brackets need not match, and
//! what comes before an error is handed out.

mod lines;

use crate::errors::ErrorKind;
pub use lines::Lines;

/// Kinds that the rules here tell apart; the numbers are those of the module `token`.
pub mod kind {
    pub const ENDMARKER: u8 = 0;
    pub const NAME: u8 = 1;
    pub const NUMBER: u8 = 2;
    pub const STRING: u8 = 3;
    pub const NEWLINE: u8 = 4;
    pub const INDENT: u8 = 5;
    pub const DEDENT: u8 = 6;
    pub const OP: u8 = 55;
    pub const FSTRING_START: u8 = 59;
    pub const FSTRING_MIDDLE: u8 = 60;
    pub const FSTRING_END: u8 = 61;
    /// The t-string's kinds are those of f-strings and this.
    pub const TSTRING: u8 = 3;
    pub const COMMENT: u8 = 65;
    pub const NL: u8 = 66;
}

/// Operators and their kinds, long ones first.
const OPERATORS: &[(&str, u8)] = &[
    ("**=", 46),
    ("//=", 48),
    (">>=", 45),
    ("<<=", 44),
    ("...", 52),
    ("!=", 28),
    ("==", 27),
    ("<=", 29),
    (">=", 30),
    ("->", 51),
    (":=", 53),
    ("+=", 36),
    ("-=", 37),
    ("*=", 38),
    ("/=", 39),
    ("%=", 40),
    ("&=", 41),
    ("|=", 42),
    ("^=", 43),
    ("@=", 50),
    ("<<", 33),
    (">>", 34),
    ("**", 35),
    ("//", 47),
    ("(", 7),
    (")", 8),
    ("[", 9),
    ("]", 10),
    (":", 11),
    (",", 12),
    (";", 13),
    ("+", 14),
    ("-", 15),
    ("*", 16),
    ("/", 17),
    ("|", 18),
    ("&", 19),
    ("<", 20),
    (">", 21),
    ("=", 22),
    (".", 23),
    ("%", 24),
    ("{", 25),
    ("}", 26),
    ("~", 31),
    ("^", 32),
    ("@", 49),
    ("!", 54),
];

/// Columns of a tab, and levels of indentation.
const TAB: usize = 8;
const MAX_INDENTS: usize = 100;

/// A token. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: u8,
    /// Bytes of the source.
    pub start: usize,
    pub end: usize,
    pub line: u32,
    pub end_line: u32,
    /// Where the first and behind the last of its lines are in the source.
    pub line_start: usize,
    pub line_end: usize,
    /// It stands for the end of a source that does not end so: it has no text, but a column.
    pub implied: bool,
}

/// Why there are no further tokens. The column counts characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    pub kind: ErrorKind,
    pub message: String,
    pub line: u32,
    pub col: u32,
}

/// Where the lexer is, at the beginning of a line or within one.
#[derive(Clone)]
struct State {
    at: usize,
    line: u32,
    line_start: usize,
    line_end: usize,
    /// The line's indentation was not looked at yet.
    fresh: bool,
    /// Of open brackets.
    depth: usize,
    /// Columns with tabs of eight and of one.
    indents: Vec<(usize, usize)>,
    strings: Vec<Open>,
}

impl Default for State {
    fn default() -> State {
        State {
            at: 0,
            line: 1,
            line_start: 0,
            line_end: 0,
            fresh: true,
            depth: 0,
            indents: vec![(0, 0)],
            strings: Vec::new(),
        }
    }
}

/// An f-string or t-string that is open.
#[derive(Clone)]
struct Open {
    letter: char,
    quote: u8,
    triple: bool,
    raw: bool,
    start: usize,
    line: u32,
    /// Expressions that are open in it: the depth of brackets outside, and whether its specification has begun.
    expressions: Vec<(usize, bool)>,
}

struct Lexer<'a> {
    text: &'a [u8],
    /// Nothing follows the text.
    last: bool,
    state: State,
    out: Vec<Token>,
}

impl std::ops::Deref for Lexer<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl std::ops::DerefMut for Lexer<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

type Res<T> = Result<T, TokenError>;

impl Lexer<'_> {
    fn peek(&self, n: usize) -> u8 {
        self.text.get(self.at + n).copied().unwrap_or(0)
    }

    fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>, line: u32, col: u32) -> TokenError {
        TokenError { kind, message: message.into(), line, col }
    }

    /// A SyntaxError at the line in hand and a column from 1.
    fn fail<T>(&self, message: impl Into<String>, col: u32) -> Res<T> {
        Err(self.error(ErrorKind::Syntax, message, self.line, col))
    }

    /// The column from 1 of a place on the line in hand.
    fn col(&self, at: usize) -> u32 {
        chars(&self.text[self.line_start..at]) + 1
    }

    /// A token from a place on to where the lexer is.
    fn push(&mut self, kind: u8, start: usize, line: u32, line_start: usize) {
        let (end, end_line, line_end) = (self.at, self.line, self.line_end);
        self.out.push(Token { kind, start, end, line, end_line, line_start, line_end, implied: false });
    }

    fn push_here(&mut self, kind: u8, start: usize) {
        self.push(kind, start, self.line, self.line_start);
    }

    fn new_line(&mut self) {
        let at = self.at;
        self.line += 1;
        self.line_start = at;
        self.line_end = end_of_line(self.text, at);
    }

    /// Goes on to the end of the text. False: more is to come.
    fn run(&mut self) -> Res<bool> {
        loop {
            if !self.last && self.at_end() && self.at == self.line_start {
                return Ok(false);
            }
            if self.fresh && self.depth == 0 && self.strings.is_empty() {
                self.fresh = false;
                if self.indentation()? {
                    self.fresh = true;
                    continue;
                }
            }
            if self.in_text() {
                self.middle()?;
                continue;
            }
            while matches!(self.peek(0), b' ' | b'\t' | b'\x0c') {
                self.at += 1;
            }
            if self.at_end() {
                return if self.last { self.finish().map(|()| true) } else { Ok(false) };
            }
            let start = self.at;
            match self.peek(0) {
                b'#' => {
                    self.comment();
                    continue;
                }
                b'\n' | b'\r' => {
                    self.fresh = self.depth == 0;
                    self.end_of_line(if self.fresh { kind::NEWLINE } else { kind::NL });
                }
                b'\\' => self.joint()?,
                b'0'..=b'9' => self.number()?,
                b'.' if self.peek(1).is_ascii_digit() => self.number()?,
                b'"' | b'\'' => self.string(start)?,
                c if is_name(c) => self.name()?,
                _ => self.operator()?,
            }
        }
    }

    /// Is the place in the text of an f-string, not in an expression of it?
    fn in_text(&self) -> bool {
        self.strings.last().is_some_and(|s| s.expressions.last().is_none_or(|(_, spec)| *spec))
    }

    fn comment(&mut self) {
        let start = self.at;
        while !self.at_end() && !matches!(self.peek(0), b'\n' | b'\r') {
            self.at += 1;
        }
        self.push_here(kind::COMMENT, start);
    }

    fn end_of_line(&mut self, kind: u8) {
        let start = self.at;
        self.at += if self.peek(0) == b'\r' && self.peek(1) == b'\n' { 2 } else { 1 };
        self.push_here(kind, start);
        self.new_line();
    }

    /// A backslash at the end of a line.
    fn joint(&mut self) -> Res<()> {
        let start = self.at;
        self.at += 1;
        match self.peek(0) {
            b'\r' if self.peek(1) == b'\n' => self.at += 2,
            b'\n' | b'\r' => self.at += 1,
            _ if self.at_end() => return self.fail(EOF, self.col(start) + 1),
            _ => {
                return self
                    .fail("unexpected character after line continuation character", self.col(start) + 3);
            }
        }
        if self.at_end() {
            return self.fail(EOF, 0);
        }
        self.new_line();
        Ok(())
    }

    /// The beginning of a line: its indentation. True: the line has nothing but a comment.
    fn indentation(&mut self) -> Res<bool> {
        let (mut col, mut alternate) = (0, 0);
        let mut after_joint = None;
        loop {
            match self.peek(0) {
                b' ' => (col, alternate) = (col + 1, alternate + 1),
                b'\t' => (col, alternate) = ((col / TAB + 1) * TAB, alternate + 1),
                b'\x0c' => (col, alternate) = (0, 0),
                b'\\' if matches!(self.peek(1), b'\n' | b'\r') => {
                    after_joint.get_or_insert((col, alternate));
                    self.joint()?;
                    continue;
                }
                _ => break,
            }
            self.at += 1;
        }
        if let Some(first) = after_joint {
            (col, alternate) = first;
        }
        match self.peek(0) {
            b'#' => {
                self.comment();
                if !self.at_end() {
                    self.end_of_line(kind::NL);
                    return Ok(true);
                }
                return Ok(false);
            }
            b'\n' | b'\r' => {
                self.end_of_line(kind::NL);
                return Ok(true);
            }
            _ if self.at_end() => return Ok(false),
            _ => {}
        }
        let whole_line = |l: &Self| {
            let line = l.text[l.line_start..l.line_end].trim_ascii_end();
            chars(line) + 1
        };
        let tabs = |l: &Self| {
            let message = "inconsistent use of tabs and spaces in indentation";
            Err(l.error(ErrorKind::Tab, message, l.line, whole_line(l)))
        };
        let (top, top_alternate) = self.indents.last().copied().unwrap_or_default();
        if col == top {
            return if alternate == top_alternate { Ok(false) } else { tabs(self) };
        }
        if col > top {
            if alternate <= top_alternate {
                return tabs(self);
            }
            if self.indents.len() >= MAX_INDENTS {
                let message = "too many levels of indentation";
                return Err(self.error(ErrorKind::Indentation, message, self.line, whole_line(self)));
            }
            self.indents.push((col, alternate));
            self.push_here(kind::INDENT, self.line_start);
            return Ok(false);
        }
        while self.indents.last().is_some_and(|&(c, _)| c > col) {
            self.indents.pop();
            self.push_here(kind::DEDENT, self.at);
        }
        match self.indents.last() {
            Some(&(c, a)) if c == col => {
                if a == alternate {
                    Ok(false)
                } else {
                    tabs(self)
                }
            }
            _ => {
                // None of the dedents is shown.
                while self.out.last().is_some_and(|t| t.kind == kind::DEDENT && t.line == self.line) {
                    self.out.pop();
                }
                let message = "unindent does not match any outer indentation level";
                Err(self.error(ErrorKind::Indentation, message, self.line, whole_line(self)))
            }
        }
    }

    fn finish(&mut self) -> Res<()> {
        // The last line has no line end of its own.
        if self.at > self.line_start && self.out.last().is_some_and(|t| t.end_line == self.line) {
            let on_line = self.out.iter().rev().take_while(|t| t.line == self.line);
            let only_comment = on_line.map(|t| t.kind).eq([kind::COMMENT]);
            let kind = if self.depth > 0 || only_comment { kind::NL } else { kind::NEWLINE };
            self.push_here(kind, self.at);
            if let Some(last) = self.out.last_mut() {
                last.implied = true;
            }
        }
        if self.depth > 0 {
            let (line, col) = match self.strings.last() {
                Some(s) if s.line == self.line => (self.line, self.col(self.at)),
                _ if self.at == self.line_start => (self.line - 1, 0),
                _ => (self.line, 0),
            };
            return Err(self.error(ErrorKind::Syntax, EOF, line, col));
        }
        if self.at > self.line_start {
            self.new_line();
        }
        for _ in 1..self.indents.len() {
            self.push_here(kind::DEDENT, self.at);
        }
        self.push_here(kind::ENDMARKER, self.at);
        Ok(())
    }

    fn name(&mut self) -> Res<()> {
        let start = self.at;
        while is_name(self.peek(0)) || self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
        let quoted = matches!(self.peek(0), b'"' | b'\'');
        if quoted && self.at - start <= 2 {
            let word = self.text[start..self.at].to_ascii_lowercase();
            if word.iter().all(|c| b"rbuft".contains(c)) && (word.len() == 1 || word[0] != word[1]) {
                return self.string(start);
            }
        }
        self.push_here(kind::NAME, start);
        Ok(())
    }

    fn operator(&mut self) -> Res<()> {
        let start = self.at;
        let c = self.peek(0);
        let state = &mut self.state;
        if let Some(open) = state.strings.last_mut()
            && let Some((outside, spec)) = open.expressions.last_mut()
            && state.depth == *outside + 1
        {
            if c == b':' {
                *spec = true;
                self.at += 1;
                self.push_here(kind_of(":"), start);
                return Ok(());
            }
            if c == b'}' {
                state.depth = *outside;
                open.expressions.pop();
                self.at += 1;
                self.push_here(kind_of("}"), start);
                return Ok(());
            }
        }
        match c {
            b'(' | b'[' | b'{' => self.depth += 1,
            b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let rest = &self.text[self.at..];
        let (len, kind) = match OPERATORS.iter().find(|(op, _)| rest.starts_with(op.as_bytes())) {
            Some((op, kind)) => (op.len(), *kind),
            None => (1, kind::OP),
        };
        self.at += len;
        self.push_here(kind, start);
        Ok(())
    }

    fn digits(&mut self, is_digit: impl Fn(u8) -> bool, what: &str) -> Res<()> {
        loop {
            while is_digit(self.peek(0)) {
                self.at += 1;
            }
            if self.peek(0) != b'_' {
                return Ok(());
            }
            if !is_digit(self.peek(1)) {
                let col = self.col(self.at) + u32::from(what != "decimal");
                return self.fail(format!("invalid {what} literal"), col);
            }
            self.at += 1;
        }
    }

    fn number(&mut self) -> Res<()> {
        let start = self.at;
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B') {
            let (what, radix) = match self.peek(1) {
                b'x' | b'X' => ("hexadecimal", 16),
                b'o' | b'O' => ("octal", 8),
                _ => ("binary", 2),
            };
            let is_digit = |c: u8| (c as char).is_digit(radix);
            self.at += 2;
            if self.peek(0) == b'_' {
                self.at += 1;
            }
            if !is_digit(self.peek(0)) {
                return self.wrong_digit(what, radix);
            }
            self.digits(is_digit, what)?;
            if self.peek(0).is_ascii_digit() {
                return self.wrong_digit(what, radix);
            }
        } else {
            let digit = |c: u8| c.is_ascii_digit();
            if self.peek(0) != b'.' {
                self.digits(digit, "decimal")?;
            }
            if self.peek(0) == b'.' {
                self.at += 1;
                if self.peek(0).is_ascii_digit() {
                    self.digits(digit, "decimal")?;
                }
            }
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if matches!(self.peek(0), b'e' | b'E') && self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits(digit, "decimal")?;
            }
            if matches!(self.peek(0), b'j' | b'J') {
                self.at += 1;
            }
        }
        self.push_here(kind::NUMBER, start);
        Ok(())
    }

    fn wrong_digit<T>(&self, what: &str, radix: u32) -> Res<T> {
        let c = self.peek(0);
        if c.is_ascii_digit() && radix < 10 {
            return self.fail(format!("invalid digit '{}' in {what} literal", c as char), self.col(self.at));
        }
        self.fail(format!("invalid {what} literal"), self.col(self.at) - 1)
    }

    /// A string literal that begins, with its prefix, at `start`; the lexer is at its quote.
    fn string(&mut self, start: usize) -> Res<()> {
        let prefix = self.text[start..self.at].to_ascii_lowercase();
        let has = |c: u8| prefix.contains(&c);
        for (a, b) in [('u', 'b'), ('u', 'r'), ('u', 'f'), ('u', 't'), ('b', 'f'), ('b', 't'), ('f', 't')] {
            if has(a as u8) && has(b as u8) {
                return self.fail(format!("'{a}' and '{b}' prefixes are incompatible"), self.col(start));
            }
        }
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        self.at += if triple { 3 } else { 1 };
        if has(b'f') || has(b't') {
            let letter = if has(b't') { 't' } else { 'f' };
            let kind = kind::FSTRING_START + if letter == 't' { kind::TSTRING } else { 0 };
            let (raw, line) = (has(b'r'), self.line);
            self.strings.push(Open { letter, quote, triple, raw, start, line, expressions: Vec::new() });
            self.push_here(kind, start);
            return Ok(());
        }
        let (line, line_start) = (self.line, self.line_start);
        let unterminated = |l: &Self| {
            let col = chars(&l.text[line_start..start]) + 1;
            // A line end that is the last one has no line behind it.
            let last = l.line - u32::from(triple && l.at_end() && l.at == l.line_start && l.line > line);
            let which = if triple { "triple-quoted string" } else { "string" };
            let message = format!("unterminated {which} literal (detected at line {last})");
            Err(l.error(ErrorKind::Syntax, message, line, col))
        };
        loop {
            if self.at_end() {
                return unterminated(self);
            }
            match self.peek(0) {
                c if c == quote && (!triple || self.peek(1) == quote && self.peek(2) == quote) => {
                    self.at += if triple { 3 } else { 1 };
                    break;
                }
                b'\n' if !triple => return unterminated(self),
                b'\n' => {
                    self.at += 1;
                    self.new_line();
                }
                b'\\' => {
                    self.at += 1;
                    self.skip_escaped();
                }
                _ => self.at += 1,
            }
        }
        self.push(kind::STRING, start, line, line_start);
        Ok(())
    }

    /// Passes over the character behind a backslash.
    fn skip_escaped(&mut self) {
        if self.peek(0) == b'\r' && self.peek(1) == b'\n' {
            self.at += 1;
        }
        let ends_line = self.peek(0) == b'\n';
        self.at = (self.at + 1).min(self.text.len());
        if ends_line {
            self.new_line();
        }
    }

    /// Text of an f-string, its end, or the brace of an expression.
    fn middle(&mut self) -> Res<()> {
        let Some(open) = self.strings.last() else { return Ok(()) };
        let (letter, quote, triple, raw) = (open.letter, open.quote, open.triple, open.raw);
        let more = if letter == 't' { kind::TSTRING } else { 0 };
        let spec = !open.expressions.is_empty();
        let (start, line, line_start) = (self.at, self.line, self.line_start);
        let ends =
            |l: &Self| !spec && l.peek(0) == quote && (!triple || l.peek(1) == quote && l.peek(2) == quote);
        if ends(self) {
            self.at += if triple { 3 } else { 1 };
            self.strings.pop();
            self.push_here(kind::FSTRING_END + more, start);
            return Ok(());
        }
        if !spec && self.peek(0) == b'{' && self.peek(1) != b'{' {
            return self.open_expression();
        }
        loop {
            if self.at_end() || ends(self) {
                break;
            }
            match self.peek(0) {
                b'{' if !spec && self.peek(1) == b'{' => {
                    self.at += 1;
                    self.push(kind::FSTRING_MIDDLE + more, start, line, line_start);
                    self.at += 1;
                    return Ok(());
                }
                b'{' => break,
                b'}' if !spec && self.peek(1) == b'}' => {
                    self.at += 1;
                    self.push(kind::FSTRING_MIDDLE + more, start, line, line_start);
                    self.at += 1;
                    return Ok(());
                }
                b'}' => break,
                b'\n' if !triple => {
                    if spec {
                        let message = format!(
                            "{letter}-string: newlines are not allowed in format specifiers for single quoted {letter}-strings"
                        );
                        return self.fail(message, self.col(self.at));
                    }
                    return self.unterminated();
                }
                b'\n' => {
                    self.at += 1;
                    self.new_line();
                }
                b'\\' => {
                    self.at += 1;
                    match self.peek(0) {
                        b'{' | b'}' => {}
                        b'N' if !raw && self.peek(1) == b'{' => {
                            while !self.at_end() && !matches!(self.peek(0), b'}' | b'\n') {
                                self.at += 1;
                            }
                            self.at += usize::from(self.peek(0) == b'}');
                        }
                        _ => self.skip_escaped(),
                    }
                }
                _ => self.at += 1,
            }
        }
        if self.at_end() {
            return self.unterminated();
        }
        if self.at > start || spec {
            self.push(kind::FSTRING_MIDDLE + more, start, line, line_start);
        }
        match self.peek(0) {
            b'{' => self.open_expression(),
            b'}' if spec => {
                // The operator sees to the rest.
                if let Some((_, spec)) = self.strings.last_mut().and_then(|s| s.expressions.last_mut()) {
                    *spec = false;
                }
                Ok(())
            }
            b'}' => self.fail(format!("{letter}-string: single '}}' is not allowed"), self.col(self.at)),
            _ => Ok(()),
        }
    }

    fn open_expression(&mut self) -> Res<()> {
        let start = self.at;
        self.at += 1;
        let depth = self.depth;
        if let Some(open) = self.strings.last_mut() {
            open.expressions.push((depth, false));
        }
        self.depth += 1;
        self.push_here(kind_of("{"), start);
        Ok(())
    }

    fn unterminated(&self) -> Res<()> {
        let Some(open) = self.strings.last() else { return Ok(()) };
        let line_start = self.text[..open.start].iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
        let col = chars(&self.text[line_start..open.start]) + 1;
        let which = if open.triple { "triple-quoted " } else { "" };
        let last = self.line - u32::from(open.triple && self.at == self.line_start && self.line > open.line);
        let message = format!("unterminated {which}{}-string literal (detected at line {last})", open.letter);
        Err(self.error(ErrorKind::Syntax, message, open.line, col))
    }
}

const EOF: &str = "unexpected EOF in multi-line statement";

fn kind_of(operator: &str) -> u8 {
    OPERATORS.iter().find(|(op, _)| *op == operator).map_or(kind::OP, |(_, kind)| *kind)
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}

/// Characters in UTF-8.
pub fn chars(text: &[u8]) -> u32 {
    text.iter().filter(|&&b| b & 0xc0 != 0x80).count() as u32
}

/// Behind the end of the line that begins at `from`.
fn end_of_line(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|&b| b == b'\n').map_or(text.len(), |i| from + i + 1)
}
