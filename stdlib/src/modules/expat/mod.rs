//! `pyexpat`: a parser of XML 1.0 that tells handlers what it finds, as expat does.

mod codes;
mod dtd;
mod elements;
mod input;
mod names;
mod parser;

use super::support::{add_exception, raise_args};
use parser::{Fault, Parser, Seed};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::module::{Module, make_module};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Raised, Value, Vm, native_functions, native_type};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The handlers, by their place in the list of a parser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handler {
    StartElement,
    EndElement,
    ProcessingInstruction,
    CharacterData,
    UnparsedEntityDecl,
    NotationDecl,
    StartNamespaceDecl,
    EndNamespaceDecl,
    Comment,
    StartCdataSection,
    EndCdataSection,
    Default,
    DefaultExpand,
    NotStandalone,
    ExternalEntityRef,
    StartDoctypeDecl,
    EndDoctypeDecl,
    EntityDecl,
    XmlDecl,
    ElementDecl,
    AttlistDecl,
    SkippedEntity,
}

const HANDLERS: usize = 22;

pub struct XmlParser {
    /// Taken while it parses.
    parser: RefCell<Option<Box<Parser>>>,
    handlers: Field,
    intern: Field,
    base: Field,
    /// Where the present event is: byte, line, column.
    place: Cell<(u64, u64, u64)>,
    /// The document's text and the present place in it.
    context: RefCell<Option<(Rc<str>, usize)>>,
    seed: RefCell<Option<Seed>>,
    error: Cell<u32>,
    buffer_text: Cell<bool>,
    buffer_size: Cell<usize>,
    text: RefCell<String>,
    ordered: Cell<bool>,
    specified_only: Cell<bool>,
    prefixes: Cell<bool>,
    parameter_entities: Cell<i32>,
    /// Entities are not expanded, but told of to the default handler.
    plain_default: Cell<bool>,
    deferral: Cell<bool>,
}

impl Payload for XmlParser {
    const NAME: &'static str = "pyexpat.xmlparser";
    fn trace(&self, t: &mut Tracer<'_>) {
        let XmlParser {
            parser: _,
            handlers,
            intern,
            base,
            place: _,
            context: _,
            seed: _,
            error: _,
            buffer_text: _,
            buffer_size: _,
            text: _,
            ordered: _,
            specified_only: _,
            prefixes: _,
            parameter_entities: _,
            plain_default: _,
            deferral: _,
        } = self;
        handlers.trace(t);
        intern.trace(t);
        base.trace(t);
    }
}

type ParserRef = Ref<Ext<XmlParser>>;
type Arg = ExtArg<XmlParser>;

native_type! {
    XML_PARSER: "pyexpat.xmlparser", Kind::Ext, type_flags::NO_NEW, "XML parser";
    methods {
        "Parse($self, data, isfinal=False, /)" => parse, "Parse XML data.";
        "ParseFile($self, file, /)" => parse_file, "Parse XML data from file-like object.";
        "SetBase($self, base, /)" => |vm: &Vm, p: Arg, b: Ref<Str>| p.0.base.set(vm, p.0, b.value()), "Set the base URL for the parser.";
        "GetBase($self, /)" => |_: &Vm, p: Arg| p.0.base.or_none(), "Return base URL string for the parser.";
        "GetInputContext($self, /)" => input_context, "Return the untranslated text of the input that caused the current event.";
        "ExternalEntityParserCreate($self, context, encoding=<unrepresentable>, /)" => external_parser, "Create a parser for parsing an external entity based on the information passed to the ExternalEntityRefHandler.";
        "SetParamEntityParsing($self, flag, /)" => |_: &Vm, p: Arg, flag: i32| -> i64 { if !(0..=2).contains(&flag) { return 0; } p.0.parameter_entities.set(flag); 1 }, "Controls parsing of parameter entities (including the external DTD subset).";
        "UseForeignDTD($self, flag=True, /)" => use_foreign_dtd, "Allows the application to provide an artificial external subset if one is not specified as part of the document instance.";
        "SetReparseDeferralEnabled($self, enabled, /)" => |_: &Vm, p: Arg, on: bool| p.0.deferral.set(on), "Enable/Disable reparse deferral; enabled by default with Expat >=2.6.0.";
        "GetReparseDeferralEnabled($self, /)" => |_: &Vm, p: Arg| p.0.deferral.get(), "Retrieve reparse deferral enabled status; always returns false with Expat <2.6.0.";
    }
    getset {
        "StartElementHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::StartElement)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::StartElement, v);
        "EndElementHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::EndElement)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::EndElement, v);
        "ProcessingInstructionHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::ProcessingInstruction)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::ProcessingInstruction, v);
        "CharacterDataHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::CharacterData)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::CharacterData, v);
        "UnparsedEntityDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::UnparsedEntityDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::UnparsedEntityDecl, v);
        "NotationDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::NotationDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::NotationDecl, v);
        "StartNamespaceDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::StartNamespaceDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::StartNamespaceDecl, v);
        "EndNamespaceDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::EndNamespaceDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::EndNamespaceDecl, v);
        "CommentHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::Comment)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::Comment, v);
        "StartCdataSectionHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::StartCdataSection)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::StartCdataSection, v);
        "EndCdataSectionHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::EndCdataSection)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::EndCdataSection, v);
        "DefaultHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::Default)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::Default, v);
        "DefaultHandlerExpand" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::DefaultExpand)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::DefaultExpand, v);
        "NotStandaloneHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::NotStandalone)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::NotStandalone, v);
        "ExternalEntityRefHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::ExternalEntityRef)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::ExternalEntityRef, v);
        "StartDoctypeDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::StartDoctypeDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::StartDoctypeDecl, v);
        "EndDoctypeDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::EndDoctypeDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::EndDoctypeDecl, v);
        "EntityDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::EntityDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::EntityDecl, v);
        "XmlDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::XmlDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::XmlDecl, v);
        "ElementDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::ElementDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::ElementDecl, v);
        "AttlistDeclHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::AttlistDecl)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::AttlistDecl, v);
        "SkippedEntityHandler" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.handler(Handler::SkippedEntity)) }, |vm: &Vm, p: Arg, v: Option<Value>| set_handler(vm, p.0, Handler::SkippedEntity, v);
        "CurrentByteIndex" => |vm: &Vm, p: Arg| vm.int_u64(p.0.place.get().0);
        "CurrentLineNumber" => |vm: &Vm, p: Arg| vm.int_u64(p.0.place.get().1);
        "CurrentColumnNumber" => |vm: &Vm, p: Arg| vm.int_u64(p.0.place.get().2);
        "ErrorByteIndex" => |vm: &Vm, p: Arg| vm.int_u64(p.0.place.get().0);
        "ErrorLineNumber" => |vm: &Vm, p: Arg| vm.int_u64(p.0.place.get().1);
        "ErrorColumnNumber" => |vm: &Vm, p: Arg| vm.int_u64(p.0.place.get().2);
        "ErrorCode" => |vm: &Vm, p: Arg| vm.int(p.0.error.get().into());
        "buffer_text" => |_: &Vm, p: Arg| -> R<Value> { Ok(Value::bool(p.0.buffer_text.get())) }, |vm: &Vm, p: Arg, v: Option<Value>| -> R<()> { p.0.flush(vm)?; p.0.buffer_text.set(flag(vm, v)?); Ok(()) };
        "buffer_size" => |vm: &Vm, p: Arg| vm.int(p.0.buffer_size.get() as i64), set_buffer_size;
        "buffer_used" => |vm: &Vm, p: Arg| { let n = p.0.text.borrow().len(); vm.int(n as i64) };
        "ordered_attributes" => |_: &Vm, p: Arg| -> R<Value> { Ok(Value::bool(p.0.ordered.get())) }, |vm: &Vm, p: Arg, v: Option<Value>| -> R<()> { p.0.ordered.set(flag(vm, v)?); Ok(()) };
        "specified_attributes" => |_: &Vm, p: Arg| -> R<Value> { Ok(Value::bool(p.0.specified_only.get())) }, |vm: &Vm, p: Arg, v: Option<Value>| -> R<()> { p.0.specified_only.set(flag(vm, v)?); Ok(()) };
        "namespace_prefixes" => |_: &Vm, p: Arg| -> R<Value> { Ok(Value::bool(p.0.prefixes.get())) }, |vm: &Vm, p: Arg, v: Option<Value>| -> R<()> { p.0.prefixes.set(flag(vm, v)?); Ok(()) };
        "intern" => |_: &Vm, p: Arg| -> R<Value> { Ok(p.0.intern.or_none()) };
    }
}

fn flag(vm: &Vm, v: Option<Value>) -> R<bool> {
    match v {
        Some(v) => vm.truth(v),
        None => Err(vm.runtime_error("Cannot delete attribute")),
    }
}

fn set_buffer_size(vm: &Vm, p: Arg, v: Option<Value>) -> R<()> {
    let Some(v) = v else { return Err(vm.runtime_error("Cannot delete attribute")) };
    if !vm.is_int(v) {
        return Err(vm.type_error("buffer_size must be an integer"));
    }
    match vm.as_i64(v).and_then(|n| i32::try_from(n).ok()) {
        Some(n) if n > 0 => {
            p.0.flush(vm)?;
            p.0.buffer_size.set(n as usize);
            Ok(())
        }
        Some(_) => Err(vm.value_error("buffer_size must be greater than zero")),
        None => Err(vm.value_error("buffer_size must not be greater than 2147483647")),
    }
}

fn set_handler(vm: &Vm, p: ParserRef, which: Handler, v: Option<Value>) -> R<()> {
    let Some(v) = v else { return Err(vm.runtime_error("Cannot delete attribute")) };
    if which == Handler::CharacterData {
        // What was gathered is for the handler that was there.
        p.flush(vm)?;
    }
    match which {
        Handler::Default => p.plain_default.set(!v.is_none()),
        Handler::DefaultExpand => p.plain_default.set(false),
        _ => {}
    }
    if let Some(list) = p.handlers.cast::<List>() {
        list.store(vm, which as usize, v);
    }
    Ok(())
}

impl XmlParser {
    fn handler(&self, which: Handler) -> Value {
        self.handlers.cast::<List>().and_then(|l| l.get(which as usize)).unwrap_or(Value::NONE)
    }

    pub fn has(&self, which: Handler) -> bool {
        !self.handler(which).is_none()
    }

    pub fn base_value(&self) -> Value {
        self.base.or_none()
    }

    pub fn call(&self, vm: &Vm, which: Handler, args: &[Value]) -> R<Value> {
        vm.call(self.handler(which), args)
    }

    /// Tells a handler, after the text before. False: there is none.
    pub fn emit(&self, vm: &Vm, which: Handler, args: &[Value]) -> R<bool> {
        if !self.has(which) {
            return Ok(false);
        }
        self.flush(vm)?;
        self.call(vm, which, args)?;
        Ok(true)
    }

    /// Tells the default handler of markup that no other is told of.
    pub fn default(&self, vm: &Vm, text: &str) -> parser::Out<()> {
        if text.is_empty() {
            return Ok(());
        }
        for which in [Handler::DefaultExpand, Handler::Default] {
            if self.has(which) {
                let text = vm.str(text)?;
                self.emit(vm, which, &[text])?;
                break;
            }
        }
        Ok(())
    }

    /// Text for the handler, gathered if that is asked for.
    pub fn text(&self, vm: &Vm, text: &str) -> R<()> {
        if !self.buffer_text.get() {
            let text = vm.str(text)?;
            self.call(vm, Handler::CharacterData, &[text])?;
            return Ok(());
        }
        let size = self.buffer_size.get();
        if self.text.borrow().len() + text.len() > size {
            self.flush(vm)?;
            if !self.has(Handler::CharacterData) {
                return Ok(());
            }
        }
        if text.len() > size {
            let text = vm.str(text)?;
            self.call(vm, Handler::CharacterData, &[text])?;
        } else {
            self.text.borrow_mut().push_str(text);
        }
        Ok(())
    }

    /// Tells of the text that was gathered.
    pub fn flush(&self, vm: &Vm) -> R<()> {
        let text = std::mem::take(&mut *self.text.borrow_mut());
        if !text.is_empty() && self.has(Handler::CharacterData) {
            let text = vm.str(&text)?;
            self.call(vm, Handler::CharacterData, &[text])?;
        }
        Ok(())
    }

    /// Attributes as the program wants them.
    pub fn attributes(&self, vm: &Vm, row: &[(String, String)]) -> R<Value> {
        if self.ordered.get() {
            let list = List::with_capacity(vm, row.len() * 2)?;
            for (name, value) in row {
                list.push(vm, vm.intern(name)?.value())?;
                list.push(vm, vm.str(value)?)?;
            }
            return Ok(list.value());
        }
        let d = Dict::new(vm)?;
        for (name, value) in row {
            d.set_str(vm, vm.intern(name)?, vm.str(value)?)?;
        }
        Ok(d.value())
    }
}

/// Raises ExpatError for a number, at the place where the parser is.
#[cold]
fn error(vm: &Vm, p: ParserRef, code: u32) -> Raised {
    p.error.set(code);
    let (_, line, column) = p.place.get();
    let text = codes::text(code).unwrap_or("unknown error");
    let make = || -> R<Raised> {
        let text = vm.str(&format!("{text}: line {line}, column {column}"))?;
        let raised = raise_args(vm, "xml.parsers.expat.ExpatError", &[text]);
        if let Some(e) = vm.pending.take() {
            for (name, n) in [("code", code.into()), ("offset", column), ("lineno", line)] {
                vm.set_attr(e, vm.intern(name)?, vm.int_u64(n)?)?;
            }
            vm.pending.set(Some(e));
        }
        Ok(raised)
    };
    make().unwrap_or_else(|e| e)
}

fn feed(vm: &Vm, p: ParserRef, bytes: &[u8], is_text: bool, last: bool) -> R<()> {
    let Some(mut parser) = p.parser.take() else {
        return Err(vm.runtime_error("the parser is already parsing"));
    };
    if is_text {
        parser.input.said = Some("utf-8".into());
    }
    let done = parser.parse(vm, p, bytes, last);
    if done.is_err() {
        parser.finished = true;
    }
    p.parser.replace(Some(parser));
    match done {
        Ok(()) => p.flush(vm),
        Err(Fault::Raised(e)) => Err(e),
        Err(Fault::Code(code)) => {
            p.flush(vm)?;
            Err(error(vm, p, code))
        }
    }
}

fn parse(vm: &Vm, p: Arg, data: Value, last: Option<bool>) -> R<i64> {
    let (bytes, is_text) = input::text_or_bytes(vm, data)?;
    feed(vm, p.0, &bytes, is_text, last.unwrap_or(false))?;
    Ok(1)
}

fn parse_file(vm: &Vm, p: Arg, file: Value) -> R<i64> {
    let Some(read) = vm.find_attr(file, vm.intern("read")?)? else {
        return Err(vm.type_error("argument must have 'read' attribute"));
    };
    loop {
        let piece = vm.call(read, &[Value::small_int(2048)])?;
        let known = vm.absorb(input::text_or_bytes(vm, piece), vm.exc.type_error)?;
        let Some((bytes, is_text)) = known else {
            let got = vm.type_name(piece);
            return Err(vm.type_error(format!("read() did not return a bytes object (type={got})")));
        };
        feed(vm, p.0, &bytes, is_text, bytes.is_empty())?;
        if bytes.is_empty() {
            return Ok(1);
        }
    }
}

fn input_context(vm: &Vm, p: Arg) -> R<Value> {
    let context = p.0.context.borrow().clone();
    // Only an event has a context.
    match context.filter(|_| p.0.parser.borrow().is_none()) {
        Some((text, at)) => vm.bytes(&text.as_bytes()[at..]),
        None => Ok(Value::NONE),
    }
}

fn use_foreign_dtd(vm: &Vm, p: Arg, _flag: Option<bool>) -> R<()> {
    match p.0.parser.borrow().as_ref() {
        Some(parser) if parser.stage == parser::Stage::Start => {
            Err(vm.unsupported("artificial external subsets of XML documents"))
        }
        _ => Err(error(vm, p.0, 26)),
    }
}

fn make_parser(vm: &Vm, parser: Parser, intern: Value, handlers: &[Value]) -> R<ParserRef> {
    let list = List::new(vm, handlers)?;
    let p = XmlParser {
        parser: RefCell::new(Some(Box::new(parser))),
        handlers: Field::new(Some(list.value())),
        intern: Field::new(Some(intern)),
        base: Field::new(None),
        place: Cell::new((0, 1, 0)),
        context: RefCell::new(None),
        seed: RefCell::new(None),
        error: Cell::new(0),
        buffer_text: Cell::new(false),
        buffer_size: Cell::new(8192),
        text: RefCell::default(),
        ordered: Cell::new(false),
        specified_only: Cell::new(false),
        prefixes: Cell::new(false),
        parameter_entities: Cell::new(0),
        plain_default: Cell::new(false),
        deferral: Cell::new(true),
    };
    Ext::new(vm, ext_type(vm, &XML_PARSER)?, p)
}

/// A parser of an external entity, with the handlers and options of this one.
fn external_parser(vm: &Vm, p: Arg, context: Value, encoding: Option<Ref<Str>>) -> R<ParserRef> {
    let encoding = encoding.map(|e| e.to_string_lossy().into_owned());
    let child = match p.0.seed.borrow().as_ref() {
        Some(seed) => seed.parser(encoding, context.is_none()),
        None => {
            return Err(vm.runtime_error("external entities have a parser only while they are referred to"));
        }
    };
    let handlers = p.0.handlers.cast::<List>().map(|l| l.items().to_vec()).unwrap_or_default();
    let new = make_parser(vm, child, p.0.intern.or_none(), &handlers)?;
    new.buffer_text.set(p.0.buffer_text.get());
    new.buffer_size.set(p.0.buffer_size.get());
    new.ordered.set(p.0.ordered.get());
    new.specified_only.set(p.0.specified_only.get());
    new.prefixes.set(p.0.prefixes.get());
    new.parameter_entities.set(p.0.parameter_entities.get());
    new.plain_default.set(p.0.plain_default.get());
    new.base.set(vm, new, p.0.base.get());
    Ok(new)
}

fn parser_create(
    vm: &Vm,
    encoding: Option<Value>,
    separator: Option<Value>,
    intern: Option<Value>,
) -> R<ParserRef> {
    let text = |v: Option<Value>, name: &str| match v.filter(|v| !v.is_none()) {
        None => Ok(None),
        Some(v) => match v.cast::<Str>() {
            Some(s) => Ok(Some(s.to_string_lossy().into_owned())),
            None => {
                let got = vm.type_name(v);
                Err(vm.type_error(format!("ParserCreate() argument '{name}' must be str or None, not {got}")))
            }
        },
    };
    let encoding = text(encoding, "encoding")?;
    let separator = text(separator, "namespace_separator")?;
    if separator.as_ref().is_some_and(|s| s.chars().count() > 1) {
        return Err(vm.value_error("namespace_separator must be at most one character, omitted, or None"));
    }
    let intern = match intern {
        None => Dict::new(vm)?.value(),
        Some(v) if v.is_none() || v.cast::<Dict>().is_some() => v,
        Some(_) => return Err(vm.type_error("intern must be a dictionary")),
    };
    make_parser(vm, Parser::new(separator, encoding), intern, &[Value::NONE; HANDLERS])
}

fn error_string(vm: &Vm, code: i64) -> R<Value> {
    match u32::try_from(code).ok().and_then(codes::text) {
        Some(text) => vm.str(text),
        None => Ok(Value::NONE),
    }
}

native_functions! { FUNCTIONS:
    "ParserCreate(encoding=None, namespace_separator=None, intern=<unrepresentable>)" => parser_create, "Return a new XML parser object.";
    "ErrorString(code, /)" => error_string, "Returns string error for given number.";
}
native_functions! { NONE: }

const MODEL: &[(&str, i64)] = &[
    ("XML_CTYPE_EMPTY", 1),
    ("XML_CTYPE_ANY", 2),
    ("XML_CTYPE_MIXED", 3),
    ("XML_CTYPE_NAME", 4),
    ("XML_CTYPE_CHOICE", 5),
    ("XML_CTYPE_SEQ", 6),
    ("XML_CQUANT_NONE", 0),
    ("XML_CQUANT_OPT", 1),
    ("XML_CQUANT_REP", 2),
    ("XML_CQUANT_PLUS", 3),
];

/// A module within this one.
fn inner(vm: &Vm, m: Ref<Module>, name: &str, doc: &str) -> R<Ref<Module>> {
    let full = format!("pyexpat.{name}");
    let inner = make_module(vm, &full, NONE)?;
    inner.dict().set_name(vm, "__doc__", vm.str(doc)?)?;
    m.dict().set_name(vm, name, inner.value())?;
    if let Some(modules) = vm.modules.get() {
        modules.set_name(vm, &full, inner.value())?;
    }
    Ok(inner)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "pyexpat", FUNCTIONS)?;
    let d = m.dict();
    let class = add_exception(vm, m, "xml.parsers.expat.ExpatError", vm.exc.exception)?;
    d.set_name(vm, "error", class)?;
    d.set_name(vm, "XMLParserType", ext_type(vm, &XML_PARSER)?.value())?;
    d.set_name(vm, "EXPAT_VERSION", vm.str("expat_2.7.1")?)?;
    let version = [2, 7, 1].map(Value::small_int);
    d.set_name(vm, "version_info", vm.tuple(&version)?)?;
    d.set_name(vm, "native_encoding", vm.str("UTF-8")?)?;
    let features = List::with_capacity(vm, 0)?;
    for (name, n) in
        [("sizeof(XML_Char)", 1), ("sizeof(XML_LChar)", 1), ("XML_DTD", 0), ("XML_NS", 0), ("XML_GE", 0)]
    {
        features.push(vm, vm.tuple(&[vm.str(name)?, Value::small_int(n)])?)?;
    }
    d.set_name(vm, "features", features.value())?;
    let settings = ["NEVER", "UNLESS_STANDALONE", "ALWAYS"];
    for (n, name) in settings.iter().enumerate() {
        d.set_name(vm, &format!("XML_PARAM_ENTITY_PARSING_{name}"), Value::small_int(n as i64))?;
    }
    let errors = inner(vm, m, "errors", "Constants used to describe error conditions.")?;
    let (by_text, by_number) = (Dict::new(vm)?, Dict::new(vm)?);
    for (i, (name, text)) in codes::TEXTS.iter().enumerate() {
        let (n, text) = (Value::small_int(i as i64 + 1), vm.str(text)?);
        errors.dict().set_name(vm, name, text)?;
        by_text.set(vm, text, n)?;
        by_number.set(vm, n, text)?;
    }
    errors.dict().set_name(vm, "codes", by_text.value())?;
    errors.dict().set_name(vm, "messages", by_number.value())?;
    let model = inner(vm, m, "model", "Constants used to interpret content model information.")?;
    for &(name, n) in MODEL {
        model.dict().set_name(vm, name, Value::small_int(n))?;
    }
    Ok(m)
}
