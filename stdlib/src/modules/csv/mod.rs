//! `_csv`: rows of text fields.

mod dialect;
mod reader;
mod writer;

use super::support::{self, add_exception};
use dialect::{DIALECT, Registry, by_name, make as make_dialect};
use skein_runtime::object::Ref;
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::list::List;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::Str;
use skein_runtime::{Args, R, Raised, Value, Vm, native_functions};
use std::cell::Cell;

#[cold]
fn error(vm: &Vm, message: impl AsRef<str>) -> Raised {
    support::raise(vm, "_csv.Error", message)
}

/// Characters that a field may have.
struct Limit(Cell<usize>);

impl Default for Limit {
    fn default() -> Limit {
        Limit(Cell::new(128 * 1024))
    }
}

native_functions! { FUNCTIONS:
    "reader(iterable, dialect='excel', **kwargs)" => |vm: &Vm, args: Args<'_>| reader::reader(vm, args), "Return a reader object that will process lines from the given iterable.";
    "writer(fileobj, dialect='excel', **kwargs)" => |vm: &Vm, args: Args<'_>| writer::writer(vm, args), "Return a writer object that will write user data on the given file object.";
    "register_dialect(name, dialect='excel', **kwargs)" => register_dialect, "Create a mapping from a string name to a CVS dialect.";
    "unregister_dialect(name)" => unregister_dialect, "Delete the name/dialect mapping associated with a string name.";
    "get_dialect(name)" => by_name, "Return the dialect instance associated with name.";
    "list_dialects()" => list_dialects, "Return a list of all known dialect names.";
    "field_size_limit(new_limit=<unrepresentable>)" => field_size_limit, "Sets an upper limit on parsed fields.";
}

fn register_dialect(vm: &Vm, args: Args<'_>) -> R<()> {
    let (name, base) = match args.positional() {
        [name] => (*name, None),
        [name, base] => (*name, Some(*base)),
        _ => return Err(vm.type_error("register_dialect expected 1 or 2 positional arguments")),
    };
    if name.cast::<Str>().is_none() {
        return Err(vm.type_error("dialect name must be a string"));
    }
    let d = make_dialect(vm, base, args)?;
    vm.state::<Registry>().dict(vm)?.set(vm, name, d.value())
}

fn unregister_dialect(vm: &Vm, name: Value) -> R<()> {
    match vm.state::<Registry>().dict(vm)?.delete(vm, name)? {
        true => Ok(()),
        false => Err(error(vm, "unknown dialect")),
    }
}

fn list_dialects(vm: &Vm) -> R<Ref<List>> {
    let out = List::with_capacity(vm, 0)?;
    for (name, _) in vm.state::<Registry>().dict(vm)?.iter() {
        out.push(vm, name)?;
    }
    Ok(out)
}

fn field_size_limit(vm: &Vm, new: Option<Value>) -> R<usize> {
    let limit = vm.state::<Limit>();
    let old = limit.0.get();
    if let Some(v) = new {
        if !vm.is_int(v) {
            return Err(vm.type_error("limit must be an integer"));
        }
        limit.0.set(vm.index_i64(v)?.max(0) as usize);
    }
    Ok(old)
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "_csv", FUNCTIONS)?;
    let d = m.dict();
    for (name, n) in [
        ("QUOTE_MINIMAL", dialect::QUOTE_MINIMAL),
        ("QUOTE_ALL", dialect::QUOTE_ALL),
        ("QUOTE_NONNUMERIC", dialect::QUOTE_NONNUMERIC),
        ("QUOTE_NONE", dialect::QUOTE_NONE),
        ("QUOTE_STRINGS", dialect::QUOTE_STRINGS),
        ("QUOTE_NOTNULL", dialect::QUOTE_NOTNULL),
    ] {
        d.set_name(vm, name, Value::small_int(n))?;
    }
    d.set_name(vm, "_dialects", vm.state::<Registry>().dict(vm)?.value())?;
    d.set_name(vm, "Dialect", ext_type(vm, &DIALECT)?.value())?;
    d.set_name(vm, "Reader", ext_type(vm, &reader::READER)?.value())?;
    d.set_name(vm, "Writer", ext_type(vm, &writer::WRITER)?.value())?;
    add_exception(vm, m, "_csv.Error", vm.exc.exception)?;
    Ok(m)
}
