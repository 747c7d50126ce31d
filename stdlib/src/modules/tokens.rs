//! `_tokenize`: the tokens of source text, for the module `tokenize`.

use skein_compiler::ErrorKind;
use skein_compiler::tokens::{self, Lines, Token, TokenError, kind};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::vm::SyntaxPlace;
use skein_runtime::{R, Raised, Value, Vm, native_functions, native_type};
use std::cell::{Cell, RefCell};

/// An iterator over the tokens. The source is read line by line.
struct Tokenizer {
    readline: Field,
    encoding: Field,
    /// With comments and line ends, and one kind for all operators: as `tokenize` shows them.
    extra: bool,
    read: RefCell<Lines>,
    next: Cell<usize>,
    /// A place in the source and its column in characters, to go on from.
    column: Cell<(usize, usize, u32)>,
    /// Text of the line that begins and ends at these places.
    line: Field,
    line_range: Cell<(usize, usize)>,
}

impl Payload for Tokenizer {
    const NAME: &'static str = "_tokenize.TokenizerIter";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Tokenizer { readline, encoding, extra: _, read: _, next: _, column: _, line, line_range: _ } =
            self;
        readline.trace(t);
        encoding.trace(t);
        line.trace(t);
    }
}

type This = ExtArg<Tokenizer>;

native_type! {
    TOKENIZER: "_tokenize.TokenizerIter", Kind::Ext, 0;
    methods {
        [static] "__new__($type, readline, /, *, encoding=None, extra_tokens)" => new;
        "__iter__($self, /)" => |_: &Vm, this: Value| this;
        "__next__($self, /)" => next;
    }
}

native_functions! { FUNCTIONS: }

fn new(vm: &Vm, _: Value, readline: Value, encoding: Option<Value>, extra: bool) -> R<Value> {
    let encoding = encoding.filter(|e| !e.is_none());
    if let Some(e) = encoding.filter(|e| e.cast::<Str>().is_none()) {
        return Err(vm.type_error(format!(
            "tokenizeriter() argument 'encoding' must be str, not {}",
            vm.type_name(e)
        )));
    }
    let ty = ext_type(vm, &TOKENIZER)?;
    let made = Ext::new(
        vm,
        ty,
        Tokenizer {
            readline: Field::new(Some(readline)),
            encoding: Field::new(encoding),
            extra,
            read: RefCell::default(),
            next: Cell::new(0),
            column: Cell::new((0, 0, 0)),
            line: Field::new(None),
            line_range: Cell::new((0, 0)),
        },
    )?;
    Ok(made.value())
}

/// One line of what `readline` gives; None at the end.
fn read_line(vm: &Vm, this: &Tokenizer) -> R<Option<Ref<Str>>> {
    let encoding = this.encoding.or_none();
    let line = match vm.call(this.readline.or_none(), &[]) {
        Ok(line) => line,
        Err(e) => match vm.catch(vm.exc.stop_iteration) {
            Some(_) => return Ok(None),
            None => return Err(e),
        },
    };
    let line = match (line.cast::<Str>(), encoding.is_none()) {
        (Some(s), true) => Some(s),
        (None, false) => {
            let decoded = vm.call_method(line, "decode", &[encoding, vm.str("replace")?])?;
            if decoded.cast::<Str>().is_none() {
                return Err(vm.type_error("readline() returned a non-bytes object"));
            }
            decoded.cast::<Str>()
        }
        (_, true) => return Err(vm.type_error("readline() returned a non-string object")),
        (_, false) => return Err(vm.type_error("readline() returned a non-bytes object")),
    };
    Ok(line.filter(|s| !s.bytes().is_empty()))
}

fn next(vm: &Vm, this: This) -> R<Value> {
    let this = this.0;
    loop {
        let is_done = {
            let read = this.read.borrow();
            while let Some(token) = read.tokens().get(this.next.get()) {
                this.next.set(this.next.get() + 1);
                if this.extra || !matches!(token.kind, kind::COMMENT | kind::NL) {
                    return info(vm, this, &read, token);
                }
            }
            if let Some(e) = read.error() {
                return Err(raise(vm, e, &read));
            }
            read.is_done()
        };
        if is_done {
            return Err(vm.stop_iteration(Value::NONE));
        }
        match read_line(vm, &this)? {
            Some(line) if !this.read.borrow_mut().feed(&line.to_string_lossy()) => {
                return Err(vm.memory_error());
            }
            Some(_) => {}
            None => this.read.borrow_mut().finish(),
        }
    }
}

fn raise(vm: &Vm, e: &TokenError, read: &Lines) -> Raised {
    let ty = match e.kind {
        ErrorKind::Indentation => vm.exc.indentation_error,
        ErrorKind::Tab => vm.exc.tab_error,
        _ => vm.exc.syntax_error,
    };
    let text = read.text().lines().nth(e.line.max(1) as usize - 1);
    let place = SyntaxPlace { filename: "<string>", line: e.line, col: e.col, end_line: 0, end_col: 0, text };
    vm.syntax_error(ty, &e.message, &place)
}

/// (kind, text, start, end, line).
fn info(vm: &Vm, this: Ref<Ext<Tokenizer>>, read: &Lines, token: &Token) -> R<Value> {
    let is_trailing = token.kind == kind::ENDMARKER
        || token.kind == kind::DEDENT
            && token.start >= read.text().len()
            && token.line_start >= read.text().len();
    let kind = match token.kind {
        k if this.extra && k > kind::DEDENT && k < kind::OP => kind::OP,
        k => k,
    };
    let text = match token.kind {
        kind::DEDENT | kind::ENDMARKER => "",
        // Without extra tokens they are those of CPython's parser, in whose table these have no text.
        kind::NEWLINE | kind::INDENT if !this.extra => "",
        _ => &read.text()[token.start..token.end],
    };
    let start = column(&this, read, token.line_start, token.start);
    let bare = !this.extra && matches!(token.kind, kind::INDENT | kind::DEDENT | kind::ENDMARKER);
    let end = match token.kind {
        kind::NEWLINE if !this.extra => start,
        // Wherever the line ends, its end is one wide.
        _ if token.implied => start + 1,
        kind::NEWLINE | kind::NL => start + (token.end - token.start) as u32,
        _ if token.line == token.end_line => column(&this, read, token.line_start, token.end),
        _ => {
            let from = read.text()[..token.end].rfind('\n').map_or(0, |i| i + 1);
            column(&this, read, from, token.end)
        }
    };
    let line = if is_trailing { vm.str("")? } else { line(vm, this, read, token)? };
    // Nor have they a column, and the last ones stand on the last line.
    let line_shift = u32::from(bare && is_trailing && token.line > 1);
    let place = |line: u32, col: u32| {
        let col = if bare { -1 } else { i64::from(col) };
        vm.tuple(&[Value::small_int((line - line_shift).into()), Value::small_int(col)])
    };
    vm.tuple(&[
        Value::small_int(kind.into()),
        vm.str(text)?,
        place(token.line, start)?,
        place(token.end_line, end)?,
        line,
    ])
}

/// The column of a place on the line that begins at `line_start`, counted on from the last one asked for.
fn column(this: &Tokenizer, read: &Lines, line_start: usize, at: usize) -> u32 {
    let (last_start, last, col) = this.column.get();
    let (from, base) = if last_start == line_start && last <= at { (last, col) } else { (line_start, 0) };
    let col = base + tokens::chars(&read.text().as_bytes()[from..at]);
    this.column.set((line_start, at, col));
    col
}

fn line(vm: &Vm, this: Ref<Ext<Tokenizer>>, read: &Lines, token: &Token) -> R<Value> {
    let range = (token.line_start, token.line_end);
    if let Some(line) = this.line.get().filter(|_| this.line_range.get() == range) {
        return Ok(line);
    }
    let text = vm.str(&read.text()[range.0..range.1])?;
    this.line.set(vm, this, text);
    this.line_range.set(range);
    Ok(text)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_tokenize", FUNCTIONS)?;
    m.dict().set_name(vm, "TokenizerIter", ext_type(vm, &TOKENIZER)?.value())?;
    Ok(m)
}
