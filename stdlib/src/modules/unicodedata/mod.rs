//! `unicodedata`: the characters' names, categories and normal forms.

mod data;

use data::{Data, Lazy};
use skein_runtime::native::{FromArg, NativeDef};
use skein_runtime::object::{Kind, Ref, Tracer};
use skein_runtime::types::ext::{Ext, ExtArg, Payload, ext_type};
use skein_runtime::types::module::Module;
use skein_runtime::types::module::make_module;
use skein_runtime::types::str::{Str, push_code_point};
use skein_runtime::types::typeobj::type_flags;
use skein_runtime::{R, Value, Vm, native_functions, native_type};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A character by its name, in any case.
pub fn by_name(name: &str) -> Option<char> {
    if let Some(number) = name.get(..TANGUT.len()).filter(|n| n.eq_ignore_ascii_case(TANGUT)) {
        let number = &name[number.len()..];
        let c = u32::from_str_radix(number, 16).ok().and_then(char::from_u32)?;
        let is_one = matches!(c, '\u{17000}'..='\u{187f7}' | '\u{18d00}'..='\u{18d08}');
        return (is_one && number.len() == 5).then_some(c);
    }
    // Numbers in names have one form only.
    unicode_names2::character(name).filter(|c| name_of(*c).is_some_and(|n| n.eq_ignore_ascii_case(name)))
}

/// How the names of ideographs begin that are looked up, but not told.
const TANGUT: &str = "TANGUT IDEOGRAPH-";

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

fn category_now(c: &Character) -> &'static str {
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
fn bidirectional_now(c: &Character) -> &'static str {
    use unicode_bidi::BidiClass as B;
    let Some(ch) = c.get() else { return "L" };
    if category_now(c) == "Cn" {
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

fn or_default(vm: &Vm, found: Option<Value>, default: Option<Value>, what: &str) -> R<Value> {
    found.or(default).ok_or_else(|| vm.value_error(what))
}

fn name(vm: &Vm, c: Character, default: Option<Value>, old: bool) -> R<Value> {
    let known = c.get().filter(|_| !(old && is_new(vm, &c)));
    let found = match known.and_then(name_of) {
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
fn normalized(vm: &Vm, form: Form, s: Ref<Str>) -> R<Vec<u8>> {
    // Most texts become no longer than twice.
    let mut out = vm.buffer(s.bytes().len().saturating_mul(2))?;
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
    Ok(out)
}

fn normalize(vm: &Vm, form: Form, s: Ref<Str>) -> R<Value> {
    if s.is_ascii() {
        return if vm.is_exact_str(s.value()) { Ok(s.value()) } else { Ok(Str::new(vm, s.bytes())?.value()) };
    }
    Ok(Str::new(vm, &normalized(vm, form, s)?)?.value())
}

/// The file of properties.
fn data(vm: &Vm) -> std::rc::Rc<Data> {
    vm.state::<Lazy>().get()
}

/// Was it not there in Unicode 3.2?
fn is_new(vm: &Vm, c: &Character) -> bool {
    data(vm).find("3.2 unassigned", c.0).is_some()
}

/// A property by the version that is asked for: what differs in 3.2 has a section of its own.
fn property(
    vm: &Vm,
    c: &Character,
    old: bool,
    section: &str,
    unassigned: &'static str,
) -> Option<&'static str> {
    let data = data(vm);
    if old {
        if let Some(v) = data.value(&format!("3.2 {section}"), c.0) {
            return Some(v);
        }
        if is_new(vm, c) {
            return Some(unassigned);
        }
    }
    data.value(section, c.0)
}

fn category(vm: &Vm, c: Character, old: bool) -> &'static str {
    if old {
        if let Some(v) = data(vm).value("3.2 category", c.0) {
            return v;
        }
        if is_new(vm, &c) {
            return "Cn";
        }
    }
    category_now(&c)
}

fn bidirectional(vm: &Vm, c: Character, old: bool) -> &'static str {
    if old {
        match data(vm).value("3.2 bidirectional", c.0) {
            Some("-") => return "",
            Some(v) => return v,
            None => {}
        }
        if is_new(vm, &c) {
            return "";
        }
    }
    bidirectional_now(&c)
}

fn combining(vm: &Vm, c: Character, old: bool) -> i64 {
    match c.get() {
        Some(ch) if !(old && is_new(vm, &c)) => canonical_combining_class(ch).into(),
        _ => 0,
    }
}

fn mirrored(vm: &Vm, c: Character, old: bool) -> i64 {
    match property(vm, &c, old, "mirrored", "0") {
        None | Some("0") => 0,
        Some(_) => 1,
    }
}

fn width(vm: &Vm, c: Character, old: bool) -> &'static str {
    property(vm, &c, old, "width", "N").unwrap_or("N")
}

fn decomposition(vm: &Vm, c: Character, old: bool) -> String {
    if old && is_new(vm, &c) {
        return String::new();
    }
    if (0xac00..=0xd7a3).contains(&c.0) {
        // Syllables of Hangul: of two consonants and a vowel, or without the last.
        let n = c.0 - 0xac00;
        let (first, vowel, last) = (0x1100 + n / 588, 0x1161 + n % 588 / 28, 0x11a7 + n % 28);
        return match n % 28 {
            0 => format!("{first:04X} {vowel:04X}"),
            _ => format!("{first:04X} {vowel:04X} {last:04X}"),
        };
    }
    data(vm).value("decomposition", c.0).unwrap_or("").into()
}

fn decimal_value(vm: &Vm, c: &Character, old: bool) -> Option<u32> {
    if old {
        match data(vm).value("3.2 decimal", c.0) {
            Some("-1") => return None,
            Some(v) => return v.parse().ok(),
            None if is_new(vm, c) => return None,
            None => {}
        }
    }
    data(vm).find("decimal", c.0).map(|(_, first)| (c.0 - first) % 10)
}

fn digit_value(vm: &Vm, c: &Character) -> Option<u32> {
    let data = data(vm);
    data.find("decimal", c.0).map(|(_, first)| (c.0 - first) % 10).or_else(|| {
        let (v, first) = data.find("digit", c.0)?;
        Some(v.parse::<u32>().ok()? + c.0 - first)
    })
}

fn numeric_value(vm: &Vm, c: &Character, old: bool) -> Option<f64> {
    if old {
        match data(vm).value("3.2 numeric", c.0) {
            Some("-1") => return None,
            Some(v) => return v.parse().ok(),
            None if is_new(vm, c) => return None,
            None => {}
        }
    }
    if let Some(d) = digit_value(vm, c) {
        return Some(d.into());
    }
    let v = data(vm).value("numeric", c.0)?;
    match v.split_once('/') {
        Some((a, b)) => Some(a.parse::<f64>().ok()? / b.parse::<f64>().ok()?),
        None => v.parse().ok(),
    }
}

/// Text as Unicode 3.2 normalizes it: newer characters stay, and five were corrected since.
fn normalized_old(vm: &Vm, form: Form, s: Ref<Str>) -> R<Vec<u8>> {
    let data = data(vm);
    let mut out = Vec::new();
    let mut run = Vec::new();
    let flush = |run: &mut Vec<u8>, out: &mut Vec<u8>| -> R<()> {
        if !run.is_empty() {
            out.extend_from_slice(&normalized(vm, form, Str::new(vm, run)?)?);
            run.clear();
        }
        Ok(())
    };
    for c in s.code_points() {
        if let Some(text) = data.value("3.2 normal", c) {
            for part in text.split(' ') {
                push_code_point(&mut run, u32::from_str_radix(part, 16).unwrap_or(c));
            }
        } else if data.find("3.2 unassigned", c).is_some() {
            flush(&mut run, &mut out)?;
            push_code_point(&mut out, c);
        } else {
            push_code_point(&mut run, c);
        }
    }
    flush(&mut run, &mut out)?;
    Ok(out)
}

fn is_normalized(vm: &Vm, form: Form, s: Ref<Str>, old: bool) -> R<bool> {
    Ok(s.is_ascii() || if old { normalized_old(vm, form, s)? } else { normalized(vm, form, s)? } == s.bytes())
}

fn number(vm: &Vm, found: Option<u32>, default: Option<Value>, what: &str) -> R<Value> {
    or_default(vm, found.map(|n| Value::small_int(n.into())), default, what)
}

fn numeric(vm: &Vm, c: Character, default: Option<Value>, old: bool) -> R<Value> {
    let n = match numeric_value(vm, &c, old) {
        Some(n) => Some(vm.float(n)?),
        None => None,
    };
    or_default(vm, n, default, "not a numeric character")
}

native_functions! { FUNCTIONS:
    "lookup(name, /)" => lookup, "Look up character by name.";
    "name(chr, default=<unrepresentable>, /)" => |vm: &Vm, c: Character, d: Option<Value>| name(vm, c, d, false), "Returns the name assigned to the character chr as a string.";
    "category(chr, /)" => |vm: &Vm, c: Character| category(vm, c, false), "Returns the general category assigned to the character chr as string.";
    "bidirectional(chr, /)" => |vm: &Vm, c: Character| bidirectional(vm, c, false), "Returns the bidirectional class assigned to the character chr as string.";
    "combining(chr, /)" => |vm: &Vm, c: Character| combining(vm, c, false), "Returns the canonical combining class assigned to the character chr as integer.";
    "mirrored(chr, /)" => |vm: &Vm, c: Character| mirrored(vm, c, false), "Returns the mirrored property assigned to the character chr as integer.";
    "east_asian_width(chr, /)" => |vm: &Vm, c: Character| width(vm, c, false), "Returns the east asian width assigned to the character chr as string.";
    "decomposition(chr, /)" => |vm: &Vm, c: Character| decomposition(vm, c, false), "Returns the character decomposition mapping assigned to the character chr as string.";
    "decimal(chr, default=<unrepresentable>, /)" => |vm: &Vm, c: Character, d: Option<Value>| number(vm, decimal_value(vm, &c, false), d, "not a decimal"), "Converts a Unicode character into its equivalent decimal value.";
    "digit(chr, default=<unrepresentable>, /)" => |vm: &Vm, c: Character, d: Option<Value>| number(vm, digit_value(vm, &c), d, "not a digit"), "Converts a Unicode character into its equivalent digit value.";
    "numeric(chr, default=<unrepresentable>, /)" => |vm: &Vm, c: Character, d: Option<Value>| numeric(vm, c, d, false), "Converts a Unicode character into its equivalent numeric value.";
    "normalize(form, unistr, /)" => normalize, "Return the normal form 'form' for the Unicode string unistr.";
    "is_normalized(form, unistr, /)" => |vm: &Vm, form: Form, s: Ref<Str>| is_normalized(vm, form, s, false), "Return whether the Unicode string unistr is in the normal form 'form'.";
}

/// A version of the database other than the newest.
struct Database;

impl Payload for Database {
    const NAME: &'static str = "unicodedata.UCD";
    fn trace(&self, _: &mut Tracer<'_>) {
        let Database = self;
    }
}

type This = ExtArg<Database>;

native_type! {
    UCD: "unicodedata.UCD", Kind::Ext, type_flags::NO_NEW;
    methods {
        "lookup($self, name, /)" => |vm: &Vm, _: This, n: Ref<Str>| lookup(vm, n), "Look up character by name.";
        "name($self, chr, default=<unrepresentable>, /)" => |vm: &Vm, _: This, c: Character, d: Option<Value>| name(vm, c, d, true);
        "category($self, chr, /)" => |vm: &Vm, _: This, c: Character| category(vm, c, true);
        "bidirectional($self, chr, /)" => |vm: &Vm, _: This, c: Character| bidirectional(vm, c, true);
        "combining($self, chr, /)" => |vm: &Vm, _: This, c: Character| combining(vm, c, true);
        "mirrored($self, chr, /)" => |vm: &Vm, _: This, c: Character| mirrored(vm, c, true);
        "east_asian_width($self, chr, /)" => |vm: &Vm, _: This, c: Character| width(vm, c, true);
        "decomposition($self, chr, /)" => |vm: &Vm, _: This, c: Character| decomposition(vm, c, true);
        "decimal($self, chr, default=<unrepresentable>, /)" => |vm: &Vm, _: This, c: Character, d: Option<Value>| number(vm, decimal_value(vm, &c, true), d, "not a decimal");
        "digit($self, chr, default=<unrepresentable>, /)" => |vm: &Vm, _: This, c: Character, d: Option<Value>| number(vm, digit_value(vm, &c), d, "not a digit");
        "numeric($self, chr, default=<unrepresentable>, /)" => |vm: &Vm, _: This, c: Character, d: Option<Value>| numeric(vm, c, d, true);
        "normalize($self, form, unistr, /)" => |vm: &Vm, _: This, form: Form, s: Ref<Str>| -> R<Value> { if s.is_ascii() { Ok(s.value()) } else { Ok(Str::new(vm, &normalized_old(vm, form, s)?)?.value()) } };
        "is_normalized($self, form, unistr, /)" => |vm: &Vm, _: This, form: Form, s: Ref<Str>| is_normalized(vm, form, s, true);
    }
    getset {
        "unidata_version" => |vm: &Vm, _: Value| vm.str("3.2.0");
    }
}

/// MemoryError.
pub fn make(vm: &Vm) -> R<Ref<Module>> {
    let m = make_module(vm, "unicodedata", FUNCTIONS)?;
    m.dict().set_name(vm, "unidata_version", vm.str("16.0.0")?)?;
    let ty = ext_type(vm, &UCD)?;
    m.dict().set_name(vm, "UCD", ty.value())?;
    m.dict().set_name(vm, "ucd_3_2_0", Ext::new(vm, ty, Database)?.value())?;
    Ok(m)
}
