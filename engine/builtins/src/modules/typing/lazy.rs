//! Values that are computed when they are first asked for: bounds, constraints, defaults, aliases.

use crate::types::generic::type_text;
use skein_runtime::native_type;
use skein_runtime::object::{Field, Kind, Object, Ref, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::tuple::Tuple;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

/// A value, or the function that computes it, or neither.
pub struct Lazy {
    value: Field,
    evaluator: Field,
}

impl Lazy {
    pub fn new(value: Option<Value>, evaluator: Option<Value>) -> Lazy {
        Lazy { value: Field::new(value), evaluator: Field::new(evaluator) }
    }

    pub fn trace(&self, t: &mut Tracer<'_>) {
        let Lazy { value, evaluator } = self;
        value.trace(t);
        evaluator.trace(t);
    }

    pub fn is_absent(&self) -> bool {
        self.value.get().is_none() && self.evaluator.get().is_none()
    }

    pub fn set_evaluator<T: Object>(&self, vm: &Vm, owner: Ref<T>, evaluator: Value) {
        self.evaluator.set(vm, owner, evaluator);
    }

    /// The function that computed or will compute the value, if the code had one.
    pub fn evaluator(&self) -> Option<Value> {
        self.evaluator.get()
    }

    /// The value; computed once, unless that raises.
    pub fn get<T: Object>(&self, vm: &Vm, owner: Ref<T>) -> R<Option<Value>> {
        if let Some(v) = self.value.get() {
            return Ok(Some(v));
        }
        let Some(f) = self.evaluator.get() else { return Ok(None) };
        let v = vm.call(f, &[])?;
        self.value.set(vm, owner, v);
        Ok(Some(v))
    }

    /// What `evaluate_…` attributes give: a function of the annotations' format, or None.
    pub fn evaluate(&self, vm: &Vm) -> R<Value> {
        match (self.evaluator.get(), self.value.get()) {
            (Some(f), _) => Ok(f),
            (None, Some(v)) => {
                let payload = Constant { value: Field::new(Some(v)) };
                Ok(Ext::new(vm, ext_type(vm, &CONSTANT)?, payload)?.value())
            }
            (None, None) => Ok(Value::NONE),
        }
    }
}

/// An evaluator whose value was given as it is.
pub struct Constant {
    value: Field,
}

impl Payload for Constant {
    const NAME: &'static str = "_typing._ConstEvaluator";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Constant { value } = self;
        value.trace(t);
    }
}

native_type! {
    CONSTANT: "_typing._ConstEvaluator", Kind::Ext, type_flags::NO_NEW;
    methods {
        "__call__($self, format, /)" => call;
        "__repr__($self, /)" => |vm: &Vm, c: ExtArg<Constant>| -> R<String> {
            Ok(format!("<constevaluator {}>", vm.repr_string(c.0.value.value())?))
        };
    }
}

/// `annotationlib.Format.STRING`.
const STRING: i64 = 4;

fn call(vm: &Vm, c: ExtArg<Constant>, format: i64) -> R<Value> {
    let v = c.0.value.value();
    if format != STRING {
        return Ok(v);
    }
    match v.cast::<Tuple>() {
        Some(t) => {
            let parts = t.items().iter().map(|&v| type_text(vm, v)).collect::<R<Vec<_>>>()?;
            vm.str(&format!("({})", parts.join(", ")))
        }
        None => vm.str(&type_text(vm, v)?),
    }
}
