//! `_sre`: the regular expressions that the packaged `re` compiles.

mod chars;
mod engine;
mod matched;
mod ops;
mod pattern;
mod sets;
mod subject;
mod template;
mod text;

use pattern::{PATTERN, Pattern};
use skein_runtime::object::{Field, Ref};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{R, Value, Vm, native_functions};

native_functions! { FUNCTIONS:
    "compile(pattern, flags, code, groups, groupindex, indexgroup)" => compile;
    "template(pattern, template, /)" => template::make;
    "getcodesize()" => |_: &Vm| ops::CODESIZE;
    "getlower(character, flags, /)" => getlower;
    "ascii_iscased(character, /)" => |_: &Vm, c: u32| chars::ascii_lower(c) != c || chars::ascii_upper(c) != c;
    "unicode_iscased(character, /)" => |_: &Vm, c: u32| chars::is_cased(c);
    "ascii_tolower(character, /)" => |_: &Vm, c: u32| i64::from(chars::ascii_lower(c));
    "unicode_tolower(character, /)" => |_: &Vm, c: u32| i64::from(chars::lower(c));
}

fn getlower(_: &Vm, c: u32, flags: u32) -> i64 {
    let lower = if flags & ops::flag::UNICODE != 0 { chars::lower(c) } else { chars::ascii_lower(c) };
    lower.into()
}

fn compile(
    vm: &Vm,
    pattern: Value,
    flags: u32,
    code: Ref<List>,
    groups: usize,
    groupindex: Ref<Dict>,
    indexgroup: Ref<Tuple>,
) -> R<Value> {
    let mut words = vm.buffer(code.len())?;
    for &v in code.items() {
        match vm.as_i64(v).and_then(|i| u32::try_from(i).ok()) {
            Some(w) => words.push(w),
            None => return Err(vm.overflow_error("regular expression code size limit exceeded")),
        }
    }
    if groups > code.len() {
        // Each group has two marks in the code.
        return Err(vm.runtime_error("invalid SRE code"));
    }
    let p = Pattern {
        pattern: Field::new(Some(pattern)),
        groupindex: Field::new(Some(groupindex.value())),
        indexgroup: Field::new(Some(indexgroup.value())),
        flags,
        groups,
        code: words.into(),
        sets: Default::default(),
        is_text: (!pattern.is_none()).then(|| pattern.cast::<Str>().is_some()),
    };
    Ok(Ext::new(vm, ext_type(vm, &PATTERN)?, p)?.value())
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_sre", FUNCTIONS)?;
    let d = m.dict();
    for (name, n) in [
        ("MAGIC", ops::MAGIC),
        ("CODESIZE", ops::CODESIZE),
        ("MAXREPEAT", ops::MAXREPEAT.into()),
        ("MAXGROUPS", ops::MAXGROUPS.into()),
    ] {
        d.set_name(vm, name, Value::small_int(n))?;
    }
    Ok(m)
}
