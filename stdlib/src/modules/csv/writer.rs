//! Writing CSV.

use super::dialect::{Dialect, QUOTE_ALL, QUOTE_NONE, QUOTE_NONNUMERIC, QUOTE_NOTNULL, QUOTE_STRINGS, make};
use super::error;
use skein_runtime::object::{Field, Kind, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};

pub struct Writer {
    write: Field,
    dialect: Field,
}

impl Payload for Writer {
    const NAME: &'static str = "_csv.writer";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Writer { write, dialect } = self;
        write.trace(t);
        dialect.trace(t);
    }
}

native_type! {
    pub WRITER: "_csv.writer", Kind::Ext, type_flags::NO_NEW, "CSV writer";
    methods {
        "writerow($self, row, /)" => writerow, "Construct and write a CSV record from an iterable of fields.";
        "writerows($self, rows, /)" => |vm: &Vm, w: Value, rows: Value| vm.for_each(rows, |row| match w.cast::<Ext<Writer>>() {
            Some(w) => writerow(vm, ExtArg(w), row).map(|_| ()),
            None => Err(vm.type_error("not a _csv.writer object")),
        }), "Construct and write a series of iterables to a csv file.";
    }
    getset {
        "dialect" => |vm: &Vm, v: Value| match v.cast::<Ext<Writer>>() { Some(w) => Ok(w.dialect.value()), None => Err(vm.type_error("not a _csv.writer object")) };
    }
}

/// `csv.writer(fileobj, dialect='excel', **options)`.
pub fn writer(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (file, base) = match args.positional() {
        [file] => (*file, None),
        [file, base] => (*file, Some(*base)),
        _ => return Err(vm.type_error("writer expected 1 or 2 positional arguments")),
    };
    let dialect = make(vm, base, args)?;
    let write = vm.find_attr(file, vm.intern("write")?)?.filter(|w| vm.is_callable(*w));
    let Some(write) = write else {
        return Err(vm.type_error("argument 1 must have a \"write\" method"));
    };
    let w = Writer { write: Field::new(Some(write)), dialect: Field::new(Some(dialect.value())) };
    Ok(Ext::new(vm, ext_type(vm, &WRITER)?, w)?.value())
}

/// Appends a field's text; true: with quotes.
fn escape(vm: &Vm, d: &Dialect, text: &str, bytes: &[u8], quoted: bool) -> R<(Vec<u8>, bool)> {
    let mut quoted = quoted;
    let mut out = vm.buffer(bytes.len())?;
    for c in skein_runtime::types::str::code_points(bytes) {
        let special = c == d.delimiter
            || Some(c) == d.escapechar
            || Some(c) == d.quotechar
            || matches!(c, 10 | 13)
            || text.chars().any(|t| t as u32 == c);
        if special {
            let escape = if d.quoting == QUOTE_NONE {
                true
            } else if Some(c) == d.quotechar {
                if d.doublequote {
                    push_code_point(&mut out, c);
                    quoted = true;
                    false
                } else {
                    true
                }
            } else if Some(c) == d.escapechar {
                true
            } else {
                quoted = true;
                false
            };
            if escape {
                match d.escapechar {
                    Some(e) => push_code_point(&mut out, e),
                    None => return Err(error(vm, "need to escape, but no escapechar set")),
                }
            }
        }
        push_code_point(&mut out, c);
    }
    Ok((out, quoted))
}

fn writerow(vm: &Vm, w: ExtArg<Writer>, row: Value) -> R<Value> {
    let w = w.0;
    let Some(d) = w.dialect.cast::<Ext<Dialect>>() else { return Ok(Value::NONE) };
    let items = match vm.absorb(vm.iter(row), vm.exc.type_error)? {
        Some(it) => vm.list_from(it)?,
        None => {
            let got = vm.type_name(row);
            return Err(error(vm, format!("iterable expected, not {got}")));
        }
    };
    let end = d.lineterminator.value().cast::<Str>();
    let end_text = end.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let mut out = Vec::new();
    let mut last_empty = false;
    let n = items.len();
    let quote = |out: &mut Vec<u8>| {
        if let Some(q) = d.quotechar {
            push_code_point(out, q);
        }
    };
    let mut i = 0;
    while let Some(v) = items.get(i) {
        if i > 0 {
            push_code_point(&mut out, d.delimiter);
        }
        let is_number = vm.is_int(v) || vm.as_float(v).is_some() || is_numeric(vm, v);
        let wanted = match d.quoting {
            QUOTE_ALL => true,
            QUOTE_NONNUMERIC => !is_number,
            QUOTE_STRINGS => v.cast::<Str>().is_some(),
            QUOTE_NOTNULL => !v.is_none(),
            _ => false,
        };
        let text = match v {
            Value::NONE => Str::new(vm, b"")?,
            _ => match v.cast::<Str>() {
                Some(s) => s,
                None => vm.to_str(v)?,
            },
        };
        // A space at the beginning would be skipped when it is read again.
        let space = d.skipinitialspace && d.delimiter == 32 && text.bytes().is_empty();
        if space
            && (d.quoting == QUOTE_NONE
                || (v.is_none() && matches!(d.quoting, QUOTE_STRINGS | QUOTE_NOTNULL)))
        {
            return Err(error(
                vm,
                "empty field must be quoted if delimiter is a space and skipinitialspace is true",
            ));
        }
        let (field, quoted) = escape(vm, &d, &end_text, text.bytes(), wanted || space)?;
        if quoted {
            quote(&mut out);
        }
        out.extend_from_slice(&field);
        if quoted {
            quote(&mut out);
        }
        last_empty = n == 1 && field.is_empty() && !quoted;
        i += 1;
    }
    if last_empty {
        // A line with nothing would be no row when it is read again.
        if d.quoting == QUOTE_NONE
            || (matches!(d.quoting, QUOTE_STRINGS | QUOTE_NOTNULL) && items.get(0) == Some(Value::NONE))
        {
            return Err(error(vm, "single empty field record must be quoted"));
        }
        quote(&mut out);
        quote(&mut out);
    }
    if let Some(end) = end {
        out.extend_from_slice(end.bytes());
    }
    let text = Str::new(vm, &out)?;
    vm.call(w.write.value(), &[text.value()])
}

/// As the number protocol sees it: has `__float__` or `__index__`.
fn is_numeric(vm: &Vm, v: Value) -> bool {
    let ty = vm.type_of(v);
    use skein_bytecode::Special;
    v.cast::<Str>().is_none()
        && (ty.special(vm, Special::Float).is_some() || ty.special(vm, Special::Index).is_some())
}
