//! The parser: documents in pieces, told to handlers.
//!
//! What is not whole waits in the buffer. Replacement texts of entities are parsed from a stack of sources, so that nesting
//! takes no native stack.

use super::codes;
use super::dtd::{Dtd, Entity};
use super::input::Input;
use super::{Handler, XmlParser};
use skein_runtime::types::ext::Ext;
use skein_runtime::{Raised, Ref, Value, Vm};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

/// Why parsing ends.
#[derive(Debug)]
pub enum Fault {
    Code(u32),
    Raised(Raised),
}

impl From<Raised> for Fault {
    fn from(e: Raised) -> Fault {
        Fault::Raised(e)
    }
}

pub type Out<T> = Result<T, Fault>;

pub fn fault<T>(code: u32) -> Out<T> {
    Err(Fault::Code(code))
}

/// Where in the document the parser is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Stage {
    /// Nothing was read yet.
    Start,
    Prolog,
    /// In the internal subset, or in an external one.
    Subset,
    Content,
    Cdata,
    Epilog,
}

/// A text that is parsed: the document, or an entity's.
struct Source {
    text: Rc<str>,
    at: usize,
    entity: Option<String>,
    /// Open elements when it began.
    depth: usize,
}

struct Tag {
    raw: String,
    shown: String,
    /// Prefixes that it declared.
    declared: Vec<Option<String>>,
}

pub struct Parser {
    pub input: Input,
    sources: Vec<Source>,
    pub stage: Stage,
    pub dtd: Rc<RefCell<Dtd>>,
    tags: Vec<Tag>,
    /// Bindings of prefixes, the latest last.
    spaces: Vec<(Option<String>, Option<String>)>,
    pub separator: Option<String>,
    /// An external entity: no root, its declaration is another.
    pub external: bool,
    seen_doctype: bool,
    pub finished: bool,
    /// Position of what was consumed: bytes, line, column.
    place: (u64, u64, u64),
    /// Bytes that came from entities, and from the document.
    expanded: u64,
    direct: u64,
}

const AMPLIFICATION_FREE: u64 = 8 << 20;
const AMPLIFICATION_FACTOR: u64 = 100;
const XML_SPACE: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_SPACE: &str = "http://www.w3.org/2000/xmlns/";

pub type This = Ref<Ext<XmlParser>>;

pub fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_name_start(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}')
}

pub fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Length of the name at the start.
pub fn name_length(text: &str) -> usize {
    match text.chars().next() {
        Some(c) if is_name_start(c) => text.find(|c| !is_name_char(c)).unwrap_or(text.len()),
        _ => 0,
    }
}

/// The first character that no document may have.
fn forbidden(text: &str) -> Option<usize> {
    text.char_indices()
        .find(
            |(_, c)| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}'),
        )
        .map(|(i, _)| i)
}

/// Line ends as one character.
fn normal_lines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into() }
}

/// The character of a reference such as `#x41`.
pub fn character(reference: &str) -> Out<char> {
    let n = match reference.strip_prefix("#x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => reference[1..].parse(),
    };
    let c = n.ok().and_then(char::from_u32);
    let legal = c.filter(|c| forbidden(&c.to_string()).is_none());
    legal.ok_or(Fault::Code(codes::BAD_CHAR_REF))
}

pub fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

impl Parser {
    pub fn new(separator: Option<String>, encoding: Option<String>) -> Parser {
        let input = Input::new(encoding);
        Parser {
            input,
            sources: vec![Source { text: Rc::from(""), at: 0, entity: None, depth: 0 }],
            stage: Stage::Start,
            dtd: Rc::default(),
            tags: Vec::new(),
            spaces: Vec::new(),
            separator,
            external: false,
            seen_doctype: false,
            finished: false,
            place: (0, 1, 0),
            expanded: 0,
            direct: 0,
        }
    }

    /// Parses what the bytes add to. `last`: nothing follows.
    pub fn parse(&mut self, vm: &Vm, this: This, bytes: &[u8], last: bool) -> Out<()> {
        if self.finished {
            return fault(codes::FINISHED);
        }
        let s = &self.sources[0];
        let mut text = s.text.as_bytes()[s.at..].to_vec();
        vm.check_room(text.len() + bytes.len() * 2)?;
        let old = text.len();
        let fed = self.input.feed(vm, bytes, last, &mut text);
        self.direct += (text.len() - old) as u64;
        // What is fed is text; the rest of what was before, too.
        let text = String::from_utf8(text).unwrap_or_default();
        self.sources[0].text = text.into();
        self.sources[0].at = 0;
        fed?;
        self.run(vm, this, last)?;
        if self.input.bad {
            self.mark(this, self.sources[0].text.len());
            return fault(codes::INVALID_TOKEN);
        }
        if last {
            self.finished = true;
            self.end(this)?;
        }
        Ok(())
    }

    /// What must hold at the end.
    fn end(&mut self, this: This) -> Out<()> {
        this.place.set(self.place);
        let left = self.sources[0].text.len() - self.sources[0].at;
        match self.stage {
            Stage::Cdata => fault(codes::UNCLOSED_CDATA),
            _ if left > 0 => {
                self.mark(this, self.sources[0].at);
                fault(codes::UNCLOSED_TOKEN)
            }
            Stage::Content if self.external && self.tags.is_empty() => Ok(()),
            Stage::Content if self.external => fault(codes::ASYNC_ENTITY),
            Stage::Start | Stage::Subset if self.external => Ok(()),
            Stage::Epilog => Ok(()),
            _ => fault(codes::NO_ELEMENTS),
        }
    }

    /// Byte, line and column of a place of the document that is not before what was taken.
    fn place_of(&self, at: usize) -> (u64, u64, u64) {
        let (bytes, mut line, mut column) = self.place;
        let s = &self.sources[0];
        let text = &s.text.as_bytes()[s.at.min(at)..at];
        for (i, &b) in text.iter().enumerate() {
            match b {
                b'\n' if i > 0 && text[i - 1] == b'\r' => {}
                b'\n' | b'\r' => (line, column) = (line + 1, 0),
                0x80..=0xbf => {}
                _ => column += 1,
            }
        }
        (bytes + text.len() as u64, line, column)
    }

    /// Tells that the present event is at this place of the document.
    fn mark(&self, this: This, at: usize) {
        this.place.set(self.place_of(at));
    }

    /// Takes so many bytes of the text that is parsed.
    fn take(&mut self, n: usize) {
        if self.sources.len() == 1 {
            let at = self.sources[0].at + n;
            self.place = self.place_of(at);
            self.sources[0].at = at;
        } else if let Some(s) = self.sources.last_mut() {
            s.at += n;
        }
    }

    /// Marks an error at an offset from where the parser is.
    fn error_at<T>(&mut self, this: This, offset: usize, code: u32) -> Out<T> {
        if self.sources.len() == 1 {
            self.mark(this, self.sources[0].at + offset);
        }
        fault(code)
    }

    fn run(&mut self, vm: &Vm, this: This, last: bool) -> Out<()> {
        loop {
            vm.check_signals()?;
            let inner = self.sources.len() > 1;
            let Some(s) = self.sources.last() else { return Ok(()) };
            if s.at == s.text.len() {
                if !inner {
                    return Ok(());
                }
                self.leave_entity()?;
                continue;
            }
            if !inner {
                this.place.set(self.place);
                this.context.replace(Some((s.text.clone(), s.at)));
            }
            let (text, at) = (s.text.clone(), s.at);
            let rest = &text[at..];
            let final_piece = last || inner;
            let more = match self.stage {
                Stage::Start => self.start(vm, this, rest, final_piece)?,
                Stage::Prolog | Stage::Epilog => self.prolog(vm, this, rest, final_piece)?,
                Stage::Subset => self.subset(vm, this, rest, final_piece)?,
                Stage::Content => self.content(vm, this, rest, final_piece)?,
                Stage::Cdata => self.cdata(vm, this, rest, final_piece)?,
            };
            if !more {
                if inner {
                    return fault(codes::UNCLOSED_TOKEN);
                }
                return Ok(());
            }
        }
    }

    fn leave_entity(&mut self) -> Out<()> {
        let Some(s) = self.sources.pop() else { return Ok(()) };
        if s.depth != self.tags.len() || self.stage == Stage::Cdata {
            return fault(codes::ASYNC_ENTITY);
        }
        if let Some(name) = s.entity
            && let Some(e) = self.dtd.borrow_mut().general.get_mut(&name)
        {
            e.open = false;
        }
        Ok(())
    }

    // ---- the beginning and what surrounds the root

    /// The declaration, if there is one.
    fn start(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
        let next = if self.external { Stage::Content } else { Stage::Prolog };
        let may_be = rest.len() < 6 && "<?xml ".starts_with(rest);
        if may_be && !last {
            return Ok(false);
        }
        let declares = rest.strip_prefix("<?xml").is_some_and(|r| r.bytes().next().is_some_and(is_space));
        if !declares {
            self.stage = next;
            return Ok(true);
        }
        let Some(end) = rest.find("?>") else { return Ok(false) };
        let d = declaration(&rest[5..end], self.external)?;
        if d.standalone == 1 {
            self.dtd.borrow_mut().standalone = true;
        }
        let optional = |s: &Option<String>| s.as_ref().map_or(Ok(Value::NONE), |s| vm.str(s));
        let row = [optional(&d.version)?, optional(&d.encoding)?, Value::small_int(d.standalone)];
        if !this.emit(vm, Handler::XmlDecl, &row)? {
            this.default(vm, &rest[..end + 2])?;
        }
        self.take(end + 2);
        self.stage = next;
        Ok(true)
    }

    fn prolog(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        if spaces > 0 {
            this.default(vm, &rest[..spaces])?;
            self.take(spaces);
            return Ok(true);
        }
        let junk = if self.stage == Stage::Epilog { codes::JUNK } else { codes::SYNTAX };
        if !rest.starts_with('<') {
            if let Some(0) = forbidden(rest) {
                return self.error_at(this, 0, codes::INVALID_TOKEN);
            }
            return fault(junk);
        }
        if let Some(done) = self.comment_or_instruction(vm, this, rest, last)? {
            return Ok(done);
        }
        if rest.starts_with("<!") {
            const DOCTYPE: &str = "<!DOCTYPE";
            if rest.len() < DOCTYPE.len() && DOCTYPE.starts_with(rest) {
                return Ok(false);
            }
            if !rest.starts_with(DOCTYPE) {
                return self.error_at(this, 2, codes::INVALID_TOKEN);
            }
            if self.stage == Stage::Epilog || self.seen_doctype {
                return fault(junk);
            }
            return self.doctype(vm, this, rest);
        }
        if rest.len() == 1 {
            return Ok(false);
        }
        if self.stage == Stage::Epilog {
            return fault(junk);
        }
        self.stage = Stage::Content;
        Ok(true)
    }

    /// `<!--…-->` and `<?…?>`. None: it is something else.
    fn comment_or_instruction(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<Option<bool>> {
        if "<!--".starts_with(rest) && rest.len() < 4 && rest.len() > 1 && !last {
            return Ok(Some(false));
        }
        if rest.starts_with("<!--") {
            let Some(end) = rest[4..].find("--") else {
                if let Some(i) = forbidden(rest) {
                    return self.error_at(this, i, codes::INVALID_TOKEN);
                }
                return Ok(Some(false));
            };
            let end = end + 4;
            if rest.len() == end + 2 {
                return Ok(Some(false));
            }
            if let Some(i) = forbidden(&rest[..end]) {
                return self.error_at(this, i, codes::INVALID_TOKEN);
            }
            if rest.as_bytes()[end + 2] != b'>' {
                return self.error_at(this, end + 2, codes::INVALID_TOKEN);
            }
            let row = [vm.str(&normal_lines(&rest[4..end]))?];
            if !this.emit(vm, Handler::Comment, &row)? {
                this.default(vm, &rest[..end + 3])?;
            }
            self.take(end + 3);
            return Ok(Some(true));
        }
        if !rest.starts_with("<?") {
            return Ok(None);
        }
        let name = name_length(&rest[2..]);
        if 2 + name == rest.len() {
            return Ok(Some(false));
        }
        if name == 0 {
            return self.error_at(this, 2, codes::INVALID_TOKEN);
        }
        let target = &rest[2..2 + name];
        if target.eq_ignore_ascii_case("xml") {
            return fault(if target == "xml" { codes::MISPLACED_XML_PI } else { codes::INVALID_TOKEN });
        }
        let Some(end) = rest.find("?>") else { return Ok(Some(false)) };
        let data = &rest[2 + name..end];
        if !data.is_empty() && !is_space(data.as_bytes()[0]) {
            return self.error_at(this, 2 + name, codes::INVALID_TOKEN);
        }
        if let Some(i) = forbidden(data) {
            return self.error_at(this, 2 + name + i, codes::INVALID_TOKEN);
        }
        let data = normal_lines(data.trim_start_matches([' ', '\t', '\n', '\r']));
        let row = [vm.intern(target)?.value(), vm.str(&data)?];
        if !this.emit(vm, Handler::ProcessingInstruction, &row)? {
            this.default(vm, &rest[..end + 2])?;
        }
        self.take(end + 2);
        Ok(Some(true))
    }

    fn doctype(&mut self, vm: &Vm, this: This, rest: &str) -> Out<bool> {
        // To the `[` or `>` outside of quotes.
        let mut quote = None;
        let end = rest.bytes().enumerate().find_map(|(i, b)| match (quote, b) {
            (Some(q), b) if b == q => {
                quote = None;
                None
            }
            (Some(_), _) => None,
            (None, b'"' | b'\'') => {
                quote = Some(b);
                None
            }
            (None, b'[' | b'>') => Some(i),
            _ => None,
        });
        let Some(end) = end else { return Ok(false) };
        let mut words = super::dtd::Words::new(&rest[9..end]);
        let name = words.name()?;
        let (system, public) = words.external_id()?;
        if !words.is_empty() {
            return fault(codes::SYNTAX);
        }
        let internal = rest.as_bytes()[end] == b'[';
        self.seen_doctype = true;
        let has_external = system.is_some();
        if has_external {
            self.dtd.borrow_mut().has_external = true;
        }
        let optional = |s: &Option<String>| s.as_ref().map_or(Ok(Value::NONE), |s| vm.str(s));
        let row = [
            vm.intern(&name)?.value(),
            optional(&system)?,
            optional(&public)?,
            Value::small_int(internal.into()),
        ];
        if !this.emit(vm, Handler::StartDoctypeDecl, &row)? {
            this.default(vm, &rest[..end + 1])?;
        }
        {
            let mut d = self.dtd.borrow_mut();
            (d.system, d.public) = (system, public);
        }
        self.take(end + 1);
        if internal {
            self.stage = Stage::Subset;
        } else {
            self.end_doctype(vm, this)?;
        }
        Ok(true)
    }

    fn end_doctype(&mut self, vm: &Vm, this: This) -> Out<()> {
        let (system, public, standalone) = {
            let d = self.dtd.borrow();
            (d.system.clone(), d.public.clone(), d.standalone)
        };
        if let Some(system) = system {
            if this.parameter_entities.get() == 2 || (this.parameter_entities.get() == 1 && !standalone) {
                self.external_entity(vm, this, None, Some(&system), public.as_deref())?;
            }
            if !standalone && this.has(Handler::NotStandalone) {
                let answer = this.call(vm, Handler::NotStandalone, &[])?;
                if vm.index_i64(answer)? == 0 {
                    return fault(codes::NOT_STANDALONE);
                }
            }
        }
        this.emit(vm, Handler::EndDoctypeDecl, &[])?;
        self.stage = Stage::Prolog;
        Ok(())
    }

    fn subset(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        if spaces > 0 {
            this.default(vm, &rest[..spaces])?;
            self.take(spaces);
            return Ok(true);
        }
        if rest.starts_with(']') && !self.external {
            let after = rest[1..].trim_start_matches([' ', '\t', '\n', '\r']);
            if after.is_empty() {
                return Ok(false);
            }
            if !after.starts_with('>') {
                return fault(codes::SYNTAX);
            }
            let n = rest.len() - after.len() + 1;
            this.default(vm, &rest[..n])?;
            self.take(n);
            self.end_doctype(vm, this)?;
            return Ok(true);
        }
        if rest.starts_with("<?xml") && self.external && self.place.0 == 0 {
            let Some(end) = rest.find("?>") else { return Ok(false) };
            declaration(&rest[5..end], true)?;
            self.take(end + 2);
            return Ok(true);
        }
        if let Some(done) = self.comment_or_instruction(vm, this, rest, last)? {
            return Ok(done);
        }
        if let Some(reference) = rest.strip_prefix('%') {
            let Some(end) = reference.find(';') else { return Ok(false) };
            let name = &reference[..end];
            if name.is_empty() || name_length(name) != name.len() {
                return self.error_at(this, 1, codes::INVALID_TOKEN);
            }
            self.take(end + 2);
            return self.parameter(vm, this, name);
        }
        if !rest.starts_with('<') {
            return self.error_at(this, 0, codes::SYNTAX);
        }
        let Some(n) = super::dtd::declaration_length(rest) else { return Ok(false) };
        let text = &rest[..n];
        if let Some(i) = forbidden(text) {
            return self.error_at(this, i, codes::INVALID_TOKEN);
        }
        super::dtd::declare(vm, this, &self.dtd.clone(), text)?;
        self.take(n);
        Ok(true)
    }

    /// A reference to a parameter entity between declarations.
    fn parameter(&mut self, vm: &Vm, this: This, name: &str) -> Out<bool> {
        if this.parameter_entities.get() == 0 {
            // Parameters are not read: what follows may not be what it seems to be.
            {
                let mut d = self.dtd.borrow_mut();
                d.has_external = true;
                d.ignored = !d.standalone;
            }
            this.default(vm, &format!("%{name};"))?;
            return Ok(true);
        }
        let found = self.dtd.borrow().parameters.get(name).cloned();
        match found {
            Some(Entity { text: Some(text), open, .. }) => {
                if open {
                    return fault(codes::RECURSIVE_ENTITY);
                }
                self.expand(&text)?;
                self.sources.push(Source { text: text.into(), at: 0, entity: None, depth: self.tags.len() });
            }
            Some(e) => {
                self.dtd.borrow_mut().has_external = true;
                self.external_entity(vm, this, None, e.system.as_deref(), e.public.as_deref())?;
            }
            None => {
                // What it declares is not known.
                self.dtd.borrow_mut().has_external = true;
                this.emit(vm, Handler::SkippedEntity, &[vm.str(name)?, Value::TRUE])?;
            }
        }
        Ok(true)
    }

    /// Counts what entities add. Code 43 beyond the limit.
    fn expand(&mut self, text: &str) -> Out<()> {
        self.expanded += text.len() as u64;
        if self.sources.len() > 10_000 {
            return fault(codes::RECURSIVE_ENTITY);
        }
        let total = self.expanded + self.direct;
        if total > AMPLIFICATION_FREE && total > AMPLIFICATION_FACTOR * self.direct.max(1) {
            return fault(codes::AMPLIFICATION);
        }
        Ok(())
    }

    // ---- elements and text

    fn content(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
        let b = rest.as_bytes();
        match b[0] {
            b'<' => {}
            b'&' => return self.reference(vm, this, rest),
            _ => return self.text(vm, this, rest, last),
        }
        if b.len() == 1 {
            return Ok(false);
        }
        if let Some(done) = self.comment_or_instruction(vm, this, rest, last)? {
            return Ok(done);
        }
        match b[1] {
            b'!' => {
                const CDATA: &str = "<![CDATA[";
                if rest.starts_with(CDATA) {
                    if !this.emit(vm, Handler::StartCdataSection, &[])? {
                        this.default(vm, CDATA)?;
                    }
                    self.take(CDATA.len());
                    self.stage = Stage::Cdata;
                    return Ok(true);
                }
                if rest.len() < CDATA.len() && CDATA.starts_with(rest) {
                    return Ok(false);
                }
                self.error_at(this, 2, codes::INVALID_TOKEN)
            }
            b'/' => self.end_tag(vm, this, rest),
            _ => self.start_tag(vm, this, rest),
        }
    }

    /// Character data to the next markup.
    fn text(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
        let mut end = memchr::memchr2(b'<', b'&', rest.as_bytes()).unwrap_or(rest.len());
        if let Some(i) = rest[..end].find("]]>") {
            if i > 0 {
                end = i;
            } else {
                return self.error_at(this, 2, codes::INVALID_TOKEN);
            }
        } else if end == rest.len() && !last {
            // `]]` may be the beginning of `]]>`, and `\r` of a line end.
            end -= if rest.ends_with("]]") {
                2
            } else {
                usize::from(rest.ends_with(']') || rest.ends_with('\r'))
            };
            if end == 0 {
                return Ok(false);
            }
        }
        if let Some(i) = forbidden(&rest[..end]) {
            if i == 0 {
                return self.error_at(this, 0, codes::INVALID_TOKEN);
            }
            end = i;
        }
        if self.tags.is_empty() && !self.external && self.sources.len() == 1 {
            return fault(codes::JUNK);
        }
        self.characters(vm, this, &rest[..end])?;
        self.take(end);
        Ok(true)
    }

    /// Tells of text: lines and line ends apart.
    fn characters(&mut self, vm: &Vm, this: This, text: &str) -> Out<()> {
        if !this.has(Handler::CharacterData) {
            return this.default(vm, text);
        }
        let mut rest = text;
        while !rest.is_empty() {
            let n = rest.find(['\n', '\r']).unwrap_or(rest.len());
            if n > 0 {
                this.text(vm, &rest[..n])?;
                rest = &rest[n..];
            } else {
                this.text(vm, "\n")?;
                rest = &rest[if rest.starts_with("\r\n") { 2 } else { 1 }..];
            }
        }
        Ok(())
    }

    fn cdata(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
        match rest.find("]]>") {
            Some(0) => {
                if !this.emit(vm, Handler::EndCdataSection, &[])? {
                    this.default(vm, "]]>")?;
                }
                self.take(3);
                self.stage = Stage::Content;
                Ok(true)
            }
            found => {
                let mut end = found.unwrap_or(rest.len());
                if found.is_none() {
                    end -= if rest.ends_with("]]") {
                        2
                    } else {
                        usize::from(rest.ends_with(']') || (rest.ends_with('\r') && !last))
                    };
                }
                if end == 0 {
                    return Ok(false);
                }
                if let Some(i) = forbidden(&rest[..end]) {
                    return self.error_at(this, i, codes::INVALID_TOKEN);
                }
                self.characters(vm, this, &rest[..end])?;
                self.take(end);
                Ok(true)
            }
        }
    }

    fn reference(&mut self, vm: &Vm, this: This, rest: &str) -> Out<bool> {
        let Some(end) = reference_end(rest) else { return Ok(false) };
        let end = match end {
            Ok(end) => end,
            Err(at) => return self.error_at(this, at, codes::INVALID_TOKEN),
        };
        let name = &rest[1..end];
        let raw = &rest[..end + 1];
        if self.tags.is_empty() && !self.external && self.sources.len() == 1 {
            return fault(codes::JUNK);
        }
        let single = if name.starts_with('#') { Some(character(name)?) } else { predefined(name) };
        if let Some(c) = single {
            if this.has(Handler::CharacterData) {
                this.text(vm, &c.to_string())?;
            } else {
                this.default(vm, raw)?;
            }
            self.take(end + 1);
            return Ok(true);
        }
        let found = self.dtd.borrow().general.get(name).cloned();
        let Some(e) = found else {
            let known = {
                let d = self.dtd.borrow();
                !d.has_external || d.standalone
            };
            if known {
                return fault(codes::UNDEFINED_ENTITY);
            }
            if !this.emit(vm, Handler::SkippedEntity, &[vm.str(name)?, Value::FALSE])? {
                this.default(vm, raw)?;
            }
            self.take(end + 1);
            return Ok(true);
        };
        if e.open {
            return fault(codes::RECURSIVE_ENTITY);
        }
        if e.notation.is_some() {
            return fault(codes::BINARY_ENTITY);
        }
        match e.text {
            Some(_) if this.plain_default.get() => {
                if !this.emit(vm, Handler::SkippedEntity, &[vm.str(name)?, Value::FALSE])? {
                    this.default(vm, raw)?;
                }
                self.take(end + 1);
            }
            Some(text) => {
                self.expand(&text)?;
                self.take(end + 1);
                if let Some(e) = self.dtd.borrow_mut().general.get_mut(name) {
                    e.open = true;
                }
                let depth = self.tags.len();
                let source = Source { text: text.into(), at: 0, entity: Some(name.into()), depth };
                self.sources.push(source);
            }
            None => {
                self.take(end + 1);
                if this.has(Handler::ExternalEntityRef) {
                    self.external_entity(vm, this, Some(name), e.system.as_deref(), e.public.as_deref())?;
                } else {
                    this.default(vm, raw)?;
                }
            }
        }
        Ok(true)
    }

    fn end_tag(&mut self, vm: &Vm, this: This, rest: &str) -> Out<bool> {
        let name = name_length(&rest[2..]);
        let after = &rest[2 + name..];
        let spaces = after.len() - after.trim_start_matches([' ', '\t', '\n', '\r']).len();
        let Some(close) = after[spaces..].chars().next() else { return Ok(false) };
        if name == 0 || close != '>' {
            return self.error_at(this, 2 + name + spaces, codes::INVALID_TOKEN);
        }
        let base = self.sources.last().map_or(0, |s| s.depth);
        if self.tags.len() <= base {
            return fault(if self.sources.len() > 1 || self.external {
                codes::ASYNC_ENTITY
            } else {
                codes::JUNK
            });
        }
        if self.tags.last().is_none_or(|t| t.raw != rest[2..2 + name]) {
            return self.error_at(this, 2, codes::TAG_MISMATCH);
        }
        let n = 2 + name + spaces + 1;
        self.close(vm, this, &rest[..n])?;
        self.take(n);
        Ok(true)
    }

    /// The end of the innermost element.
    fn close(&mut self, vm: &Vm, this: This, raw: &str) -> Out<()> {
        let Some(tag) = self.tags.pop() else { return Ok(()) };
        if !this.emit(vm, Handler::EndElement, &[vm.intern(&tag.shown)?.value()])? {
            this.default(vm, raw)?;
        }
        for prefix in tag.declared.iter().rev() {
            let shown = prefix.as_ref().map_or(Ok(Value::NONE), |p| vm.str(p))?;
            this.emit(vm, Handler::EndNamespaceDecl, &[shown])?;
            self.spaces.pop();
        }
        if self.tags.is_empty() && !self.external && self.sources.len() == 1 {
            self.stage = Stage::Epilog;
        }
        Ok(())
    }

    fn start_tag(&mut self, vm: &Vm, this: This, rest: &str) -> Out<bool> {
        let name_len = name_length(&rest[1..]);
        if 1 + name_len == rest.len() {
            return Ok(false);
        }
        if name_len == 0 {
            return self.error_at(this, 1, codes::INVALID_TOKEN);
        }
        let name = &rest[1..1 + name_len];
        let mut at = 1 + name_len;
        // Name, raw value, and where the name is.
        let mut attributes: Vec<(&str, &str, usize)> = Vec::new();
        let b = rest.as_bytes();
        let empty = loop {
            let before = at;
            while at < b.len() && is_space(b[at]) {
                at += 1;
            }
            match b.get(at) {
                None => return Ok(false),
                Some(b'>') => break false,
                Some(b'/') => match b.get(at + 1) {
                    None => return Ok(false),
                    Some(b'>') => break true,
                    Some(_) => return self.error_at(this, at + 1, codes::INVALID_TOKEN),
                },
                Some(_) if before == at => return self.error_at(this, at, codes::INVALID_TOKEN),
                Some(_) => {}
            }
            let n = name_length(&rest[at..]);
            if n == 0 {
                return self.error_at(this, at, codes::INVALID_TOKEN);
            }
            let (place, attribute) = (at, &rest[at..at + n]);
            at += n;
            let skip = |at: &mut usize| {
                while *at < b.len() && is_space(b[*at]) {
                    *at += 1;
                }
            };
            skip(&mut at);
            match b.get(at) {
                None => return Ok(false),
                Some(b'=') => at += 1,
                Some(_) => return self.error_at(this, at, codes::INVALID_TOKEN),
            }
            skip(&mut at);
            let quote = match b.get(at) {
                None => return Ok(false),
                Some(&q @ (b'"' | b'\'')) => q,
                Some(_) => return self.error_at(this, at, codes::INVALID_TOKEN),
            };
            at += 1;
            let Some(n) = memchr::memchr(quote, &b[at..]) else {
                if let Some(i) = memchr::memchr(b'<', &b[at..]) {
                    return self.error_at(this, at + i, codes::INVALID_TOKEN);
                }
                return Ok(false);
            };
            let value = &rest[at..at + n];
            if let Some(i) = value.find('<').or_else(|| forbidden(value)) {
                return self.error_at(this, at + i, codes::INVALID_TOKEN);
            }
            attributes.push((attribute, value, place));
            at += n + 1;
        };
        let n = at + if empty { 2 } else { 1 };
        let mut row: Vec<(String, String)> = Vec::new();
        let mut seen = HashSet::new();
        for (attribute, value, place) in attributes {
            if !seen.insert(attribute) {
                return self.error_at(this, place, codes::DUPLICATE_ATTRIBUTE);
            }
            let cdata = self.dtd.borrow().is_cdata(name, attribute);
            let mut out = String::new();
            self.attribute_value(value, &mut out, 0)?;
            row.push((attribute.into(), if cdata { out } else { collapsed(&out) }));
        }
        let specified = row.len();
        for (attribute, value) in self.dtd.borrow().defaults(name) {
            if !seen.contains(attribute.as_str()) {
                row.push((attribute, value));
            }
        }
        let (shown, row, specified, declared) = match self.separator.clone() {
            None => (name.to_string(), row, specified, Vec::new()),
            Some(s) => self.resolve(vm, this, name, row, specified, &s)?,
        };
        let wanted = if this.specified_only.get() { specified } else { row.len() };
        let attributes = this.attributes(vm, &row[..wanted])?;
        if !this.emit(vm, Handler::StartElement, &[vm.intern(&shown)?.value(), attributes])? {
            this.default(vm, &rest[..n])?;
        }
        self.tags.push(Tag { raw: name.into(), shown, declared });
        if empty {
            // As raw text the tag was told of already.
            self.close(vm, this, "")?;
        }
        self.take(n);
        Ok(true)
    }

    /// The value of an attribute: references put in, white space made blanks.
    fn attribute_value(&mut self, value: &str, out: &mut String, depth: usize) -> Out<()> {
        if depth > 200 {
            return fault(codes::RECURSIVE_ENTITY);
        }
        let mut rest = value;
        while let Some(i) = rest.find(['&', '\n', '\r', '\t']) {
            out.push_str(&rest[..i]);
            rest = &rest[i..];
            if !rest.starts_with('&') {
                out.push(' ');
                rest = &rest[if rest.starts_with("\r\n") { 2 } else { 1 }..];
                continue;
            }
            let Some(Ok(end)) = reference_end(rest) else { return fault(codes::INVALID_TOKEN) };
            let name = &rest[1..end];
            rest = &rest[end + 1..];
            if name.starts_with('#') {
                out.push(character(name)?);
                continue;
            }
            if let Some(c) = predefined(name) {
                out.push(c);
                continue;
            }
            let found = self.dtd.borrow().general.get(name).cloned();
            let Some(e) = found else {
                let d = self.dtd.borrow();
                if !d.has_external || d.standalone {
                    return fault(codes::UNDEFINED_ENTITY);
                }
                continue;
            };
            if e.open {
                return fault(codes::RECURSIVE_ENTITY);
            }
            if e.notation.is_some() {
                return fault(codes::BINARY_ENTITY);
            }
            let Some(text) = e.text else { return fault(codes::EXTERNAL_IN_ATTRIBUTE) };
            if text.contains('<') {
                return fault(codes::INVALID_TOKEN);
            }
            self.expand(&text)?;
            if let Some(e) = self.dtd.borrow_mut().general.get_mut(name) {
                e.open = true;
            }
            let done = self.attribute_value(&text, out, depth + 1);
            if let Some(e) = self.dtd.borrow_mut().general.get_mut(name) {
                e.open = false;
            }
            done?;
        }
        out.push_str(rest);
        Ok(())
    }

    // ---- namespaces

    fn bind(&mut self, prefix: Option<&str>, uri: &str) -> Out<()> {
        match (prefix, uri) {
            (Some("xmlns"), _) => return fault(codes::RESERVED_XMLNS),
            (Some("xml"), XML_SPACE) => {}
            (Some("xml"), _) => return fault(codes::RESERVED_XML),
            (_, XML_SPACE | XMLNS_SPACE) => return fault(codes::RESERVED_URI),
            (Some(_), "") => return fault(codes::UNDECLARING_PREFIX),
            _ => {}
        }
        let uri = (!uri.is_empty()).then(|| uri.to_string());
        self.spaces.push((prefix.map(Into::into), uri));
        Ok(())
    }

    /// A qualified name with its namespace before it.
    fn expanded_name(&self, this: This, name: &str, is_attribute: bool, separator: &str) -> Out<String> {
        let (prefix, local) = match name.split_once(':') {
            Some((p, l)) if !p.is_empty() && !l.is_empty() => (Some(p), l),
            Some(_) => return fault(codes::INVALID_TOKEN),
            None if is_attribute => return Ok(name.into()),
            None => (None, name),
        };
        let uri = match prefix {
            Some("xml") => Some(XML_SPACE.to_string()),
            _ => {
                let bound = self.spaces.iter().rev().find(|(p, _)| p.as_deref() == prefix);
                match bound {
                    Some((_, uri)) => uri.clone(),
                    None if prefix.is_some() => return fault(codes::UNBOUND_PREFIX),
                    None => None,
                }
            }
        };
        let Some(uri) = uri else { return Ok(name.into()) };
        Ok(match prefix.filter(|_| this.prefixes.get()) {
            Some(p) => format!("{uri}{separator}{local}{separator}{p}"),
            None => format!("{uri}{separator}{local}"),
        })
    }

    /// Takes declarations of namespaces out of the attributes, and puts the namespaces into the names.
    fn resolve(
        &mut self,
        vm: &Vm,
        this: This,
        name: &str,
        row: Vec<(String, String)>,
        specified: usize,
        separator: &str,
    ) -> Out<(String, Vec<(String, String)>, usize, Vec<Option<String>>)> {
        let mut declared = Vec::new();
        let mut kept = Vec::new();
        let mut kept_specified = 0;
        for (i, (attribute, value)) in row.into_iter().enumerate() {
            let prefix = match attribute.strip_prefix("xmlns") {
                Some("") => None,
                Some(p) if p.starts_with(':') => Some(p[1..].to_string()),
                _ => {
                    kept_specified += usize::from(i < specified);
                    kept.push((attribute, value));
                    continue;
                }
            };
            self.bind(prefix.as_deref(), &value)?;
            let shown = prefix.as_ref().map_or(Ok(Value::NONE), |p| vm.str(p))?;
            let uri = if value.is_empty() { Value::NONE } else { vm.str(&value)? };
            this.emit(vm, Handler::StartNamespaceDecl, &[shown, uri])?;
            declared.push(prefix);
        }
        let mut seen = HashSet::new();
        for (attribute, _) in &mut kept {
            *attribute = self.expanded_name(this, attribute, true, separator)?;
            if !seen.insert(attribute.clone()) {
                return fault(codes::DUPLICATE_ATTRIBUTE);
            }
        }
        Ok((self.expanded_name(this, name, false, separator)?, kept, kept_specified, declared))
    }

    /// Lets the program read an external entity, by a parser that it makes for it.
    fn external_entity(
        &mut self,
        vm: &Vm,
        this: This,
        name: Option<&str>,
        system: Option<&str>,
        public: Option<&str>,
    ) -> Out<()> {
        if !this.has(Handler::ExternalEntityRef) {
            return Ok(());
        }
        this.seed.replace(Some(Seed {
            dtd: self.dtd.clone(),
            spaces: self.spaces.clone(),
            separator: self.separator.clone(),
        }));
        let optional = |s: Option<&str>| s.map_or(Ok(Value::NONE), |s| vm.str(s));
        let row = [optional(name)?, this.base_value(), optional(system)?, optional(public)?];
        this.flush(vm)?;
        let answer = this.call(vm, Handler::ExternalEntityRef, &row)?;
        this.seed.replace(None);
        match vm.index_i64(answer)? {
            0 => fault(codes::EXTERNAL_ENTITY),
            _ => Ok(()),
        }
    }
}

/// What the parser of an external entity has of the one that refers to it.
pub struct Seed {
    dtd: Rc<RefCell<Dtd>>,
    spaces: Vec<(Option<String>, Option<String>)>,
    separator: Option<String>,
}

impl Seed {
    /// Its parser: of content, or of an external subset.
    pub fn parser(&self, encoding: Option<String>, subset: bool) -> Parser {
        let mut p = Parser::new(self.separator.clone(), encoding);
        p.dtd = self.dtd.clone();
        p.spaces = self.spaces.clone();
        p.external = true;
        if subset {
            p.stage = Stage::Subset;
        }
        p
    }
}

/// Blanks at the ends away, those between one each.
pub fn collapsed(value: &str) -> String {
    value.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Where the `;` of a reference is; Err: where something wrong is; None: it is not whole.
pub fn reference_end(rest: &str) -> Option<Result<usize, usize>> {
    let body = &rest[1..];
    let n = if let Some(hex) = body.strip_prefix("#x") {
        let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 0 || hex.is_empty() { digits + 2 } else { return Some(Err(3)) }
    } else if let Some(digits) = body.strip_prefix('#') {
        let n = digits.bytes().take_while(u8::is_ascii_digit).count();
        if n > 0 || digits.is_empty() { n + 1 } else { return Some(Err(2)) }
    } else {
        name_length(body)
    };
    match body.as_bytes().get(n) {
        None => None,
        Some(b';') if n > 0 => Some(Ok(n + 1)),
        Some(_) => Some(Err(n + 1)),
    }
}

struct Declaration {
    version: Option<String>,
    encoding: Option<String>,
    standalone: i64,
}

/// The inside of `<?xml … ?>`.
fn declaration(text: &str, external: bool) -> Out<Declaration> {
    let mut d = Declaration { version: None, encoding: None, standalone: -1 };
    let mut rest = text.trim_matches([' ', '\t', '\n', '\r']);
    let mut last = 0;
    while !rest.is_empty() {
        let wrong = Fault::Code(codes::XML_DECL);
        let (name, after) = rest.split_once('=').ok_or(wrong)?;
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return fault(codes::XML_DECL);
        };
        let Some(end) = after[1..].find(quote) else { return fault(codes::XML_DECL) };
        let value = &after[1..1 + end];
        let order = match name.trim() {
            "version" => 1,
            "encoding" => 2,
            "standalone" if !external => 3,
            _ => return fault(codes::XML_DECL),
        };
        if order <= last {
            return fault(codes::XML_DECL);
        }
        last = order;
        match order {
            1 => d.version = Some(value.into()),
            2 => d.encoding = Some(value.into()),
            _ => {
                d.standalone = match value {
                    "yes" => 1,
                    "no" => 0,
                    _ => return fault(codes::XML_DECL),
                }
            }
        }
        rest = after[end + 2..].trim_start();
    }
    if d.version.is_none() && !external {
        return fault(codes::XML_DECL);
    }
    Ok(d)
}
