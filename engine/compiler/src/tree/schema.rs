//! The abstract grammar of Python 3.14, as a table: every class of node with its base, its attributes and its fields.

use super::Node;

const NONE: &[&str] = &[];
const PLACE: &[&str] = &["int lineno", "int col_offset", "int? end_lineno", "int? end_col_offset"];
const FULL_PLACE: &[&str] = &["int lineno", "int col_offset", "int end_lineno", "int end_col_offset"];

/// Declares the classes: `base: attributes { Class fields; … }`, where a field is `type name`, and behind the type `?` means
/// optional and `*` a list.
macro_rules! classes {
    ($($sum:literal: $attributes:ident { $($name:ident $fields:literal;)* })*) => {
        /// A class of nodes. Names are Python's.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Class { $($($name,)*)* }

        /// All classes in their order.
        pub const CLASSES: &[ClassDef] = &[
            $($(ClassDef {
                class: Class::$name,
                name: stringify!($name),
                base: $sum,
                attributes: $attributes,
                fields: $fields,
            },)*)*
        ];

        /// Classes that have no instances of their own, in their order.
        pub const BASES: &[(&str, &[&str])] = &[$(($sum, $attributes),)*];
    };
}

#[rustfmt::skip]
classes! {
    "mod": NONE {
        Module "stmt* body, type_ignore* type_ignores";
        Interactive "stmt* body";
        Expression "expr body";
        FunctionType "expr* argtypes, expr returns";
    }
    "stmt": PLACE {
        FunctionDef "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params";
        AsyncFunctionDef "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params";
        ClassDef "identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params";
        Return "expr? value";
        Delete "expr* targets";
        Assign "expr* targets, expr value, string? type_comment";
        TypeAlias "expr name, type_param* type_params, expr value";
        AugAssign "expr target, operator op, expr value";
        AnnAssign "expr target, expr annotation, expr? value, int simple";
        For "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment";
        AsyncFor "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment";
        While "expr test, stmt* body, stmt* orelse";
        If "expr test, stmt* body, stmt* orelse";
        With "withitem* items, stmt* body, string? type_comment";
        AsyncWith "withitem* items, stmt* body, string? type_comment";
        Match "expr subject, match_case* cases";
        Raise "expr? exc, expr? cause";
        Try "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody";
        TryStar "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody";
        Assert "expr test, expr? msg";
        Import "alias* names";
        ImportFrom "identifier? module, alias* names, int? level";
        Global "identifier* names";
        Nonlocal "identifier* names";
        Expr "expr value";
        Pass "";
        Break "";
        Continue "";
    }
    "expr": PLACE {
        BoolOp "boolop op, expr* values";
        NamedExpr "expr target, expr value";
        BinOp "expr left, operator op, expr right";
        UnaryOp "unaryop op, expr operand";
        Lambda "arguments args, expr body";
        IfExp "expr test, expr body, expr orelse";
        Dict "expr?* keys, expr* values";
        Set "expr* elts";
        ListComp "expr elt, comprehension* generators";
        SetComp "expr elt, comprehension* generators";
        DictComp "expr key, expr value, comprehension* generators";
        GeneratorExp "expr elt, comprehension* generators";
        Await "expr value";
        Yield "expr? value";
        YieldFrom "expr value";
        Compare "expr left, cmpop* ops, expr* comparators";
        Call "expr func, expr* args, keyword* keywords";
        FormattedValue "expr value, int conversion, expr? format_spec";
        Interpolation "expr value, constant str, int conversion, expr? format_spec";
        JoinedStr "expr* values";
        TemplateStr "expr* values";
        Constant "constant value, string? kind";
        Attribute "expr value, identifier attr, expr_context ctx";
        Subscript "expr value, expr slice, expr_context ctx";
        Starred "expr value, expr_context ctx";
        Name "identifier id, expr_context ctx";
        List "expr* elts, expr_context ctx";
        Tuple "expr* elts, expr_context ctx";
        Slice "expr? lower, expr? upper, expr? step";
    }
    "expr_context": NONE {
        Load "";
        Store "";
        Del "";
    }
    "boolop": NONE {
        And "";
        Or "";
    }
    "operator": NONE {
        Add "";
        Sub "";
        Mult "";
        MatMult "";
        Div "";
        Mod "";
        Pow "";
        LShift "";
        RShift "";
        BitOr "";
        BitXor "";
        BitAnd "";
        FloorDiv "";
    }
    "unaryop": NONE {
        Invert "";
        Not "";
        UAdd "";
        USub "";
    }
    "cmpop": NONE {
        Eq "";
        NotEq "";
        Lt "";
        LtE "";
        Gt "";
        GtE "";
        Is "";
        IsNot "";
        In "";
        NotIn "";
    }
    "excepthandler": PLACE {
        ExceptHandler "expr? type, identifier? name, stmt* body";
    }
    "pattern": FULL_PLACE {
        MatchValue "expr value";
        MatchSingleton "constant value";
        MatchSequence "pattern* patterns";
        MatchMapping "expr* keys, pattern* patterns, identifier? rest";
        MatchClass "expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns";
        MatchStar "identifier? name";
        MatchAs "pattern? pattern, identifier? name";
        MatchOr "pattern* patterns";
    }
    "type_ignore": NONE {
        TypeIgnore "int lineno, string tag";
    }
    "type_param": FULL_PLACE {
        TypeVar "identifier name, expr? bound, expr? default_value";
        ParamSpec "identifier name, expr? default_value";
        TypeVarTuple "identifier name, expr? default_value";
    }
    // Classes that stand for themselves.
    "": NONE { comprehension "expr target, expr iter, expr* ifs, int is_async"; }
    "": NONE { arguments "arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr?* kw_defaults, arg? kwarg, expr* defaults"; }
    "": PLACE { arg "identifier arg, expr? annotation, string? type_comment"; }
    "": PLACE { keyword "identifier? arg, expr value"; }
    "": PLACE { alias "identifier name, identifier? asname"; }
    "": NONE { withitem "expr context_expr, expr? optional_vars"; }
    "": NONE { match_case "pattern pattern, expr? guard, stmt* body"; }
}

/// What the grammar says of a class.
pub struct ClassDef {
    pub class: Class,
    pub name: &'static str,
    /// Its base class; empty: `AST` itself.
    pub base: &'static str,
    /// As fields are written; all are ints.
    pub attributes: &'static [&'static str],
    fields: &'static str,
}

impl ClassDef {
    pub fn fields(&self) -> impl Iterator<Item = FieldDef> + use<> {
        self.fields.split(", ").filter(|f| !f.is_empty()).map(field)
    }

    /// `name(fields)`, as its docstring says.
    pub fn text(&self) -> String {
        match self.fields {
            "" => self.name.to_owned(),
            fields => format!("{}({fields})", self.name),
        }
    }
}

impl Class {
    pub fn def(self) -> &'static ClassDef {
        &CLASSES[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.def().name
    }

    /// A node of this class without a place.
    pub fn node(self, fields: Vec<super::Field>) -> Node {
        debug_assert_eq!(fields.len(), self.def().fields().count(), "{}", self.name());
        Node { class: self, place: None, fields }
    }
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    One,
    Optional,
    Many,
    /// A list in which None stands for values that are not there.
    ManyOptional,
}

/// A field of a class.
#[derive(Clone, Copy, Debug)]
pub struct FieldDef {
    /// A class or base, or one of `identifier`, `string`, `int`, `constant`.
    pub ty: &'static str,
    pub name: &'static str,
    pub count: Count,
}

/// A field from its text.
pub fn field(text: &'static str) -> FieldDef {
    let (ty, name) = text.split_once(' ').unwrap_or(("", text));
    let count = match ty {
        t if t.ends_with("?*") => Count::ManyOptional,
        t if t.ends_with('*') => Count::Many,
        t if t.ends_with('?') => Count::Optional,
        _ => Count::One,
    };
    FieldDef { ty: ty.trim_end_matches(['*', '?']), name, count }
}
