//! `unicodedata`: the characters' names, categories and normal forms.

use skein_runtime::native::{FromArg, NativeDef};
use skein_runtime::object::Ref;
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::{R, Value, Vm, native_functions};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A character by its name, in any case.
pub fn by_name(name: &str) -> Option<char> {
    unicode_names2::character(name)
}

/// A character's name.
pub fn name_of(c: char) -> Option<String> {
    unicode_names2::name(c).map(|n| n.to_string())
}

/// A str of one character, which may be a surrogate.
struct Character(u32);

impl Character {
    fn get(&self) -> Option<char> {
        char::from_u32(self.0)
    }
}

impl FromArg for Character {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Character> {
        let Some(s) = v.cast::<Str>() else {
            let got = vm.type_name(v);
            let which = if def.max == 1 { "argument".into() } else { format!("argument {}", i + 1) };
            return Err(
                vm.type_error(format!("{}() {which} must be a unicode character, not {got}", def.name))
            );
        };
        match s.code_points().next() {
            Some(c) if s.char_len() == 1 => Ok(Character(c)),
            _ => Err(vm.type_error(format!(
                "{}() argument must be a unicode character, not a string of length {}",
                def.name,
                s.char_len()
            ))),
        }
    }
}

fn category(c: &Character) -> &'static str {
    use GeneralCategory as G;
    let Some(c) = c.get() else { return "Cs" };
    match c.general_category() {
        G::UppercaseLetter => "Lu",
        G::LowercaseLetter => "Ll",
        G::TitlecaseLetter => "Lt",
        G::ModifierLetter => "Lm",
        G::OtherLetter => "Lo",
        G::NonspacingMark => "Mn",
        G::SpacingMark => "Mc",
        G::EnclosingMark => "Me",
        G::DecimalNumber => "Nd",
        G::LetterNumber => "Nl",
        G::OtherNumber => "No",
        G::ConnectorPunctuation => "Pc",
        G::DashPunctuation => "Pd",
        G::OpenPunctuation => "Ps",
        G::ClosePunctuation => "Pe",
        G::InitialPunctuation => "Pi",
        G::FinalPunctuation => "Pf",
        G::OtherPunctuation => "Po",
        G::MathSymbol => "Sm",
        G::CurrencySymbol => "Sc",
        G::ModifierSymbol => "Sk",
        G::OtherSymbol => "So",
        G::SpaceSeparator => "Zs",
        G::LineSeparator => "Zl",
        G::ParagraphSeparator => "Zp",
        G::Control => "Cc",
        G::Format => "Cf",
        G::Surrogate => "Cs",
        G::PrivateUse => "Co",
        G::Unassigned => "Cn",
    }
}

/// The class of text direction; empty for characters that are not assigned.
fn bidirectional(c: &Character) -> &'static str {
    use unicode_bidi::BidiClass as B;
    let Some(ch) = c.get() else { return "L" };
    if category(c) == "Cn" {
        return "";
    }
    match unicode_bidi::bidi_class(ch) {
        B::AL => "AL",
        B::AN => "AN",
        B::B => "B",
        B::BN => "BN",
        B::CS => "CS",
        B::EN => "EN",
        B::ES => "ES",
        B::ET => "ET",
        B::FSI => "FSI",
        B::L => "L",
        B::LRE => "LRE",
        B::LRI => "LRI",
        B::LRO => "LRO",
        B::NSM => "NSM",
        B::ON => "ON",
        B::PDF => "PDF",
        B::PDI => "PDI",
        B::R => "R",
        B::RLE => "RLE",
        B::RLI => "RLI",
        B::RLO => "RLO",
        B::S => "S",
        B::WS => "WS",
    }
}

fn decimal_value(c: char) -> Option<u32> {
    if c.general_category() != GeneralCategory::DecimalNumber {
        return None;
    }
    // Scripts have their ten digits in a row, 0 first; some rows follow each other.
    let mut first = c as u32;
    let is_digit =
        |n| char::from_u32(n).is_some_and(|c| c.general_category() == GeneralCategory::DecimalNumber);
    while is_digit(first - 1) {
        first -= 1;
    }
    Some((c as u32 - first) % 10)
}

/// What a compatibility character stands for.
fn compatible(c: char) -> String {
    let mut out = String::new();
    decompose_compatible(c, |c| out.push(c));
    out
}

fn digit_value(c: char) -> Option<u32> {
    decimal_value(c).or_else(|| {
        let text = compatible(c);
        let text = text.trim_matches(['(', ')', '.', ',']);
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(d), None) if d != c => d.to_digit(10),
            _ => None,
        }
    })
}

const IDEOGRAPHS: &[(char, f64)] = &[
    ('〇', 0.0),
    ('一', 1.0),
    ('二', 2.0),
    ('三', 3.0),
    ('四', 4.0),
    ('五', 5.0),
    ('六', 6.0),
    ('七', 7.0),
    ('八', 8.0),
    ('九', 9.0),
    ('十', 10.0),
    ('百', 100.0),
    ('千', 1000.0),
    ('万', 1e4),
    ('億', 1e8),
    ('兆', 1e12),
];

/// Of digits, fractions, Roman and circled numbers and the common ideographs.
fn numeric_value(c: char) -> Option<f64> {
    if let Some(d) = digit_value(c) {
        return Some(d.into());
    }
    if let Some((_, n)) = IDEOGRAPHS.iter().find(|(i, _)| *i == c) {
        return Some(*n);
    }
    if !matches!(c.general_category(), GeneralCategory::LetterNumber | GeneralCategory::OtherNumber) {
        return None;
    }
    let text = compatible(c);
    let text = text.trim_matches(['(', ')', '.']);
    if let Some((a, b)) = text.split_once('\u{2044}') {
        let b = if b.is_empty() { "1" } else { b };
        return Some(a.parse::<f64>().ok()? / b.parse::<f64>().ok()?);
    }
    text.parse().ok().or_else(|| roman(text))
}

fn roman(text: &str) -> Option<f64> {
    let values: Option<Vec<i32>> = text
        .chars()
        .map(|c| match c.to_ascii_uppercase() {
            'I' => Some(1),
            'V' => Some(5),
            'X' => Some(10),
            'L' => Some(50),
            'C' => Some(100),
            'D' => Some(500),
            'M' => Some(1000),
            _ => None,
        })
        .collect();
    let values = values.filter(|v| !v.is_empty())?;
    let signed = |i: usize| if values.get(i + 1) > Some(&values[i]) { -values[i] } else { values[i] };
    Some((0..values.len()).map(signed).sum::<i32>().into())
}

fn or_default(vm: &Vm, found: Option<Value>, default: Option<Value>, what: &str) -> R<Value> {
    found.or(default).ok_or_else(|| vm.value_error(what))
}

fn name(vm: &Vm, c: Character, default: Option<Value>) -> R<Value> {
    let found = match c.get().and_then(name_of) {
        Some(n) => Some(vm.str(&n)?),
        None => None,
    };
    or_default(vm, found, default, "no such name")
}

fn lookup(vm: &Vm, name: Ref<Str>) -> R<String> {
    let name = name.to_string_lossy();
    match by_name(&name) {
        Some(c) => Ok(c.to_string()),
        None => Err(vm.key_error(vm.str(&format!("undefined character name '{name}'"))?)),
    }
}

#[derive(Clone, Copy)]
enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

impl FromArg for Form {
    fn from_arg(vm: &Vm, def: &'static NativeDef, i: usize, v: Value) -> R<Form> {
        let s = Ref::<Str>::from_arg(vm, def, i, v)?;
        match s.bytes() {
            b"NFC" => Ok(Form::Nfc),
            b"NFD" => Ok(Form::Nfd),
            b"NFKC" => Ok(Form::Nfkc),
            b"NFKD" => Ok(Form::Nfkd),
            _ => Err(vm.value_error("invalid normalization form")),
        }
    }
}

/// Lone surrogates stay as they are, and end what is normalized together.
fn normalized(form: Form, s: Ref<Str>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut Vec<u8>| {
        let text: String = match form {
            Form::Nfc => run.nfc().collect(),
            Form::Nfd => run.nfd().collect(),
            Form::Nfkc => run.nfkc().collect(),
            Form::Nfkd => run.nfkd().collect(),
        };
        out.extend_from_slice(text.as_bytes());
        run.clear();
    };
    for c in s.code_points() {
        match char::from_u32(c) {
            Some(c) => run.push(c),
            None => {
                flush(&mut run, &mut out);
                push_code_point(&mut out, c);
            }
        }
    }
    flush(&mut run, &mut out);
    out
}

fn normalize(vm: &Vm, form: Form, s: Ref<Str>) -> R<Value> {
    if s.is_ascii() {
        return Ok(s.value());
    }
    vm.check_room(s.bytes().len().saturating_mul(4))?;
    Ok(Str::new(vm, &normalized(form, s))?.value())
}

native_functions! { FUNCTIONS:
    "lookup(name, /)" => lookup, "Look up character by name.";
    "name(chr, default=<unrepresentable>, /)" => name, "Returns the name assigned to the character chr as a string.";
    "category(chr, /)" => |_: &Vm, c: Character| category(&c), "Returns the general category assigned to the character chr as string.";
    "bidirectional(chr, /)" => |_: &Vm, c: Character| bidirectional(&c);
    "combining(chr, /)" => |_: &Vm, c: Character| c.get().map_or(0, |c| i64::from(canonical_combining_class(c)));
    "decimal(chr, default=<unrepresentable>, /)" => |vm: &Vm, c: Character, d: Option<Value>| or_default(vm, c.get().and_then(decimal_value).map(|n| Value::small_int(n.into())), d, "not a decimal");
    "digit(chr, default=<unrepresentable>, /)" => |vm: &Vm, c: Character, d: Option<Value>| or_default(vm, c.get().and_then(digit_value).map(|n| Value::small_int(n.into())), d, "not a digit");
    "numeric(chr, default=<unrepresentable>, /)" => |vm: &Vm, c: Character, d: Option<Value>| -> R<Value> {
        let n = match c.get().and_then(numeric_value) { Some(n) => Some(vm.float(n)?), None => None };
        or_default(vm, n, d, "not a numeric character")
    };
    "normalize(form, unistr, /)" => normalize, "Return the normal form 'form' for the Unicode string unistr.";
    "is_normalized(form, unistr, /)" => |_: &Vm, form: Form, s: Ref<Str>| s.is_ascii() || normalized(form, s) == s.bytes(), "Return whether the Unicode string unistr is in the normal form 'form'.";
    "east_asian_width(chr, /)" => |vm: &Vm, _: Character| -> R<()> { Err(vm.unsupported("unicodedata.east_asian_width")) };
    "mirrored(chr, /)" => |vm: &Vm, _: Character| -> R<()> { Err(vm.unsupported("unicodedata.mirrored")) };
    "decomposition(chr, /)" => |vm: &Vm, _: Character| -> R<()> { Err(vm.unsupported("unicodedata.decomposition")) };
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "unicodedata", FUNCTIONS)?;
    let (a, b, c) = unicode_properties::UNICODE_VERSION;
    m.dict().set_name(vm, "unidata_version", vm.str(&format!("{a}.{b}.{c}"))?)?;
    Ok(m)
}
