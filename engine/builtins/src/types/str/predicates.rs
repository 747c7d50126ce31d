//! `str`: questions about its characters.

use super::case::{is_lower, is_title, is_upper};
use crate::types::text::{category, is_space};
use skein_runtime::object::Ref;
use skein_runtime::types::str::Str;
use skein_runtime::vm::Vm;
use unicode_properties::{GeneralCategory as G, GeneralCategoryGroup, UnicodeGeneralCategory};

fn all(s: Ref<Str>, test: impl Fn(u32) -> bool) -> bool {
    !s.bytes().is_empty() && s.code_points().all(test)
}

fn ascii(c: u32) -> Option<u8> {
    u8::try_from(c).ok().filter(u8::is_ascii)
}

fn is_alpha(c: u32) -> bool {
    match ascii(c) {
        Some(b) => b.is_ascii_alphabetic(),
        None => char::from_u32(c).is_some_and(|c| c.general_category_group() == GeneralCategoryGroup::Letter),
    }
}

fn is_decimal(c: u32) -> bool {
    match ascii(c) {
        Some(b) => b.is_ascii_digit(),
        None => category(c) == G::DecimalNumber,
    }
}

/// Digits that do not form decimal numbers: superscripts, those in circles.
fn is_other_digit(c: u32) -> bool {
    matches!(c,
        0xb2..=0xb3 | 0xb9 | 0x1369..=0x1371 | 0x19da | 0x2070 | 0x2074..=0x2079 | 0x2080..=0x2089
        | 0x2460..=0x2468 | 0x2474..=0x247c | 0x2488..=0x2490 | 0x24ea | 0x24f5..=0x24fd | 0x24ff
        | 0x2776..=0x277e | 0x2780..=0x2788 | 0x278a..=0x2792 | 0x10a40..=0x10a43 | 0x10e60..=0x10e68
        | 0x11052..=0x1105a | 0x1f100..=0x1f10a)
}

/// Letters that stand for numbers.
fn is_number_letter(c: u32) -> bool {
    matches!(c,
        0x3405 | 0x3483 | 0x382a | 0x3b4d | 0x4e00 | 0x4e03 | 0x4e07 | 0x4e09 | 0x4e24 | 0x4e5d | 0x4e8c
        | 0x4e94 | 0x4e96 | 0x4eac | 0x4ebf..=0x4ec0 | 0x4edf | 0x4ee8 | 0x4f0d | 0x4f70 | 0x4fe9 | 0x5006
        | 0x5104 | 0x5146 | 0x5169 | 0x516b | 0x516d | 0x5341 | 0x5343..=0x5345 | 0x534c | 0x53c1..=0x53c4
        | 0x56db | 0x58f1 | 0x58f9 | 0x5e7a | 0x5efe..=0x5eff | 0x5f0c..=0x5f0e | 0x5f10 | 0x62d0 | 0x62fe
        | 0x634c | 0x67d2 | 0x6d1e | 0x6f06 | 0x7396 | 0x767e | 0x7695 | 0x79ed | 0x8086 | 0x842c | 0x8cae
        | 0x8cb3 | 0x8d30 | 0x920e | 0x94a9 | 0x9621 | 0x9646 | 0x964c | 0x9678 | 0x96f6 | 0xf96b | 0xf973
        | 0xf978 | 0xf9b2 | 0xf9d1 | 0xf9d3 | 0xf9fd | 0x20001 | 0x20064 | 0x200e2 | 0x20121 | 0x2092a
        | 0x20983 | 0x2098c | 0x2099c | 0x20aea | 0x20afd | 0x20b19 | 0x22390 | 0x22998 | 0x23b1b | 0x2626d
        | 0x2f890)
}

fn is_numeric(c: u32) -> bool {
    match ascii(c) {
        Some(b) => b.is_ascii_digit(),
        None => {
            char::from_u32(c).is_some_and(|c| c.general_category_group() == GeneralCategoryGroup::Number)
                || is_number_letter(c)
        }
    }
}

/// Is the character shown by `repr` as it is?
pub fn is_printable(c: u32) -> bool {
    match ascii(c) {
        Some(b) => (32..127).contains(&b),
        None => !matches!(
            category(c),
            G::Control
                | G::Format
                | G::Surrogate
                | G::PrivateUse
                | G::Unassigned
                | G::LineSeparator
                | G::ParagraphSeparator
                | G::SpaceSeparator
        ),
    }
}

pub fn isalpha(_: &Vm, s: Ref<Str>) -> bool {
    all(s, is_alpha)
}

pub fn isalnum(_: &Vm, s: Ref<Str>) -> bool {
    all(s, |c| is_alpha(c) || is_numeric(c))
}

pub fn isdecimal(_: &Vm, s: Ref<Str>) -> bool {
    all(s, is_decimal)
}

pub fn isdigit(_: &Vm, s: Ref<Str>) -> bool {
    all(s, |c| is_decimal(c) || is_other_digit(c))
}

pub fn isnumeric(_: &Vm, s: Ref<Str>) -> bool {
    all(s, is_numeric)
}

pub fn isspace(_: &Vm, s: Ref<Str>) -> bool {
    all(s, is_space)
}

pub fn isprintable(_: &Vm, s: Ref<Str>) -> bool {
    s.code_points().all(is_printable)
}

pub fn isidentifier(_: &Vm, s: Ref<Str>) -> bool {
    let Some(text) = s.to_str() else { return false };
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
}

pub fn islower(_: &Vm, s: Ref<Str>) -> bool {
    s.code_points().any(is_lower) && !s.code_points().any(|c| is_upper(c) || is_title(c))
}

pub fn isupper(_: &Vm, s: Ref<Str>) -> bool {
    s.code_points().any(is_upper) && !s.code_points().any(|c| is_lower(c) || is_title(c))
}

pub fn istitle(_: &Vm, s: Ref<Str>) -> bool {
    let (mut inside, mut found) = (false, false);
    for c in s.code_points() {
        if is_upper(c) || is_title(c) {
            if inside {
                return false;
            }
            (inside, found) = (true, true);
        } else if is_lower(c) {
            if !inside {
                return false;
            }
            found = true;
        } else {
            inside = false;
        }
    }
    found
}
