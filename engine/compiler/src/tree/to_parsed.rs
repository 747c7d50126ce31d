//! From [`Node`]s to the parser's tree, which the compiler takes.
//!
//! There is no source text: a range's ends are numbers of places in [`Source::of_places`], given out in the order in which
//! nodes begin and end, so that ranges nest as they do in source.

use super::schema::Class;
use super::{Field, Node};
use crate::source::Source;
use ruff_python_ast::name::Name;
use ruff_python_ast::{self as ast, AtomicNodeIndex, Expr, ExprContext, Identifier, Pattern, Stmt};
use ruff_text_size::{Ranged, TextRange, TextSize};
use skein_bytecode::{Const, Position};

/// The parser's tree of a validated one, and the source that its ranges speak of.
pub fn parsed(tree: &Node) -> (ast::Mod, Source) {
    let mut b =
        Builder { places: Vec::new(), around: Position::NONE, constants: Vec::new(), texts: Vec::new() };
    let start = b.begin(tree);
    let module = match tree.class {
        Class::Expression => {
            let body = Box::new(b.expr(tree.node(0)));
            let range = b.end(tree, start);
            ast::Mod::Expression(ast::ModExpression { node_index: AtomicNodeIndex::NONE, range, body })
        }
        _ => {
            let body = b.body(tree.list(0));
            let range = b.end(tree, start);
            ast::Mod::Module(ast::ModModule { node_index: AtomicNodeIndex::NONE, range, body })
        }
    };
    (module, Source::of_places(b.places, b.constants, b.texts))
}

/// Where a node begins, and the place of what is around it.
pub type Start = (TextSize, Position);

pub struct Builder {
    /// Line and column of each number.
    places: Vec<(u32, u32)>,
    /// The place of nodes that have none of their own.
    around: Position,
    pub constants: Vec<Const>,
    /// Texts of interpolations, by where they begin.
    pub texts: Vec<(u32, Const)>,
}

pub fn nodes(items: &[Field]) -> impl Iterator<Item = &Node> {
    items.iter().filter_map(|f| if let Field::Node(n) = f { Some(&**n) } else { None })
}

impl Builder {
    pub fn begin(&mut self, node: &Node) -> Start {
        let around = self.around;
        self.around = node.place.unwrap_or(around);
        self.places.push((self.around.line, self.around.col));
        (TextSize::new(self.places.len() as u32 - 1), around)
    }

    pub fn end(&mut self, node: &Node, (start, around): Start) -> TextRange {
        let place = node.place.unwrap_or(around);
        self.places.push((place.end_line, place.end_col));
        self.around = around;
        TextRange::new(start, TextSize::new(self.places.len() as u32 - 1))
    }

    /// A range in what is being built, for what has no place.
    pub fn here(&mut self) -> TextRange {
        let place = self.around;
        self.places.extend([(place.line, place.col), (place.end_line, place.end_col)]);
        let n = self.places.len() as u32;
        TextRange::new(TextSize::new(n - 2), TextSize::new(n - 1))
    }

    /// A name: where it is, trees do not tell.
    fn identifier(&mut self, text: &str) -> Identifier {
        self.places.push((self.around.line, self.around.col));
        let at = TextSize::new(self.places.len() as u32 - 1);
        Identifier::new(Name::new(text), TextRange::empty(at))
    }

    fn opt_identifier(&mut self, text: Option<&str>) -> Option<Identifier> {
        text.map(|t| self.identifier(t))
    }

    fn body(&mut self, items: &[Field]) -> ast::Suite {
        nodes(items).map(|s| self.stmt(s)).collect()
    }

    fn exprs(&mut self, items: &[Field]) -> Vec<Expr> {
        nodes(items).map(|e| self.expr(e)).collect()
    }

    pub fn boxed(&mut self, e: &Node) -> Box<Expr> {
        Box::new(self.expr(e))
    }

    fn opt(&mut self, e: Option<&Node>) -> Option<Box<Expr>> {
        e.map(|e| self.boxed(e))
    }

    fn stmt(&mut self, s: &Node) -> Stmt {
        let start = self.begin(s);
        let decorators = match s.class {
            Class::FunctionDef | Class::AsyncFunctionDef => s.list(3),
            Class::ClassDef => s.list(4),
            _ => &[],
        };
        // A decorated function begins at its first decorator.
        if let Some(place) = nodes(decorators).next().and_then(|d| d.place) {
            self.places[start.0.to_usize()] = (place.line, place.col);
        }
        macro_rules! made {
            ($variant:ident, $node:ident { $($field:ident: $value:expr),* $(,)? }) => {{
                $(let $field = $value;)*
                let range = self.end(s, start);
                Stmt::$variant(ast::$node { node_index: AtomicNodeIndex::NONE, range, $($field),* })
            }};
        }
        match s.class {
            Class::FunctionDef | Class::AsyncFunctionDef => made!(
                FunctionDef,
                StmtFunctionDef {
                    is_async: s.class == Class::AsyncFunctionDef,
                    decorator_list: self.decorators(s.list(3)),
                    name: self.identifier(s.text(0).unwrap_or_default()),
                    type_params: self.type_params(s.list(6)),
                    parameters: Box::new(self.parameters(s.node(1))),
                    returns: self.opt(s.opt(4)),
                    body: self.body(s.list(2)),
                }
            ),
            Class::ClassDef => made!(
                ClassDef,
                StmtClassDef {
                    decorator_list: self.decorators(s.list(4)),
                    name: self.identifier(s.text(0).unwrap_or_default()),
                    type_params: self.type_params(s.list(5)),
                    arguments: (!s.list(1).is_empty() || !s.list(2).is_empty())
                        .then(|| Box::new(self.arguments(s.list(1), s.list(2)))),
                    body: self.body(s.list(3)),
                }
            ),
            Class::Return => made!(Return, StmtReturn { value: self.opt(s.opt(0)) }),
            Class::Delete => made!(Delete, StmtDelete { targets: self.exprs(s.list(0)) }),
            Class::Assign => {
                made!(Assign, StmtAssign { targets: self.exprs(s.list(0)), value: self.boxed(s.node(1)) })
            }
            Class::TypeAlias => made!(
                TypeAlias,
                StmtTypeAlias {
                    name: self.boxed(s.node(0)),
                    type_params: self.type_params(s.list(1)),
                    value: self.boxed(s.node(2)),
                }
            ),
            Class::AugAssign => made!(
                AugAssign,
                StmtAugAssign {
                    target: self.boxed(s.node(0)),
                    op: operator(s.node(1).class),
                    value: self.boxed(s.node(2)),
                }
            ),
            Class::AnnAssign => made!(
                AnnAssign,
                StmtAnnAssign {
                    target: self.boxed(s.node(0)),
                    annotation: self.boxed(s.node(1)),
                    value: self.opt(s.opt(2)),
                    simple: s.int(3) != 0,
                }
            ),
            Class::For | Class::AsyncFor => made!(
                For,
                StmtFor {
                    is_async: s.class == Class::AsyncFor,
                    target: self.boxed(s.node(0)),
                    iter: self.boxed(s.node(1)),
                    body: self.body(s.list(2)),
                    orelse: self.body(s.list(3)),
                }
            ),
            Class::While => made!(
                While,
                StmtWhile {
                    test: self.boxed(s.node(0)),
                    body: self.body(s.list(1)),
                    orelse: self.body(s.list(2)),
                }
            ),
            Class::If => made!(
                If,
                StmtIf {
                    test: self.boxed(s.node(0)),
                    body: self.body(s.list(1)),
                    elif_else_clauses: self.clauses(s.list(2)),
                }
            ),
            Class::With | Class::AsyncWith => made!(
                With,
                StmtWith {
                    is_async: s.class == Class::AsyncWith,
                    items: nodes(s.list(0)).map(|i| self.with_item(i)).collect(),
                    body: self.body(s.list(1)),
                }
            ),
            Class::Match => made!(
                Match,
                StmtMatch {
                    subject: self.boxed(s.node(0)),
                    cases: nodes(s.list(1)).map(|c| self.case(c)).collect(),
                }
            ),
            Class::Raise => made!(Raise, StmtRaise { exc: self.opt(s.opt(0)), cause: self.opt(s.opt(1)) }),
            Class::Try | Class::TryStar => made!(
                Try,
                StmtTry {
                    body: self.body(s.list(0)),
                    handlers: nodes(s.list(1)).map(|h| self.handler(h)).collect(),
                    orelse: self.body(s.list(2)),
                    finalbody: self.body(s.list(3)),
                    is_star: s.class == Class::TryStar,
                }
            ),
            Class::Assert => {
                made!(Assert, StmtAssert { test: self.boxed(s.node(0)), msg: self.opt(s.opt(1)) })
            }
            Class::Import => made!(Import, StmtImport { names: self.aliases(s.list(0)), is_lazy: false }),
            Class::ImportFrom => made!(
                ImportFrom,
                StmtImportFrom {
                    module: self.opt_identifier(s.text(0)),
                    names: self.aliases(s.list(1)),
                    level: s.int(2) as u32,
                    is_lazy: false,
                }
            ),
            Class::Global => made!(Global, StmtGlobal { names: self.names(s.list(0)) }),
            Class::Nonlocal => made!(Nonlocal, StmtNonlocal { names: self.names(s.list(0)) }),
            Class::Expr => made!(Expr, StmtExpr { value: self.boxed(s.node(0)) }),
            Class::Break => made!(Break, StmtBreak {}),
            Class::Continue => made!(Continue, StmtContinue {}),
            _ => made!(Pass, StmtPass {}),
        }
    }

    fn names(&mut self, items: &[Field]) -> Vec<Identifier> {
        let texts = items.iter().filter_map(|f| if let Field::Text(t) = f { Some(t) } else { None });
        texts.map(|t| self.identifier(t)).collect()
    }

    /// An `if` that is all of an `else` is an `elif`: chains of them do not nest.
    fn clauses(&mut self, mut orelse: &[Field]) -> Vec<ast::ElifElseClause> {
        let mut out = Vec::new();
        while let [Field::Node(inner)] = orelse
            && inner.class == Class::If
        {
            let start = self.begin(inner);
            let test = Some(self.expr(inner.node(0)));
            let body = self.body(inner.list(1));
            let range = self.end(inner, start);
            out.push(ast::ElifElseClause { range, node_index: AtomicNodeIndex::NONE, test, body });
            orelse = inner.list(2);
        }
        if !orelse.is_empty() {
            let body = self.body(orelse);
            let range = body.first().map_or_else(|| self.here(), Ranged::range);
            out.push(ast::ElifElseClause { range, node_index: AtomicNodeIndex::NONE, test: None, body });
        }
        out
    }

    fn decorators<T: FromIterator<ast::Decorator>>(&mut self, items: &[Field]) -> T {
        nodes(items)
            .map(|e| {
                let expression = self.expr(e);
                ast::Decorator { range: expression.range(), node_index: AtomicNodeIndex::NONE, expression }
            })
            .collect()
    }

    fn with_item(&mut self, item: &Node) -> ast::WithItem {
        let start = self.begin(item);
        let context_expr = self.expr(item.node(0));
        let optional_vars = self.opt(item.opt(1));
        let range = self.end(item, start);
        ast::WithItem { range, node_index: AtomicNodeIndex::NONE, context_expr, optional_vars }
    }

    fn case(&mut self, case: &Node) -> ast::MatchCase {
        let start = self.begin(case);
        let pattern = self.pattern(case.node(0));
        let guard = self.opt(case.opt(1));
        let body = self.body(case.list(2));
        let range = self.end(case, start);
        ast::MatchCase { range, node_index: AtomicNodeIndex::NONE, pattern, guard, body }
    }

    fn handler(&mut self, h: &Node) -> ast::ExceptHandler {
        let start = self.begin(h);
        let type_ = self.opt(h.opt(0));
        let name = self.opt_identifier(h.text(1));
        let body = self.body(h.list(2));
        let range = self.end(h, start);
        let node_index = AtomicNodeIndex::NONE;
        ast::ExceptHandler::ExceptHandler(ast::ExceptHandlerExceptHandler {
            range,
            node_index,
            type_,
            name,
            body,
        })
    }

    fn aliases(&mut self, items: &[Field]) -> Vec<ast::Alias> {
        nodes(items)
            .map(|a| {
                let start = self.begin(a);
                let name = self.identifier(a.text(0).unwrap_or_default());
                let asname = self.opt_identifier(a.text(1));
                let range = self.end(a, start);
                ast::Alias { range, node_index: AtomicNodeIndex::NONE, name, asname }
            })
            .collect()
    }

    fn type_params(&mut self, items: &[Field]) -> Option<Box<ast::TypeParams>> {
        if items.is_empty() {
            return None;
        }
        let range = self.here();
        let type_params = nodes(items)
            .map(|p| {
                let start = self.begin(p);
                let name = self.identifier(p.text(0).unwrap_or_default());
                let first = self.opt(p.opt(1));
                let default = self.opt(p.opt(2));
                let range = self.end(p, start);
                let node_index = AtomicNodeIndex::NONE;
                match p.class {
                    Class::ParamSpec => {
                        let p = ast::TypeParamParamSpec { node_index, range, name, default: first };
                        ast::TypeParam::ParamSpec(p)
                    }
                    Class::TypeVarTuple => {
                        let p = ast::TypeParamTypeVarTuple { node_index, range, name, default: first };
                        ast::TypeParam::TypeVarTuple(p)
                    }
                    _ => {
                        let p = ast::TypeParamTypeVar { node_index, range, name, bound: first, default };
                        ast::TypeParam::TypeVar(p)
                    }
                }
            })
            .collect();
        Some(Box::new(ast::TypeParams { range, node_index: AtomicNodeIndex::NONE, type_params }))
    }

    fn arguments(&mut self, args: &[Field], keywords: &[Field]) -> ast::Arguments {
        let range = self.here();
        let args = self.exprs(args).into_boxed_slice();
        let keywords = nodes(keywords)
            .map(|k| {
                let start = self.begin(k);
                // The same start: a name that begins later is parenthesized.
                let arg = k.text(0).map(|t| Identifier::new(Name::new(t), TextRange::empty(start.0)));
                let value = self.expr(k.node(1));
                let range = self.end(k, start);
                ast::Keyword { range, node_index: AtomicNodeIndex::NONE, arg, value }
            })
            .collect();
        ast::Arguments { range, node_index: AtomicNodeIndex::NONE, args, keywords }
    }

    fn parameter(&mut self, arg: &Node) -> ast::Parameter {
        let start = self.begin(arg);
        let name = self.identifier(arg.text(0).unwrap_or_default());
        let annotation = self.opt(arg.opt(1));
        let range = self.end(arg, start);
        ast::Parameter { range, node_index: AtomicNodeIndex::NONE, name, annotation }
    }

    fn with_default(&mut self, arg: &Node, default: Option<&Node>) -> ast::ParameterWithDefault {
        let parameter = self.parameter(arg);
        let default = self.opt(default);
        ast::ParameterWithDefault {
            range: parameter.range,
            node_index: AtomicNodeIndex::NONE,
            parameter,
            default,
        }
    }

    fn parameters(&mut self, a: &Node) -> ast::Parameters {
        let range = self.here();
        // Defaults are those of the last ones.
        let without = (a.list(0).len() + a.list(1).len()).saturating_sub(a.list(6).len());
        let defaults: Vec<&Node> = nodes(a.list(6)).collect();
        let default = |i: usize| i.checked_sub(without).and_then(|i| defaults.get(i).copied());
        let first = a.list(0).len();
        let posonlyargs =
            nodes(a.list(0)).enumerate().map(|(i, arg)| self.with_default(arg, default(i))).collect();
        let args =
            nodes(a.list(1)).enumerate().map(|(i, arg)| self.with_default(arg, default(first + i))).collect();
        let vararg = a.opt(2).map(|v| Box::new(self.parameter(v)));
        let kwonlyargs = nodes(a.list(3))
            .zip(a.list(4))
            .map(|(arg, default)| {
                let default = if let Field::Node(d) = default { Some(&**d) } else { None };
                self.with_default(arg, default)
            })
            .collect();
        let kwarg = a.opt(5).map(|v| Box::new(self.parameter(v)));
        ast::Parameters {
            range,
            node_index: AtomicNodeIndex::NONE,
            posonlyargs,
            args,
            vararg,
            kwonlyargs,
            kwarg,
        }
    }

    fn comprehensions(&mut self, items: &[Field]) -> Vec<ast::Comprehension> {
        nodes(items)
            .map(|c| {
                let start = self.begin(c);
                let target = self.expr(c.node(0));
                let iter = self.expr(c.node(1));
                let ifs = self.exprs(c.list(2));
                let range = self.end(c, start);
                let is_async = c.int(3) != 0;
                ast::Comprehension { range, node_index: AtomicNodeIndex::NONE, target, iter, ifs, is_async }
            })
            .collect()
    }

    fn expr(&mut self, e: &Node) -> Expr {
        let start = self.begin(e);
        macro_rules! made {
            ($variant:ident, $node:ident { $($field:ident: $value:expr),* $(,)? }) => {{
                $(let $field = $value;)*
                let range = self.end(e, start);
                Expr::$variant(ast::$node { node_index: AtomicNodeIndex::NONE, range, $($field),* })
            }};
        }
        match e.class {
            Class::BoolOp => made!(
                BoolOp,
                ExprBoolOp {
                    op: if e.node(0).class == Class::And { ast::BoolOp::And } else { ast::BoolOp::Or },
                    values: self.exprs(e.list(1)),
                }
            ),
            Class::NamedExpr => made!(
                Named,
                ExprNamed {
                    target: {
                        let mut target = self.boxed(e.node(0));
                        // One that begins later is parenthesized.
                        if let Expr::Name(name) = &mut *target {
                            name.range = TextRange::new(start.0, name.range.end());
                        }
                        target
                    },
                    value: self.boxed(e.node(1)),
                }
            ),
            Class::BinOp => made!(
                BinOp,
                ExprBinOp {
                    left: self.boxed(e.node(0)),
                    op: operator(e.node(1).class),
                    right: self.boxed(e.node(2)),
                }
            ),
            Class::UnaryOp => made!(
                UnaryOp,
                ExprUnaryOp {
                    op: match e.node(0).class {
                        Class::Invert => ast::UnaryOp::Invert,
                        Class::Not => ast::UnaryOp::Not,
                        Class::UAdd => ast::UnaryOp::UAdd,
                        _ => ast::UnaryOp::USub,
                    },
                    operand: self.boxed(e.node(1)),
                }
            ),
            Class::Lambda => made!(
                Lambda,
                ExprLambda {
                    parameters: Some(Box::new(self.parameters(e.node(0)))),
                    body: self.boxed(e.node(1)),
                }
            ),
            Class::IfExp => made!(
                If,
                ExprIf {
                    test: self.boxed(e.node(0)),
                    body: self.boxed(e.node(1)),
                    orelse: self.boxed(e.node(2)),
                }
            ),
            Class::Dict => made!(
                Dict,
                ExprDict {
                    items: e
                        .list(0)
                        .iter()
                        .zip(nodes(e.list(1)))
                        .map(|(key, value)| ast::DictItem {
                            key: if let Field::Node(k) = key { Some(self.expr(k)) } else { None },
                            value: self.expr(value),
                        })
                        .collect(),
                }
            ),
            Class::Set => made!(Set, ExprSet { elts: self.exprs(e.list(0)) }),
            Class::ListComp => made!(
                ListComp,
                ExprListComp { elt: self.boxed(e.node(0)), generators: self.comprehensions(e.list(1)) }
            ),
            Class::SetComp => made!(
                SetComp,
                ExprSetComp { elt: self.boxed(e.node(0)), generators: self.comprehensions(e.list(1)) }
            ),
            Class::DictComp => made!(
                DictComp,
                ExprDictComp {
                    key: Some(self.boxed(e.node(0))),
                    value: self.boxed(e.node(1)),
                    generators: self.comprehensions(e.list(2)),
                }
            ),
            Class::GeneratorExp => made!(
                Generator,
                ExprGenerator {
                    elt: self.boxed(e.node(0)),
                    generators: self.comprehensions(e.list(1)),
                    parenthesized: true,
                }
            ),
            Class::Await => made!(Await, ExprAwait { value: self.boxed(e.node(0)) }),
            Class::Yield => made!(Yield, ExprYield { value: self.opt(e.opt(0)) }),
            Class::YieldFrom => made!(YieldFrom, ExprYieldFrom { value: self.boxed(e.node(0)) }),
            Class::Compare => made!(
                Compare,
                ExprCompare {
                    left: self.boxed(e.node(0)),
                    ops: nodes(e.list(1)).map(|op| comparison(op.class)).collect(),
                    comparators: self.exprs(e.list(2)).into_boxed_slice(),
                }
            ),
            Class::Call => {
                let func = self.boxed(e.node(0));
                let mut arguments = self.arguments(e.list(1), e.list(2));
                // A call's range ends where its arguments do.
                let range = self.end(e, start);
                arguments.range = TextRange::new(arguments.range.start(), range.end());
                Expr::Call(ast::ExprCall {
                    node_index: AtomicNodeIndex::NONE,
                    range_start: range.start(),
                    func,
                    arguments,
                })
            }
            Class::Attribute => made!(
                Attribute,
                ExprAttribute {
                    value: self.boxed(e.node(0)),
                    attr: self.identifier(e.text(1).unwrap_or_default()),
                    ctx: context(e.node(2)),
                }
            ),
            Class::Subscript => made!(
                Subscript,
                ExprSubscript {
                    value: self.boxed(e.node(0)),
                    slice: self.boxed(e.node(1)),
                    ctx: context(e.node(2)),
                }
            ),
            Class::Starred => {
                made!(Starred, ExprStarred { value: self.boxed(e.node(0)), ctx: context(e.node(1)) })
            }
            Class::Name => made!(
                Name,
                ExprName { id: Name::new(e.text(0).unwrap_or_default()), ctx: context(e.node(1)) }
            ),
            Class::List => made!(List, ExprList { elts: self.exprs(e.list(0)), ctx: context(e.node(1)) }),
            Class::Tuple => made!(
                Tuple,
                ExprTuple { elts: self.exprs(e.list(0)), ctx: context(e.node(1)), parenthesized: true }
            ),
            Class::Slice => made!(
                Slice,
                ExprSlice { lower: self.opt(e.opt(0)), upper: self.opt(e.opt(1)), step: self.opt(e.opt(2)) }
            ),
            Class::JoinedStr => {
                let elements = self.elements(e.list(0));
                self.fstring(e, start, elements)
            }
            Class::FormattedValue => {
                let element = self.interpolation(e, 1);
                self.fstring(e, start, vec![element])
            }
            Class::TemplateStr | Class::Interpolation => {
                let items = e.list(0);
                let elements = match e.class {
                    Class::TemplateStr => self.elements(items),
                    _ => vec![self.interpolation(e, 2)],
                };
                let range = self.end(e, start);
                let flags = ast::TStringFlags::empty();
                let t = ast::TString {
                    range,
                    node_index: AtomicNodeIndex::NONE,
                    elements: elements.into(),
                    flags,
                };
                let value = ast::TStringValue::single(t);
                Expr::TString(ast::ExprTString { node_index: AtomicNodeIndex::NONE, range, value })
            }
            _ => {
                let range = self.end(e, start);
                match e.fields.first() {
                    Some(Field::Const(c)) => self.constant(c, range),
                    _ => Expr::NoneLiteral(ast::ExprNoneLiteral { node_index: AtomicNodeIndex::NONE, range }),
                }
            }
        }
    }

    fn patterns<T: FromIterator<Pattern>>(&mut self, items: &[Field]) -> T {
        nodes(items).map(|p| self.pattern(p)).collect()
    }

    fn pattern(&mut self, p: &Node) -> Pattern {
        let start = self.begin(p);
        macro_rules! made {
            ($variant:ident, $node:ident { $($field:ident: $value:expr),* $(,)? }) => {{
                $(let $field = $value;)*
                let range = self.end(p, start);
                Pattern::$variant(ast::$node { node_index: AtomicNodeIndex::NONE, range, $($field),* })
            }};
        }
        match p.class {
            Class::MatchValue => made!(MatchValue, PatternMatchValue { value: self.boxed(p.node(0)) }),
            Class::MatchSingleton => made!(
                MatchSingleton,
                PatternMatchSingleton {
                    value: match p.fields.first() {
                        Some(Field::Const(Const::True)) => ast::Singleton::True,
                        Some(Field::Const(Const::False)) => ast::Singleton::False,
                        _ => ast::Singleton::None,
                    },
                }
            ),
            Class::MatchSequence => {
                made!(MatchSequence, PatternMatchSequence { patterns: self.patterns(p.list(0)) })
            }
            Class::MatchMapping => made!(
                MatchMapping,
                PatternMatchMapping {
                    keys: nodes(p.list(0)).map(|e| self.expr(e)).collect(),
                    patterns: self.patterns(p.list(1)),
                    rest: self.opt_identifier(p.text(2)),
                }
            ),
            Class::MatchClass => made!(
                MatchClass,
                PatternMatchClass {
                    cls: self.boxed(p.node(0)),
                    arguments: {
                        let range = self.here();
                        let patterns = self.patterns(p.list(1));
                        let names = self.names(p.list(2));
                        let keywords = names
                            .into_iter()
                            .zip(nodes(p.list(3)))
                            .map(|(attr, p)| {
                                let pattern = self.pattern(p);
                                ast::PatternKeyword {
                                    range: pattern.range(),
                                    node_index: AtomicNodeIndex::NONE,
                                    attr,
                                    pattern,
                                }
                            })
                            .collect();
                        ast::PatternArguments { range, node_index: AtomicNodeIndex::NONE, patterns, keywords }
                    },
                }
            ),
            Class::MatchStar => made!(MatchStar, PatternMatchStar { name: self.opt_identifier(p.text(0)) }),
            Class::MatchOr => made!(MatchOr, PatternMatchOr { patterns: self.patterns(p.list(0)) }),
            _ => made!(
                MatchAs,
                PatternMatchAs {
                    pattern: p.opt(0).map(|inner| Box::new(self.pattern(inner))),
                    name: self.opt_identifier(p.text(1)),
                }
            ),
        }
    }
}

fn context(node: &Node) -> ExprContext {
    match node.class {
        Class::Store => ExprContext::Store,
        Class::Del => ExprContext::Del,
        _ => ExprContext::Load,
    }
}

fn operator(class: Class) -> ast::Operator {
    match class {
        Class::Sub => ast::Operator::Sub,
        Class::Mult => ast::Operator::Mult,
        Class::MatMult => ast::Operator::MatMult,
        Class::Div => ast::Operator::Div,
        Class::Mod => ast::Operator::Mod,
        Class::Pow => ast::Operator::Pow,
        Class::LShift => ast::Operator::LShift,
        Class::RShift => ast::Operator::RShift,
        Class::BitOr => ast::Operator::BitOr,
        Class::BitXor => ast::Operator::BitXor,
        Class::BitAnd => ast::Operator::BitAnd,
        Class::FloorDiv => ast::Operator::FloorDiv,
        _ => ast::Operator::Add,
    }
}

fn comparison(class: Class) -> ast::CmpOp {
    match class {
        Class::NotEq => ast::CmpOp::NotEq,
        Class::Lt => ast::CmpOp::Lt,
        Class::LtE => ast::CmpOp::LtE,
        Class::Gt => ast::CmpOp::Gt,
        Class::GtE => ast::CmpOp::GtE,
        Class::Is => ast::CmpOp::Is,
        Class::IsNot => ast::CmpOp::IsNot,
        Class::In => ast::CmpOp::In,
        Class::NotIn => ast::CmpOp::NotIn,
        _ => ast::CmpOp::Eq,
    }
}
