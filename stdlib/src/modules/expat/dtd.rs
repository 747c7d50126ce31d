//! Declarations of the document type: entities, attributes, elements, notations.

use super::Handler;
use super::codes;
use super::names::{character, collapsed, is_space, name_length, predefined, reference_end};
use super::parser::{Out, This, fault};
use skein_runtime::{R, Value, Vm};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A declared entity.
#[derive(Clone, Default)]
pub struct Entity {
    /// Its replacement text; None: it is external.
    pub text: Option<String>,
    pub system: Option<String>,
    pub public: Option<String>,
    pub notation: Option<String>,
    /// It is being expanded.
    pub open: bool,
}

struct Attribute {
    name: String,
    cdata: bool,
    default: Option<String>,
}

/// What a document declares; shared with the parsers of its external entities.
#[derive(Default)]
pub struct Dtd {
    pub general: HashMap<String, Entity>,
    pub parameters: HashMap<String, Entity>,
    attributes: HashMap<String, Vec<Attribute>>,
    /// There are declarations that were perhaps not read.
    pub has_external: bool,
    pub standalone: bool,
    /// Declarations are told of, but do not count any more.
    pub ignored: bool,
    pub system: Option<String>,
    pub public: Option<String>,
}

impl Dtd {
    pub fn is_cdata(&self, element: &str, attribute: &str) -> bool {
        let declared = self.attributes.get(element).into_iter().flatten();
        declared.filter(|a| a.name == attribute).all(|a| a.cdata)
    }

    /// The attributes that an element has if it does not say otherwise.
    pub fn defaults(&self, element: &str) -> Vec<(String, String)> {
        let declared = self.attributes.get(element).into_iter().flatten();
        declared.filter_map(|a| Some((a.name.clone(), a.default.clone()?))).collect()
    }
}

/// Length of the declaration at the start, to its `>` outside of quotes.
pub fn declaration_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (i, b) in text.bytes().enumerate() {
        match (quote, b) {
            (Some(q), b) if b == q => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(b),
            (None, b'>') => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// Reads a declaration word by word.
pub struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    pub fn new(text: &'a str) -> Words<'a> {
        Words(text)
    }

    fn skip(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    pub fn is_empty(&mut self) -> bool {
        self.skip();
        self.0.is_empty()
    }

    pub fn name(&mut self) -> Out<String> {
        self.skip();
        let n = name_length(self.0);
        if n == 0 {
            return fault(codes::SYNTAX);
        }
        let (name, rest) = self.0.split_at(n);
        self.0 = rest;
        Ok(name.into())
    }

    fn accept(&mut self, word: &str) -> bool {
        self.skip();
        match self.0.strip_prefix(word) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn quoted(&mut self) -> Out<String> {
        self.skip();
        let Some(quote) = self.0.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return fault(codes::SYNTAX);
        };
        let Some(end) = self.0[1..].find(quote) else { return fault(codes::SYNTAX) };
        let value = &self.0[1..1 + end];
        self.0 = &self.0[end + 2..];
        Ok(value.into())
    }

    fn public_id(&mut self) -> Out<String> {
        let id = self.quoted()?;
        let legal = |c: char| c.is_ascii_alphanumeric() || " \r\n-'()+,./:=?;!*#@$_%".contains(c);
        if !id.chars().all(legal) {
            return fault(codes::PUBLIC_ID);
        }
        Ok(collapsed(&id.replace(['\r', '\n'], " ")))
    }

    /// `SYSTEM "…"` or `PUBLIC "…" "…"`: system and public id.
    pub fn external_id(&mut self) -> Out<(Option<String>, Option<String>)> {
        if self.accept("SYSTEM") {
            return Ok((Some(self.quoted()?), None));
        }
        if self.accept("PUBLIC") {
            let public = self.public_id()?;
            return Ok((Some(self.quoted()?), Some(public)));
        }
        Ok((None, None))
    }
}

fn optional(vm: &Vm, s: Option<&str>) -> R<Value> {
    s.map_or(Ok(Value::NONE), |s| vm.str(s))
}

/// Reads one declaration, `<!…>`.
pub fn declare(vm: &Vm, this: This, dtd: &Rc<RefCell<Dtd>>, text: &str) -> Out<()> {
    let body = &text[..text.len() - 1];
    let told = if let Some(rest) = body.strip_prefix("<!ENTITY") {
        entity(vm, this, dtd, rest)?
    } else if let Some(rest) = body.strip_prefix("<!ATTLIST") {
        attributes(vm, this, dtd, rest)?
    } else if let Some(rest) = body.strip_prefix("<!ELEMENT") {
        element(vm, this, rest)?
    } else if let Some(rest) = body.strip_prefix("<!NOTATION") {
        notation(vm, this, rest)?
    } else {
        return fault(codes::SYNTAX);
    };
    if !told {
        this.default(vm, text)?;
    }
    Ok(())
}

/// A literal value: character references and parameter entities put in, line ends made one.
fn replacement(dtd: &Dtd, literal: &str, depth: usize) -> Out<String> {
    if depth > 100 {
        return fault(codes::RECURSIVE_ENTITY);
    }
    let mut out = String::new();
    let mut rest = literal;
    while let Some(i) = rest.find(['&', '%', '\r']) {
        out.push_str(&rest[..i]);
        rest = &rest[i..];
        if rest.starts_with('\r') {
            out.push('\n');
            rest = &rest[if rest.starts_with("\r\n") { 2 } else { 1 }..];
            continue;
        }
        let Some(Ok(end)) = reference_end(rest) else { return fault(codes::INVALID_TOKEN) };
        let (name, whole) = (&rest[1..end], &rest[..end + 1]);
        if rest.starts_with('%') {
            if let Some(Entity { text: Some(text), .. }) = dtd.parameters.get(name) {
                out.push_str(&replacement(dtd, text, depth + 1)?);
            }
        } else if name.starts_with('#') {
            out.push(character(name)?);
        } else {
            out.push_str(whole);
        }
        rest = &rest[end + 1..];
        if out.len() > 8 << 20 {
            return fault(codes::AMPLIFICATION);
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn entity(vm: &Vm, this: This, dtd: &Rc<RefCell<Dtd>>, rest: &str) -> Out<bool> {
    let mut w = Words::new(rest);
    let parameter = w.accept("%");
    let name = w.name()?;
    let mut e = Entity::default();
    (e.system, e.public) = w.external_id()?;
    if e.system.is_none() {
        e.text = Some(replacement(&dtd.borrow(), &w.quoted()?, 0)?);
    } else if !parameter && w.accept("NDATA") {
        e.notation = Some(w.name()?);
    }
    if !w.is_empty() {
        return fault(codes::SYNTAX);
    }
    let base = this.base_value();
    let (system, public) = (optional(vm, e.system.as_deref())?, optional(vm, e.public.as_deref())?);
    let is_new = {
        let mut d = dtd.borrow_mut();
        let ignored = d.ignored;
        let table = if parameter { &mut d.parameters } else { &mut d.general };
        // The first declaration binds; those that are always there are not declared anew.
        let is_new = !table.contains_key(&name) && (parameter || predefined(&name).is_none());
        if is_new && !ignored {
            table.insert(name.clone(), e.clone());
        }
        is_new
    };
    if !is_new {
        return Ok(false);
    }
    let notation = optional(vm, e.notation.as_deref())?;
    let shown = vm.str(&name)?;
    if e.notation.is_some() && this.has(Handler::UnparsedEntityDecl) {
        return Ok(this.emit(vm, Handler::UnparsedEntityDecl, &[shown, base, system, public, notation])?);
    }
    let value = optional(vm, e.text.as_deref())?;
    let row = [shown, Value::small_int(parameter.into()), value, base, system, public, notation];
    Ok(this.emit(vm, Handler::EntityDecl, &row)?)
}

fn notation(vm: &Vm, this: This, rest: &str) -> Out<bool> {
    let mut w = Words::new(rest);
    let name = w.name()?;
    let (system, public) = if w.accept("PUBLIC") {
        let public = w.public_id()?;
        (if w.is_empty() { None } else { Some(w.quoted()?) }, Some(public))
    } else {
        w.external_id()?
    };
    if !w.is_empty() || (system.is_none() && public.is_none()) {
        return fault(codes::SYNTAX);
    }
    let row = [
        vm.str(&name)?,
        this.base_value(),
        optional(vm, system.as_deref())?,
        optional(vm, public.as_deref())?,
    ];
    Ok(this.emit(vm, Handler::NotationDecl, &row)?)
}

fn attributes(vm: &Vm, this: This, dtd: &Rc<RefCell<Dtd>>, rest: &str) -> Out<bool> {
    let mut w = Words::new(rest);
    let element = w.name()?;
    let mut told = false;
    while !w.is_empty() {
        let name = w.name()?;
        w.skip();
        let kind = if w.0.starts_with('(') || w.0.starts_with("NOTATION") {
            let prefix = if w.accept("NOTATION") { "NOTATION" } else { "" };
            w.skip();
            let Some(end) = w.0.find(')').filter(|_| w.0.starts_with('(')) else {
                return fault(codes::SYNTAX);
            };
            let inside: String = w.0[..end + 1].chars().filter(|c| !c.is_ascii_whitespace()).collect();
            w.0 = &w.0[end + 1..];
            format!("{prefix}{inside}")
        } else {
            let kind = w.name()?;
            const KINDS: [&str; 8] =
                ["CDATA", "ID", "IDREF", "IDREFS", "ENTITY", "ENTITIES", "NMTOKEN", "NMTOKENS"];
            if !KINDS.contains(&kind.as_str()) {
                return fault(codes::SYNTAX);
            }
            kind
        };
        let cdata = kind == "CDATA";
        let (mut required, mut default) = (false, None);
        if w.accept("#REQUIRED") {
            required = true;
        } else if !w.accept("#IMPLIED") {
            required = w.accept("#FIXED");
            let literal = w.quoted()?;
            let mut out = String::new();
            expand_default(&dtd.borrow(), &literal, &mut out, 0)?;
            default = Some(if cdata { out } else { collapsed(&out) });
        }
        {
            let mut d = dtd.borrow_mut();
            let ignored = d.ignored;
            let row = d.attributes.entry(element.clone()).or_default();
            if !ignored && !row.iter().any(|a| a.name == name) {
                row.push(Attribute { name: name.clone(), cdata, default: default.clone() });
            }
        }
        let row = [
            vm.str(&element)?,
            vm.str(&name)?,
            vm.str(&kind)?,
            optional(vm, default.as_deref())?,
            Value::small_int(required.into()),
        ];
        told |= this.emit(vm, Handler::AttlistDecl, &row)?;
    }
    Ok(told)
}

/// A default value: references put in, white space made blanks.
fn expand_default(dtd: &Dtd, literal: &str, out: &mut String, depth: usize) -> Out<()> {
    if depth > 100 || out.len() > 8 << 20 {
        return fault(codes::RECURSIVE_ENTITY);
    }
    let mut rest = literal;
    while let Some(i) = rest.find(['&', '\n', '\r', '\t', '<']) {
        out.push_str(&rest[..i]);
        rest = &rest[i..];
        match rest.as_bytes()[0] {
            b'<' => return fault(codes::INVALID_TOKEN),
            b'&' => {
                let Some(Ok(end)) = reference_end(rest) else { return fault(codes::INVALID_TOKEN) };
                let name = &rest[1..end];
                rest = &rest[end + 1..];
                if name.starts_with('#') {
                    out.push(character(name)?);
                } else if let Some(c) = predefined(name) {
                    out.push(c);
                } else {
                    match dtd.general.get(name) {
                        Some(Entity { text: Some(text), .. }) => expand_default(dtd, text, out, depth + 1)?,
                        Some(_) => return fault(codes::EXTERNAL_IN_ATTRIBUTE),
                        None if dtd.has_external => {}
                        None => return fault(codes::UNDEFINED_ENTITY),
                    }
                }
            }
            _ => {
                out.push(' ');
                rest = &rest[if rest.starts_with("\r\n") { 2 } else { 1 }..];
            }
        }
    }
    out.push_str(rest);
    Ok(())
}

// ---- content models

/// A part of a content model: kind, quantifier, name, parts, as the module `model` numbers them.
struct Model {
    kind: i64,
    quantifier: i64,
    name: Option<String>,
    parts: Vec<Model>,
}

fn quantifier(text: &mut &str) -> i64 {
    let n = match text.chars().next() {
        Some('?') => 1,
        Some('*') => 2,
        Some('+') => 3,
        _ => return 0,
    };
    *text = &text[1..];
    n
}

/// A group in parentheses. Groups lie on a stack of their own.
fn group(text: &mut &str) -> Out<Model> {
    let mut open: Vec<(Vec<Model>, Option<char>)> = Vec::new();
    loop {
        *text = text.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
        let part = if let Some(rest) = text.strip_prefix('(') {
            *text = rest;
            if open.len() > 1000 {
                return fault(codes::SYNTAX);
            }
            open.push((Vec::new(), None));
            continue;
        } else {
            let n = name_length(text);
            if n == 0 {
                return fault(codes::SYNTAX);
            }
            let name = text[..n].to_string();
            *text = &text[n..];
            Model { kind: 4, quantifier: quantifier(text), name: Some(name), parts: Vec::new() }
        };
        let mut part = part;
        loop {
            let Some((parts, connector)) = open.last_mut() else { return Ok(part) };
            parts.push(part);
            *text = text.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
            match text.chars().next() {
                Some(c @ (',' | '|')) if connector.is_none_or(|k| k == c) => {
                    *connector = Some(c);
                    *text = &text[1..];
                    break;
                }
                Some(')') => {
                    *text = &text[1..];
                    let kind = if *connector == Some('|') { 5 } else { 6 };
                    let parts = std::mem::take(parts);
                    open.pop();
                    part = Model { kind, quantifier: quantifier(text), name: None, parts };
                    if open.is_empty() {
                        return Ok(part);
                    }
                }
                _ => return fault(codes::SYNTAX),
            }
        }
    }
}

fn model(text: &str) -> Out<Model> {
    let leaf = |kind| Model { kind, quantifier: 0, name: None, parts: Vec::new() };
    let mut text = text.trim_matches([' ', '\t', '\n', '\r']);
    match text {
        "EMPTY" => return Ok(leaf(1)),
        "ANY" => return Ok(leaf(2)),
        _ => {}
    }
    let inside = text.strip_prefix('(').map(|t| t.trim_start_matches([' ', '\t', '\n', '\r']));
    if let Some(rest) = inside.and_then(|t| t.strip_prefix("#PCDATA")) {
        let Some((names, end)) = rest.split_once(')') else { return fault(codes::SYNTAX) };
        let parts: Vec<Model> =
            names.split('|').skip(1).map(|n| Model { name: Some(n.trim().into()), ..leaf(4) }).collect();
        let starred = end.trim() == "*";
        if !starred && (!end.trim().is_empty() || !parts.is_empty()) {
            return fault(codes::SYNTAX);
        }
        return Ok(Model { quantifier: if starred { 2 } else { 0 }, parts, ..leaf(3) });
    }
    if !text.starts_with('(') {
        return fault(codes::SYNTAX);
    }
    let m = group(&mut text)?;
    if text.trim().is_empty() { Ok(m) } else { fault(codes::SYNTAX) }
}

/// As Python has it: tuples, the innermost made first.
fn shown(vm: &Vm, m: &Model) -> R<Value> {
    skein_runtime::interp::check_native_stack(vm, "in an XML content model")?;
    let parts = skein_runtime::types::list::List::with_capacity(vm, m.parts.len())?;
    for part in &m.parts {
        parts.push(vm, shown(vm, part)?)?;
    }
    let name = optional(vm, m.name.as_deref())?;
    let row = [Value::small_int(m.kind), Value::small_int(m.quantifier), name, vm.tuple(parts.items())?];
    vm.tuple(&row)
}

fn element(vm: &Vm, this: This, rest: &str) -> Out<bool> {
    let mut w = Words::new(rest);
    let name = w.name()?;
    let m = model(w.0)?;
    if !this.has(Handler::ElementDecl) {
        return Ok(false);
    }
    let row = [vm.str(&name)?, shown(vm, &m)?];
    Ok(this.emit(vm, Handler::ElementDecl, &row)?)
}
