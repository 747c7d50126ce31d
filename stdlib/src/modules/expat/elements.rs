//! What is between the tags, and the tags: elements, attributes, namespaces, references.

use super::Handler;
use super::codes;
use super::names::{character, collapsed, forbidden, is_space, name_length, predefined, reference_end};
use super::parser::{Out, Parser, Source, Stage, Tag, This, fault};
use skein_runtime::{Value, Vm};
use std::collections::HashSet;

const XML_SPACE: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_SPACE: &str = "http://www.w3.org/2000/xmlns/";

impl Parser {
    // ---- elements and text

    pub fn content(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
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

    pub fn cdata(&mut self, vm: &Vm, this: This, rest: &str, last: bool) -> Out<bool> {
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
}
