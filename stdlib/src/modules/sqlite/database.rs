//! Connections.
//!
//! One microthread at a time works on a connection: another thread waits, and a microthread of the same thread, for which nobody
//! could wait, is refused. The one that works may come back by a callback.

use super::super::io::path_bytes;
use super::super::support::BytesLike;
use super::callbacks::{self, Owner};
use super::{blob, c_text, checked, fault, statement, utf8};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument, ext_type};
use skein_runtime::types::str::Str;
use skein_runtime::{Args, R, Value, Vm, native_type};
use skein_sqlite::{Authorizer, Backup, Connection, Fault, MakeAggregate, Scalar, ValueRef};
use std::cell::Cell;
use std::time::{Duration, Instant};

pub struct Database {
    pub connection: Connection,
    /// Whoever works on it, and how often: thread and microthread.
    user: Cell<(u64, usize, u32)>,
    /// What SQLite may call, by a name for its place.
    pub callables: Field,
    /// Instances of aggregates that have begun, by number.
    pub instances: Field,
    pub next_instance: Cell<i64>,
}

impl Payload for Database {
    const NAME: &'static str = "_sqlite.Database";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Database { connection: _, user: _, callables, instances, next_instance: _ } = self;
        callables.trace(t);
        instances.trace(t);
    }
}

pub type DatabaseRef = Ref<Ext<Database>>;
type This = ExtArg<Database>;

native_type! {
    pub DATABASE: "_sqlite.Database", Kind::Ext, 0, "A connection to a database.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "close($self, /)" => |vm: &Vm, d: This| -> R<()> { let _entered = enter(vm, d.0)?; d.0.connection.close(); Ok(()) }, "Close the connection.";
        "prepare($self, sql, /)" => prepare, "The first statement in the text, or None, and the text behind it.";
        "interrupt($self, /)" => |vm: &Vm, d: This| checked(vm, d.0.connection.interrupt()), "Make what is being executed fail soon.";
        "limit($self, category, value, /)" => |vm: &Vm, d: This, category: i32, value: i32| checked(vm, d.0.connection.limit(category, value)).map(i64::from), "A limit's value before it was set to another.";
        "config($self, op, value, /)" => |vm: &Vm, d: This, op: i32, value: Value| -> R<bool> {
            let value = if value.is_none() { None } else { Some(vm.truth(value)?) };
            let _entered = enter(vm, d.0)?;
            checked(vm, d.0.connection.config(op, value))
        }, "A switch of the configuration.";
        "enable_load_extension($self, enable, /)" => |vm: &Vm, d: This, on: bool| checked(vm, d.0.connection.enable_load_extension(on));
        "load_extension($self, name, entry=<unrepresentable>, /)" => load_extension;
        "serialize($self, name, /)" => serialize;
        "deserialize($self, name, data, /)" => |vm: &Vm, d: This, name: Ref<Str>, data: BytesLike| -> R<()> {
            let name = c_text(vm, name)?;
            let _entered = enter(vm, d.0)?;
            checked(vm, d.0.connection.deserialize(&name, &data))
        };
        "create_function($self, name, count, deterministic, function, /)" => create_function;
        "create_aggregate($self, name, count, over_windows, class_, /)" => create_aggregate;
        "create_collation($self, name, function, /)" => create_collation;
        "set_authorizer($self, function, /)" => set_authorizer;
        "set_progress($self, every, function, /)" => set_progress;
        "set_trace($self, function, /)" => set_trace;
        "open_blob($self, schema, table, column, row, writable, /)" => open_blob;
        "backup($self, target, name, pages, progress, sleep, /)" => backup;
    }
    getset {
        "is_open" => |_: &Vm, d: This| -> R<Value> { Ok(Value::bool(d.0.connection.is_open())) };
        "autocommit" => |vm: &Vm, d: This| checked(vm, d.0.connection.autocommit()).map(Value::bool);
        "last_insert_rowid" => |vm: &Vm, d: This| vm.int(checked(vm, d.0.connection.last_insert_rowid())?);
        "changes" => |vm: &Vm, d: This| vm.int(checked(vm, d.0.connection.changes())?);
        "total_changes" => |vm: &Vm, d: This| vm.int(checked(vm, d.0.connection.total_changes())?);
    }
}

/// The right to work on a connection.
pub struct Entered(DatabaseRef);

impl Drop for Entered {
    fn drop(&mut self) {
        let (thread, micro, depth) = self.0.user.get();
        self.0.user.set((thread, micro, depth - 1));
    }
}

/// Waits until no other thread works on the connection. ProgrammingError if another microthread of this one does;
/// what a signal's handler raises.
pub fn enter(vm: &Vm, d: DatabaseRef) -> R<Entered> {
    let (thread, micro) = (vm.threads.current().ident(), vm.ctx.get().addr());
    loop {
        let (its_thread, its_micro, depth) = d.user.get();
        if depth == 0 || (its_thread, its_micro) == (thread, micro) {
            d.user.set((thread, micro, depth + 1));
            return Ok(Entered(d));
        }
        if its_thread == thread {
            let message = "the connection is in use by another microthread".into();
            return Err(fault(vm, &Fault { code: MISUSE, message }));
        }
        vm.without_gil(|| std::thread::sleep(Duration::from_millis(1)));
        vm.check_signals()?;
    }
}

const MISUSE: i32 = 21;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const DONE: i32 = 101;

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let class = class_argument(vm, &args, ext_type(vm, &DATABASE)?)?;
    let &[_, name, flags, timeout] = args.positional() else {
        return Err(vm.type_error("Database() takes a name, flags and a timeout"));
    };
    let name = path_bytes(vm, name)?;
    let flags = i32::try_from(vm.index_i64(flags)?).map_err(|_| vm.overflow_error("flags are too large"))?;
    let timeout = Duration::try_from_secs_f64(vm.to_f64(timeout)?.max(0.0)).unwrap_or(Duration::MAX);
    let opened = vm.without_gil(|| Connection::open(&name, flags));
    let connection = checked(vm, opened)?;
    let database = Database {
        connection,
        user: Cell::new((0, 0, 0)),
        callables: Field::new(Some(Dict::new(vm)?.value())),
        instances: Field::new(Some(Dict::new(vm)?.value())),
        next_instance: Cell::new(0),
    };
    let database = Ext::new(vm, class, database)?;
    let began = Cell::new(Instant::now());
    let owner = Owner::new(vm, database);
    let wait = move |count: i32| {
        if count == 0 {
            began.set(Instant::now());
        }
        let left = timeout.saturating_sub(began.get().elapsed());
        if left.is_zero() {
            return false;
        }
        let pause = Duration::from_millis(if count < 4 { 1 } else { 10 }).min(left);
        let vm = owner.vm();
        vm.without_gil(|| std::thread::sleep(pause));
        vm.check_signals().is_ok()
    };
    checked(vm, database.connection.set_busy(Box::new(wait)))?;
    Ok(database.value())
}

fn prepare(vm: &Vm, d: This, sql: Ref<Str>) -> R<Value> {
    let text = utf8(vm, sql)?;
    let entered = enter(vm, d.0)?;
    let prepared = d.0.connection.prepare(&text);
    drop(entered);
    let (found, used) = checked(vm, prepared)?;
    let rest = vm.str(&String::from_utf8_lossy(&text[used.min(text.len())..]))?;
    let found = match found {
        Some(s) => statement::new(vm, d.0, s)?,
        None => Value::NONE,
    };
    vm.tuple(&[found, rest])
}

fn load_extension(vm: &Vm, d: This, name: Value, entry: Option<Ref<Str>>) -> R<()> {
    let name = path_bytes(vm, name)?;
    let entry = entry.map(|e| c_text(vm, e)).transpose()?;
    let _entered = enter(vm, d.0)?;
    checked(vm, d.0.connection.load_extension(&name, entry.as_deref()))
}

fn serialize(vm: &Vm, d: This, name: Ref<Str>) -> R<Value> {
    let name = c_text(vm, name)?;
    let entered = enter(vm, d.0)?;
    let bytes = d.0.connection.serialize(&name);
    drop(entered);
    match checked(vm, bytes)? {
        Some(bytes) => vm.bytes(&bytes),
        None => Ok(Value::NONE),
    }
}

/// Puts a callable where the collector finds it, or takes it away.
fn keep(vm: &Vm, d: DatabaseRef, place: &str, callable: Value) -> R<()> {
    let Some(all) = d.callables.cast::<Dict>() else { return Ok(()) };
    all.set_name(vm, place, callable)
}

fn create_function(vm: &Vm, d: This, name: Ref<Str>, count: i32, deterministic: bool, f: Value) -> R<()> {
    let name = name.to_string_lossy().into_owned();
    let owner = Owner::new(vm, d.0);
    let scalar = (!f.is_none())
        .then(|| -> Scalar { Box::new(move |row: &[ValueRef<'_>]| callbacks::scalar(owner, f, row)) });
    let entered = enter(vm, d.0)?;
    let made = d.0.connection.create_function(&name, count, deterministic, scalar);
    drop(entered);
    checked(vm, made)?;
    keep(vm, d.0, &format!("function {} {count}", name.to_ascii_lowercase()), f)
}

fn create_aggregate(vm: &Vm, d: This, name: Ref<Str>, count: i32, windows: bool, class: Value) -> R<()> {
    let name = name.to_string_lossy().into_owned();
    let owner = Owner::new(vm, d.0);
    let make: Option<MakeAggregate> =
        (!class.is_none()).then(|| Box::new(move || callbacks::begin(owner, class)) as MakeAggregate);
    let entered = enter(vm, d.0)?;
    let made = d.0.connection.create_aggregate(&name, count, windows, make);
    drop(entered);
    checked(vm, made)?;
    keep(vm, d.0, &format!("function {} {count}", name.to_ascii_lowercase()), class)
}

fn create_collation(vm: &Vm, d: This, name: Ref<Str>, f: Value) -> R<()> {
    let text = c_text(vm, name)?.into_string().unwrap_or_default();
    let owner = Owner::new(vm, d.0);
    let collation =
        (!f.is_none()).then(|| Box::new(move |a: &[u8], b: &[u8]| callbacks::compare(owner, f, a, b)) as _);
    let entered = enter(vm, d.0)?;
    let made = d.0.connection.create_collation(&text, collation);
    drop(entered);
    checked(vm, made)?;
    keep(vm, d.0, &format!("collation {}", text.to_ascii_lowercase()), f)
}

fn set_authorizer(vm: &Vm, d: This, f: Value) -> R<()> {
    let owner = Owner::new(vm, d.0);
    let hook = (!f.is_none()).then(|| -> Authorizer {
        Box::new(move |action, names: [Option<&[u8]>; 4]| callbacks::authorize(owner, f, action, names))
    });
    let _entered = enter(vm, d.0)?;
    checked(vm, d.0.connection.set_authorizer(hook))?;
    keep(vm, d.0, "authorizer", f)
}

fn set_progress(vm: &Vm, d: This, every: i32, f: Value) -> R<()> {
    let owner = Owner::new(vm, d.0);
    let hook = (!f.is_none()).then(|| Box::new(move || callbacks::progress(owner, f)) as _);
    let _entered = enter(vm, d.0)?;
    checked(vm, d.0.connection.set_progress(every, hook))?;
    keep(vm, d.0, "progress", f)
}

fn set_trace(vm: &Vm, d: This, f: Value) -> R<()> {
    let owner = Owner::new(vm, d.0);
    let hook =
        (!f.is_none()).then(|| Box::new(move |sql: Option<&[u8]>| callbacks::trace(owner, f, sql)) as _);
    let _entered = enter(vm, d.0)?;
    checked(vm, d.0.connection.set_trace(hook))?;
    keep(vm, d.0, "trace", f)
}

fn open_blob(
    vm: &Vm,
    d: This,
    schema: Ref<Str>,
    table: Ref<Str>,
    column: Ref<Str>,
    row: i64,
    writable: bool,
) -> R<Value> {
    let text = |s: Ref<Str>| c_text(vm, s).map(|t| t.into_string().unwrap_or_default());
    let (schema, table, column) = (text(schema)?, text(table)?, text(column)?);
    let entered = enter(vm, d.0)?;
    let opened = d.0.connection.open_blob(&schema, &table, &column, row, writable);
    drop(entered);
    blob::new(vm, d.0, checked(vm, opened)?)
}

fn backup(vm: &Vm, d: This, target: This, name: Ref<Str>, pages: i32, progress: Value, sleep: f64) -> R<()> {
    let name = c_text(vm, name)?.into_string().unwrap_or_default();
    let (source, target) = (d.0, target.0);
    let begin = || {
        let _entered = (enter(vm, source)?, enter(vm, target)?);
        checked(vm, Backup::new(&source.connection, &name, &target.connection))
    };
    let backup = begin()?;
    loop {
        let entered = (enter(vm, source)?, enter(vm, target)?);
        let code = backup.step(pages);
        drop(entered);
        if vm.pending.get().is_some() {
            return Err(skein_runtime::Raised);
        }
        if !progress.is_none() {
            let row = [
                vm.int(code.into())?,
                vm.int(backup.remaining().into())?,
                vm.int(backup.page_count().into())?,
            ];
            vm.call(progress, &row)?;
        }
        match code {
            DONE => break,
            0 => {}
            BUSY | LOCKED => {
                let pause = Duration::try_from_secs_f64(sleep.max(0.0)).unwrap_or(Duration::MAX);
                vm.without_gil(|| std::thread::sleep(pause));
                vm.check_signals()?;
            }
            _ => break,
        }
        if !source.connection.is_open() || !target.connection.is_open() {
            break;
        }
    }
    let _entered = (enter(vm, source)?, enter(vm, target)?);
    checked(vm, backup.finish())
}
