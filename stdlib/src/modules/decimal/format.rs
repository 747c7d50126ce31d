//! `__format__`.

use super::arith::rescaled;
use super::number::{Num, Rounding, Work};
use skein_runtime::types::str::Str;
use skein_runtime::{R, Raised, Ref, Value, Vm};

/// What stands for the point and between groups of digits.
pub struct Marks {
    pub point: String,
    pub separator: String,
    /// The sizes of groups from the right, as C's library gives them.
    pub grouping: Vec<u8>,
}

/// A format specification.
pub struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    no_negative_zero: bool,
    alternate: bool,
    zero_pad: bool,
    width: usize,
    precision: Option<i64>,
    /// Between groups of digits behind the point.
    fraction_separator: Option<char>,
    /// 0: none given.
    kind: char,
    pub locale: bool,
    pub marks: Marks,
}

impl Spec {
    /// ValueError.
    pub fn parse(vm: &Vm, s: Ref<Str>) -> R<Spec> {
        let text = s.to_string_lossy();
        let spec = Self::of_text(&text).ok_or_else(|| invalid(vm))?;
        if spec.locale && spec.kind == 'G' {
            let text = "Format specifier 'N' is deprecated and slated for removal in Python 3.18";
            vm.warn(vm.exc.deprecation_warning, text)?;
        }
        Ok(spec)
    }

    fn of_text(text: &str) -> Option<Spec> {
        let all: Vec<char> = text.chars().collect();
        let mut rest = &all[..];
        let is_align = |c: &char| matches!(c, '<' | '>' | '=' | '^');
        let mut spec = Spec {
            fill: ' ',
            align: None,
            sign: '-',
            no_negative_zero: false,
            alternate: false,
            zero_pad: false,
            width: 0,
            precision: None,
            fraction_separator: None,
            kind: '\0',
            locale: false,
            marks: Marks { point: ".".to_owned(), separator: String::new(), grouping: vec![3, 0] },
        };
        match rest {
            [fill, align, more @ ..] if is_align(align) => {
                (spec.fill, spec.align, rest) = (*fill, Some(*align), more);
            }
            [align, more @ ..] if is_align(align) => (spec.align, rest) = (Some(*align), more),
            _ => {}
        }
        if let [c @ (' ' | '+' | '-'), more @ ..] = rest {
            (spec.sign, rest) = (*c, more);
        }
        if let ['z', more @ ..] = rest {
            (spec.no_negative_zero, rest) = (true, more);
        }
        if let ['#', more @ ..] = rest {
            (spec.alternate, rest) = (true, more);
        }
        if let ['0', more @ ..] = rest {
            rest = more;
            // With an alignment of its own it is the first digit of the width.
            if spec.align.is_none() {
                (spec.fill, spec.align, spec.zero_pad) = ('0', Some('='), true);
            }
        }
        fn number(rest: &[char]) -> Option<(usize, &[char])> {
            let end = rest.iter().position(|c| !c.is_ascii_digit()).unwrap_or(rest.len());
            let digits: String = rest[..end].iter().collect();
            Some((digits.parse().ok().filter(|&n| n < isize::MAX as usize)?, &rest[end..]))
        }
        if rest.first().is_some_and(char::is_ascii_digit) {
            (spec.width, rest) = number(rest)?;
        }
        if let [c @ (',' | '_'), more @ ..] = rest {
            (spec.marks.separator, rest) = (c.to_string(), more);
        }
        if let ['.', more @ ..] = rest {
            rest = more;
            let has_precision = rest.first().is_some_and(char::is_ascii_digit);
            if has_precision {
                let (n, more) = number(rest)?;
                (spec.precision, rest) = (Some(n as i64), more);
            }
            match rest {
                [c @ (',' | '_'), more @ ..] => (spec.fraction_separator, rest) = (Some(*c), more),
                _ if has_precision => {}
                _ => return None,
            }
        }
        if let [c, more @ ..] = rest {
            match c {
                'n' | 'N' if !spec.marks.separator.is_empty() => return None,
                'n' | 'N' => {
                    spec.locale = true;
                    spec.kind = if *c == 'n' { 'g' } else { 'G' };
                }
                'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => spec.kind = *c,
                _ => return None,
            }
            rest = more;
        }
        rest.is_empty().then_some(spec)
    }
}

#[cold]
pub fn invalid(vm: &Vm) -> Raised {
    vm.value_error("invalid format string")
}

/// Rounded to so many digits.
fn to_places(w: &Work<'_>, n: &Num, places: i64, rounding: Rounding) -> R<Num> {
    if places <= 0 || n.coeff.is_zero() {
        return Ok(n.clone());
    }
    let exp = n.adjusted() + 1 - places;
    let rounded = rescaled(w, n, exp, rounding)?;
    // 99.9 may have become 100.
    if rounded.adjusted() != n.adjusted() {
        return rescaled(w, &rounded, rounded.adjusted() + 1 - places, rounding);
    }
    Ok(rounded)
}

/// The number in the form that the specification asks for. MemoryError.
pub fn format(w: &Work<'_>, n: &Num, spec: &Spec, capitals: bool) -> R<Value> {
    let vm = w.vm;
    let sign = |negative: bool| match (negative, spec.sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        _ => "",
    };
    if !n.is_finite() {
        let mut body = super::text::to_text(&n.clone().abs(), false, true);
        if spec.kind == '%' {
            body.push(b'%');
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        // Zeros before it would look like digits.
        let fill = if spec.zero_pad { ' ' } else { spec.fill };
        let align = if spec.zero_pad { '>' } else { spec.align.unwrap_or('>') };
        return aligned(vm, sign(n.negative), &body, spec.width, fill, align);
    }
    let kind = match spec.kind {
        '\0' if capitals => 'G',
        '\0' => 'g',
        c => c,
    };
    let mut n = n.clone();
    if kind == '%' {
        n.exp += 2;
    }
    let rounding = w.rules.rounding;
    let fixed = matches!(kind, 'f' | 'F' | '%');
    let scientific = matches!(kind, 'e' | 'E');
    if let Some(precision) = spec.precision {
        n = if scientific {
            to_places(w, &n, precision.saturating_add(1), rounding)?
        } else if fixed {
            rescaled(w, &n, -precision, rounding)?
        } else if n.coeff.digits() as i64 > precision {
            to_places(w, &n, precision.max(1), rounding)?
        } else {
            n
        };
    }
    if n.coeff.is_zero() && n.exp > 0 && fixed {
        n.exp = 0;
    }
    let negative = n.negative && !(spec.no_negative_zero && n.coeff.is_zero());
    let mut digits = Vec::new();
    n.coeff.write(&mut digits);
    let len = digits.len() as i64;
    let left = n.exp + len;
    let place = if scientific {
        match spec.precision {
            Some(precision) if n.coeff.is_zero() => 1 - precision,
            _ => 1,
        }
    } else if fixed || (n.exp <= 0 && left > -6) {
        left
    } else {
        1
    };
    w.room(place.unsigned_abs() + len as u64)?;
    // bounded: the room was asked for.
    let zeros = |n: i64| "0".repeat(n.max(0) as usize);
    let digits = String::from_utf8_lossy(&digits).into_owned();
    let (whole, fraction) = if place < 0 {
        ("0".to_owned(), zeros(-place) + &digits)
    } else if place > len {
        (digits + &zeros(place - len), String::new())
    } else {
        let (whole, fraction) = digits.split_at(place as usize);
        (if whole.is_empty() { "0".to_owned() } else { whole.to_owned() }, fraction.to_owned())
    };
    let exp = left - place;
    let mut tail = String::new();
    if !fraction.is_empty() || spec.alternate {
        tail.push_str(&spec.marks.point);
        for (i, digit) in fraction.chars().enumerate() {
            if i > 0 && i % 3 == 0 {
                tail.extend(spec.fraction_separator);
            }
            tail.push(digit);
        }
    }
    if exp != 0 || scientific {
        tail.push(if matches!(kind, 'E' | 'G') { 'E' } else { 'e' });
        tail.push_str(&format!("{exp:+}"));
    }
    if kind == '%' {
        tail.push('%');
    }
    let sign = sign(negative);
    let beside = tail.chars().count() + sign.len();
    let least = if spec.zero_pad { spec.width.saturating_sub(beside) } else { 0 };
    w.room(least as u64)?;
    let body = grouped(&whole, least, &spec.marks) + &tail;
    aligned(vm, sign, &body, spec.width, spec.fill, spec.align.unwrap_or('>'))
}

/// Digits in groups, with zeros before them up to a width.
fn grouped(digits: &str, least: usize, marks: &Marks) -> String {
    if marks.separator.is_empty() {
        // bounded: the room was asked for.
        return "0".repeat(least.saturating_sub(digits.len())) + digits;
    }
    let mark = marks.separator.chars().count();
    // From the right.
    let mut groups: Vec<String> = Vec::new();
    let (mut rest, mut width) = (digits, 0);
    let mut sizes = marks.grouping.iter().copied();
    let mut size = usize::from(sizes.next().unwrap_or(3));
    loop {
        let room = least.saturating_sub(width).max(1);
        let wanted =
            if size == 0 || size >= 127 { rest.len().max(room) } else { size.min(rest.len().max(room)) };
        let taken = wanted.min(rest.len());
        let (before, group) = rest.split_at(rest.len() - taken);
        // bounded: the room was asked for.
        groups.push("0".repeat(wanted - taken) + group);
        width += wanted;
        rest = before;
        if rest.is_empty() && width >= least {
            break;
        }
        width += mark;
        match sizes.next() {
            // The last size is that of all others.
            Some(0) | None => {}
            Some(next) => size = next.into(),
        }
    }
    groups.reverse();
    groups.join(&marks.separator)
}

fn aligned(vm: &Vm, sign: &str, body: &str, width: usize, fill: char, align: char) -> R<Value> {
    let used = sign.len() + body.chars().count();
    let padding = width.saturating_sub(used);
    vm.check_room(padding.saturating_mul(fill.len_utf8()))?;
    // bounded: the room was asked for.
    let row = |n: usize| fill.to_string().repeat(n);
    let text = match align {
        '<' => format!("{sign}{body}{}", row(padding)),
        '=' => format!("{sign}{}{body}", row(padding)),
        '^' => format!("{}{sign}{body}{}", row(padding / 2), row(padding - padding / 2)),
        _ => format!("{}{sign}{body}", row(padding)),
    };
    vm.str(&text)
}
