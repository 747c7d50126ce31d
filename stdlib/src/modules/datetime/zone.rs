//! `tzinfo`, `timezone`, and what dates and times ask of them.

use super::super::arguments::Parameters;
use super::delta::{Delta, DeltaRef, MICROS_PER_DAY};
use super::moment::{self, Moment, MomentRef};
use super::{State, make_type};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, class_argument};
use skein_runtime::types::str::Str;
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Raised, Value, Vm, native_type};

/// The base of all time zones.
struct TzInfo;

impl Payload for TzInfo {
    const NAME: &'static str = "datetime.tzinfo";
    fn trace(&self, _: &mut Tracer<'_>) {}
}

/// A fixed offset from UTC.
pub struct Zone {
    offset: Field,
    /// None: made of the offset.
    name: Field,
}

impl Payload for Zone {
    const NAME: &'static str = "datetime.timezone";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Zone { offset, name } = self;
        offset.trace(t);
        name.trace(t);
    }
}

type ZoneRef = Ref<Ext<Zone>>;
type This = ExtArg<Zone>;

native_type! {
    pub TZINFO: "datetime.tzinfo", Kind::Ext, type_flags::BASETYPE,
        "Abstract base class for time zone info objects.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => |vm: &Vm, args: Args<'_>| -> R<Value> {
            let ty = class_argument(vm, &args, make_type(vm, &TZINFO)?)?;
            Ok(Ext::new(vm, ty, TzInfo)?.value())
        };
        "tzname($self, object, /)" => |vm: &Vm, _: Value, _: Value| abstract_method(vm, "tzname"), "datetime -> string name of time zone.";
        "utcoffset($self, object, /)" => |vm: &Vm, _: Value, _: Value| abstract_method(vm, "utcoffset"), "datetime -> timedelta showing offset from UTC, negative values indicating West of UTC";
        "dst($self, object, /)" => |vm: &Vm, _: Value, _: Value| abstract_method(vm, "dst"), "datetime -> DST offset as timedelta positive east of UTC.";
        "fromutc($self, object, /)" => from_utc, "datetime in UTC -> datetime in local time.";
        "__reduce__($self, /)" => reduce, "-> (cls, state)";
    }
}

native_type! {
    pub TIMEZONE: "datetime.timezone", Kind::Ext, 0, base |vm| super::base(vm, &TZINFO),
        "Fixed offset from UTC implementation of tzinfo.";
    methods {
        [static] "__new__($type, *args, **kwargs)" => new;
        "tzname($self, object, /)" => |vm: &Vm, z: This, dt: Value| -> R<Value> { check(vm, dt, "tzname")?; name(vm, &z.0) },
            "If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'.";
        "utcoffset($self, object, /)" => |vm: &Vm, z: This, dt: Value| -> R<Value> { check(vm, dt, "utcoffset")?; Ok(z.0.offset.value()) },
            "Return fixed offset.";
        "dst($self, object, /)" => |vm: &Vm, _: This, dt: Value| check(vm, dt, "dst"), "Return None.";
        "fromutc($self, object, /)" => |vm: &Vm, z: This, dt: Value| -> R<Value> {
            let dt = own_moment(vm, z.0.value(), dt)?;
            match z.0.offset.cast::<Ext<Delta>>() {
                Some(offset) => moment::plus(vm, dt, offset, 1),
                None => Ok(dt.value()),
            }
        }, "datetime in UTC -> datetime in local time.";
        "__getinitargs__($self, /)" => |vm: &Vm, z: This| match z.0.name.get() {
            Some(name) => vm.tuple(&[z.0.offset.value(), name]),
            None => vm.tuple(&[z.0.offset.value()]),
        }, "pickle support";
        "__eq__($self, value, /)" => |_: &Vm, a: This, b: Value| same(a.0, b, true);
        "__ne__($self, value, /)" => |_: &Vm, a: This, b: Value| same(a.0, b, false);
        "__hash__($self, /)" => |vm: &Vm, z: This| vm.hash(z.0.offset.value());
        "__repr__($self, /)" => repr;
        "__str__($self, /)" => |vm: &Vm, z: This| name(vm, &z.0);
    }
}

fn abstract_method(vm: &Vm, name: &str) -> R<Value> {
    Err(vm.not_implemented(format!("a tzinfo subclass must implement {name}()")))
}

fn reduce(vm: &Vm, this: Value) -> R<Value> {
    let args = match vm.find_attr(this, vm.intern("__getinitargs__")?)? {
        Some(f) => vm.call(f, &[])?,
        None => vm.tuple(&[])?,
    };
    let state = vm.call_method(this, "__getstate__", &[])?;
    vm.tuple(&[vm.type_of(this).value(), args, state])
}

/// Is it of a subclass of tzinfo?
pub fn is_tzinfo(vm: &Vm, v: Value) -> R<bool> {
    Ok(v.cast::<Ext<Zone>>().is_some() || vm.type_of(v).is_subtype(make_type(vm, &TZINFO)?))
}

/// A `tzinfo` argument: None or a time zone. TypeError.
pub fn argument(vm: &Vm, v: Value) -> R<Option<Value>> {
    if v.is_none() || v.is_unbound() {
        return Ok(None);
    }
    if is_tzinfo(vm, v)? {
        return Ok(Some(v));
    }
    let got = vm.type_name(v);
    Err(vm.type_error(format!("tzinfo argument must be None or of a tzinfo subclass, not type '{got}'")))
}

static NEW: Parameters = Parameters { function: Some("timezone"), names: &["offset", "name"], positional: 2 };

fn new(vm: &Vm, args: Args<'_>) -> R<Value> {
    class_argument(vm, &args, make_type(vm, &TIMEZONE)?)?;
    let [offset, name] = NEW.bind(vm, args.rest())?;
    if offset.is_unbound() {
        return Err(NEW.missing(vm, 0));
    }
    let Some(offset) = offset.cast::<Ext<Delta>>() else {
        let got = vm.type_name(offset);
        return Err(vm.type_error(format!("timezone() argument 1 must be datetime.timedelta, not {got}")));
    };
    if name.is_unbound() {
        return fixed(vm, offset);
    }
    if name.cast::<Str>().is_none() {
        let got = if name.is_none() { "None".to_owned() } else { vm.type_name(name) };
        return Err(vm.type_error(format!("timezone() argument 2 must be str, not {got}")));
    }
    make(vm, offset, Some(name))
}

/// The zone of an offset, without a name; that of none is always the same object. ValueError.
pub fn fixed(vm: &Vm, offset: DeltaRef) -> R<Value> {
    if offset.total() == 0 { utc(vm) } else { make(vm, offset, None) }
}

/// A new zone. ValueError.
pub fn make(vm: &Vm, offset: DeltaRef, name: Option<Value>) -> R<Value> {
    check_range(vm, offset)?;
    let zone = Zone { offset: Field::new(Some(offset.value())), name: Field::new(name) };
    Ok(Ext::new(vm, make_type(vm, &TIMEZONE)?, zone)?.value())
}

/// `timezone.utc`.
pub fn utc(vm: &Vm) -> R<Value> {
    vm.state::<State>().utc.get().ok_or_else(|| vm.system_error("_datetime is not imported"))
}

fn check_range(vm: &Vm, offset: DeltaRef) -> R<()> {
    if offset.total().abs() < i128::from(MICROS_PER_DAY) {
        return Ok(());
    }
    let shown = vm.repr_string(offset.value())?;
    Err(vm.value_error(format!(
        "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {shown}"
    )))
}

fn check(vm: &Vm, dt: Value, method: &str) -> R<()> {
    if dt.is_none() || dt.cast::<Ext<Moment>>().is_some() {
        return Ok(());
    }
    let got = vm.type_name(dt);
    Err(vm.type_error(format!("{method}(dt) argument must be a datetime instance or None, not {got}")))
}

/// The argument of `fromutc`, a datetime of this zone. TypeError, ValueError.
fn own_moment(vm: &Vm, zone: Value, dt: Value) -> R<MomentRef> {
    let Some(dt) = dt.cast::<Ext<Moment>>() else {
        return Err(vm.type_error("fromutc: argument must be a datetime"));
    };
    if !dt.zone.get().is_some_and(|z| z.is(zone)) {
        return Err(vm.value_error("fromutc: dt.tzinfo is not self"));
    }
    Ok(dt)
}

fn same(a: ZoneRef, b: Value, equal: bool) -> Value {
    let Some(b) = b.cast::<Ext<Zone>>() else { return Value::NOT_IMPLEMENTED };
    let total = |z: ZoneRef| z.offset.cast::<Ext<Delta>>().map(|d| d.total());
    Value::bool((total(a) == total(b)) == equal)
}

fn name(vm: &Vm, z: &Zone) -> R<Value> {
    match (z.name.get(), z.offset.cast::<Ext<Delta>>()) {
        (Some(name), _) => Ok(name),
        (None, Some(offset)) if offset.total() != 0 => {
            vm.str(&format!("UTC{}", super::text::offset(&offset, ":")))
        }
        _ => vm.str("UTC"),
    }
}

fn repr(vm: &Vm, z: This) -> R<String> {
    if utc(vm)?.is(z.0.value()) {
        return Ok("datetime.timezone.utc".to_owned());
    }
    let class = vm.type_name(z.0.value());
    let offset = vm.repr_string(z.0.offset.value())?;
    Ok(match z.0.name.get() {
        Some(name) => format!("{class}({offset}, {})", vm.repr_string(name)?),
        None => format!("{class}({offset})"),
    })
}

/// What a zone's `utcoffset` or `dst` says of a datetime, or of None. TypeError, ValueError.
fn ask(vm: &Vm, zone: Option<Value>, method: &str, dt: Value) -> R<Option<DeltaRef>> {
    let Some(zone) = zone else { return Ok(None) };
    if let Some(fixed) = zone.cast::<Ext<Zone>>() {
        return Ok(if method == "dst" { None } else { fixed.offset.cast() });
    }
    let told = vm.call_method(zone, method, &[dt])?;
    if told.is_none() {
        return Ok(None);
    }
    let Some(delta) = told.cast::<Ext<Delta>>() else {
        let got = vm.type_name(told);
        return Err(vm.type_error(format!("tzinfo.{method}() must return None or timedelta, not '{got}'")));
    };
    check_range(vm, delta)?;
    Ok(Some(delta))
}

/// The zone's offset at a datetime, or at None. TypeError, ValueError.
pub fn utc_offset(vm: &Vm, zone: Option<Value>, dt: Value) -> R<Option<DeltaRef>> {
    ask(vm, zone, "utcoffset", dt)
}

/// The zone's daylight saving at a datetime, or at None. TypeError, ValueError.
pub fn dst(vm: &Vm, zone: Option<Value>, dt: Value) -> R<Option<DeltaRef>> {
    ask(vm, zone, "dst", dt)
}

/// The zone's name at a datetime, or at None. TypeError.
pub fn zone_name(vm: &Vm, zone: Option<Value>, dt: Value) -> R<Value> {
    let Some(zone) = zone else { return Ok(Value::NONE) };
    if let Some(fixed) = zone.cast::<Ext<Zone>>() {
        return name(vm, &fixed);
    }
    let told = vm.call_method(zone, "tzname", &[dt])?;
    if told.is_none() || told.cast::<Str>().is_some() {
        return Ok(told);
    }
    let got = vm.type_name(told);
    Err(vm.type_error(format!("tzinfo.tzname() must return None or a string, not '{got}'")))
}

/// The rule of zones that tell offset and daylight saving and nothing else. ValueError, TypeError.
fn from_utc(vm: &Vm, this: Value, dt: Value) -> R<Value> {
    let dt = own_moment(vm, this, dt)?;
    let missing = |what| vm.value_error(format!("fromutc: non-None {what}() result required"));
    let zone = Some(this);
    let offset = utc_offset(vm, zone, dt.value())?.ok_or_else(|| missing("utcoffset"))?;
    let saving = dst(vm, zone, dt.value())?.ok_or_else(|| missing("dst"))?;
    let standard = super::delta::from_micros(vm, offset.total() - saving.total())?;
    let Some(standard) = standard.cast::<Ext<Delta>>() else { return Ok(dt.value()) };
    let result = moment::plus(vm, dt, standard, 1)?;
    let Some(saving) = dst(vm, zone, result)? else {
        return Err(vm.value_error("fromutc: tz.dst() gave inconsistent results; cannot convert"));
    };
    match result.cast::<Ext<Moment>>() {
        Some(result) if saving.total() != 0 => moment::plus(vm, result, saving, 1),
        _ => Ok(result),
    }
}

/// Converts a datetime that shows UTC by its zone's own `fromutc`.
pub fn convert(vm: &Vm, zone: Value, dt: Value) -> R<Value> {
    match zone.cast::<Ext<Zone>>() {
        Some(fixed) => match (dt.cast::<Ext<Moment>>(), fixed.offset.cast::<Ext<Delta>>()) {
            (Some(dt), Some(offset)) => moment::plus(vm, dt, offset, 1),
            _ => Ok(dt),
        },
        None => vm.call_method(zone, "fromutc", &[dt]),
    }
}

/// The bytes of a pickled state: bytes, or text of as many characters that Python 2 has written. None: neither.
pub fn state_bytes<const N: usize>(
    vm: &Vm,
    v: Value,
    what: &str,
    is_sane: impl Fn(u8) -> bool,
    at: usize,
) -> R<Option<[u8; N]>> {
    if let Some(b) = v.cast::<skein_runtime::types::bytes::Bytes>() {
        let bytes: Option<[u8; N]> = b.bytes().try_into().ok();
        return Ok(bytes.filter(|b| is_sane(b[at])));
    }
    let Some(s) = v.cast::<Str>().filter(|s| s.char_len() == N) else { return Ok(None) };
    let mut bytes = [0; N];
    let mut fits = true;
    for (slot, c) in bytes.iter_mut().zip(s.code_points()) {
        fits &= c < 256;
        *slot = c as u8;
    }
    if !is_sane(bytes[at]) {
        return Ok(None);
    }
    if fits {
        return Ok(Some(bytes));
    }
    Err(vm.value_error(format!(
        "Failed to encode latin1 string when unpickling a {what} object. pickle.load(data, encoding='latin1') is assumed."
    )))
}

/// The time zone beside a pickled state. TypeError.
pub fn state_zone(vm: &Vm, v: Value) -> R<Option<Value>> {
    if v.is_unbound() || v.is_none() {
        return Ok(None);
    }
    if is_tzinfo(vm, v)? { Ok(Some(v)) } else { Err(bad_state(vm)) }
}

#[cold]
fn bad_state(vm: &Vm) -> Raised {
    vm.type_error("bad tzinfo state arg")
}
