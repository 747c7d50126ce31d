//! Reading CSV, line by line.

use super::dialect::{Dialect, DialectRef, QUOTE_NONE, QUOTE_NONNUMERIC, QUOTE_NOTNULL, QUOTE_STRINGS, make};
use super::{Limit, error};
use skein_runtime::object::{Field, Kind, Ref, Tracer};
use skein_runtime::types::ext::ext_type;
use skein_runtime::types::ext::{Ext, ExtArg, Payload};
use skein_runtime::types::list::List;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{Args, R, Value, Vm, native_type};
use std::cell::Cell;

pub struct Reader {
    lines: Field,
    dialect: Field,
    line: Cell<i64>,
}

impl Payload for Reader {
    const NAME: &'static str = "_csv.reader";
    fn trace(&self, t: &mut Tracer<'_>) {
        let Reader { lines, dialect, line: _ } = self;
        lines.trace(t);
        dialect.trace(t);
    }
}

native_type! {
    pub READER: "_csv.reader", Kind::Ext, type_flags::NO_NEW, "CSV reader";
    methods {
        "__iter__($self, /)" => |_: &Vm, r: Value| r;
        "__next__($self, /)" => next;
    }
    getset {
        "dialect" => |vm: &Vm, v: Value| match v.cast::<Ext<Reader>>() { Some(r) => Ok(r.dialect.value()), None => Err(vm.type_error("not a _csv.reader object")) };
        "line_num" => |vm: &Vm, v: Value| vm.int(v.cast::<Ext<Reader>>().map_or(0, |r| r.line.get()));
    }
}

/// `csv.reader(iterable, dialect='excel', **options)`.
pub fn reader(vm: &Vm, args: Args<'_>) -> R<Value> {
    let (lines, base) = match args.positional() {
        [lines] => (*lines, None),
        [lines, base] => (*lines, Some(*base)),
        _ => return Err(vm.type_error("reader expected 1 or 2 positional arguments")),
    };
    let lines = vm.iter(lines)?;
    let dialect = make(vm, base, args)?;
    let r = Reader {
        lines: Field::new(Some(lines)),
        dialect: Field::new(Some(dialect.value())),
        line: Cell::new(0),
    };
    Ok(Ext::new(vm, ext_type(vm, &READER)?, r)?.value())
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    StartRow,
    StartField,
    Escaped,
    InField,
    InQuotes,
    EscapedInQuotes,
    QuoteInQuotes,
    EndRow,
    AfterEscapedReturn,
}

struct Row<'a> {
    vm: &'a Vm,
    d: DialectRef,
    fields: Ref<List>,
    field: Vec<u8>,
    chars: usize,
    limit: usize,
    quoted: bool,
    stage: Stage,
}

impl Row<'_> {
    fn add(&mut self, c: u32) -> R<()> {
        if self.chars >= self.limit {
            return Err(error(self.vm, format!("field larger than field limit ({})", self.limit)));
        }
        self.chars += 1;
        push_code_point(&mut self.field, c);
        Ok(())
    }

    fn save(&mut self) -> R<()> {
        let vm = self.vm;
        let mut v = Str::new(vm, &self.field)?.value();
        if !self.quoted {
            let empty = self.field.is_empty();
            match self.d.quoting {
                QUOTE_NOTNULL | QUOTE_STRINGS if empty => v = Value::NONE,
                QUOTE_NONNUMERIC | QUOTE_STRINGS if !empty || self.d.quoting == QUOTE_NONNUMERIC => {
                    v = vm.call(vm.types.float.value(), &[v])?;
                }
                _ => {}
            }
        }
        self.fields.push(vm, v)?;
        self.field.clear();
        self.chars = 0;
        self.quoted = false;
        Ok(())
    }

    /// One character; None: the line's end.
    fn take(&mut self, c: Option<u32>) -> R<()> {
        let dialect = self.d;
        let d: &Dialect = &dialect;
        let is = |special: Option<u32>| c.is_some() && c == special;
        let ends = c.is_none_or(|c| matches!(c, 10 | 13));
        let delimiter = is(Some(d.delimiter));
        match self.stage {
            Stage::StartRow if c.is_none() => {}
            Stage::StartRow if ends => self.stage = Stage::EndRow,
            Stage::StartRow | Stage::StartField => {
                if ends {
                    self.save()?;
                    self.stage = if c.is_none() { Stage::StartRow } else { Stage::EndRow };
                } else if is(d.quotechar) && d.quoting != QUOTE_NONE {
                    self.quoted = true;
                    self.stage = Stage::InQuotes;
                } else if is(d.escapechar) {
                    self.stage = Stage::Escaped;
                } else if is(Some(32)) && d.skipinitialspace {
                    self.stage = Stage::StartField;
                } else if delimiter {
                    self.save()?;
                    self.stage = Stage::StartField;
                } else {
                    self.add(c.unwrap_or(0))?;
                    self.stage = Stage::InField;
                }
            }
            Stage::Escaped => {
                if let Some(c @ (10 | 13)) = c {
                    self.add(c)?;
                    self.stage = Stage::AfterEscapedReturn;
                } else {
                    self.add(c.unwrap_or(10))?;
                    self.stage = Stage::InField;
                }
            }
            Stage::AfterEscapedReturn if c.is_none() => {}
            Stage::AfterEscapedReturn | Stage::InField => {
                if ends {
                    self.save()?;
                    self.stage = if c.is_none() { Stage::StartRow } else { Stage::EndRow };
                } else if is(d.escapechar) {
                    self.stage = Stage::Escaped;
                } else if delimiter {
                    self.save()?;
                    self.stage = Stage::StartField;
                } else {
                    self.add(c.unwrap_or(0))?;
                    self.stage = Stage::InField;
                }
            }
            Stage::InQuotes => {
                if is(d.escapechar) {
                    self.stage = Stage::EscapedInQuotes;
                } else if is(d.quotechar) && d.quoting != QUOTE_NONE {
                    self.stage = if d.doublequote { Stage::QuoteInQuotes } else { Stage::InField };
                } else if let Some(c) = c {
                    self.add(c)?;
                }
            }
            Stage::EscapedInQuotes => {
                self.add(c.unwrap_or(10))?;
                self.stage = Stage::InQuotes;
            }
            Stage::QuoteInQuotes => {
                if d.quoting != QUOTE_NONE && is(d.quotechar) {
                    self.add(c.unwrap_or(0))?;
                    self.stage = Stage::InQuotes;
                } else if delimiter {
                    self.save()?;
                    self.stage = Stage::StartField;
                } else if ends {
                    self.save()?;
                    self.stage = if c.is_none() { Stage::StartRow } else { Stage::EndRow };
                } else if !d.strict {
                    self.add(c.unwrap_or(0))?;
                    self.stage = Stage::InField;
                } else {
                    let shown = |c: Option<u32>| c.and_then(char::from_u32).unwrap_or('\u{fffd}');
                    let (after, wanted) = (shown(d.quotechar), shown(Some(d.delimiter)));
                    return Err(error(self.vm, format!("'{wanted}' expected after '{after}'")));
                }
            }
            Stage::EndRow => {
                if c.is_none() {
                    self.stage = Stage::StartRow;
                } else if !ends {
                    return Err(error(
                        self.vm,
                        "new-line character seen in unquoted field - do you need to open the file with newline=''?",
                    ));
                }
            }
        }
        Ok(())
    }
}

fn next(vm: &Vm, r: ExtArg<Reader>) -> R<Value> {
    let r = r.0;
    let Some(d) = r.dialect.cast::<Ext<Dialect>>() else { return Ok(vm.stop()) };
    let mut row = Row {
        vm,
        d,
        fields: List::with_capacity(vm, 0)?,
        field: Vec::new(),
        chars: 0,
        limit: vm.state::<Limit>().0.get(),
        quoted: false,
        stage: Stage::StartRow,
    };
    loop {
        let Some(line) = vm.next(r.lines.value())? else {
            if !row.field.is_empty() || matches!(row.stage, Stage::InQuotes | Stage::EscapedInQuotes) {
                if row.d.strict {
                    return Err(error(vm, "unexpected end of data"));
                }
                row.save()?;
                return Ok(row.fields.value());
            }
            if row.stage == Stage::StartField || !row.fields.is_empty() {
                row.save()?;
                return Ok(row.fields.value());
            }
            return Ok(vm.stop());
        };
        let Some(line) = line.cast::<Str>() else {
            let got = vm.type_name(line);
            return Err(error(
                vm,
                format!("iterator should return strings, not {got} (the file should be opened in text mode)"),
            ));
        };
        r.line.set(r.line.get() + 1);
        for c in line.code_points() {
            row.take(Some(c))?;
        }
        row.take(None)?;
        if row.stage == Stage::StartRow {
            return Ok(row.fields.value());
        }
    }
}
