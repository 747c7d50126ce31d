//! What the module `site` adds to `builtins`: ways out and help for who does not know Python.

use skein_builtins::modules::import;
use skein_runtime::object::{Kind, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::{Args, R, Value, Vm, native_type};

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

/// `help`: `pydoc`'s, which is imported by the first call only.
struct Helper;

impl Payload for Helper {
    const NAME: &'static str = "_Helper";
    fn trace(&self, _: &mut Tracer<'_>) {}
}

native_type! {
    HELPER: "_sitebuiltins._Helper", Kind::Ext, 0;
    methods {
        "__repr__($self, /)" => |_: &Vm, _: ExtArg<Helper>| "Type help() for interactive help, or help(object) for help about object.";
        "__call__($self, /, *args, **kwargs)" => help;
    }
}

fn help(vm: &Vm, args: Args<'_>) -> R<Value> {
    let pydoc = import(vm, "pydoc")?;
    let f = vm.get_attr_str(pydoc, "help")?;
    vm.call_args(f, args.rest())
}

/// MemoryError.
pub fn install(vm: &Vm) -> R<()> {
    let Some(builtins) = vm.builtins.get() else { return Ok(()) };
    let ty = vm.make_native_type(&QUITTER)?;
    for name in ["exit", "quit"] {
        builtins.set_name(vm, name, Ext::new(vm, ty, Quitter { name })?.value())?;
    }
    let ty = vm.make_native_type(&HELPER)?;
    builtins.set_name(vm, "help", Ext::new(vm, ty, Helper)?.value())
}
