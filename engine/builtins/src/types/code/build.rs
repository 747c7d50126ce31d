//! Codes that programs put together: the constructor, and `replace()`.
//!
//! `co_code`, `co_names` and the rest are those of Skein's own instructions, as the attributes show them. The machine relies
//! on what the verifier has seen, so that what does not fit together is a ValueError here and not a fault later.

use super::{arg_count, constants::constant_of, is_used_name, variables};
use skein_bytecode::{Code, CodeRef, Handler, Local, LocalKind, Positions, flags};
use skein_runtime::native::Args;
use skein_runtime::object::Ref;
use skein_runtime::types::bytes::Bytes;
use skein_runtime::types::code::{CodeObject, load};
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// What a change is about: who is told of in errors, and which field.
struct Field<'a> {
    vm: &'a Vm,
    caller: &'a str,
    name: &'a str,
    value: Value,
}

impl Field<'_> {
    fn wrong_type<T>(&self, wanted: &str) -> R<T> {
        let got = self.vm.type_name(self.value);
        Err(self
            .vm
            .type_error(format!("{}() argument '{}' must be {wanted}, not {got}", self.caller, self.name)))
    }

    fn text(&self) -> R<Box<str>> {
        match self.value.cast::<Str>() {
            Some(s) => Ok(s.to_string_lossy().as_ref().into()),
            None => self.wrong_type("str"),
        }
    }

    fn bytes(&self) -> R<Ref<Bytes>> {
        match self.value.cast::<Bytes>() {
            Some(b) => Ok(b),
            None => self.wrong_type("bytes"),
        }
    }

    fn tuple(&self) -> R<Ref<Tuple>> {
        match self.value.cast::<Tuple>() {
            Some(t) => Ok(t),
            None => self.wrong_type("tuple"),
        }
    }

    fn number<T: TryFrom<i64>>(&self) -> R<T> {
        let vm = self.vm;
        let n = vm.index_i64(self.value)?;
        if n < 0 {
            return Err(
                vm.value_error(format!("code: {} must not be negative", self.name.trim_start_matches("co_")))
            );
        }
        T::try_from(n).map_err(|_| {
            vm.value_error(format!("code: {} is too large", self.name.trim_start_matches("co_")))
        })
    }

    fn names(&self) -> R<Vec<Box<str>>> {
        let mut names = Vec::new();
        for v in self.tuple()?.items() {
            let Some(s) = v.cast::<Str>() else {
                let got = self.vm.type_name(*v);
                return Err(self
                    .vm
                    .type_error(format!("name tuples must contain only strings, not '{got}'")));
            };
            self.vm.push(&mut names, s.to_string_lossy().as_ref().into())?;
        }
        Ok(names)
    }

    /// Rows of four bytes.
    fn words(&self) -> R<Vec<u32>> {
        let bytes = self.bytes()?;
        let bytes = bytes.bytes();
        if !bytes.len().is_multiple_of(4) {
            return Err(self.vm.value_error("code: co_code is malformed"));
        }
        let words = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        self.vm.collected(words)
    }
}

/// The names of locals in groups, as the attributes have them.
struct Names {
    variables: Vec<Box<str>>,
    cells: Vec<Box<str>>,
    free: Vec<Box<str>>,
}

impl Names {
    fn of(code: &Code) -> Names {
        // bounded: by the code
        let of_kind = |kind| super::of_kind(code, kind).map(Box::from).collect();
        Names {
            variables: variables(code).map(Box::from).collect(),
            cells: of_kind(LocalKind::Cell),
            free: of_kind(LocalKind::Free),
        }
    }

    /// Gives the locals these names. What there is keeps its register; what is new comes behind, in registers of its own,
    /// so that what the code keeps there for a while moves along. ValueError.
    fn rename(self, vm: &Vm, code: &mut Code) -> R<()> {
        let old = Names::of(code);
        let is_new = |new: &[Box<str>], old: &[Box<str>]| new.len() != old.len();
        if is_new(&self.variables, &old.variables) {
            return Err(vm.value_error("code: co_nlocals != len(co_varnames)"));
        }
        if is_new(&self.cells, &old.cells) || is_new(&self.free, &old.free) {
            // Each needs an instruction that fills its register before anything reads it.
            return Err(vm.unsupported("code.replace with another number of cells"));
        }
        let mut rows = [self.variables.into_iter(), self.cells.into_iter(), self.free.into_iter()];
        let params = code.param_count();
        for (i, local) in code.locals.iter_mut().enumerate() {
            let is_variable = local.kind == LocalKind::Plain || i < params && local.kind == LocalKind::Cell;
            let hidden = &*local.name == ".namespace";
            let row = match local.kind {
                _ if hidden => continue,
                LocalKind::Plain => 0,
                LocalKind::Cell => 1,
                LocalKind::Free => 2,
                LocalKind::Hidden => continue,
            };
            let mut name = rows[row].next();
            if is_variable && row == 1 {
                // A parameter that is a cell has its name in both.
                name = rows[0].next().or(name);
            }
            if let Some(name) = name {
                local.name = name;
            }
        }
        Ok(())
    }
}

/// A code's names with those that programs see replaced, in order.
fn rename_used(field: &Field<'_>, code: &mut Code) -> R<()> {
    let names = field.names()?;
    let used = is_used_name(code);
    if used.iter().filter(|used| **used).count() != names.len() {
        return Err(field.vm.value_error("code: co_names does not fit the instructions"));
    }
    let slots = code.names.iter_mut().zip(used).filter(|(_, used)| *used);
    for ((slot, _), name) in slots.zip(names) {
        *slot = name;
    }
    Ok(())
}

fn set_constants(field: &Field<'_>, code: &mut Code) -> R<()> {
    let mut constants = Vec::new();
    for &v in field.tuple()?.items() {
        match constant_of(field.vm, v)? {
            Some(c) => field.vm.push(&mut constants, c)?,
            None => {
                let name = field.vm.type_name(v);
                return Err(field.vm.unsupported(&format!("constants of the type {name}")));
            }
        }
    }
    code.consts = constants;
    Ok(())
}

fn set_handlers(field: &Field<'_>, code: &mut Code) -> R<()> {
    let words = field.words()?;
    if !words.len().is_multiple_of(4) {
        return Err(field.vm.value_error("code: co_exceptiontable is malformed"));
    }
    let rows = words
        .chunks_exact(4)
        .map(|w| Some(Handler { start: w[0], end: w[1], target: w[2], reg: u16::try_from(w[3]).ok()? }));
    let rows: Option<Vec<Handler>> = field.vm.collected(rows)?.into_iter().collect();
    code.handlers = rows.ok_or_else(|| field.vm.value_error("code: co_exceptiontable is malformed"))?;
    Ok(())
}

pub fn replace(vm: &Vm, args: Args<'_>) -> R<Value> {
    let Some(c) = args.positional().first().and_then(|c| c.cast::<CodeObject>()) else {
        return Err(vm.type_error("descriptor 'replace' for 'code' objects doesn't apply here"));
    };
    if args.positional().len() > 1 {
        return Err(vm.type_error("replace() takes no positional arguments"));
    }
    let mut new: Code = c.portable().clone();
    let mut locals = Names::of(&new);
    let mut count: Option<usize> = None;
    // The instructions say which names are used.
    let (mut names, mut renamed) = (None, false);
    let hidden = new.arg_count - arg_count(&new) as u16;
    for (k, v) in args.keywords() {
        let name = vm.str_string(k)?;
        let field = Field { vm, caller: "replace", name: &name, value: v };
        match name.as_str() {
            "co_name" => new.name = field.text()?,
            "co_qualname" => new.qualname = field.text()?,
            "co_filename" => new.filename = field.text()?,
            "co_firstlineno" => new.first_line = field.number()?,
            "co_linetable" => new.positions = Positions::from_bytes(field.bytes()?.bytes().into()),
            "co_flags" => new.flags = field.number()?,
            "co_argcount" => new.arg_count = field.number::<u16>()?.saturating_add(hidden),
            "co_posonlyargcount" => new.posonly_count = field.number()?,
            "co_kwonlyargcount" => new.kwonly_count = field.number()?,
            "co_stacksize" => new.nregs = field.number()?,
            "co_nlocals" => count = Some(field.number::<u32>()? as usize),
            "co_code" => new.units = field.words()?,
            "co_consts" => set_constants(&field, &mut new)?,
            "co_exceptiontable" => set_handlers(&field, &mut new)?,
            "co_names" => names = Some(v),
            "co_varnames" => (locals.variables, renamed) = (field.names()?, true),
            "co_cellvars" => (locals.cells, renamed) = (field.names()?, true),
            "co_freevars" => (locals.free, renamed) = (field.names()?, true),
            _ => return Err(vm.type_error(format!("replace() got an unexpected keyword argument '{name}'"))),
        }
    }
    if count.is_some_and(|n| n != locals.variables.len()) {
        return Err(vm.value_error("code: co_nlocals != len(co_varnames)"));
    }
    if renamed {
        locals.rename(vm, &mut new)?;
    }
    if let Some(value) = names {
        rename_used(&Field { vm, caller: "replace", name: "co_names", value }, &mut new)?;
    }
    checked(vm, new)
}

fn checked(vm: &Vm, new: Code) -> R<Value> {
    if let Err(e) = skein_bytecode::verify(&new) {
        return Err(vm.value_error(format!("code: {}", e.message)));
    }
    Ok(load(vm, CodeRef::new(new))?.value())
}

const FIELDS: [&str; 18] = [
    "argcount",
    "posonlyargcount",
    "kwonlyargcount",
    "nlocals",
    "stacksize",
    "flags",
    "codestring",
    "constants",
    "names",
    "varnames",
    "filename",
    "name",
    "qualname",
    "firstlineno",
    "linetable",
    "exceptiontable",
    "freevars",
    "cellvars",
];

/// `code(argcount, …)`. A module's or class's code has its namespace in a register that no attribute tells of, so that
/// such a code is had by `replace()` only.
pub fn make(vm: &Vm, args: Args<'_>) -> R<Value> {
    let given = args.positional().get(1..).unwrap_or(&[]);
    if args.has_keywords() {
        return Err(vm.type_error("code() takes no keyword arguments"));
    }
    if !(16..=18).contains(&given.len()) {
        let bound = if given.len() < 16 { "at least 16" } else { "at most 18" };
        return Err(vm.type_error(format!("code expected {bound} arguments, got {}", given.len())));
    }
    let empty = vm.tuple(&[])?;
    let field = |i: usize| Field {
        vm,
        caller: "code",
        name: FIELDS[i],
        value: given.get(i).copied().unwrap_or(empty),
    };
    let names = Names { variables: field(9).names()?, cells: field(17).names()?, free: field(16).names()? };
    if field(3).number::<u32>()? as usize != names.variables.len() {
        return Err(vm.value_error("code: co_nlocals != len(co_varnames)"));
    }
    let mut locals = Vec::new();
    for name in names.variables {
        let kind = if names.cells.contains(&name) { LocalKind::Cell } else { LocalKind::Plain };
        vm.push(&mut locals, Local { name, kind })?;
    }
    for (row, kind) in [(names.cells, LocalKind::Cell), (names.free, LocalKind::Free)] {
        for name in row {
            if !locals.iter().any(|l| l.name == name) {
                vm.push(&mut locals, Local { name, kind })?;
            }
        }
    }
    let mut new = Code {
        name: field(11).text()?,
        qualname: field(12).text()?,
        filename: field(10).text()?,
        first_line: field(13).number()?,
        flags: field(5).number::<u32>()? & !flags::HOSTED,
        arg_count: field(0).number()?,
        posonly_count: field(1).number()?,
        kwonly_count: field(2).number()?,
        nregs: field(4).number()?,
        locals,
        units: field(6).words()?,
        consts: Vec::new(),
        names: field(8).names()?,
        handlers: Vec::new(),
        positions: Positions::from_bytes(field(14).bytes()?.bytes().into()),
    };
    set_constants(&field(7), &mut new)?;
    set_handlers(&field(15), &mut new)?;
    checked(vm, new)
}
