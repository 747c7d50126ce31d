//! From the parser's tree to [`Node`]s: what differs between the two is levelled here.

use super::schema::Class;
use super::type_comments::TypeComments;
use super::{Field, Node};
use crate::errors::Res;
use crate::fold;
use crate::source::Source;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::{self as ast, Expr, ExprContext, Mod, Pattern, Stmt, TypeParam};
use ruff_text_size::{Ranged, TextRange, TextSize};

/// What the conversion looks at.
pub struct Builder<'a> {
    pub source: &'a Source,
    pub tokens: &'a Tokens,
    /// Where they are wanted.
    pub comments: Option<&'a TypeComments<'a>>,
}

/// What may stand between a compound statement's head and its type comment.
const HEAD_END: &[TokenKind] = &[TokenKind::Rpar, TokenKind::Comma, TokenKind::Colon];

pub fn optional(node: Option<Node>) -> Field {
    node.map_or(Field::None, Field::from)
}

pub fn text(name: &str) -> Field {
    Field::Text(name.into())
}

/// A list of nodes.
macro_rules! list {
    ($items:expr, $f:expr) => {
        Field::List($items.iter().map(|i| Ok(Field::from($f(i)?))).collect::<Res<Vec<Field>>>()?)
    };
}

impl Builder<'_> {
    pub fn module(&self, module: &Mod, interactive: bool) -> Res<Node> {
        Ok(match module {
            Mod::Expression(e) => Class::Expression.node(vec![self.expr(&e.body)?.into()]),
            Mod::Module(m) if interactive => Class::Interactive.node(vec![self.body(&m.body)?]),
            Mod::Module(m) => {
                let body = self.body(&m.body)?;
                let ignored = self.comments.map_or(Ok(Field::List(Vec::new())), TypeComments::ignored)?;
                Class::Module.node(vec![body, ignored])
            }
        })
    }

    /// The type comment behind something that ends there, and these tokens.
    fn type_comment(&self, end: TextSize, between: &[TokenKind]) -> Field {
        self.comments.map_or(Field::None, |c| c.behind(end, between))
    }

    /// A node at a place.
    pub fn at(&self, range: TextRange, class: Class, fields: Vec<Field>) -> Node {
        let mut node = class.node(fields);
        node.place = Some(self.source.position(range));
        node
    }

    fn body(&self, body: &[Stmt]) -> Res<Field> {
        Ok(list!(body, |s| self.stmt(s)))
    }

    fn exprs(&self, es: &[Expr]) -> Res<Field> {
        Ok(list!(es, |e| self.expr(e)))
    }

    fn opt(&self, e: Option<&Expr>) -> Res<Field> {
        Ok(optional(e.map(|e| self.expr(e)).transpose()?))
    }

    /// A compound statement, or a part of one: a semicolon at its end belongs to it.
    fn compound(&self, range: TextRange, class: Class, fields: Vec<Field>) -> Node {
        let next = self.tokens.partition_point(|t| t.start() < range.end());
        let semicolon = self.tokens.get(next).filter(|t| t.kind() == TokenKind::Semi);
        self.at(TextRange::new(range.start(), semicolon.map_or(range.end(), |t| t.end())), class, fields)
    }

    /// The start of the first token of a kind at or behind an offset.
    fn find(&self, from: TextSize, kinds: &[TokenKind]) -> Option<TextSize> {
        let first = self.tokens.partition_point(|t| t.start() < from);
        self.tokens[first..].iter().find(|t| kinds.contains(&t.kind())).map(|t| t.start())
    }

    /// The range without decorators.
    fn undecorated(&self, range: TextRange, decorators: &[ast::Decorator]) -> TextRange {
        let Some(last) = decorators.last() else { return range };
        let start = self.find(last.end(), &[TokenKind::Def, TokenKind::Async, TokenKind::Class]);
        TextRange::new(start.unwrap_or(range.start()), range.end())
    }

    fn stmt(&self, s: &Stmt) -> Res<Node> {
        let r = s.range();
        Ok(match s {
            Stmt::FunctionDef(f) => {
                let class = if f.is_async { Class::AsyncFunctionDef } else { Class::FunctionDef };
                let fields = vec![
                    text(&f.name),
                    self.parameters(&f.parameters)?.into(),
                    self.body(&f.body)?,
                    list!(f.decorator_list, |d: &ast::Decorator| self.expr(&d.expression)),
                    self.opt(f.returns.as_deref())?,
                    self.comments.map_or(Ok(Field::None), |c| c.of_function(f.parameters.end()))?,
                    self.type_params(f.type_params.as_deref())?,
                ];
                self.compound(self.undecorated(r, &f.decorator_list), class, fields)
            }
            Stmt::ClassDef(c) => {
                let (bases, keywords) = match &c.arguments {
                    Some(a) => (self.exprs(&a.args)?, self.keywords(&a.keywords)?),
                    None => (Field::List(Vec::new()), Field::List(Vec::new())),
                };
                let fields = vec![
                    text(&c.name),
                    bases,
                    keywords,
                    self.body(&c.body)?,
                    list!(c.decorator_list, |d: &ast::Decorator| self.expr(&d.expression)),
                    self.type_params(c.type_params.as_deref())?,
                ];
                self.compound(self.undecorated(r, &c.decorator_list), Class::ClassDef, fields)
            }
            Stmt::Return(s) => self.at(r, Class::Return, vec![self.opt(s.value.as_deref())?]),
            Stmt::Delete(s) => self.at(r, Class::Delete, vec![self.exprs(&s.targets)?]),
            Stmt::TypeAlias(s) => {
                let params = self.type_params(s.type_params.as_deref())?;
                self.at(
                    r,
                    Class::TypeAlias,
                    vec![self.expr(&s.name)?.into(), params, self.expr(&s.value)?.into()],
                )
            }
            Stmt::Assign(s) => {
                let comment = self.type_comment(s.end(), &[]);
                let fields = vec![self.exprs(&s.targets)?, self.expr(&s.value)?.into(), comment];
                self.at(r, Class::Assign, fields)
            }
            Stmt::AugAssign(s) => {
                let fields = vec![
                    self.expr(&s.target)?.into(),
                    operator(s.op).node(Vec::new()).into(),
                    self.expr(&s.value)?.into(),
                ];
                self.at(r, Class::AugAssign, fields)
            }
            Stmt::AnnAssign(s) => {
                let fields = vec![
                    self.expr(&s.target)?.into(),
                    self.expr(&s.annotation)?.into(),
                    self.opt(s.value.as_deref())?,
                    Field::Int(s.simple.into()),
                ];
                self.at(r, Class::AnnAssign, fields)
            }
            Stmt::For(s) => {
                let class = if s.is_async { Class::AsyncFor } else { Class::For };
                let fields = vec![
                    self.expr(&s.target)?.into(),
                    self.expr(&s.iter)?.into(),
                    self.body(&s.body)?,
                    self.body(&s.orelse)?,
                    self.type_comment(s.iter.end(), HEAD_END),
                ];
                self.compound(r, class, fields)
            }
            Stmt::While(s) => {
                let fields = vec![self.expr(&s.test)?.into(), self.body(&s.body)?, self.body(&s.orelse)?];
                self.compound(r, Class::While, fields)
            }
            Stmt::If(s) => {
                let orelse = self.elif(&s.elif_else_clauses, r.end())?;
                self.compound(r, Class::If, vec![self.expr(&s.test)?.into(), self.body(&s.body)?, orelse])
            }
            Stmt::With(s) => {
                let class = if s.is_async { Class::AsyncWith } else { Class::With };
                let items = list!(s.items, |i: &ast::WithItem| -> Res<Node> {
                    let vars = self.opt(i.optional_vars.as_deref())?;
                    Ok(Class::withitem.node(vec![self.expr(&i.context_expr)?.into(), vars]))
                });
                let last = s.items.last().map_or(s.start(), Ranged::end);
                let comment = self.type_comment(last, HEAD_END);
                self.compound(r, class, vec![items, self.body(&s.body)?, comment])
            }
            Stmt::Match(s) => {
                let cases = list!(s.cases, |c: &ast::MatchCase| -> Res<Node> {
                    let fields = vec![
                        self.pattern(&c.pattern)?.into(),
                        self.opt(c.guard.as_deref())?,
                        self.body(&c.body)?,
                    ];
                    Ok(Class::match_case.node(fields))
                });
                self.compound(r, Class::Match, vec![self.expr(&s.subject)?.into(), cases])
            }
            Stmt::Raise(s) => {
                self.at(r, Class::Raise, vec![self.opt(s.exc.as_deref())?, self.opt(s.cause.as_deref())?])
            }
            Stmt::Try(s) => {
                let class = if s.is_star { Class::TryStar } else { Class::Try };
                let handlers = list!(s.handlers, |h: &ast::ExceptHandler| -> Res<Node> {
                    let ast::ExceptHandler::ExceptHandler(h) = h;
                    let fields =
                        vec![self.opt(h.type_.as_deref())?, identifier(h.name.as_ref()), self.body(&h.body)?];
                    Ok(self.compound(h.range, Class::ExceptHandler, fields))
                });
                let fields =
                    vec![self.body(&s.body)?, handlers, self.body(&s.orelse)?, self.body(&s.finalbody)?];
                self.compound(r, class, fields)
            }
            Stmt::Assert(s) => {
                self.at(r, Class::Assert, vec![self.expr(&s.test)?.into(), self.opt(s.msg.as_deref())?])
            }
            Stmt::Import(s) => self.at(r, Class::Import, vec![self.aliases(&s.names)?]),
            Stmt::ImportFrom(s) => {
                let fields =
                    vec![identifier(s.module.as_ref()), self.aliases(&s.names)?, Field::Int(s.level.into())];
                self.at(r, Class::ImportFrom, fields)
            }
            Stmt::Global(s) => self.at(r, Class::Global, vec![names(&s.names)]),
            Stmt::Nonlocal(s) => self.at(r, Class::Nonlocal, vec![names(&s.names)]),
            Stmt::Expr(s) => self.at(r, Class::Expr, vec![self.expr(&s.value)?.into()]),
            // The last are IPython's, which the parser does not give in these modes.
            Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => self.at(r, Class::Pass, Vec::new()),
            Stmt::Break(_) => self.at(r, Class::Break, Vec::new()),
            Stmt::Continue(_) => self.at(r, Class::Continue, Vec::new()),
        })
    }

    /// `elif` is an `if` in the `else` part, to the end of the whole statement.
    fn elif(&self, clauses: &[ast::ElifElseClause], end: TextSize) -> Res<Field> {
        // From the last one, so that a thousand of them do not recurse here.
        let mut orelse = Field::List(Vec::new());
        for clause in clauses.iter().rev() {
            let body = self.body(&clause.body)?;
            orelse = match &clause.test {
                None => body,
                Some(test) => {
                    let range = TextRange::new(clause.start(), end);
                    let node = self.compound(range, Class::If, vec![self.expr(test)?.into(), body, orelse]);
                    Field::List(vec![node.into()])
                }
            };
        }
        Ok(orelse)
    }

    fn aliases(&self, names: &[ast::Alias]) -> Res<Field> {
        Ok(list!(names, |a: &ast::Alias| -> Res<Node> {
            Ok(self.at(a.range, Class::alias, vec![text(&a.name), identifier(a.asname.as_ref())]))
        }))
    }

    fn keywords(&self, keywords: &[ast::Keyword]) -> Res<Field> {
        Ok(list!(keywords, |k: &ast::Keyword| -> Res<Node> {
            Ok(self.at(
                k.range,
                Class::keyword,
                vec![identifier(k.arg.as_ref()), self.expr(&k.value)?.into()],
            ))
        }))
    }

    fn type_params(&self, params: Option<&ast::TypeParams>) -> Res<Field> {
        let params = params.map_or(&[][..], |p| &p.type_params);
        Ok(list!(params, |p: &TypeParam| -> Res<Node> {
            let default = self.opt(p.default())?;
            let name = text(p.name());
            Ok(match p {
                TypeParam::TypeVar(v) => {
                    self.at(p.range(), Class::TypeVar, vec![name, self.opt(v.bound.as_deref())?, default])
                }
                TypeParam::ParamSpec(_) => self.at(p.range(), Class::ParamSpec, vec![name, default]),
                TypeParam::TypeVarTuple(_) => self.at(p.range(), Class::TypeVarTuple, vec![name, default]),
            })
        }))
    }

    fn parameters(&self, p: &ast::Parameters) -> Res<Node> {
        let one_ending = |p: &ast::Parameter, end: TextSize| -> Res<Node> {
            let comment = self.type_comment(end, &[TokenKind::Rpar, TokenKind::Comma]);
            let fields = vec![text(&p.name), self.opt(p.annotation())?, comment];
            // From the name on, without the stars.
            Ok(self.at(TextRange::new(p.name.start(), p.range.end()), Class::arg, fields))
        };
        let one = |p: &ast::Parameter| one_ending(p, p.end());
        let row = |ps: &[ast::ParameterWithDefault]| -> Res<Field> {
            Ok(list!(ps, |p: &ast::ParameterWithDefault| one_ending(&p.parameter, p.end())))
        };
        let defaults = p.posonlyargs.iter().chain(&p.args).filter_map(|p| p.default());
        let defaults: Vec<&Expr> = defaults.collect();
        Ok(Class::arguments.node(vec![
            row(&p.posonlyargs)?,
            row(&p.args)?,
            optional(p.vararg.as_deref().map(one).transpose()?),
            row(&p.kwonlyargs)?,
            Field::List(p.kwonlyargs.iter().map(|p| self.opt(p.default())).collect::<Res<_>>()?),
            optional(p.kwarg.as_deref().map(one).transpose()?),
            list!(defaults, |e: &&Expr| self.expr(e)),
        ]))
    }

    pub fn expr(&self, e: &Expr) -> Res<Node> {
        let r = e.range();
        Ok(match e {
            Expr::BoolOp(b) => {
                let op = if b.op == ast::BoolOp::And { Class::And } else { Class::Or };
                self.at(r, Class::BoolOp, vec![op.node(Vec::new()).into(), self.exprs(&b.values)?])
            }
            Expr::Named(n) => self.two(r, Class::NamedExpr, &n.target, &n.value)?,
            Expr::BinOp(b) => {
                let op = operator(b.op).node(Vec::new()).into();
                self.at(r, Class::BinOp, vec![self.expr(&b.left)?.into(), op, self.expr(&b.right)?.into()])
            }
            Expr::UnaryOp(u) => {
                let op = match u.op {
                    ast::UnaryOp::Invert => Class::Invert,
                    ast::UnaryOp::Not => Class::Not,
                    ast::UnaryOp::UAdd => Class::UAdd,
                    ast::UnaryOp::USub => Class::USub,
                };
                self.at(r, Class::UnaryOp, vec![op.node(Vec::new()).into(), self.expr(&u.operand)?.into()])
            }
            Expr::Lambda(l) => {
                let parameters = match &l.parameters {
                    Some(p) => self.parameters(p)?,
                    None => self.parameters(&ast::Parameters::default())?,
                };
                self.at(r, Class::Lambda, vec![parameters.into(), self.expr(&l.body)?.into()])
            }
            Expr::If(i) => {
                let fields = vec![
                    self.expr(&i.test)?.into(),
                    self.expr(&i.body)?.into(),
                    self.expr(&i.orelse)?.into(),
                ];
                self.at(r, Class::IfExp, fields)
            }
            Expr::Dict(d) => {
                let keys = d.items.iter().map(|i| self.opt(i.key.as_ref())).collect::<Res<_>>()?;
                let values = list!(d.items, |i: &ast::DictItem| self.expr(&i.value));
                self.at(r, Class::Dict, vec![Field::List(keys), values])
            }
            Expr::Set(s) => self.at(r, Class::Set, vec![self.exprs(&s.elts)?]),
            Expr::ListComp(c) => self.comprehension(r, Class::ListComp, &[&c.elt], &c.generators)?,
            Expr::SetComp(c) => self.comprehension(r, Class::SetComp, &[&c.elt], &c.generators)?,
            Expr::Generator(c) => self.comprehension(r, Class::GeneratorExp, &[&c.elt], &c.generators)?,
            Expr::DictComp(c) => match &c.key {
                Some(key) => self.comprehension(r, Class::DictComp, &[key, &c.value], &c.generators)?,
                None => self.comprehension(r, Class::DictComp, &[&c.value, &c.value], &c.generators)?,
            },
            Expr::Await(a) => self.at(r, Class::Await, vec![self.expr(&a.value)?.into()]),
            Expr::Yield(y) => self.at(r, Class::Yield, vec![self.opt(y.value.as_deref())?]),
            Expr::YieldFrom(y) => self.at(r, Class::YieldFrom, vec![self.expr(&y.value)?.into()]),
            Expr::Compare(c) => {
                let ops = c.ops.iter().map(|&op| comparison(op).node(Vec::new()).into()).collect();
                let fields = vec![self.expr(&c.left)?.into(), Field::List(ops), self.exprs(&c.comparators)?];
                self.at(r, Class::Compare, fields)
            }
            Expr::Call(c) => {
                let args = match &*c.arguments.args {
                    // The call's parentheses are its own as well.
                    [Expr::Generator(g)] if !g.parenthesized => {
                        let range = c.arguments.range;
                        let node =
                            self.comprehension(range, Class::GeneratorExp, &[&g.elt], &g.generators)?;
                        Field::List(vec![node.into()])
                    }
                    args => self.exprs(args)?,
                };
                let fields = vec![self.expr(&c.func)?.into(), args, self.keywords(&c.arguments.keywords)?];
                self.at(r, Class::Call, fields)
            }
            Expr::FString(f) => self.fstring(f)?,
            Expr::TString(t) => self.tstring(t)?,
            Expr::StringLiteral(s) => {
                let kind = if s.value.is_unicode() { text("u") } else { Field::None };
                let value = Field::Const(skein_bytecode::Const::Str(self.source.string_value(s).into()));
                self.at(r, Class::Constant, vec![value, kind])
            }
            Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
            | Expr::IpyEscapeCommand(_) => {
                let value = fold::literal(self.source, e)?.unwrap_or(skein_bytecode::Const::None);
                self.at(r, Class::Constant, vec![Field::Const(value), Field::None])
            }
            Expr::Attribute(a) => {
                let fields = vec![self.expr(&a.value)?.into(), text(&a.attr), context(a.ctx)];
                self.at(r, Class::Attribute, fields)
            }
            Expr::Subscript(s) => {
                let fields = vec![self.expr(&s.value)?.into(), self.expr(&s.slice)?.into(), context(s.ctx)];
                self.at(r, Class::Subscript, fields)
            }
            Expr::Starred(s) => self.at(r, Class::Starred, vec![self.expr(&s.value)?.into(), context(s.ctx)]),
            Expr::Name(n) => self.at(r, Class::Name, vec![text(&n.id), context(n.ctx)]),
            Expr::List(l) => self.at(r, Class::List, vec![self.exprs(&l.elts)?, context(l.ctx)]),
            Expr::Tuple(t) => self.at(r, Class::Tuple, vec![self.exprs(&t.elts)?, context(t.ctx)]),
            Expr::Slice(s) => {
                let part = |e: &Option<Box<Expr>>| self.opt(e.as_deref());
                self.at(r, Class::Slice, vec![part(&s.lower)?, part(&s.upper)?, part(&s.step)?])
            }
        })
    }

    fn two(&self, r: TextRange, class: Class, a: &Expr, b: &Expr) -> Res<Node> {
        Ok(self.at(r, class, vec![self.expr(a)?.into(), self.expr(b)?.into()]))
    }

    fn comprehension(
        &self,
        r: TextRange,
        class: Class,
        elements: &[&Expr],
        generators: &[ast::Comprehension],
    ) -> Res<Node> {
        let mut fields = elements.iter().map(|e| Ok(self.expr(e)?.into())).collect::<Res<Vec<Field>>>()?;
        fields.push(list!(generators, |c: &ast::Comprehension| -> Res<Node> {
            Ok(Class::comprehension.node(vec![
                self.expr(&c.target)?.into(),
                self.expr(&c.iter)?.into(),
                self.exprs(&c.ifs)?,
                Field::Int(c.is_async.into()),
            ]))
        }));
        Ok(self.at(r, class, fields))
    }

    fn pattern(&self, p: &Pattern) -> Res<Node> {
        let r = p.range();
        let patterns = |ps: &[Pattern]| -> Res<Field> { Ok(list!(ps, |p| self.pattern(p))) };
        Ok(match p {
            Pattern::MatchValue(p) => self.at(r, Class::MatchValue, vec![self.expr(&p.value)?.into()]),
            Pattern::MatchSingleton(p) => {
                let value = match p.value {
                    ast::Singleton::None => skein_bytecode::Const::None,
                    ast::Singleton::True => skein_bytecode::Const::True,
                    ast::Singleton::False => skein_bytecode::Const::False,
                };
                self.at(r, Class::MatchSingleton, vec![Field::Const(value)])
            }
            Pattern::MatchSequence(p) => self.at(r, Class::MatchSequence, vec![patterns(&p.patterns)?]),
            Pattern::MatchMapping(p) => {
                let fields = vec![self.exprs(&p.keys)?, patterns(&p.patterns)?, identifier(p.rest.as_ref())];
                self.at(r, Class::MatchMapping, fields)
            }
            Pattern::MatchClass(p) => {
                let keywords = &p.arguments.keywords;
                let names = keywords.iter().map(|k| text(&k.attr)).collect();
                let fields = vec![
                    self.expr(&p.cls)?.into(),
                    patterns(&p.arguments.patterns)?,
                    Field::List(names),
                    list!(keywords, |k: &ast::PatternKeyword| self.pattern(&k.pattern)),
                ];
                self.at(r, Class::MatchClass, fields)
            }
            Pattern::MatchStar(p) => self.at(r, Class::MatchStar, vec![identifier(p.name.as_ref())]),
            Pattern::MatchAs(p) => {
                let inner = p.pattern.as_deref().map(|p| self.pattern(p)).transpose()?;
                self.at(r, Class::MatchAs, vec![optional(inner), identifier(p.name.as_ref())])
            }
            Pattern::MatchOr(p) => self.at(r, Class::MatchOr, vec![patterns(&p.patterns)?]),
        })
    }
}

fn identifier(name: Option<&ast::Identifier>) -> Field {
    name.map_or(Field::None, |n| text(n))
}

fn names(names: &[ast::Identifier]) -> Field {
    Field::List(names.iter().map(|n| text(n)).collect())
}

fn context(c: ExprContext) -> Field {
    let class = match c {
        ExprContext::Store => Class::Store,
        ExprContext::Del => Class::Del,
        ExprContext::Load | ExprContext::Invalid => Class::Load,
    };
    class.node(Vec::new()).into()
}

fn operator(op: ast::Operator) -> Class {
    match op {
        ast::Operator::Add => Class::Add,
        ast::Operator::Sub => Class::Sub,
        ast::Operator::Mult => Class::Mult,
        ast::Operator::MatMult => Class::MatMult,
        ast::Operator::Div => Class::Div,
        ast::Operator::Mod => Class::Mod,
        ast::Operator::Pow => Class::Pow,
        ast::Operator::LShift => Class::LShift,
        ast::Operator::RShift => Class::RShift,
        ast::Operator::BitOr => Class::BitOr,
        ast::Operator::BitXor => Class::BitXor,
        ast::Operator::BitAnd => Class::BitAnd,
        ast::Operator::FloorDiv => Class::FloorDiv,
    }
}

fn comparison(op: ast::CmpOp) -> Class {
    match op {
        ast::CmpOp::Eq => Class::Eq,
        ast::CmpOp::NotEq => Class::NotEq,
        ast::CmpOp::Lt => Class::Lt,
        ast::CmpOp::LtE => Class::LtE,
        ast::CmpOp::Gt => Class::Gt,
        ast::CmpOp::GtE => Class::GtE,
        ast::CmpOp::Is => Class::Is,
        ast::CmpOp::IsNot => Class::IsNot,
        ast::CmpOp::In => Class::In,
        ast::CmpOp::NotIn => Class::NotIn,
    }
}
