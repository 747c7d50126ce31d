//! Blobs in place.

use super::super::support::BytesLike;
use super::checked;
use super::database::{Database, DatabaseRef, enter};
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Value, Vm, native_type};
use skein_sqlite::Blob;

pub struct InPlace {
    database: Field,
    blob: Blob,
}

impl Payload for InPlace {
    const NAME: &'static str = "_sqlite.Blob";
    fn trace(&self, t: &mut Tracer<'_>) {
        let InPlace { database, blob: _ } = self;
        database.trace(t);
    }
}

type This = ExtArg<InPlace>;

native_type! {
    pub BLOB: "_sqlite.Blob", Kind::Ext, type_flags::NO_NEW, "A blob that is read and written in place.";
    methods {
        "__len__($self, /)" => |_: &Vm, b: This| b.0.blob.len();
        "read($self, start, count, /)" => read;
        "write($self, start, data, /)" => write;
        "close($self, /)" => close;
    }
    getset {
        "is_open" => |_: &Vm, b: This| -> R<Value> { Ok(Value::bool(b.0.blob.is_open())) };
    }
}

/// MemoryError.
pub fn new(vm: &Vm, database: DatabaseRef, blob: Blob) -> R<Value> {
    let blob = InPlace { database: Field::new(Some(database.value())), blob };
    Ok(Ext::new(vm, ext_type(vm, &BLOB)?, blob)?.value())
}

fn database(vm: &Vm, b: &This) -> R<DatabaseRef> {
    b.0.database.cast::<Ext<Database>>().ok_or_else(|| vm.system_error("a blob without a connection"))
}

fn read(vm: &Vm, b: This, start: usize, count: usize) -> R<Value> {
    let mut out = vm.filled(0u8, count)?;
    let database = database(vm, &b)?;
    let entered = enter(vm, database)?;
    let done = b.0.blob.read(start, &mut out);
    drop(entered);
    checked(vm, done)?;
    vm.bytes(&out)
}

fn write(vm: &Vm, b: This, start: usize, data: BytesLike) -> R<()> {
    let database = database(vm, &b)?;
    let entered = enter(vm, database)?;
    let done = b.0.blob.write(start, &data);
    drop(entered);
    checked(vm, done)
}

fn close(vm: &Vm, b: This) -> R<()> {
    let database = database(vm, &b)?;
    let entered = enter(vm, database)?;
    // What failed was told of by the write.
    let _ = b.0.blob.close();
    drop(entered);
    Ok(())
}
