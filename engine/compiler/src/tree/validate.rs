//! What must hold of a tree beyond the types of its fields, before code is made of it. The texts are CPython's.

use super::schema::Class;
use super::{Field, Node};
use skein_bytecode::Const;

/// What is wrong with a tree, and the exception that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    Value(String),
    Type(String),
}

type Check = Result<(), Wrong>;

fn value<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Value(message.into()))
}

fn wrong_type<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Type(message.into()))
}

/// In what way an expression is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Load,
    Store,
    Del,
}

impl Use {
    fn name(self) -> &'static str {
        match self {
            Use::Load => "Load",
            Use::Store => "Store",
            Use::Del => "Del",
        }
    }
}

/// Checks a whole tree.
pub fn validate(tree: &Node) -> Check {
    match tree.class {
        Class::Module | Class::Interactive => statements(tree, 0, None),
        Class::Expression => expr(tree.node(0), Use::Load),
        _ => wrong_type("impossible module node"),
    }
}

fn places(node: &Node) -> Check {
    let Some(p) = node.place else { return Ok(()) };
    if p.line > p.end_line {
        return value(format!("AST node line range ({}, {}) is not valid", p.line, p.end_line));
    }
    if p.line == p.end_line && p.col > p.end_col {
        return value(format!("line {}, column {}-{} is not a valid range", p.line, p.col, p.end_col));
    }
    Ok(())
}

fn name(text: &str) -> Check {
    match text {
        "None" | "True" | "False" => value(format!("identifier field can't represent '{text}' constant")),
        _ => Ok(()),
    }
}

/// Statements of a field; `owner` must have some.
fn statements(node: &Node, field: usize, owner: Option<&str>) -> Check {
    let body = node.list(field);
    if let Some(owner) = owner
        && body.is_empty()
    {
        return value(format!("empty body on {owner}"));
    }
    for item in body {
        match item {
            Field::Node(s) => stmt(s)?,
            _ => return value("None disallowed in statement list"),
        }
    }
    Ok(())
}

fn nonempty(items: &[Field], what: &str, owner: &str) -> Check {
    if items.is_empty() { value(format!("empty {what} on {owner}")) } else { Ok(()) }
}

fn exprs(items: &[Field], usage: Use, allow_none: bool) -> Check {
    for item in items {
        match item {
            Field::Node(e) => expr(e, usage)?,
            _ if allow_none => {}
            _ => return value("None disallowed in expression list"),
        }
    }
    Ok(())
}

fn opt(node: Option<&Node>, usage: Use) -> Check {
    node.map_or(Ok(()), |e| expr(e, usage))
}

fn targets(node: &Node, usage: Use) -> Check {
    nonempty(node.list(0), "targets", if usage == Use::Del { "Delete" } else { "Assign" })?;
    exprs(node.list(0), usage, false)
}

fn names(node: &Node) -> Check {
    nonempty(node.list(0), "names", node.class.name())
}

fn nodes(items: &[Field]) -> impl Iterator<Item = &Node> {
    items.iter().filter_map(|f| if let Field::Node(n) = f { Some(&**n) } else { None })
}

fn stmt(s: &Node) -> Check {
    use Use::{Del, Load, Store};
    places(s)?;
    let class = s.class.name();
    match s.class {
        Class::FunctionDef | Class::AsyncFunctionDef => {
            name(s.text(0).unwrap_or_default())?;
            statements(s, 2, Some(class))?;
            type_params(s.list(6))?;
            arguments(s.node(1))?;
            exprs(s.list(3), Load, false)?;
            opt(s.opt(4), Load)
        }
        Class::ClassDef => {
            name(s.text(0).unwrap_or_default())?;
            statements(s, 3, Some(class))?;
            type_params(s.list(5))?;
            exprs(s.list(1), Load, false)?;
            keywords(s.list(2))?;
            exprs(s.list(4), Load, false)
        }
        Class::Return => opt(s.opt(0), Load),
        Class::Delete => targets(s, Del),
        Class::Assign => {
            targets(s, Store)?;
            expr(s.node(1), Load)
        }
        Class::AugAssign => {
            expr(s.node(0), Store)?;
            expr(s.node(2), Load)
        }
        Class::AnnAssign => {
            if s.node(0).class != Class::Name && s.int(3) != 0 {
                return wrong_type("AnnAssign with simple non-Name target");
            }
            expr(s.node(0), Store)?;
            opt(s.opt(2), Load)?;
            expr(s.node(1), Load)
        }
        Class::TypeAlias => {
            if s.node(0).class != Class::Name {
                return wrong_type("TypeAlias with non-Name name");
            }
            expr(s.node(0), Store)?;
            type_params(s.list(1))?;
            expr(s.node(2), Load)
        }
        Class::For | Class::AsyncFor => {
            expr(s.node(0), Store)?;
            expr(s.node(1), Load)?;
            statements(s, 2, Some(class))?;
            statements(s, 3, None)
        }
        Class::While | Class::If => {
            expr(s.node(0), Load)?;
            statements(s, 1, Some(class))?;
            statements(s, 2, None)
        }
        Class::With | Class::AsyncWith => {
            nonempty(s.list(0), "items", class)?;
            for item in nodes(s.list(0)) {
                expr(item.node(0), Load)?;
                opt(item.opt(1), Store)?;
            }
            statements(s, 1, Some(class))
        }
        Class::Match => {
            expr(s.node(0), Load)?;
            nonempty(s.list(1), "cases", class)?;
            for case in nodes(s.list(1)) {
                pattern(case.node(0), false)?;
                opt(case.opt(1), Load)?;
                statements(case, 2, Some("match_case"))?;
            }
            Ok(())
        }
        Class::Raise => match (s.opt(0), s.opt(1)) {
            (None, Some(_)) => value("Raise with cause but no exception"),
            (e, cause) => opt(e, Load).and_then(|()| opt(cause, Load)),
        },
        Class::Try | Class::TryStar => {
            statements(s, 0, Some(class))?;
            if s.list(1).is_empty() {
                if s.list(3).is_empty() {
                    return value(format!("{class} has neither except handlers nor finalbody"));
                }
                if !s.list(2).is_empty() {
                    return value(format!("{class} has orelse but no except handlers"));
                }
            }
            for handler in nodes(s.list(1)) {
                places(handler)?;
                name(handler.text(1).unwrap_or_default())?;
                opt(handler.opt(0), Load)?;
                statements(handler, 2, Some("ExceptHandler"))?;
            }
            statements(s, 2, None)?;
            statements(s, 3, None)
        }
        Class::Assert => {
            expr(s.node(0), Load)?;
            opt(s.opt(1), Load)
        }
        Class::Import => names(s).and_then(|()| aliases(s.list(0))),
        Class::ImportFrom => {
            if s.int(2) < 0 {
                return value("Negative ImportFrom level");
            }
            nonempty(s.list(1), "names", class)?;
            aliases(s.list(1))
        }
        Class::Global | Class::Nonlocal => names(s),
        Class::Expr => expr(s.node(0), Load),
        _ => Ok(()),
    }
}

fn aliases(row: &[Field]) -> Check {
    for alias in nodes(row) {
        places(alias)?;
        name(alias.text(0).unwrap_or_default())?;
        name(alias.text(1).unwrap_or_default())?;
    }
    Ok(())
}

fn type_params(params: &[Field]) -> Check {
    for p in nodes(params) {
        places(p)?;
        name(p.text(0).unwrap_or_default())?;
        for field in &p.fields[1..] {
            if let Field::Node(e) = field {
                expr(e, Use::Load)?;
            }
        }
    }
    Ok(())
}

fn keywords(keywords: &[Field]) -> Check {
    nodes(keywords).try_for_each(|k| expr(k.node(1), Use::Load))
}

fn arguments(a: &Node) -> Check {
    let args =
        |i: usize| nodes(a.list(i)).try_for_each(|arg| places(arg).and_then(|()| opt(arg.opt(1), Use::Load)));
    args(0)?;
    args(1)?;
    opt(a.opt(2).and_then(|v| v.opt(1)), Use::Load)?;
    args(3)?;
    opt(a.opt(5).and_then(|v| v.opt(1)), Use::Load)?;
    if a.list(6).len() > a.list(0).len() + a.list(1).len() {
        return value("more positional defaults than args on arguments");
    }
    if a.list(4).len() != a.list(3).len() {
        return value("length of kwonlyargs is not the same as kw_defaults on arguments");
    }
    exprs(a.list(6), Use::Load, false)?;
    exprs(a.list(4), Use::Load, true)
}

fn comprehensions(generators: &[Field]) -> Check {
    if generators.is_empty() {
        return value("comprehension with no generators");
    }
    for c in nodes(generators) {
        expr(c.node(0), Use::Store)?;
        expr(c.node(1), Use::Load)?;
        exprs(c.list(2), Use::Load, false)?;
    }
    Ok(())
}

/// The field that says how an expression is used.
fn usage_of(e: &Node) -> Option<Use> {
    let at = match e.class {
        Class::Attribute | Class::Subscript => 2,
        Class::Starred | Class::Name | Class::List | Class::Tuple => 1,
        _ => return None,
    };
    Some(match e.node(at).class {
        Class::Store => Use::Store,
        Class::Del => Use::Del,
        _ => Use::Load,
    })
}

fn expr(e: &Node, usage: Use) -> Check {
    use Use::Load;
    places(e)?;
    match usage_of(e) {
        Some(has) if has != usage => {
            return value(format!(
                "expression must have {} context but has {} instead",
                usage.name(),
                has.name()
            ));
        }
        None if usage != Load => {
            return value(format!("expression which can't be assigned to in {} context", usage.name()));
        }
        _ => {}
    }
    match e.class {
        Class::BoolOp if e.list(1).len() < 2 => value("BoolOp with less than 2 values"),
        Class::BoolOp => exprs(e.list(1), Load, false),
        Class::BinOp => {
            expr(e.node(0), Load)?;
            expr(e.node(2), Load)
        }
        Class::UnaryOp => expr(e.node(1), Load),
        Class::Lambda => {
            arguments(e.node(0))?;
            expr(e.node(1), Load)
        }
        Class::IfExp => (0..3).try_for_each(|i| expr(e.node(i), Load)),
        Class::Dict => {
            if e.list(0).len() != e.list(1).len() {
                return value("Dict doesn't have the same number of keys as values");
            }
            exprs(e.list(0), Load, true)?;
            exprs(e.list(1), Load, false)
        }
        Class::Set => exprs(e.list(0), Load, false),
        Class::ListComp | Class::SetComp | Class::GeneratorExp => {
            comprehensions(e.list(1))?;
            expr(e.node(0), Load)
        }
        Class::DictComp => {
            comprehensions(e.list(2))?;
            expr(e.node(0), Load)?;
            expr(e.node(1), Load)
        }
        Class::Yield | Class::YieldFrom | Class::Await => opt(e.opt(0), Load),
        Class::Compare => {
            if e.list(2).is_empty() {
                return value("Compare with no comparators");
            }
            if e.list(2).len() != e.list(1).len() {
                return value("Compare has a different number of comparators and operands");
            }
            exprs(e.list(2), Load, false)?;
            expr(e.node(0), Load)
        }
        Class::Call => {
            expr(e.node(0), Load)?;
            exprs(e.list(1), Load, false)?;
            keywords(e.list(2))
        }
        Class::Constant => Ok(()),
        Class::JoinedStr | Class::TemplateStr => exprs(e.list(0), Load, false),
        Class::FormattedValue => {
            expr(e.node(0), Load)?;
            opt(e.opt(2), Load)
        }
        Class::Interpolation => {
            expr(e.node(0), Load)?;
            opt(e.opt(3), Load)
        }
        Class::Attribute => expr(e.node(0), Load),
        Class::Subscript => {
            expr(e.node(1), Load)?;
            expr(e.node(0), Load)
        }
        Class::Starred => expr(e.node(0), usage),
        Class::Slice => (0..3).try_for_each(|i| opt(e.opt(i), Load)),
        Class::List | Class::Tuple => exprs(e.list(0), usage, false),
        Class::NamedExpr => {
            if e.node(0).class != Class::Name {
                return wrong_type("NamedExpr target must be a Name");
            }
            expr(e.node(1), Load)
        }
        Class::Name => name(e.text(0).unwrap_or_default()),
        _ => Ok(()),
    }
}

fn patterns(items: &[Field], star: bool) -> Check {
    nodes(items).try_for_each(|p| pattern(p, star))
}

fn capture(text: Option<&str>) -> Check {
    match text {
        Some("_") => value("can't capture name '_' in patterns"),
        Some(text) => name(text),
        None => Ok(()),
    }
}

fn pattern(p: &Node, star: bool) -> Check {
    places(p)?;
    match p.class {
        Class::MatchValue => literal_pattern(p.node(0)),
        Class::MatchSingleton => match p.fields.first() {
            Some(Field::Const(Const::None | Const::True | Const::False)) => Ok(()),
            _ => value("MatchSingleton can only contain True, False and None"),
        },
        Class::MatchSequence => patterns(p.list(0), true),
        Class::MatchMapping => {
            if p.list(0).len() != p.list(1).len() {
                return value("MatchMapping doesn't have the same number of keys as patterns");
            }
            capture(p.text(2))?;
            for key in nodes(p.list(0)) {
                let singleton = matches!(
                    (key.class, key.fields.first()),
                    (Class::Constant, Some(Field::Const(Const::None | Const::True | Const::False)))
                );
                if !singleton {
                    literal_pattern(key)?;
                }
            }
            patterns(p.list(1), false)
        }
        Class::MatchClass => {
            if p.list(2).len() != p.list(3).len() {
                return value("MatchClass doesn't have the same number of keyword attributes as patterns");
            }
            expr(p.node(0), Use::Load)?;
            let mut class = p.node(0);
            while class.class == Class::Attribute {
                class = class.node(0);
            }
            if class.class != Class::Name {
                return value("MatchClass cls field can only contain Name or Attribute nodes.");
            }
            for attr in p.list(2) {
                if let Field::Text(attr) = attr {
                    name(attr)?;
                }
            }
            patterns(p.list(1), false)?;
            patterns(p.list(3), false)
        }
        Class::MatchStar if !star => value("can't use MatchStar here"),
        Class::MatchStar => capture(p.text(0)),
        Class::MatchAs => {
            capture(p.text(1))?;
            match (p.opt(0), p.text(1)) {
                (Some(_), None) => value("MatchAs must specify a target name if a pattern is given"),
                (Some(inner), _) => pattern(inner, false),
                (None, _) => Ok(()),
            }
        }
        Class::MatchOr if p.list(0).len() < 2 => value("MatchOr requires at least 2 patterns"),
        Class::MatchOr => patterns(p.list(0), false),
        _ => Ok(()),
    }
}

fn literal_pattern(e: &Node) -> Check {
    expr(e, Use::Load)?;
    match e.class {
        Class::Constant => match e.fields.first() {
            Some(Field::Const(
                Const::Int(_)
                | Const::BigInt(_)
                | Const::Float(_)
                | Const::Complex(..)
                | Const::Str(_)
                | Const::Bytes(_),
            )) => Ok(()),
            _ => value("unexpected constant inside of a literal pattern"),
        },
        Class::Attribute | Class::UnaryOp | Class::BinOp | Class::JoinedStr | Class::TemplateStr => Ok(()),
        _ => value("patterns may only match literals and attribute lookups"),
    }
}
