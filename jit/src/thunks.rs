//! Ways from compiled code to shims that are seldom called: they keep all registers.
//!
//! A call in a cold block would else make every value that is alive across it leave its register, on the fast path
//! too, and cost the register allocator time for each register. What a thunk saves is on the stack, where the
//! collector sees it.

use crate::lower;
use crate::shims;
use cranelift_codegen::Context;
use cranelift_codegen::ir::Type;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, default_libcall_names};

/// A shim that is called through a thunk. Its result is in memory, at the address of the last operand.
#[derive(Clone, Copy)]
pub enum Thunk {
    NewObject,
    Barrier,
    SlotBarrier,
}

impl Thunk {
    const ALL: [Thunk; 3] = [Thunk::NewObject, Thunk::Barrier, Thunk::SlotBarrier];

    pub fn params(self) -> &'static [Type] {
        match self {
            Thunk::NewObject | Thunk::SlotBarrier => &[I64, I64, I64],
            Thunk::Barrier => &[I64, I64],
        }
    }

    pub fn shim(self) -> usize {
        match self {
            Thunk::NewObject => shims::new_object as *const () as usize,
            Thunk::Barrier => shims::barrier as *const () as usize,
            Thunk::SlotBarrier => shims::slot_barrier as *const () as usize,
        }
    }
}

/// The thunks' code.
pub struct Thunks {
    module: Option<JITModule>,
    addresses: [usize; Thunk::ALL.len()],
}

// SAFETY: all that is done with thunks is to read their addresses; the module is touched again by who drops the last
// reference.
unsafe impl Send for Thunks {}
// SAFETY: as above.
unsafe impl Sync for Thunks {}

impl Thunks {
    pub fn new(isa: &OwnedTargetIsa) -> Result<Thunks, String> {
        let mut module = JITModule::new(JITBuilder::with_isa(isa.clone(), default_libcall_names()));
        let mut context = Context::new();
        let mut make = |thunk: Thunk| -> Result<FuncId, String> {
            context.clear();
            lower::lower_thunk(thunk, &**isa, &mut context.func);
            let signature = &context.func.signature;
            let function = module.declare_anonymous_function(signature).map_err(|e| e.to_string())?;
            module.define_function(function, &mut context).map_err(|e| e.to_string())?;
            Ok(function)
        };
        let made = Thunk::ALL.map(&mut make);
        module.finalize_definitions().map_err(|e| e.to_string())?;
        let mut addresses = [0; Thunk::ALL.len()];
        for (address, function) in addresses.iter_mut().zip(made) {
            *address = module.get_finalized_function(function?) as usize;
        }
        Ok(Thunks { module: Some(module), addresses })
    }

    pub fn address(&self, thunk: Thunk) -> usize {
        self.addresses[thunk as usize]
    }
}

impl Drop for Thunks {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: every tree's code keeps the thunks, and none runs when it is dropped.
            unsafe { module.free_memory() };
        }
    }
}
