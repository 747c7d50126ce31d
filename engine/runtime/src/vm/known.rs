//! Objects that the machine treats specially, found or made once after the types are filled.

use crate::object::Tracer;
use crate::types::slice::Slice;
use crate::value::Value;
use crate::vm::Vm;
use skein_bytecode::Special;
use std::cell::Cell;

/// Natives compared by identity.
#[derive(Default)]
pub struct Known {
    getattribute: [Cell<Option<Value>>; 3],
    setattr: [Cell<Option<Value>>; 4],
    object_new: Cell<Option<Value>>,
    object_init: Cell<Option<Value>>,
    type_call: Cell<Option<Value>>,
    object_ne: Cell<Option<Value>>,
    object_str: Cell<Option<Value>>,
    object_format: Cell<Option<Value>>,
    exception_new: Cell<Option<Value>>,
    exception_init: Cell<Option<Value>>,
    argument_slices: [Cell<Option<Value>>; 2],
}

impl Known {
    pub(crate) fn find(&self, vm: &Vm) {
        let of = |ty: crate::object::Ref<crate::types::typeobj::Type>, s| ty.special(vm, s);
        let t = &vm.types;
        for (cell, ty) in self.getattribute.iter().zip([t.object, t.type_, t.module]) {
            cell.set(of(ty, Special::GetAttribute));
        }
        self.setattr[0].set(of(t.object, Special::SetAttr));
        self.setattr[1].set(of(t.object, Special::DelAttr));
        self.setattr[2].set(of(t.type_, Special::SetAttr));
        self.setattr[3].set(of(t.type_, Special::DelAttr));
        self.object_new.set(of(t.object, Special::New));
        self.object_init.set(of(t.object, Special::Init));
        self.type_call.set(of(t.type_, Special::Call));
        self.object_ne.set(of(t.object, Special::Ne));
        self.object_str.set(of(t.object, Special::Str));
        self.object_format.set(of(t.object, Special::Format));
        let exception = vm.exc.base_exception;
        self.exception_new.set(of(exception, Special::New).map(|f| vm.unwrap_static(f)));
        self.exception_init.set(of(exception, Special::Init));
        // Without it slices are made each time.
        for cell in &self.argument_slices {
            let slice = Slice::new(vm, Value::NONE, Value::NONE, Value::NONE);
            cell.set(slice.ok().map(|s| s.value()));
        }
    }

    /// `object.__getattribute__`, or that of types or modules?
    pub fn is_getattribute(&self, f: Value) -> bool {
        self.getattribute.iter().any(|c| c.get() == Some(f))
    }

    /// The `__setattr__` or `__delattr__` of objects or types?
    pub fn is_setattr(&self, f: Value) -> bool {
        self.setattr.iter().any(|c| c.get() == Some(f))
    }

    /// `object.__setattr__`?
    pub fn is_object_setattr(&self, f: Option<Value>) -> bool {
        f.is_some() && f == self.setattr[0].get()
    }

    /// `object.__ne__`?
    pub fn is_object_ne(&self, f: Value) -> bool {
        self.object_ne.get() == Some(f)
    }

    /// `object.__str__`?
    pub fn is_object_str(&self, f: Value) -> bool {
        self.object_str.get() == Some(f)
    }

    /// `object.__format__`?
    pub fn is_object_format(&self, f: Value) -> bool {
        self.object_format.get() == Some(f)
    }

    /// `BaseException.__new__`?
    pub fn is_exception_new(&self, f: Value) -> bool {
        self.exception_new.get() == Some(f)
    }

    /// `BaseException.__init__`?
    pub fn is_exception_init(&self, f: Value) -> bool {
        self.exception_init.get() == Some(f)
    }

    pub(crate) fn trace(&self, t: &mut Tracer<'_>) {
        let one = [
            &self.object_new,
            &self.object_init,
            &self.type_call,
            &self.object_ne,
            &self.object_str,
            &self.object_format,
            &self.exception_new,
            &self.exception_init,
        ];
        let one = one.into_iter().chain(&self.argument_slices);
        for v in self.getattribute.iter().chain(&self.setattr).chain(one).filter_map(Cell::get) {
            t.visit_word(v.bits());
        }
    }
}

impl Vm {
    /// `object.__new__`.
    pub fn object_new(&self) -> Value {
        self.known.object_new.get().unwrap_or(Value::NONE)
    }

    /// `object.__init__`.
    pub fn object_init(&self) -> Value {
        self.known.object_init.get().unwrap_or(Value::NONE)
    }

    /// One of two slices for compiled code, which fills it in, with ints and None, right before it calls a native with
    /// it that does not keep it.
    pub fn argument_slice(&self, n: usize) -> Option<Value> {
        self.known.argument_slices[n].get()
    }

    /// `type.__call__`.
    pub fn type_call(&self) -> Value {
        self.known.type_call.get().unwrap_or(Value::NONE)
    }
}
