//! What the module `site` adds to `builtins`: ways out for who does not know Python.

use skein_runtime::object::{Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::{R, Value, Vm, native_type};

/// `exit` or `quit`.
struct Quitter {
    name: &'static str,
}

impl Payload for Quitter {
    const NAME: &'static str = "Quitter";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Quitter { name: _ } = self;
    }
}

native_type! {
    QUITTER: "_sitebuiltins.Quitter", Kind::Ext, 0;
    methods {
        "__repr__($self, /)" => |_: &Vm, q: ExtArg<Quitter>| format!("Use {}() or Ctrl-D (i.e. EOF) to exit", q.0.name);
        "__call__($self, code=None)" => call;
    }
}

/// Raises SystemExit, without a standard input that an interactive console would go on to read.
fn call(vm: &Vm, _: ExtArg<Quitter>, code: Option<Value>) -> R<()> {
    let stdin = vm.sys_dict.get().and_then(|d| d.get_name(vm, "stdin").ok().flatten());
    if let Some(stdin) = stdin
        && vm.call_method(stdin, "close", &[]).is_err()
    {
        vm.pending.take();
    }
    Err(vm.raise_new(vm.exc.system_exit, &[code.unwrap_or(Value::NONE)]))
}

/// MemoryError.
pub fn install(vm: &Vm) -> R<()> {
    let Some(builtins) = vm.builtins.get() else { return Ok(()) };
    let ty = vm.make_native_type(&QUITTER)?;
    for name in ["exit", "quit"] {
        builtins.set_name(vm, name, Ext::new(vm, ty, Quitter { name })?.value())?;
    }
    Ok(())
}
