//! The classes of syntax trees: the abstract grammar of Python 3.14, as a table.

/// A base class and the classes below it.
pub struct Sum {
    pub name: &'static str,
    /// Attributes of every node, as in a field list; all are ints.
    pub attributes: &'static [&'static str],
    /// Class names with their fields: `type name`, where `?` is optional and `*` a list.
    pub nodes: &'static [&'static str],
}

const PLACE: &[&str] = &["int lineno", "int col_offset", "int? end_lineno", "int? end_col_offset"];
const FULL_PLACE: &[&str] = &["int lineno", "int col_offset", "int end_lineno", "int end_col_offset"];

/// Classes whose base has alternatives.
pub const SUMS: &[Sum] = &[
    Sum {
        name: "mod",
        attributes: &[],
        nodes: &[
            "Module(stmt* body, type_ignore* type_ignores)",
            "Interactive(stmt* body)",
            "Expression(expr body)",
            "FunctionType(expr* argtypes, expr returns)",
        ],
    },
    Sum {
        name: "stmt",
        attributes: PLACE,
        nodes: &[
            "FunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params)",
            "AsyncFunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params)",
            "ClassDef(identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params)",
            "Return(expr? value)",
            "Delete(expr* targets)",
            "Assign(expr* targets, expr value, string? type_comment)",
            "TypeAlias(expr name, type_param* type_params, expr value)",
            "AugAssign(expr target, operator op, expr value)",
            "AnnAssign(expr target, expr annotation, expr? value, int simple)",
            "For(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)",
            "AsyncFor(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)",
            "While(expr test, stmt* body, stmt* orelse)",
            "If(expr test, stmt* body, stmt* orelse)",
            "With(withitem* items, stmt* body, string? type_comment)",
            "AsyncWith(withitem* items, stmt* body, string? type_comment)",
            "Match(expr subject, match_case* cases)",
            "Raise(expr? exc, expr? cause)",
            "Try(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)",
            "TryStar(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)",
            "Assert(expr test, expr? msg)",
            "Import(alias* names)",
            "ImportFrom(identifier? module, alias* names, int? level)",
            "Global(identifier* names)",
            "Nonlocal(identifier* names)",
            "Expr(expr value)",
            "Pass",
            "Break",
            "Continue",
        ],
    },
    Sum {
        name: "expr",
        attributes: PLACE,
        nodes: &[
            "BoolOp(boolop op, expr* values)",
            "NamedExpr(expr target, expr value)",
            "BinOp(expr left, operator op, expr right)",
            "UnaryOp(unaryop op, expr operand)",
            "Lambda(arguments args, expr body)",
            "IfExp(expr test, expr body, expr orelse)",
            "Dict(expr?* keys, expr* values)",
            "Set(expr* elts)",
            "ListComp(expr elt, comprehension* generators)",
            "SetComp(expr elt, comprehension* generators)",
            "DictComp(expr key, expr value, comprehension* generators)",
            "GeneratorExp(expr elt, comprehension* generators)",
            "Await(expr value)",
            "Yield(expr? value)",
            "YieldFrom(expr value)",
            "Compare(expr left, cmpop* ops, expr* comparators)",
            "Call(expr func, expr* args, keyword* keywords)",
            "FormattedValue(expr value, int conversion, expr? format_spec)",
            "Interpolation(expr value, constant str, int conversion, expr? format_spec)",
            "JoinedStr(expr* values)",
            "TemplateStr(expr* values)",
            "Constant(constant value, string? kind)",
            "Attribute(expr value, identifier attr, expr_context ctx)",
            "Subscript(expr value, expr slice, expr_context ctx)",
            "Starred(expr value, expr_context ctx)",
            "Name(identifier id, expr_context ctx)",
            "List(expr* elts, expr_context ctx)",
            "Tuple(expr* elts, expr_context ctx)",
            "Slice(expr? lower, expr? upper, expr? step)",
        ],
    },
    Sum { name: "expr_context", attributes: &[], nodes: &["Load", "Store", "Del"] },
    Sum { name: "boolop", attributes: &[], nodes: &["And", "Or"] },
    Sum {
        name: "operator",
        attributes: &[],
        nodes: &[
            "Add", "Sub", "Mult", "MatMult", "Div", "Mod", "Pow", "LShift", "RShift", "BitOr", "BitXor",
            "BitAnd", "FloorDiv",
        ],
    },
    Sum { name: "unaryop", attributes: &[], nodes: &["Invert", "Not", "UAdd", "USub"] },
    Sum {
        name: "cmpop",
        attributes: &[],
        nodes: &["Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In", "NotIn"],
    },
    Sum {
        name: "excepthandler",
        attributes: PLACE,
        nodes: &["ExceptHandler(expr? type, identifier? name, stmt* body)"],
    },
    Sum {
        name: "pattern",
        attributes: FULL_PLACE,
        nodes: &[
            "MatchValue(expr value)",
            "MatchSingleton(constant value)",
            "MatchSequence(pattern* patterns)",
            "MatchMapping(expr* keys, pattern* patterns, identifier? rest)",
            "MatchClass(expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns)",
            "MatchStar(identifier? name)",
            "MatchAs(pattern? pattern, identifier? name)",
            "MatchOr(pattern* patterns)",
        ],
    },
    Sum { name: "type_ignore", attributes: &[], nodes: &["TypeIgnore(int lineno, string tag)"] },
    Sum {
        name: "type_param",
        attributes: FULL_PLACE,
        nodes: &[
            "TypeVar(identifier name, expr? bound, expr? default_value)",
            "ParamSpec(identifier name, expr? default_value)",
            "TypeVarTuple(identifier name, expr? default_value)",
        ],
    },
];

/// Classes that stand for themselves, with their attributes.
pub const PRODUCTS: &[(&str, &[&str])] = &[
    ("comprehension(expr target, expr iter, expr* ifs, int is_async)", &[]),
    (
        "arguments(arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr?* kw_defaults, arg? kwarg, expr* defaults)",
        &[],
    ),
    ("arg(identifier arg, expr? annotation, string? type_comment)", PLACE),
    ("keyword(identifier? arg, expr value)", PLACE),
    ("alias(identifier name, identifier? asname)", PLACE),
    ("withitem(expr context_expr, expr? optional_vars)", &[]),
    ("match_case(pattern pattern, expr? guard, stmt* body)", &[]),
];

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Count {
    One,
    Optional,
    Many,
}

/// A field of a node.
pub struct FieldDef<'a> {
    pub ty: &'a str,
    pub name: &'a str,
    pub count: Count,
}

/// A field from its text in the tables.
pub fn field(text: &str) -> FieldDef<'_> {
    let (ty, name) = text.split_once(' ').unwrap_or(("", text));
    let count = match ty {
        t if t.ends_with('*') => Count::Many,
        t if t.ends_with('?') => Count::Optional,
        _ => Count::One,
    };
    FieldDef { ty: ty.trim_end_matches(['*', '?']), name, count }
}

/// Name and fields of a class.
pub fn node(text: &str) -> (&str, impl Iterator<Item = FieldDef<'_>>) {
    let (name, fields) = text.split_once('(').unwrap_or((text, ""));
    let fields = fields.trim_end_matches(')').split(", ").filter(|f| !f.is_empty());
    (name, fields.map(field))
}
