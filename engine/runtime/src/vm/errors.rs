//! Raising exceptions from Rust.

use crate::object::Ref;
use crate::types::exception::Exception;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;

macro_rules! raisers {
    ($($method:ident $ty:ident;)*) => {
        impl Vm {
            $(
                #[doc = concat!("Raises `", stringify!($ty), "` with this message.")]
                #[cold]
                pub fn $method(&self, message: impl AsRef<str>) -> Raised {
                    self.raise_text(self.exc.$ty, message.as_ref())
                }
            )*
        }
    };
}
raisers! {
    type_error type_error;
    value_error value_error;
    index_error index_error;
    attribute_error attribute_error;
    name_error name_error;
    runtime_error runtime_error;
    overflow_error overflow_error;
    zero_division zero_division_error;
    recursion_error recursion_error;
    not_implemented not_implemented_error;
    import_error import_error;
    system_error system_error;
    buffer_error buffer_error;
    lookup_error lookup_error;
    eof_error eof_error;
}

impl Vm {
    /// Raises `ty(message)`.
    #[cold]
    pub fn raise_text(&self, ty: Ref<Type>, message: &str) -> Raised {
        match self.str(message) {
            Ok(text) => self.raise_new(ty, &[text]),
            Err(e) => e,
        }
    }

    /// Raises an instance of a builtin exception type with these `args`.
    #[cold]
    pub fn raise_new(&self, ty: Ref<Type>, args: &[Value]) -> Raised {
        match Exception::new(self, ty, args) {
            Ok(e) => self.raise(e.value()),
            Err(e) => e,
        }
    }

    /// Makes an exception instance the pending one, chained to the one being handled.
    #[cold]
    pub fn raise(&self, exception: Value) -> Raised {
        if let Some(e) = exception.cast::<Exception>()
            && let Some(handled) = self.context().handled.get()
            && !handled.is(exception)
            && let Some(h) = handled.cast::<Exception>()
        {
            // Break a cycle: the handled exception's chain must not lead back to this one.
            let (mut link, mut steps) = (h, 0);
            while let Some(next) = link.context.cast::<Exception>() {
                if next == e {
                    link.context.init(None::<Value>);
                    break;
                }
                steps += 1;
                if steps > 100_000 {
                    break;
                }
                link = next;
            }
            e.context.set(self, e, handled);
        }
        self.raise_again(exception)
    }

    /// Makes an exception pending as it is.
    #[cold]
    pub fn raise_again(&self, exception: Value) -> Raised {
        self.pending.set(Some(exception));
        Raised
    }

    /// Raises the MemoryError that was made at start.
    #[cold]
    pub fn memory_error(&self) -> Raised {
        if let Some(e) = self.memory_error.get() {
            if let Some(e) = e.cast::<Exception>() {
                e.traceback.init(None::<Value>);
                e.context.init(None::<Value>);
            }
            return self.raise_again(e);
        }
        // Only before the isolate is set up; `Vm::new` reports it.
        Raised
    }

    pub(crate) fn preallocate_memory_error(&self) -> R<()> {
        let e = Exception::new(self, self.exc.memory_error, &[])?;
        self.memory_error.set(Some(e.value()));
        Ok(())
    }

    /// Raises KeyError(key).
    #[cold]
    pub fn key_error(&self, key: Value) -> Raised {
        self.raise_new(self.exc.key_error, &[key])
    }

    /// Raises StopIteration, with a value unless it is None.
    #[cold]
    pub fn stop_iteration(&self, value: Value) -> Raised {
        if value.is_none() {
            return self.raise_new(self.exc.stop_iteration, &[]);
        }
        self.raise_new(self.exc.stop_iteration, &[value])
    }

    /// Raises AttributeError with its `name` and `obj` attributes set.
    #[cold]
    pub fn no_attribute(&self, obj: Value, name: Ref<crate::types::str::Str>) -> Raised {
        let what = match obj.cast::<Type>() {
            Some(t) => format!("type object '{}'", t.name_string()),
            None => format!("'{}' object", self.type_name(obj)),
        };
        self.attribute_error_for(obj, name, &format!("{what} has no attribute '{}'", name.to_string_lossy()))
    }

    /// Raises AttributeError with this message and its `name` and `obj` attributes set.
    #[cold]
    pub fn attribute_error_for(
        &self,
        obj: Value,
        name: Ref<crate::types::str::Str>,
        message: &str,
    ) -> Raised {
        let r = self.attribute_error(message);
        if let Some(e) = self.pending.get().and_then(|e| e.cast::<Exception>())
            && (e.set_field(self, 0, name.value()).is_err() || e.set_field(self, 1, obj).is_err())
        {
            return Raised;
        }
        r
    }

    /// The pending AttributeError, if it says neither which attribute was asked for nor of what: a program's own
    /// `__getattr__` or property may raise it so.
    pub fn nameless_attribute_error(&self) -> Option<Ref<Exception>> {
        let pending = self.pending.get().filter(|_| self.pending_is(self.exc.attribute_error))?;
        let says = |e: &Ref<Exception>, i| e.field(i).is_some_and(|v| !v.is_none());
        pending.cast::<Exception>().filter(|e| !says(e, 0) && !says(e, 1))
    }

    /// Such an AttributeError is about this attribute.
    #[cold]
    pub fn name_missing_attribute(&self, obj: Value, name: Ref<crate::types::str::Str>) {
        let Some(e) = self.nameless_attribute_error() else { return };
        let pending = self.pending.get();
        if e.set_field(self, 0, name.value()).is_err() || e.set_field(self, 1, obj).is_err() {
            // No memory for that: the exception itself matters more.
            self.pending.set(pending);
        }
    }

    /// Is the pending exception of this type?
    pub fn pending_is(&self, ty: Ref<Type>) -> bool {
        self.pending.get().is_some_and(|e| self.type_of(e).is_subtype(ty))
    }

    /// Takes the pending exception if it is of this type, else leaves it.
    pub fn catch(&self, ty: Ref<Type>) -> Option<Value> {
        if self.pending_is(ty) { self.pending.take() } else { None }
    }

    /// `Ok(None)` where the result raised this type of exception.
    pub fn absorb<T>(&self, r: R<T>, ty: Ref<Type>) -> R<Option<T>> {
        match r {
            Ok(v) => Ok(Some(v)),
            Err(_) if self.catch(ty).is_some() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Value of a StopIteration.
    pub fn stop_value(&self, exception: Value) -> Value {
        exception.cast::<Exception>().and_then(|e| e.field(0).or_else(|| e.arg(0))).unwrap_or(Value::NONE)
    }
}
