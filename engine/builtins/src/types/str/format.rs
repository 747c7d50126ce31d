//! `str.format` and `str.format_map`.

use skein_bytecode::Special;
use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::int::{DECIMAL, decimal};
use skein_runtime::types::str::{Str, char_width};
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

pub fn format(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(s) = args.positional().first().and_then(|s| s.cast::<Str>()) else {
        return Err(vm.type_error("unbound method str.format() needs an argument"));
    };
    let mut f = Formatter { vm, args: Some(args.rest()), mapping: None, automatic: None, next: 0 };
    let out = f.run(s.bytes(), 2)?;
    Ok(Str::new(vm, &out)?.value())
}

pub fn format_map(vm: &Vm, s: Ref<Str>, mapping: Value) -> R<Value> {
    let mut f = Formatter { vm, args: None, mapping: Some(mapping), automatic: None, next: 0 };
    let out = f.run(s.bytes(), 2)?;
    Ok(Str::new(vm, &out)?.value())
}

/// A step behind a field's first name.
pub enum Step<'a> {
    Attribute(&'a [u8]),
    Item(&'a [u8]),
    /// What follows is malformed, which is said when it is come to.
    Wrong(&'static str),
}

/// A piece of a format string.
pub struct Piece<'a> {
    pub literal: &'a [u8],
    /// Name, conversion and specification of a replacement field.
    pub field: Option<(&'a [u8], Option<u32>, &'a [u8])>,
}

/// Reads the next piece of a format string; None at its end. ValueError.
pub fn next_piece<'a>(vm: &Vm, text: &'a [u8], at: &mut usize) -> R<Option<Piece<'a>>> {
    if *at >= text.len() {
        return Ok(None);
    }
    let from = *at;
    let Some(n) = memchr::memchr2(b'{', b'}', &text[from..]) else {
        *at = text.len();
        return Ok(Some(Piece { literal: &text[from..], field: None }));
    };
    let end = from + n;
    let c = text[end];
    if text.get(end + 1) == Some(&c) {
        // Two stand for one, which ends a piece.
        *at = end + 2;
        return Ok(Some(Piece { literal: &text[from..=end], field: None }));
    }
    if c == b'}' {
        return Err(vm.value_error("Single '}' encountered in format string"));
    }
    if end + 1 >= text.len() {
        return Err(vm.value_error("Single '{' encountered in format string"));
    }
    *at = end;
    let field = read_field(vm, text, at)?;
    Ok(Some(Piece { literal: &text[from..end], field: Some(field) }))
}

type Field<'a> = (&'a [u8], Option<u32>, &'a [u8]);

/// Reads `{name!c:spec}`; `at` is at the brace.
fn read_field<'a>(vm: &Vm, text: &'a [u8], at: &mut usize) -> R<Field<'a>> {
    let start = *at + 1;
    let mut i = start;
    let mut in_brackets = false;
    // The name ends at the first of `!:}` outside of brackets.
    loop {
        match text.get(i) {
            None => return Err(vm.value_error("expected '}' before end of string")),
            Some(b'{') if !in_brackets => return Err(vm.value_error("unexpected '{' in field name")),
            Some(b'[') => in_brackets = true,
            Some(b']') => in_brackets = false,
            Some(b'}' | b':' | b'!') if !in_brackets => break,
            Some(_) => {}
        }
        i += 1;
    }
    let name = &text[start..i];
    let mut conversion = None;
    if text[i] == b'!' {
        i += 1;
        let Some(&c) = text.get(i) else {
            return Err(vm.value_error("end of string while looking for conversion specifier"));
        };
        if c == b'}' {
            return Err(vm.value_error("unmatched '{' in format spec"));
        }
        conversion = skein_runtime::types::str::code_points(&text[i..]).next();
        i += char_width(c);
        match text.get(i) {
            Some(b':' | b'}') => {}
            Some(_) => return Err(vm.value_error("expected ':' after conversion specifier")),
            None => return Err(vm.value_error("unmatched '{' in format spec")),
        }
    }
    let mut spec = &text[i..i];
    if text[i] == b':' {
        let from = i + 1;
        let mut depth = 1;
        i = from;
        loop {
            match text.get(i) {
                None => return Err(vm.value_error("unmatched '{' in format spec")),
                Some(b'{') => depth += 1,
                Some(b'}') => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                Some(_) => {}
            }
            i += 1;
        }
        spec = &text[from..i];
    }
    *at = i + 1;
    Ok((name, conversion, spec))
}

/// A field name's first part and the steps behind it.
pub fn split_name(name: &[u8]) -> (&[u8], Vec<Step<'_>>) {
    const EMPTY: Step<'_> = Step::Wrong("Empty attribute in format string");
    let end = name.iter().position(|c| matches!(c, b'.' | b'[')).unwrap_or(name.len());
    let mut steps = Vec::new();
    let mut rest = &name[end..];
    while let Some((&c, tail)) = rest.split_first() {
        let (step, used) = match c {
            b'.' => {
                let n = tail.iter().position(|c| matches!(c, b'.' | b'[')).unwrap_or(tail.len());
                (if n == 0 { EMPTY } else { Step::Attribute(&tail[..n]) }, n)
            }
            b'[' => match tail.iter().position(|c| *c == b']') {
                Some(0) => (EMPTY, 0),
                Some(n) => (Step::Item(&tail[..n]), n + 1),
                None => (Step::Wrong("Missing ']' in format string"), 0),
            },
            _ => (Step::Wrong("Only '.' or '[' may follow ']' in format field specifier"), 0),
        };
        let wrong = matches!(step, Step::Wrong(_));
        steps.push(step);
        if wrong {
            break;
        }
        rest = &tail[used..];
    }
    (&name[..end], steps)
}

/// A name that is a number. ValueError if it is too large.
pub fn as_number(vm: &Vm, name: &[u8]) -> R<Option<usize>> {
    if name.is_empty() || !name.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let n = std::str::from_utf8(name).ok().and_then(|n| n.parse::<isize>().ok());
    match n {
        Some(n) => Ok(Some(n as usize)),
        None => Err(vm.value_error("Too many decimal digits in format string")),
    }
}

struct Formatter<'a> {
    vm: &'a Vm,
    args: Option<Args<'a>>,
    mapping: Option<Value>,
    /// Are fields numbered automatically? None: not known yet.
    automatic: Option<bool>,
    next: usize,
}

impl Formatter<'_> {
    fn run(&mut self, text: &[u8], depth: usize) -> R<Vec<u8>> {
        let vm = self.vm;
        if depth == 0 {
            return Err(vm.value_error("Max string recursion exceeded"));
        }
        let mut out = vm.buffer(text.len() + 16)?;
        let mut at = 0;
        while let Some(piece) = next_piece(vm, text, &mut at)? {
            vm.put(&mut out, piece.literal)?;
            let Some((name, conversion, spec)) = piece.field else { continue };
            let v = self.field(name)?;
            let v = match conversion.and_then(char::from_u32) {
                None => v,
                Some('r') => vm.repr(v)?.value(),
                Some('s') => vm.to_str(v)?.value(),
                Some('a') => vm.ascii(v)?.value(),
                Some(c) if (33..127).contains(&(c as u32)) => {
                    return Err(vm.value_error(format!("Unknown conversion specifier {c}")));
                }
                Some(c) => {
                    return Err(vm.value_error(format!("Unknown conversion specifier \\x{:x}", c as u32)));
                }
            };
            if spec.is_empty() && v.is_int() {
                vm.put(&mut out, decimal(v.as_small_int(), &mut [0; DECIMAL]))?;
                continue;
            }
            if spec.is_empty() && vm.is_exact_str(v) {
                if let Some(s) = v.cast::<Str>() {
                    vm.put(&mut out, s.bytes())?;
                }
                continue;
            }
            let spec = if spec.contains(&b'{') || spec.contains(&b'}') {
                let text = self.run(spec, depth - 1)?;
                Str::new(vm, &text)?.value()
            } else {
                Str::new(vm, spec)?.value()
            };
            if let Some(s) = vm.format(v, spec)?.cast::<Str>() {
                vm.put(&mut out, s.bytes())?;
            }
        }
        Ok(out)
    }

    fn field(&mut self, name: &[u8]) -> R<Value> {
        let vm = self.vm;
        let (first, steps) = split_name(name);
        let mut v = self.first(first)?;
        for step in steps {
            v = match step {
                Step::Attribute(name) => vm.get_attr(v, vm.intern_bytes(name)?)?,
                Step::Item(name) => {
                    let key = match as_number(vm, name)? {
                        Some(i) => vm.int(i as i64)?,
                        None => Str::new(vm, name)?.value(),
                    };
                    vm.get_item(v, key)?
                }
                Step::Wrong(message) => return Err(vm.value_error(message)),
            };
        }
        Ok(v)
    }

    fn first(&mut self, name: &[u8]) -> R<Value> {
        let vm = self.vm;
        let number = as_number(vm, name)?;
        if name.is_empty() || number.is_some() {
            let automatic = name.is_empty();
            match self.automatic {
                Some(true) if !automatic => {
                    return Err(vm.value_error(
                        "cannot switch from automatic field numbering to manual field specification",
                    ));
                }
                Some(false) if automatic => {
                    return Err(vm.value_error(
                        "cannot switch from manual field specification to automatic field numbering",
                    ));
                }
                _ => self.automatic = Some(automatic),
            }
            let i = number.unwrap_or_else(|| {
                self.next += 1;
                self.next - 1
            });
            let Some(args) = self.args else {
                return Err(vm.value_error("Format string contains positional fields"));
            };
            return args.positional().get(i).copied().ok_or_else(|| {
                vm.index_error(format!("Replacement index {i} out of range for positional args tuple"))
            });
        }
        let key = Str::new(vm, name)?;
        if let Some(mapping) = self.mapping {
            if vm.type_of(mapping).special(vm, Special::GetItem).is_none() {
                return Err(vm.type_error(format!("'{}' object is not subscriptable", vm.type_name(mapping))));
            }
            return vm.get_item(mapping, key.value());
        }
        let mut named = self.args.iter().flat_map(|a| a.keywords());
        match named.find(|(k, _)| k.cast::<Str>().is_some_and(|k| k.same(key))) {
            Some((_, v)) => Ok(v),
            None => Err(vm.key_error(key.value())),
        }
    }
}
