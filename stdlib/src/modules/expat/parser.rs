//! The parser: documents in pieces, told to handlers.
//!
//! What is not whole waits in the buffer. Replacement texts of entities are parsed from a stack of sources, so that nesting
//! takes no native stack.

use super::codes;
use super::dtd::{Dtd, Entity};
use super::input::Input;
use super::names::{declaration, forbidden, is_space, name_length, normal_lines};
use super::{Handler, XmlParser};
use skein_runtime::types::ext::Ext;
use skein_runtime::{Raised, Ref, Value, Vm};
use std::cell::RefCell;
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
pub struct Source {
    pub text: Rc<str>,
    pub at: usize,
    pub entity: Option<String>,
    /// Open elements when it began.
    pub depth: usize,
}

pub struct Tag {
    pub raw: String,
    pub shown: String,
    /// Prefixes that it declared.
    pub declared: Vec<Option<String>>,
}

pub struct Parser {
    pub input: Input,
    pub sources: Vec<Source>,
    pub stage: Stage,
    pub dtd: Rc<RefCell<Dtd>>,
    pub tags: Vec<Tag>,
    /// Bindings of prefixes, the latest last.
    pub spaces: Vec<(Option<String>, Option<String>)>,
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

pub type This = Ref<Ext<XmlParser>>;

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
    pub fn take(&mut self, n: usize) {
        if self.sources.len() == 1 {
            let at = self.sources[0].at + n;
            self.place = self.place_of(at);
            self.sources[0].at = at;
        } else if let Some(s) = self.sources.last_mut() {
            s.at += n;
        }
    }

    /// Marks an error at an offset from where the parser is.
    pub fn error_at<T>(&mut self, this: This, offset: usize, code: u32) -> Out<T> {
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
    pub fn comment_or_instruction(
        &mut self,
        vm: &Vm,
        this: This,
        rest: &str,
        last: bool,
    ) -> Out<Option<bool>> {
        if "<!--".starts_with(rest) && rest.len() < 4 && rest.len() > 1 && !last {
            return Ok(Some(false));
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            let Some(end) = comment.find("--") else {
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
    pub fn expand(&mut self, text: &str) -> Out<()> {
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

    /// Lets the program read an external entity, by a parser that it makes for it.
    pub fn external_entity(
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
