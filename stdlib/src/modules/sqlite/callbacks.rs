//! What SQLite calls.
//!
//! A callback runs inside of a call of SQLite's, while its connection is held by whoever makes that; the callables are
//! kept by the connection's object. No exception passes through SQLite: it is shown if the program wants that, and the
//! statement fails.

use super::database::{Database, DatabaseRef};
use super::{Tracebacks, values};
use skein_runtime::types::dict::Dict;
use skein_runtime::types::ext::Ext;
use skein_runtime::types::list::List;
use skein_runtime::{R, Value, Vm};
use skein_sqlite::{AggregateState, Output, ValueRef};
use std::cmp::Ordering;

/// The connection that a callback belongs to.
#[derive(Clone, Copy)]
pub struct Owner {
    vm: *const Vm,
    database: DatabaseRef,
}

impl Owner {
    pub fn new(vm: &Vm, database: DatabaseRef) -> Owner {
        Owner { vm, database }
    }

    pub fn vm(&self) -> &Vm {
        // SAFETY: the isolate is where it was made until it ends, and its objects, of which the connection is one, end
        // before. Callbacks run inside of natives, with the isolate's lock.
        unsafe { &*self.vm }
    }

    fn database(&self) -> &Ext<Database> {
        &self.database
    }
}

const DENY: i32 = 1;

/// Shows the pending exception if the program wants that, and drops it.
fn dismiss(vm: &Vm, callable: Value) {
    if vm.state::<Tracebacks>().0.get() {
        let pending = vm.pending.take();
        let text = vm.repr_string(callable).unwrap_or_default();
        vm.pending.set(pending);
        vm.unraisable(Some(&format!("Exception ignored on sqlite3 callback {text}")), Value::NONE);
    }
    vm.pending.take();
}

/// What SQLite is told of the pending exception.
fn failed(vm: &Vm, message: &str, callable: Value) -> Output {
    let output = if vm.pending_is(vm.exc.memory_error) {
        Output::NoMemory
    } else if vm.pending_is(vm.exc.overflow_error) {
        Output::TooBig
    } else {
        Output::Error(message.into())
    };
    dismiss(vm, callable);
    output
}

fn arguments(vm: &Vm, row: &[ValueRef<'_>]) -> R<skein_runtime::object::Ref<List>> {
    let list = List::with_capacity(vm, row.len())?;
    for v in row {
        list.push(vm, values::object(vm, *v)?)?;
    }
    Ok(list)
}

/// An object as a function's result.
fn result(vm: &Vm, v: R<Value>, message: &str, callable: Value) -> Output {
    match v.and_then(|v| values::output(vm, v)) {
        Ok(Some(output)) => output,
        Ok(None) => Output::Error(message.into()),
        Err(_) => failed(vm, message, callable),
    }
}

pub fn scalar(owner: Owner, f: Value, row: &[ValueRef<'_>]) -> Output {
    let vm = owner.vm();
    let v = arguments(vm, row).and_then(|a| vm.call(f, a.items()));
    result(vm, v, "user-defined function raised exception", f)
}

/// An aggregate of a group, whose instance the connection keeps.
struct Aggregate {
    owner: Owner,
    number: i64,
}

/// Begins an aggregate; its message where that fails.
pub fn begin(owner: Owner, class: Value) -> Result<Box<dyn AggregateState>, String> {
    let vm = owner.vm();
    let database = owner.database();
    let make = || {
        let instance = vm.call(class, &[])?;
        let number = database.next_instance.get();
        database.next_instance.set(number + 1);
        if let Some(all) = database.instances.cast::<Dict>() {
            all.set(vm, vm.int(number)?, instance)?;
        }
        Ok(number)
    };
    match make() {
        Ok(number) => Ok(Box::new(Aggregate { owner, number })),
        Err(skein_runtime::Raised) => {
            dismiss(vm, class);
            Err("user-defined aggregate's '__init__' method raised error".into())
        }
    }
}

impl Aggregate {
    fn instance(&self) -> R<Option<Value>> {
        let vm = self.owner.vm();
        match self.owner.database().instances.cast::<Dict>() {
            Some(all) => all.get(vm, vm.int(self.number)?),
            None => Ok(None),
        }
    }

    /// Calls a method of the instance; the message where that fails.
    fn call(&self, name: &str, row: &[ValueRef<'_>]) -> Result<Value, Output> {
        let vm = self.owner.vm();
        let Ok(Some(instance)) = self.instance() else {
            vm.pending.take();
            return Ok(Value::NONE);
        };
        let method = match vm.get_attr_str(instance, name) {
            Ok(method) => method,
            Err(_) => {
                let what = if vm.pending_is(vm.exc.attribute_error) { "not defined" } else { "raised error" };
                let message = format!("user-defined aggregate's '{name}' method {what}");
                return Err(failed(vm, &message, instance));
            }
        };
        let called = arguments(vm, row).and_then(|a| vm.call(method, a.items()));
        called.map_err(|_| failed(vm, &Self::message(name), method))
    }

    fn message(name: &str) -> String {
        format!("user-defined aggregate's '{name}' method raised error")
    }

    fn output(&self, name: &str) -> Output {
        match self.call(name, &[]) {
            Ok(v) => result(self.owner.vm(), Ok(v), &Self::message(name), v),
            Err(output) => output,
        }
    }
}

/// The message of a step that failed.
fn message(output: Output, name: &str) -> String {
    match output {
        Output::Error(message) => message,
        _ => Aggregate::message(name),
    }
}

impl AggregateState for Aggregate {
    fn step(&mut self, row: &[ValueRef<'_>]) -> Result<(), String> {
        self.call("step", row).map(|_| ()).map_err(|o| message(o, "step"))
    }

    fn inverse(&mut self, row: &[ValueRef<'_>]) -> Result<(), String> {
        self.call("inverse", row).map(|_| ()).map_err(|o| message(o, "inverse"))
    }

    fn value(&mut self) -> Output {
        self.output("value")
    }

    fn finish(&mut self) -> Output {
        let output = self.output("finalize");
        let vm = self.owner.vm();
        if let Some(all) = self.owner.database().instances.cast::<Dict>()
            && let Ok(number) = vm.int(self.number)
            && all.delete(vm, number).is_err()
        {
            vm.pending.take();
        }
        output
    }
}

pub fn compare(owner: Owner, f: Value, a: &[u8], b: &[u8]) -> Ordering {
    let vm = owner.vm();
    let ask = || {
        let row = [values::object(vm, ValueRef::Text(a))?, values::object(vm, ValueRef::Text(b))?];
        let order = vm.call(f, &row)?;
        vm.index_i64(order)
    };
    match ask() {
        Ok(n) => n.cmp(&0),
        Err(_) => {
            dismiss(vm, f);
            Ordering::Equal
        }
    }
}

pub fn authorize(owner: Owner, f: Value, action: i32, names: [Option<&[u8]>; 4]) -> i32 {
    let vm = owner.vm();
    let ask = || {
        let row = List::with_capacity(vm, 5)?;
        row.push(vm, vm.int(action.into())?)?;
        for name in names {
            let name = match name {
                Some(name) => vm.str(&String::from_utf8_lossy(name))?,
                None => Value::NONE,
            };
            row.push(vm, name)?;
        }
        let answer = vm.call(f, row.items())?;
        if !vm.is_int(answer) {
            return Ok(DENY);
        }
        match vm.as_i64(answer).and_then(|n| i32::try_from(n).ok()) {
            Some(n) => Ok(n),
            None => Err(vm.overflow_error("Python int too large to convert to C int")),
        }
    };
    ask().unwrap_or_else(|_| {
        dismiss(vm, f);
        DENY
    })
}

pub fn progress(owner: Owner, f: Value) -> bool {
    let vm = owner.vm();
    vm.call(f, &[]).and_then(|v| vm.truth(v)).unwrap_or_else(|_| {
        dismiss(vm, f);
        true
    })
}

pub fn trace(owner: Owner, f: Value, sql: Option<&[u8]>) {
    let vm = owner.vm();
    let Some(sql) = sql else { return };
    let told = values::object(vm, ValueRef::Text(sql)).and_then(|text| vm.call(f, &[text]));
    if told.is_err() {
        dismiss(vm, f);
    }
}
