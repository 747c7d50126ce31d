//! What Python code sees of `frame`, `traceback`.

use skein_runtime::events::{TRACE, event, line_at};
use skein_runtime::interp::{FramePlace, frame_back, frame_of_traceback, frame_place, frame_unit};
use skein_runtime::native_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::frame::FrameObject;
use skein_runtime::types::generator::GenState;
use skein_runtime::types::traceback::Traceback;
use skein_runtime::value::{R, Value};
use skein_runtime::vm::Vm;

native_type! {
    pub FRAME: "frame", Kind::Frame, skein_runtime::types::typeobj::type_flags::NO_NEW;
    methods {
        "clear($self, /)" => clear, "Clear all references held by the frame.";
        "__repr__($self, /)" => repr;
    }
    getset {
        "f_code" => |_: &Vm, v: Ref<FrameObject>| Ok(v.code().value());
        "f_globals" => |_: &Vm, v: Ref<FrameObject>| Ok(v.function().globals.or_none());
        "f_builtins" => |vm: &Vm, v: Ref<FrameObject>| Ok(skein_runtime::interp::builtins_of(vm, v.function())?.map_or(Value::NONE, Value::from));
        "f_locals" => |vm: &Vm, v: Ref<FrameObject>| super::frame_locals::of_frame(vm, v);
        "f_back" => |vm: &Vm, v: Ref<FrameObject>| Ok(frame_back(vm, v)?.map_or(Value::NONE, Value::from));
        "f_lineno" => |vm: &Vm, v: Ref<FrameObject>| Ok(line(vm, v).map_or(Value::NONE, |l| Value::small_int(i64::from(l)))), super::frame_jump::set_line;
        "f_lasti" => |vm: &Vm, v: Ref<FrameObject>| Ok(Value::small_int(match v.shown() {
            Some(shown) => shown.offset.into(),
            None => i64::from(frame_unit(vm, v)) * 4,
        }));
        "f_trace" => |_: &Vm, v: Ref<FrameObject>| Ok(v.trace_function.or_none()), |vm: &Vm, v: Ref<FrameObject>, new: Option<Value>| {
            v.trace_function.set(vm, v, new.filter(|f| !f.is_none()));
            Ok(())
        };
        "f_trace_lines" => |_: &Vm, v: Ref<FrameObject>| Ok(Value::bool(v.wants_lines())), |vm: &Vm, v: Ref<FrameObject>, new: Option<Value>| {
            if new.is_none() {
                return Err(vm.type_error("can't delete numeric/char attribute"));
            }
            v.set_wants_lines(flag(vm, "f_trace_lines", new)?);
            Ok(())
        };
        "f_trace_opcodes" => |_: &Vm, v: Ref<FrameObject>| Ok(Value::bool(v.wants_opcodes())), set_opcodes;
        "f_generator" => |_: &Vm, v: Ref<FrameObject>| Ok(v.generator.or_none());
    }
}

native_type! {
    pub TRACEBACK: "traceback", Kind::Traceback, 0, "Create a new traceback object.";
    methods {
        [static] "__new__($type, tb_next, tb_frame, tb_lasti, tb_lineno)" => new_traceback;
        "__dir__($self, /)" => |vm: &Vm, _: Value| -> R<Value> {
            let list = skein_runtime::types::list::List::with_capacity(vm, 4)?;
            for name in ["tb_frame", "tb_next", "tb_lasti", "tb_lineno"] {
                list.push(vm, vm.str(name)?)?;
            }
            Ok(list.value())
        };
    }
    getset {
        "tb_next" => |_: &Vm, v: Ref<Traceback>| Ok(v.next.or_none()), set_next;
        "tb_frame" => |vm: &Vm, v: Ref<Traceback>| Ok(frame_of_traceback(vm, v)?.value());
        "tb_lasti" => |_: &Vm, v: Ref<Traceback>| Ok(Value::small_int(i64::from(v.unit()) * 4));
        "tb_lineno" => |_: &Vm, v: Ref<Traceback>| Ok(match v.line() {
            0 => Value::NONE,
            n => Value::small_int(i64::from(n)),
        });
    }
}

fn line(vm: &Vm, f: Ref<FrameObject>) -> Option<u32> {
    let n = f.shown().map_or_else(|| line_at(f.code(), frame_unit(vm, f)), |shown| shown.line);
    (n != 0).then_some(n)
}

/// The new value of a flag of a frame. AttributeError, TypeError.
fn flag(vm: &Vm, name: &str, new: Option<Value>) -> R<bool> {
    match new {
        None => Err(vm.attribute_error(format!("{name} cannot be deleted"))),
        Some(v) if v.is_bool() => Ok(v.is(Value::TRUE)),
        Some(_) => Err(vm.type_error("attribute value type must be bool")),
    }
}

fn set_opcodes(vm: &Vm, f: Ref<FrameObject>, new: Option<Value>) -> R<()> {
    let on = flag(vm, "f_trace_opcodes", new)?;
    f.set_wants_opcodes(on);
    let (code, own) = (f.code(), event::INSTRUCTION);
    let events = code.local_events(TRACE);
    code.set_local_events(vm, TRACE, if on { events | own } else { events & !own })
}

fn repr(vm: &Vm, f: Ref<FrameObject>) -> String {
    let code = f.code();
    let p = code.portable();
    let line = line(vm, f).map_or("None".into(), |l| l.to_string());
    format!("<frame at {:#x}, file '{}', line {line}, code {}>", f.value().bits(), p.filename, p.name)
}

fn clear(vm: &Vm, f: Ref<FrameObject>) -> R<()> {
    match frame_place(vm, f) {
        FramePlace::Live(_) => Err(vm.runtime_error("cannot clear an executing frame")),
        // A generator that has not begun will not.
        FramePlace::Suspended(g) if g.state() == GenState::Created => {
            if crate::types::generator::finalize(vm, g).is_err() {
                vm.unraisable(None, g.value());
            }
            crate::types::generator::close(vm, g)?;
            clear(vm, f)
        }
        FramePlace::Suspended(_) => Err(vm.runtime_error("cannot clear a suspended frame")),
        FramePlace::Left => {
            f.forget_locals();
            f.extra_locals.init(None::<Value>);
            Ok(())
        }
    }
}

fn new_traceback(vm: &Vm, _ty: Value, next: Value, f: Ref<FrameObject>, lasti: i64, line: i64) -> R<Value> {
    if !next.is_none() && next.cast::<Traceback>().is_none() {
        return Err(vm.type_error(format!("expected traceback object or None, got '{}'", vm.type_name(next))));
    }
    let next = (!next.is_none()).then_some(next);
    let unit = u32::try_from(lasti / 4).unwrap_or(0);
    let tb = Traceback::new(vm, next, Some(f.value()), f.code(), unit)?;
    tb.set_line(u32::try_from(line).unwrap_or(0));
    Ok(tb.value())
}

fn set_next(vm: &Vm, v: Ref<Traceback>, new: Option<Value>) -> R<()> {
    let Some(new) = new else { return Err(vm.type_error("can't delete tb_next attribute")) };
    let tb = v;
    if new.is_none() {
        tb.next.set(vm, tb, None);
        return Ok(());
    }
    let Some(first) = new.cast::<Traceback>() else {
        return Err(vm.type_error(format!("expected traceback object or None, got '{}'", vm.type_name(new))));
    };
    let mut link = Some(first);
    while let Some(t) = link {
        if t == tb {
            return Err(vm.value_error("traceback loop detected"));
        }
        link = t.next.cast();
    }
    tb.next.set(vm, tb, new);
    Ok(())
}
