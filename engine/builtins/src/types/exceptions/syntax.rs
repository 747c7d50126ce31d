//! What Python code sees of `SyntaxError`.

use super::base::{set_arguments, str as base_str};
use super::{get_field, keywords, receiver, set_field};
use skein_runtime::native::Args;
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::exception::Exception;
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

const MSG: usize = 0;
const FILENAME: usize = 1;
const LINENO: usize = 2;

native_type! {
    pub DEF: "SyntaxError", Kind::Exception, type_flags::BASETYPE | type_flags::HAS_DICT;
    methods {
        "__init__($self, /, *args, **kwargs)" => init;
        "__str__($self, /)" => str;
    }
    getset {
        "msg" => |_: &Vm, v: Value| Ok(message(v)), set_field::<MSG>;
        "filename" => get_field::<1>, set_field::<1>;
        "lineno" => get_field::<2>, set_field::<2>;
        "offset" => get_field::<3>, set_field::<3>;
        "text" => get_field::<4>, set_field::<4>;
        "end_lineno" => get_field::<5>, set_field::<5>;
        "end_offset" => get_field::<6>, set_field::<6>;
        "_metadata" => get_field::<7>, set_field::<7>;
        "print_file_and_line" => get_field::<8>, set_field::<8>;
    }
}

fn message(v: Value) -> Value {
    v.cast::<Exception>().and_then(|e| e.field(MSG).or_else(|| e.arg(0))).unwrap_or(Value::NONE)
}

fn init(vm: &Vm, args: Args<'_>) -> R<()> {
    let e = receiver(vm, args, "__init__")?;
    keywords(vm, args, [], &vm.type_name(e.value()))?;
    let positional = &args.positional()[1..];
    set_arguments(vm, e, positional)?;
    if let Some(&msg) = positional.first() {
        e.set_field(vm, MSG, msg)?;
    }
    if positional.len() == 2 {
        let info = vm.list_from(positional[1])?;
        let n = info.len();
        if n < 4 {
            return Err(vm.type_error(format!("function takes at least 4 arguments ({n} given)")));
        }
        if n > 7 {
            return Err(vm.type_error(format!("function takes at most 7 arguments ({n} given)")));
        }
        for (i, &v) in info.items().iter().enumerate() {
            e.set_field(vm, FILENAME + i, v)?;
        }
        if n == 5 {
            return Err(vm.type_error("end_offset must be provided when end_lineno is provided"));
        }
    }
    Ok(())
}

fn str(vm: &Vm, e: Ref<Exception>) -> R<Value> {
    let filename = e.field(FILENAME).and_then(|f| f.cast::<Str>());
    let line = e.field(LINENO).and_then(|l| vm.as_i64(l));
    if filename.is_none() && line.is_none() {
        return match e.field(MSG) {
            Some(m) => Ok(vm.to_str(m)?.value()),
            None => base_str(vm, e),
        };
    }
    let msg = vm.str_string(message(e.value()))?;
    let short = filename.map(|f| {
        let f = f.to_string_lossy().into_owned();
        f.rsplit('/').next().unwrap_or_default().to_string()
    });
    vm.str(&match (short, line) {
        (Some(f), Some(l)) => format!("{msg} ({f}, line {l})"),
        (Some(f), None) => format!("{msg} ({f})"),
        (None, l) => format!("{msg} (line {})", l.unwrap_or_default()),
    })
}
