//! `IsoCalendarDate`, what `isocalendar` gives: a tuple whose items have names.

use super::super::arguments::{Parameters, c_int};
use super::calendar::Day;
use super::make_type;
use skein_runtime::object::{Kind, Ref};
use skein_runtime::types::ext::class_argument;
use skein_runtime::types::tuple::Tuple;
use skein_runtime::{Args, R, Value, Vm, native_type};

native_type! {
    pub ISO_DATE: "datetime.IsoCalendarDate", Kind::Tuple, 0, base |vm| vm.types.tuple,
        "The result of date.isocalendar() or datetime.isocalendar()\n\nThis object may be accessed either as a tuple of\n  ((year, week, weekday)\nor via the object attributes as named in the above tuple.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "__repr__($self, /)" => repr;
        "__reduce__($self, /)" => |vm: &Vm, t: Ref<Tuple>| -> R<Value> {
            let plain = vm.tuple(t.items())?;
            vm.tuple(&[vm.types.tuple.value(), vm.tuple(&[plain])?])
        };
    }
    getset {
        "year" => |vm: &Vm, t: Ref<Tuple>| item(vm, t, 0);
        "week" => |vm: &Vm, t: Ref<Tuple>| item(vm, t, 1);
        "weekday" => |vm: &Vm, t: Ref<Tuple>| item(vm, t, 2);
    }
}

static NEW: Parameters =
    Parameters { function: Some("IsoCalendarDate"), names: &["year", "week", "weekday"], positional: 3 };

fn item(vm: &Vm, t: Ref<Tuple>, i: usize) -> R<Value> {
    t.items().get(i).copied().ok_or_else(|| vm.type_error("descriptor requires a datetime.IsoCalendarDate"))
}

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    let ty = class_argument(vm, &args, make_type(vm, &ISO_DATE)?)?;
    let mut given: [Value; 3] = NEW.bind(vm, args.rest())?;
    for (i, v) in given.iter_mut().enumerate() {
        if v.is_unbound() {
            return Err(NEW.missing(vm, i));
        }
        *v = Value::small_int(c_int(vm, *v)?.into());
    }
    Ok(Tuple::of_type(vm, ty, &given)?.value())
}

/// MemoryError.
pub fn of_day(vm: &Vm, day: Day) -> R<Value> {
    let (year, week, weekday) = day.iso();
    let items = [year, week, weekday].map(Value::small_int);
    Ok(Tuple::of_type(vm, make_type(vm, &ISO_DATE)?, &items)?.value())
}

fn repr(vm: &Vm, t: Ref<Tuple>) -> R<String> {
    let (year, week, weekday) = (item(vm, t, 0)?, item(vm, t, 1)?, item(vm, t, 2)?);
    let name = vm.type_name(t.value());
    let (year, week, weekday) = (vm.str_string(year)?, vm.str_string(week)?, vm.str_string(weekday)?);
    Ok(format!("{name}(year={year}, week={week}, weekday={weekday})"))
}
