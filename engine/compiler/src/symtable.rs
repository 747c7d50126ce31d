//! The scopes of a source as data, for the module `symtable`: in CPython's terms, whose numbers these are.

use crate::errors::{SyntaxError, locate};
use crate::scopes::{Resolution, ScopeId, ScopeKind, ScopeTree, Symbol, def};
use crate::source::{self, Source};
use crate::{Mode, Options, imports, nesting, parse, symbols};
use ruff_python_ast::Mod;

pub const DEF_GLOBAL: u32 = 1;
pub const DEF_LOCAL: u32 = 2;
pub const DEF_PARAM: u32 = 4;
pub const DEF_NONLOCAL: u32 = 8;
pub const USE: u32 = 16;
pub const DEF_FREE_CLASS: u32 = 64;
pub const DEF_IMPORT: u32 = 128;
pub const DEF_ANNOT: u32 = 256;
pub const DEF_COMP_ITER: u32 = 512;
pub const DEF_TYPE_PARAM: u32 = 1024;
pub const DEF_COMP_CELL: u32 = 2048;
/// Where a symbol's scope stands in its flags.
pub const SCOPE_OFF: u32 = 12;
pub const SCOPE_MASK: u32 = 15;
pub const LOCAL: u32 = 1;
pub const GLOBAL_EXPLICIT: u32 = 2;
pub const GLOBAL_IMPLICIT: u32 = 3;
pub const FREE: u32 = 4;
pub const CELL: u32 = 5;

pub const TYPE_FUNCTION: u32 = 0;
pub const TYPE_CLASS: u32 = 1;
pub const TYPE_MODULE: u32 = 2;
pub const TYPE_ANNOTATION: u32 = 3;
pub const TYPE_TYPE_ALIAS: u32 = 4;
pub const TYPE_TYPE_PARAMETERS: u32 = 5;
pub const TYPE_TYPE_VARIABLE: u32 = 6;

/// A scope and those in it. Comprehensions that are inlined belong to the scope around them.
#[derive(Debug)]
pub struct Table {
    pub name: String,
    pub kind: u32,
    pub line: u32,
    /// Is it somewhere in a function?
    pub nested: bool,
    /// Names with their flags.
    pub symbols: Vec<(String, u32)>,
    pub parameters: Vec<String>,
    pub children: Vec<Table>,
}

/// The scopes of a source text.
pub fn symbol_table(text: &[u8], mode: Mode, options: &Options) -> Result<Table, SyntaxError> {
    let text = source::decode(text, options.decoded).map_err(|e| *e)?;
    let source = Source::new(text);
    nesting::check(&source).map_err(|e| locate(*e, &source))?;
    stacker::maybe_grow(crate::RED_ZONE, crate::STACK, || {
        let make = || {
            let (module, _) = parse::parse(&source, mode, options.dont_imply_dedent)?;
            let (body, future) = match &module {
                Mod::Module(m) => (symbols::Body::Suite(&m.body), imports::future_annotations(&m.body)?),
                Mod::Expression(e) => (symbols::Body::Expr(&e.body), false),
            };
            let tree = symbols::build(body, future || options.future_annotations)?;
            Ok(Maker::new(&tree, &source).table(0, false))
        };
        make().map_err(|e: Box<crate::errors::Fault>| locate(*e, &source))
    })
}

struct Maker<'t, 'a> {
    tree: &'t ScopeTree<'a>,
    source: &'t Source,
    /// By scope, in the order of the source.
    children: Vec<Vec<ScopeId>>,
}

impl<'t, 'a> Maker<'t, 'a> {
    fn new(tree: &'t ScopeTree<'a>, source: &'t Source) -> Maker<'t, 'a> {
        let mut children = vec![Vec::new(); tree.scopes.len()];
        for (id, scope) in tree.scopes.iter().enumerate() {
            if let Some(parent) = scope.parent.filter(|_| !scope.ghost) {
                children[parent].push(id);
            }
        }
        Maker { tree, source, children }
    }

    fn table(&self, id: ScopeId, in_function: bool) -> Table {
        let scope = &self.tree.scopes[id];
        let kind = match scope.kind {
            ScopeKind::Module => TYPE_MODULE,
            ScopeKind::Class => TYPE_CLASS,
            ScopeKind::Annotations => TYPE_ANNOTATION,
            ScopeKind::TypeParams => TYPE_TYPE_PARAMETERS,
            ScopeKind::TypeAlias => TYPE_TYPE_ALIAS,
            ScopeKind::TypeVar => TYPE_TYPE_VARIABLE,
            _ => TYPE_FUNCTION,
        };
        let mut table = Table {
            name: scope.name.to_string(),
            kind,
            line: if id == 0 { 0 } else { self.source.line_of(scope.start.to_u32()) },
            nested: in_function,
            symbols: Vec::new(),
            parameters: Vec::new(),
            children: Vec::new(),
        };
        let inside = in_function || !matches!(kind, TYPE_MODULE | TYPE_CLASS);
        self.fill(&mut table, id, inside);
        table
    }

    /// Adds a scope's symbols and children, and those of comprehensions that are inlined in it.
    fn fill(&self, table: &mut Table, id: ScopeId, inside: bool) {
        let scope = &self.tree.scopes[id];
        for symbol in &scope.symbols {
            if symbol.flags & def::PARAM != 0 {
                table.parameters.push(symbol.name.to_string());
            }
            let flags = self.flags(id, symbol);
            // What a comprehension inlined here only uses means what it means around it.
            if !scope.inlined || table.symbols.iter().all(|(name, _)| **name != *symbol.name) {
                table.symbols.push((symbol.name.to_string(), flags));
            }
        }
        if !scope.inlined && id > 0 {
            for name in &scope.frees {
                if scope.get(name).is_none() {
                    table.symbols.push((name.to_string(), FREE << SCOPE_OFF));
                }
            }
        }
        let children = &self.children[id];
        for (i, &child) in children.iter().enumerate() {
            let below = &self.tree.scopes[child];
            if below.inlined {
                self.fill(table, child, inside);
                continue;
            }
            let annotated = i > 0
                && self.tree.scopes[children[i - 1]].kind == ScopeKind::Annotations
                && self.tree.scopes[children[i - 1]].start == below.start;
            if below.kind == ScopeKind::Function && !annotated {
                table.children.push(self.no_annotations(child, inside));
            }
            table.children.push(self.table(child, inside));
        }
    }

    /// Each function has a scope of annotations, also one without any.
    fn no_annotations(&self, function: ScopeId, nested: bool) -> Table {
        let scope = &self.tree.scopes[function];
        let own = scope.parent.map(|p| self.tree.scopes[p].kind);
        let mut symbols = vec![(".format".to_owned(), DEF_PARAM | USE | LOCAL << SCOPE_OFF)];
        if own == Some(ScopeKind::Class) {
            symbols.push(("__classdict__".to_owned(), USE | FREE << SCOPE_OFF));
        }
        Table {
            name: "__annotate__".to_owned(),
            kind: TYPE_ANNOTATION,
            line: self.source.line_of(scope.start.to_u32()),
            nested,
            symbols,
            parameters: vec![".format".to_owned()],
            children: Vec::new(),
        }
    }

    fn flags(&self, id: ScopeId, symbol: &Symbol) -> u32 {
        let scope = &self.tree.scopes[id];
        let mut flags = 0;
        for (own, theirs) in [
            (def::GLOBAL, DEF_GLOBAL),
            (def::LOCAL, DEF_LOCAL),
            (def::PARAM, DEF_PARAM),
            (def::NONLOCAL, DEF_NONLOCAL),
            (def::USED, USE),
            (def::ANNOTATED, DEF_ANNOT),
            (def::COMP_ITER, DEF_COMP_ITER | DEF_LOCAL),
            (def::TYPE_PARAM, DEF_TYPE_PARAM | DEF_LOCAL),
        ] {
            if symbol.flags & own != 0 {
                flags |= theirs;
            }
        }
        if symbol.flags & def::IMPORTED != 0 {
            flags = flags & !DEF_LOCAL | DEF_IMPORT;
        }
        if &*symbol.name == ".format" {
            flags |= USE;
        }
        let bound = symbol.resolution == Resolution::Local;
        if scope.kind == ScopeKind::Class && bound && scope.frees.contains(&symbol.name) {
            flags |= DEF_FREE_CLASS;
        }
        if scope.inlined && symbol.captured {
            flags |= DEF_COMP_CELL;
        }
        let own = match symbol.resolution {
            Resolution::Local if symbol.captured => CELL,
            Resolution::Local => LOCAL,
            Resolution::GlobalExplicit => GLOBAL_EXPLICIT,
            Resolution::GlobalImplicit => GLOBAL_IMPLICIT,
            Resolution::Free(_) => FREE,
        };
        flags | own << SCOPE_OFF
    }
}
