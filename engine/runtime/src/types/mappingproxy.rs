//! `mappingproxy`: a read-only view of a mapping, such as `type.__dict__`: the object.

use crate::fixed_object;
use crate::object::{Field, Header, Ref};
use crate::value::{R, Value};
use crate::vm::Vm;

/// A mapping proxy.
#[repr(C)]
pub struct MappingProxy {
    header: Header,
    pub mapping: Field,
}
fixed_object!(MappingProxy, MappingProxy, [mapping]);

impl MappingProxy {
    /// MemoryError.
    pub fn new(vm: &Vm, mapping: Value) -> R<Ref<MappingProxy>> {
        let p = vm.alloc_fixed::<MappingProxy>(vm.types.mappingproxy.root_shape_id())?;
        p.mapping.init(mapping);
        Ok(p)
    }
}
