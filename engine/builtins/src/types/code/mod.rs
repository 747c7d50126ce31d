//! What Python code sees of `code`, `cell`.

mod build;
mod cell;
mod constants;

pub use cell::CELL;
pub use constants::constant_of;

use skein_bytecode::{Code, Extra, LocalKind, Op, instructions};
use skein_runtime::events::{FRAME_BEGINS, MARKS_SHOWN, is_branch, left_of};
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::code::CodeObject;
use skein_runtime::types::list::List;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub DEF: "code", Kind::Code, type_flags::HAS_WEAKREF, "Create a code object.  Not for mere mortals.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => build::make;
        "co_positions($self, /)" => positions;
        "co_lines($self, /)" => lines;
        "co_branches($self, /)" => branches;
        "replace($self, /, **changes)" => build::replace, "Return a copy of the code object with new values for the specified fields.";
        "__replace__($self, /, **changes)" => build::replace, "The same as replace().";
        "_varname_from_oparg($self, oparg)" => varname;
        "__eq__($self, value, /)" => eq;
        "__hash__($self, /)" => hash;
        "__repr__($self, /)" => repr;
    }
    getset {
        "co_name" => |_: &Vm, v: Ref<CodeObject>| Ok(v.name.or_none());
        "co_qualname" => |_: &Vm, v: Ref<CodeObject>| Ok(v.qualname.or_none());
        "co_filename" => |_: &Vm, v: Ref<CodeObject>| Ok(v.filename.or_none());
        "co_firstlineno" => |_: &Vm, v: Ref<CodeObject>| Ok(int(code(v).first_line));
        "co_flags" => |_: &Vm, v: Ref<CodeObject>| Ok(int(code(v).flags));
        "co_argcount" => |_: &Vm, v: Ref<CodeObject>| Ok(int(arg_count(code(v))));
        "co_posonlyargcount" => |_: &Vm, v: Ref<CodeObject>| Ok(int(code(v).posonly_count.into()));
        "co_kwonlyargcount" => |_: &Vm, v: Ref<CodeObject>| Ok(int(code(v).kwonly_count.into()));
        "co_nlocals" => |_: &Vm, v: Ref<CodeObject>| Ok(Value::small_int(variables(code(v)).count() as i64));
        "co_stacksize" => |_: &Vm, v: Ref<CodeObject>| Ok(int(code(v).nregs.into()));
        "co_varnames" => |vm: &Vm, v: Ref<CodeObject>| names(vm, variables(code(v)));
        "co_cellvars" => |vm: &Vm, v: Ref<CodeObject>| names(vm, of_kind(code(v), LocalKind::Cell));
        "co_freevars" => |vm: &Vm, v: Ref<CodeObject>| names(vm, of_kind(code(v), LocalKind::Free));
        "co_names" => |vm: &Vm, v: Ref<CodeObject>| names(vm, used_names(v.portable()).into_iter());
        "co_consts" => constants;
        "co_code" => |vm: &Vm, v: Ref<CodeObject>| vm.bytes(&bytes_of(code(v)));
        "_co_code_adaptive" => |vm: &Vm, v: Ref<CodeObject>| vm.bytes(&bytes_of(code(v)));
        "co_linetable" => |vm: &Vm, v: Ref<CodeObject>| vm.bytes(code(v).positions.as_bytes());
        "co_lnotab" => |vm: &Vm, _: Value| -> R<Value> {
            vm.warn(vm.exc.deprecation_warning, "co_lnotab is deprecated, use co_lines instead.")?;
            vm.bytes(&[])
        };
        "co_exceptiontable" => |vm: &Vm, v: Ref<CodeObject>| {
            let mut table = Vec::new();
            for h in &code(v).handlers {
                for n in [h.start, h.end, h.target, u32::from(h.reg)] {
                    table.extend(n.to_le_bytes());
                }
            }
            vm.bytes(&table)
        };
    }
}

fn code(v: Ref<CodeObject>) -> &'static Code {
    // SAFETY: the object keeps its code; the getters hold the object while they look at it.
    unsafe { &*std::ptr::from_ref(v.portable()) }
}

fn int(n: u32) -> Value {
    Value::small_int(i64::from(n))
}

/// Without the namespace that a module's or class's code is given.
fn arg_count(c: &Code) -> u32 {
    let hidden = c.locals.first().is_some_and(|l| &*l.name == ".namespace");
    u32::from(c.arg_count).saturating_sub(hidden.into())
}

/// Names of the fast variables: parameters first.
fn variables(c: &Code) -> impl Iterator<Item = &str> {
    let params = c.param_count();
    let hidden = |n: &str| n == ".namespace";
    c.locals
        .iter()
        .enumerate()
        .filter(move |(i, l)| {
            (l.kind == LocalKind::Plain || (*i < params && l.kind == LocalKind::Cell)) && !hidden(&l.name)
        })
        .map(|(_, l)| &*l.name)
}

fn of_kind(c: &Code, kind: LocalKind) -> impl Iterator<Item = &str> {
    c.locals.iter().filter(move |l| l.kind == kind).map(|l| &*l.name)
}

/// Names of globals, attributes and modules; not those that only errors about variables tell.
fn used_names(c: &Code) -> Vec<&str> {
    c.names.iter().zip(is_used_name(c)).filter(|(_, used)| *used).map(|(n, _)| &**n).collect()
}

/// Which of the names these are.
fn is_used_name(c: &Code) -> Vec<bool> {
    // bounded: by the code
    let mut used = vec![false; c.names.len()];
    for inst in instructions(&c.units) {
        let of_variable =
            matches!(inst.op, Op::CheckBound | Op::DeleteLocal | Op::LoadDeref | Op::DeleteDeref);
        if !of_variable
            && matches!(inst.op.info().extra, Extra::Name | Extra::Attr | Extra::Method | Extra::Global)
            && let Some(used) = used.get_mut(inst.w as usize)
        {
            *used = true;
        }
    }
    used
}

fn names<'a>(vm: &Vm, names: impl Iterator<Item = &'a str>) -> R<Value> {
    let list = List::with_capacity(vm, 8)?;
    for n in names {
        list.push(vm, vm.intern(n)?.value())?;
    }
    vm.tuple(list.items())
}

fn constants(vm: &Vm, v: Ref<CodeObject>) -> R<Value> {
    let list = List::with_capacity(vm, 8)?;
    for i in 0..v.portable().consts.len() {
        list.push(vm, v.constant(vm, i)?.unwrap_or(Value::NONE))?;
    }
    vm.tuple(list.items())
}

fn bytes_of(c: &Code) -> Vec<u8> {
    c.units.iter().flat_map(|u| u.to_le_bytes()).collect()
}

/// One (line, end line, column, end column) for each two bytes of `co_code`, so that what `tb_lasti` says
/// divided by two finds it, as in CPython.
fn positions(vm: &Vm, c: Ref<CodeObject>) -> R<Value> {
    let units = c.portable().units.len() as u32;
    let list = List::with_capacity(vm, units as usize * 2)?;
    for (start, end, p) in c.portable().positions.rows() {
        let known = |n: u32, none: u32| if n == none { Value::NONE } else { int(n) };
        // Where columns are left out, there is one line.
        let end_line = known(if p.col == u32::MAX { p.line } else { p.end_line }, 0);
        let row = [known(p.line, 0), end_line, known(p.col, u32::MAX), known(p.end_col, u32::MAX)];
        let row = vm.tuple(&row)?;
        // A table that a program gave may say more or less than there is.
        for _ in start.min(units) * 2..end.min(units) * 2 {
            list.push(vm, row)?;
        }
    }
    let unknown = vm.tuple(&[Value::NONE; 4])?;
    while list.len() < units as usize * 2 {
        list.push(vm, unknown)?;
    }
    vm.iter(list.value())
}

/// (start, end, line) for each run of units of one line. Lines for which nothing is done have the last bytes of the
/// instruction before; a frame's beginning is before all of these.
fn lines(vm: &Vm, c: Ref<CodeObject>) -> R<Value> {
    let list = List::with_capacity(vm, 8)?;
    let units = c.portable().units.len() as i32;
    let mut runs: Vec<(i32, i32, u32)> = Vec::new();
    let mut marks: Vec<u32> = Vec::new();
    if c.portable().positions.rows().next().is_none() {
        return vm.iter(list.value());
    }
    runs.push((FRAME_BEGINS, FRAME_BEGINS + 1, c.portable().first_line));
    for (start, end, p) in c.portable().positions.rows() {
        if start == end {
            marks.push(p.line);
            continue;
        }
        let (start, end) = ((start as i32).min(units) * 4, (end as i32).min(units) * 4);
        let shown = marks.len().min(MARKS_SHOWN);
        if shown > 0 {
            let from = start - shown as i32;
            if let Some(last) = runs.last_mut().filter(|last| last.1 > from) {
                last.1 = from;
            }
            for (i, &line) in marks.iter().take(shown).enumerate() {
                runs.push((from + i as i32, from + i as i32 + 1, line));
            }
        }
        marks.clear();
        // What belongs to no line is of the line before, also if nothing is done for that.
        let line = if p.line == 0 { runs.last().map_or(0, |last| last.2) } else { p.line };
        match runs.last_mut() {
            Some(last) if last.2 == line && last.0 >= 0 => last.1 = end,
            _ => runs.push((start, end, line)),
        }
    }
    for (start, end, line) in runs {
        let line = if line == 0 { Value::NONE } else { int(line) };
        let row = vm.tuple(&[Value::small_int(start.into()), Value::small_int(end.into()), line])?;
        list.push(vm, row)?;
    }
    vm.iter(list.value())
}

/// (instruction, where it goes on if it does not jump, where if it does) for each branch.
fn branches(vm: &Vm, c: Ref<CodeObject>) -> R<Value> {
    let list = List::with_capacity(vm, 8)?;
    for inst in instructions(&c.portable().units).filter(|i| is_branch(i.op)) {
        let target = inst.target().and_then(|t| u32::try_from(t).ok()).unwrap_or(0);
        let row = [inst.at, left_of(inst.op, inst.at), target].map(|unit| int(unit * 4));
        list.push(vm, vm.tuple(&row)?)?;
    }
    vm.iter(list.value())
}

/// The name of a local by its register.
fn varname(vm: &Vm, c: Ref<CodeObject>, register: i64) -> R<Value> {
    let local = usize::try_from(register).ok().and_then(|i| c.portable().locals.get(i));
    match local {
        Some(l) => Ok(vm.intern(&l.name)?.value()),
        None => Err(vm.index_error("tuple index out of range")),
    }
}

fn eq(_: &Vm, a: Ref<CodeObject>, b: Value) -> Value {
    match b.cast::<CodeObject>() {
        Some(b) => Value::bool(a == b || a.portable() == b.portable()),
        None => Value::NOT_IMPLEMENTED,
    }
}

fn hash(vm: &Vm, c: Ref<CodeObject>) -> R<Value> {
    use std::hash::{Hash, Hasher};
    let mut h = rustc_hash::FxHasher::default();
    c.portable().hash(&mut h);
    vm.int((h.finish() >> 3) as i64)
}

fn repr(_: &Vm, c: Ref<CodeObject>) -> String {
    let p = c.portable();
    format!(
        "<code object {} at {:#x}, file \"{}\", line {}>",
        p.name,
        c.value().bits(),
        p.filename,
        p.first_line
    )
}
