//! Parses the text form; the form is described at the module's head.

use super::literal::{Token, float_bits, lex, number};
use super::print::{FLAG_NAMES, KIND_NAMES};
use crate::code::{Code, Const, Handler, Local, LocalKind};
use crate::code_ref::CodeRef;
use crate::ops::{Extra, Op, Role, pack};
use crate::positions::{Position, Positions};
use std::collections::HashMap;
use std::fmt;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Line in the text, from 1.
    pub line: usize,
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads the text form of a code and of the codes nested in it. Checks the grammar only:
/// see [`verify`](crate::verify) for sense.
///
/// # Errors
/// The first line that does not parse, a label that is nowhere, or a code that is missing or left over.
pub fn parse(text: &str) -> Result<Code, ParseError> {
    let mut blocks: Vec<Option<Block>> = Vec::new();
    let mut open: Option<Block> = None;
    let mut last = 0;
    for (i, line) in text.lines().enumerate() {
        last = i + 1;
        let at = |message| ParseError { line: i + 1, message };
        let tokens = lex(line).map_err(at)?;
        let mut cursor = Cursor { rest: tokens.into_iter().peekable() };
        let Some(first) = cursor.rest.next() else { continue };
        let Token::Word(first) = first else { return Err(at("a line begins with a word".into())) };
        match (&mut open, first.as_str()) {
            (None, "code") => open = Some(Block::begin(&mut cursor, blocks.len()).map_err(at)?),
            (None, _) => return Err(at("expected a line `code $0 name`".into())),
            (Some(_), "end") => {
                if let Some(mut block) = open.take() {
                    block.resolve()?;
                    blocks.push(Some(block));
                }
            }
            (Some(block), _) => {
                block.line_number = i + 1;
                block.line(&first, &mut cursor).map_err(at)?;
            }
        }
        cursor.done().map_err(at)?;
    }
    let at = |message: &str| ParseError { line: last, message: message.into() };
    if open.is_some() {
        return Err(at("a code without its `end`"));
    }
    let code = take_block(&mut blocks, 0).ok_or_else(|| at("no code"))?;
    let code = code.map_err(|message| at(&message))?;
    if blocks.iter().any(Option::is_some) { Err(at("a code that no other one refers to")) } else { Ok(code) }
}

/// Finishes block `i`, the codes in its constants first. `None` if there is no such block any more.
fn take_block(blocks: &mut Vec<Option<Block>>, i: usize) -> Option<Result<Code, String>> {
    let block = blocks.get_mut(i)?.take()?;
    let Block { mut code, consts, marks, any_mark, passed, .. } = block;
    for value in consts.values {
        match fill(value, blocks) {
            Ok(value) => code.consts.push(value),
            Err(message) => return Some(Err(message)),
        }
    }
    if any_mark {
        code.positions = Positions::encode_with_marks(&marks, &passed);
    }
    Some(Ok(code))
}

/// Turns a parsed literal into a constant.
fn fill(value: Literal, blocks: &mut Vec<Option<Block>>) -> Result<Const, String> {
    let all = |items: Vec<Literal>, blocks: &mut Vec<Option<Block>>| {
        items.into_iter().map(|item| fill(item, blocks)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match value {
        Literal::Plain(value) => value,
        Literal::Tuple(items) => Const::Tuple(all(items, blocks)?),
        Literal::FrozenSet(items) => Const::FrozenSet(all(items, blocks)?),
        Literal::Code(i) => {
            let code = take_block(blocks, i).ok_or_else(|| format!("${i} is missing or used twice"))?;
            Const::Code(CodeRef::new(code?))
        }
    })
}

/// A constant whose codes are still references.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Literal {
    Plain(Const),
    Tuple(Vec<Literal>),
    FrozenSet(Vec<Literal>),
    Code(usize),
}

/// A pool that is filled by `const`/`name` lines and by use.
struct Pool<T> {
    values: Vec<T>,
    index: HashMap<T, u32>,
}

impl<T: Clone + Eq + std::hash::Hash> Pool<T> {
    fn new() -> Pool<T> {
        Pool { values: Vec::new(), index: HashMap::new() }
    }

    /// Appends, equal values too.
    fn push(&mut self, value: T) {
        self.index.entry(value.clone()).or_insert(self.values.len() as u32);
        self.values.push(value);
    }

    fn use_of(&mut self, value: T) -> u32 {
        if !self.index.contains_key(&value) {
            self.push(value.clone());
        }
        self.index[&value]
    }
}

/// Where a jump or handler goes before the labels are known.
enum Place {
    Label(String),
    Unit(i64),
}

struct Block {
    code: Code,
    consts: Pool<Literal>,
    labels: HashMap<String, i64>,
    /// First unit of a jump, where it goes, and its line in the text.
    jumps: Vec<(usize, Place, usize)>,
    /// Start, end, target, register, line in the text.
    handlers: Vec<([Place; 3], u16, usize)>,
    names: HashMap<Box<str>, u32>,
    marks: Vec<Position>,
    any_mark: bool,
    mark: Position,
    /// Lines that are executed though no instruction has them, with the unit that they come before.
    passed: Vec<(u32, Position)>,
    line_number: usize,
}

impl Block {
    fn begin(cursor: &mut Cursor, number: usize) -> Result<Block, String> {
        let reference = cursor.bare()?;
        if reference != format!("${number}") {
            return Err(format!("codes are numbered in order: expected ${number}"));
        }
        let code = Code {
            name: cursor.word()?,
            qualname: "".into(),
            filename: "".into(),
            first_line: 0,
            flags: 0,
            arg_count: 0,
            posonly_count: 0,
            kwonly_count: 0,
            nregs: 0,
            locals: Vec::new(),
            units: Vec::new(),
            consts: Vec::new(),
            names: Vec::new(),
            handlers: Vec::new(),
            positions: Positions::default(),
        };
        Ok(Block {
            code,
            consts: Pool::new(),
            labels: HashMap::new(),
            jumps: Vec::new(),
            handlers: Vec::new(),
            names: HashMap::new(),
            marks: Vec::new(),
            any_mark: false,
            mark: Position::NONE,
            passed: Vec::new(),
            line_number: 0,
        })
    }

    fn line(&mut self, first: &str, cursor: &mut Cursor) -> Result<(), String> {
        let code = &mut self.code;
        match first {
            "qualname" => code.qualname = cursor.word()?,
            "file" => code.filename = cursor.word()?,
            "line" => code.first_line = cursor.parsed()?,
            "flags" => {
                while let Some(Token::Word(flag)) = cursor.rest.next() {
                    let known = FLAG_NAMES.iter().find(|(name, _)| *name == flag).map(|(_, bit)| *bit);
                    let hex = || u32::from_str_radix(flag.strip_prefix("0x")?, 16).ok();
                    code.flags |= known.or_else(hex).ok_or_else(|| format!("unknown flag {flag}"))?;
                }
            }
            "args" => {
                code.arg_count = cursor.parsed()?;
                cursor.keyword("posonly")?;
                code.posonly_count = cursor.parsed()?;
                cursor.keyword("kwonly")?;
                code.kwonly_count = cursor.parsed()?;
            }
            "regs" => code.nregs = cursor.parsed()?,
            "local" => {
                let name = cursor.word()?;
                let kind = match cursor.rest.next() {
                    None => LocalKind::Plain,
                    Some(Token::Word(kind)) => KIND_NAMES
                        .iter()
                        .find(|(name, _)| *name == kind)
                        .map(|(_, kind)| *kind)
                        .ok_or_else(|| format!("unknown kind of local {kind}"))?,
                    Some(_) => return Err("expected the kind of a local".into()),
                };
                code.locals.push(Local { name, kind });
            }
            "name" => {
                let name = cursor.word()?;
                self.names.entry(name.clone()).or_insert(code.names.len() as u32);
                code.names.push(name);
            }
            "const" => {
                let value = cursor.literal()?;
                self.consts.push(value);
            }
            "handler" => {
                let (start, end) = (cursor.place()?, cursor.place()?);
                cursor.keyword("->")?;
                let target = cursor.place()?;
                let reg = cursor.register()?;
                self.handlers.push(([start, end, target], reg, self.line_number));
            }
            "passes" => {
                let mark = cursor.bare()?;
                let mark = mark.strip_prefix('@').and_then(position).ok_or("a broken position mark")?;
                self.passed.push((code.units.len() as u32, mark));
                self.any_mark = true;
            }
            ".unit" => {
                let unit = cursor.bare()?;
                let hex = unit.strip_prefix("0x").and_then(|u| u32::from_str_radix(u, 16).ok());
                self.code.units.push(hex.ok_or("expected a hexadecimal number")?);
                self.marked(cursor)?;
            }
            _ => match first.strip_suffix(':') {
                Some(label) => {
                    if self.labels.insert(label.to_owned(), code.units.len() as i64).is_some() {
                        return Err(format!("label {label} stands twice"));
                    }
                }
                None => {
                    let op = op_named(first).ok_or_else(|| format!("unknown instruction {first}"))?;
                    self.inst(op, cursor)?;
                    self.marked(cursor)?;
                }
            },
        }
        Ok(())
    }

    fn inst(&mut self, op: Op, cursor: &mut Cursor) -> Result<(), String> {
        let info = op.info();
        let mut bytes = [0u8; 3];
        let mut sep = false;
        let mut operand = |cursor: &mut Cursor| {
            if std::mem::replace(&mut sep, true) { cursor.comma() } else { Ok(()) }
        };
        for (i, role) in info.operands.into_iter().enumerate() {
            match role {
                Role::Hi | Role::WinHi | Role::No => continue,
                _ => operand(cursor)?,
            }
            match role {
                Role::Win => {
                    let [lo, hi] = cursor.register()?.to_le_bytes();
                    bytes[0] = lo;
                    bytes[2] = hi;
                }
                Role::Num => bytes[i] = cursor.parsed()?,
                Role::Imm => bytes[i] = cursor.parsed::<i8>()? as u8,
                Role::Lo => {
                    let [lo, hi] = cursor.parsed::<i16>()?.to_le_bytes();
                    bytes[i] = lo;
                    bytes[i + 1] = hi;
                }
                _ => {
                    let r = cursor.register()?;
                    bytes[i] = u8::try_from(r).map_err(|_| format!("r{r} does not fit a byte"))?;
                }
            }
        }
        if info.extra != Extra::No {
            operand(cursor)?;
        }
        let at = self.code.units.len();
        let extra = match info.extra {
            Extra::No => None,
            Extra::Raw => Some(cursor.parsed()?),
            Extra::Const => Some(match cursor.index()? {
                Some(index) => index,
                None => {
                    let value = cursor.literal()?;
                    self.consts.use_of(value)
                }
            }),
            Extra::Name | Extra::Attr | Extra::Method | Extra::Global => Some(match cursor.index()? {
                Some(index) => index,
                None => {
                    let name = cursor.word()?;
                    let next = self.code.names.len() as u32;
                    let index = *self.names.entry(name.clone()).or_insert(next);
                    if index == next {
                        self.code.names.push(name);
                    }
                    index
                }
            }),
            Extra::Far => {
                let dst = cursor.register()?;
                cursor.comma()?;
                Some(u32::from(dst) | u32::from(cursor.register()?) << 16)
            }
            Extra::Jump => {
                self.jumps.push((at, cursor.place()?, self.line_number));
                Some(0)
            }
        };
        self.code.units.push(pack(op, bytes[0], bytes[1], bytes[2]));
        self.code.units.extend(extra);
        Ok(())
    }

    /// Reads the position mark, if there is one, and gives the new units their position.
    fn marked(&mut self, cursor: &mut Cursor) -> Result<(), String> {
        if let Some(Token::Word(word)) = cursor.rest.peek()
            && let Some(mark) = word.strip_prefix('@')
        {
            self.mark = position(mark).ok_or("a broken position mark")?;
            self.any_mark = true;
            cursor.rest.next();
        }
        self.marks.resize(self.code.units.len(), self.mark);
        Ok(())
    }

    /// Puts label addresses in.
    fn resolve(&mut self) -> Result<(), ParseError> {
        let labels = &self.labels;
        let find = |place: &Place, line: usize| match place {
            Place::Unit(unit) => Ok(*unit),
            Place::Label(label) => labels
                .get(label)
                .copied()
                .ok_or_else(|| ParseError { line, message: format!("label {label} is nowhere") }),
        };
        for (at, place, line) in &self.jumps {
            self.code.units[at + 1] = (find(place, *line)? - *at as i64) as u32;
        }
        for (places, reg, line) in &self.handlers {
            let [start, end, target] = places;
            let unit = |place| Ok::<u32, ParseError>(find(place, *line)? as u32);
            let (start, end, target) = (unit(start)?, unit(end)?, unit(target)?);
            self.code.handlers.push(Handler { start, end, target, reg: *reg });
        }
        Ok(())
    }
}

/// The op of this name in the table.
fn op_named(text: &str) -> Option<Op> {
    static NAMES: std::sync::OnceLock<HashMap<&'static str, Op>> = std::sync::OnceLock::new();
    let names = NAMES.get_or_init(|| Op::ALL.iter().map(|op| (op.info().text, *op)).collect());
    names.get(text).copied()
}

/// Reads what follows the `@` of a mark.
fn position(mark: &str) -> Option<Position> {
    if mark == "-" {
        return Some(Position::NONE);
    }
    let Some((start, end)) = mark.split_once('-') else {
        let line = mark.parse().ok()?;
        return Some(Position { line, end_line: line, col: u32::MAX, end_col: u32::MAX });
    };
    let pair = |text: &str| {
        let (line, col) = text.split_once(':')?;
        let col = if col == "?" { u32::MAX } else { col.parse().ok()? };
        Some((line.parse().ok()?, col))
    };
    let ((line, col), (end_line, end_col)) = (pair(start)?, pair(end)?);
    Some(Position { line, end_line, col, end_col })
}

/// The tokens of a line behind its first word.
struct Cursor {
    rest: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Cursor {
    fn done(&mut self) -> Result<(), String> {
        match self.rest.next() {
            None => Ok(()),
            Some(token) => Err(format!("{token:?} is too much")),
        }
    }

    fn bare(&mut self) -> Result<String, String> {
        match self.rest.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("expected a word, not {other:?}")),
        }
    }

    /// A name, bare or quoted.
    fn word(&mut self) -> Result<Box<str>, String> {
        match self.rest.next() {
            Some(Token::Word(word)) => Ok(word.into()),
            Some(Token::Quoted(bytes)) => {
                String::from_utf8(bytes).map(Into::into).map_err(|_| "a name is no UTF-8".into())
            }
            other => Err(format!("expected a name, not {other:?}")),
        }
    }

    fn keyword(&mut self, word: &str) -> Result<(), String> {
        if self.bare()? == word { Ok(()) } else { Err(format!("expected {word}")) }
    }

    fn comma(&mut self) -> Result<(), String> {
        if self.rest.next() == Some(Token::Comma) { Ok(()) } else { Err("expected a comma".into()) }
    }

    fn parsed<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let word = self.bare()?;
        word.parse().map_err(|_| format!("{word} is no number that fits here"))
    }

    fn register(&mut self) -> Result<u16, String> {
        let word = self.bare()?;
        let number = word.strip_prefix('r').and_then(|n| n.parse().ok());
        number.ok_or_else(|| format!("{word} is no register"))
    }

    /// An index `#7` into a pool, if the next token is one.
    fn index(&mut self) -> Result<Option<u32>, String> {
        let Some(Token::Word(word)) = self.rest.peek() else { return Ok(None) };
        let Some(index) = word.strip_prefix('#') else { return Ok(None) };
        let index = index.parse().map_err(|_| "a broken index")?;
        self.rest.next();
        Ok(Some(index))
    }

    fn place(&mut self) -> Result<Place, String> {
        let word = self.bare()?;
        Ok(match word.strip_prefix('u').and_then(|n| n.parse().ok()) {
            Some(unit) => Place::Unit(unit),
            None => Place::Label(word),
        })
    }

    fn literal(&mut self) -> Result<Literal, String> {
        Ok(match self.rest.next().ok_or("expected a constant")? {
            Token::Str(bytes) => Literal::Plain(Const::Str(bytes.into())),
            Token::Bytes(bytes) => Literal::Plain(Const::Bytes(bytes.into())),
            Token::Open => Literal::Tuple(self.items()?),
            Token::Word(word) => match word.as_str() {
                "None" => Literal::Plain(Const::None),
                "True" => Literal::Plain(Const::True),
                "False" => Literal::Plain(Const::False),
                "..." => Literal::Plain(Const::Ellipsis),
                "frozenset" => {
                    self.open()?;
                    Literal::FrozenSet(self.items()?)
                }
                "complex" => {
                    self.open()?;
                    let re = self.float()?;
                    self.comma()?;
                    let im = self.float()?;
                    match self.rest.next() {
                        Some(Token::Close) => Literal::Plain(Const::Complex(re, im)),
                        _ => return Err("expected )".into()),
                    }
                }
                _ => match word.strip_prefix('$').and_then(|n| n.parse().ok()) {
                    Some(code) => Literal::Code(code),
                    None => Literal::Plain(number(&word).ok_or_else(|| format!("{word} is no constant"))?),
                },
            },
            token => return Err(format!("{token:?} is no constant")),
        })
    }

    fn open(&mut self) -> Result<(), String> {
        if self.rest.next() == Some(Token::Open) { Ok(()) } else { Err("expected (".into()) }
    }

    fn float(&mut self) -> Result<u64, String> {
        let word = self.bare()?;
        float_bits(&word).ok_or_else(|| format!("{word} is no float"))
    }

    /// Literals up to the closing parenthesis, which is read too.
    fn items(&mut self) -> Result<Vec<Literal>, String> {
        let mut items = Vec::new();
        loop {
            if self.rest.next_if_eq(&Token::Close).is_some() {
                return Ok(items);
            }
            if !items.is_empty() {
                self.comma()?;
            }
            items.push(self.literal()?);
        }
    }
}
