//! Prepared statements.

use super::database::{Database, DatabaseRef, enter};
use super::{checked, values};
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::list::List;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Value, Vm, native_type};
use skein_sqlite::{Statement, Step};
use std::cell::RefCell;
use std::rc::Rc;

pub struct Prepared {
    /// The connection, whose functions it may call.
    database: Field,
    /// Nothing once it is finalized.
    statement: RefCell<Option<Rc<Statement>>>,
}

impl Payload for Prepared {
    const NAME: &'static str = "_sqlite.Statement";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Prepared { database, statement: _ } = self;
        database.trace(t);
    }
}

type This = ExtArg<Prepared>;

native_type! {
    pub STATEMENT: "_sqlite.Statement", Kind::Ext, type_flags::NO_NEW, "A prepared statement.";
    methods {
        "step($self, /)" => step, "Go on to the next row; whether there is one.";
        "reset($self, /)" => reset, "End the execution.";
        "finalize($self, /)" => |_: &Vm, s: This| { s.0.statement.take(); }, "Let go of it at once: it cannot be executed any more.";
        "is_busy($self, /)" => |vm: &Vm, s: This| -> R<bool> { Ok(live(vm, &s)?.is_busy()) }, "Whether it was stepped and not to its end.";
        "bind_all($self, parameters, adapt, /)" => bind_all, "Give the parameters their values; None, or the index of one that is no value.";
        "parameter_names($self, /)" => parameter_names, "Names of all parameters, with their signs; None for those without.";
        "columns($self, /)" => columns, "Name and declared type of each column of the result.";
        "row($self, text_factory, converters, /)" => row, "The row that is there.";
        "rows($self, text_factory, /)" => rows, "All rows from the one that is there on, as tuples.";
    }
    getset {
        "is_readonly" => |vm: &Vm, s: This| -> R<Value> { Ok(Value::bool(live(vm, &s)?.is_readonly())) };
        "is_explain" => |vm: &Vm, s: This| -> R<Value> { Ok(Value::bool(live(vm, &s)?.is_explain())) };
        "column_count" => |vm: &Vm, s: This| vm.int(live(vm, &s)?.column_count() as i64);
        "parameter_count" => |vm: &Vm, s: This| vm.int(live(vm, &s)?.parameter_count() as i64);
    }
}

/// MemoryError.
pub fn new(vm: &Vm, database: DatabaseRef, statement: Rc<Statement>) -> R<Value> {
    let statement = RefCell::new(Some(statement));
    let prepared = Prepared { database: Field::new(Some(database.value())), statement };
    Ok(Ext::new(vm, ext_type(vm, &STATEMENT)?, prepared)?.value())
}

fn database(vm: &Vm, s: &This) -> R<DatabaseRef> {
    s.0.database.cast::<Ext<Database>>().ok_or_else(|| vm.system_error("a statement without a connection"))
}

/// The statement, if it is not finalized. ProgrammingError.
fn live(vm: &Vm, s: &This) -> R<Rc<Statement>> {
    let live = s.0.statement.borrow().clone();
    live.ok_or_else(|| {
        super::fault(vm, &skein_sqlite::Fault { code: 21, message: "the statement is finalized".into() })
    })
}

fn step(vm: &Vm, s: This) -> R<bool> {
    let database = database(vm, &s)?;
    let _entered = enter(vm, database)?;
    let stepped = live(vm, &s)?.step();
    Ok(checked(vm, stepped)? == Step::Row)
}

fn reset(vm: &Vm, s: This) -> R<()> {
    let database = database(vm, &s)?;
    let _entered = enter(vm, database)?;
    // A failure is that of the execution, which was told of.
    let _ = live(vm, &s)?.reset();
    Ok(())
}

fn bind_all(vm: &Vm, s: This, parameters: Value, adapt: Value) -> R<Value> {
    let parameters = vm.list_from(parameters)?;
    let statement = live(vm, &s)?;
    statement.clear_bindings();
    let mut i = 0;
    while let Some(v) = parameters.get(i) {
        let v = if values::is_plain(vm, v) { v } else { vm.call(adapt, &[v])? };
        match values::bind(vm, &statement, i + 1, v)? {
            Some(bound) => checked(vm, bound)?,
            None => return vm.tuple(&[vm.int(i as i64)?, v]),
        }
        i += 1;
    }
    Ok(Value::NONE)
}

fn parameter_names(vm: &Vm, s: This) -> R<Value> {
    let names = List::with_capacity(vm, 0)?;
    let statement = live(vm, &s)?;
    for i in 1..=statement.parameter_count() {
        let name = match statement.parameter_name(i) {
            Some(name) => vm.str(&String::from_utf8_lossy(&name))?,
            None => Value::NONE,
        };
        names.push(vm, name)?;
    }
    Ok(names.value())
}

fn columns(vm: &Vm, s: This) -> R<Value> {
    let columns = List::with_capacity(vm, 0)?;
    let statement = live(vm, &s)?;
    for i in 0..statement.column_count() {
        let Some(column) = statement.column(i) else { return Err(vm.memory_error()) };
        let name = vm.str(&String::from_utf8_lossy(&column.name))?;
        let declared = match column.declared {
            Some(d) => vm.str(&String::from_utf8_lossy(&d))?,
            None => Value::NONE,
        };
        columns.push(vm, vm.tuple(&[name, declared])?)?;
    }
    Ok(columns.value())
}

/// One value of the row. OperationalError for text that is no UTF-8.
fn value(vm: &Vm, s: &Statement, i: usize, factory: Value) -> R<Value> {
    let bad = s.with_value(i, |v| match v {
        skein_sqlite::ValueRef::Text(t) => {
            // What the factory does may step the statement, so it gets a copy.
            let found = if factory.is(vm.types.str.value()) || factory.is(vm.types.bytes.value()) {
                values::text(vm, t, factory)?
            } else {
                return Ok(Err(vm.copied(t)?));
            };
            found.map(Ok).map_or_else(|| Ok(Err(vm.copied(t)?)), Ok)
        }
        other => values::object(vm, other).map(Ok),
    })?;
    let text = match bad {
        Ok(v) => return Ok(v),
        Err(text) => text,
    };
    if !factory.is(vm.types.str.value()) {
        return match values::text(vm, &text, factory)? {
            Some(v) => Ok(v),
            None => Ok(Value::NONE),
        };
    }
    let name = s.column(i).map(|c| String::from_utf8_lossy(&c.name).into_owned()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let message = format!("Could not decode to UTF-8 column '{name}' with text '{text}'");
    Err(super::fault(vm, &skein_sqlite::Fault { code: 1, message }))
}

fn row(vm: &Vm, s: This, factory: Value, converters: Value) -> R<Value> {
    let statement = &*live(vm, &s)?;
    let converters = converters.cast::<Tuple>();
    let count = statement.data_count();
    let row = List::with_capacity(vm, count)?;
    for i in 0..count {
        let converter = converters.and_then(|c| c.items().get(i).copied()).filter(|c| !c.is_none());
        let v = match converter {
            None => value(vm, statement, i, factory)?,
            Some(converter) => {
                let bytes = statement.with_bytes(i, |b| b.map(|b| vm.bytes(b)).transpose())?;
                match bytes {
                    Some(b) => vm.call(converter, &[b])?,
                    None => Value::NONE,
                }
            }
        };
        row.push(vm, v)?;
    }
    vm.tuple(row.items())
}

fn rows(vm: &Vm, s: This, factory: Value) -> R<Value> {
    let rows = List::with_capacity(vm, 0)?;
    let database = database(vm, &s)?;
    loop {
        rows.push(vm, row(vm, ExtArg(s.0), factory, Value::NONE)?)?;
        vm.check_signals()?;
        let entered = enter(vm, database)?;
        let stepped = live(vm, &s)?.step();
        drop(entered);
        if checked(vm, stepped)? == Step::Done {
            return Ok(rows.value());
        }
    }
}
