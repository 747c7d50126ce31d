//! What a pattern asks of one character: case, category, membership in a set.

use super::ops;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

pub fn ascii_lower(c: u32) -> u32 {
    if (0x41..=0x5a).contains(&c) { c + 32 } else { c }
}

pub fn ascii_upper(c: u32) -> u32 {
    if (0x61..=0x7a).contains(&c) { c - 32 } else { c }
}

/// Has it another case, which may be more than one character?
pub fn is_cased(c: u32) -> bool {
    char::from_u32(c).is_some_and(|c| !c.to_lowercase().eq([c]) || !c.to_uppercase().eq([c]))
}

/// The one-to-one lower case.
pub fn lower(c: u32) -> u32 {
    if c < 0x80 {
        return ascii_lower(c);
    }
    // The only character whose full lower case is longer.
    if c == 0x130 {
        return 0x69;
    }
    char::from_u32(c).map_or(c, |ch| ch.to_lowercase().next().map_or(c, u32::from))
}

/// The one-to-one upper case.
pub fn upper(c: u32) -> u32 {
    if c < 0x80 {
        return ascii_upper(c);
    }
    let Some(ch) = char::from_u32(c) else { return c };
    let mut full = ch.to_uppercase();
    match (full.next(), full.next()) {
        (Some(u), None) => u.into(),
        // A longer full upper case: Greek letters with iota have a one-to-one one too, others none.
        _ => match c {
            0x1f80..=0x1faf if c & 8 == 0 => c + 8,
            0x1fb3 | 0x1fc3 | 0x1ff3 => c + 9,
            _ => c,
        },
    }
}

fn is_alnum(c: u32) -> bool {
    if c < 0x80 {
        return (c as u8).is_ascii_alphanumeric();
    }
    let Some(ch) = char::from_u32(c) else { return false };
    matches!(ch.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
}

/// `\w` of text.
pub fn is_word(c: u32) -> bool {
    c == 0x5f || is_alnum(c)
}

/// `\w` of ASCII.
pub fn is_ascii_word(c: u32) -> bool {
    c == 0x5f || (c < 0x80 && (c as u8).is_ascii_alphanumeric())
}

fn is_digit(c: u32) -> bool {
    if c < 0x80 {
        return (c as u8).is_ascii_digit();
    }
    char::from_u32(c).is_some_and(|ch| ch.general_category() == GeneralCategory::DecimalNumber)
}

fn is_space(c: u32) -> bool {
    matches!(c, 9..=13 | 28..=32 | 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
}

fn is_linebreak(c: u32) -> bool {
    matches!(c, 10..=13 | 28..=30 | 0x85 | 0x2028 | 0x2029)
}

/// Is the character in this category? The odd numbers are the complements of the even ones.
pub fn category(code: u32, c: u32) -> bool {
    let member = match code >> 1 {
        0 => (0x30..=0x39).contains(&c),
        1 => matches!(c, 9..=13 | 32),
        // The locale is the C one, in which ASCII letters are letters.
        2 | 4 => is_ascii_word(c),
        3 => c == 10,
        5 => is_digit(c),
        6 => is_space(c),
        7 => is_word(c),
        8 => is_linebreak(c),
        _ => return false,
    };
    member != (code & 1 == 1)
}

/// Is the character in the set that begins here, which ends with `FAILURE`?
pub fn charset(set: &[u32], c: u32) -> bool {
    let word = |i: usize| set.get(i).copied().unwrap_or(0);
    let bit = |bits: u32| bits & (1 << (c & 31)) != 0;
    let mut ok = true;
    let mut i = 0;
    loop {
        match word(i) {
            ops::LITERAL => {
                if word(i + 1) == c {
                    return ok;
                }
                i += 2;
            }
            ops::RANGE => {
                if (word(i + 1)..=word(i + 2)).contains(&c) {
                    return ok;
                }
                i += 3;
            }
            ops::CATEGORY => {
                if category(word(i + 1), c) {
                    return ok;
                }
                i += 2;
            }
            ops::CHARSET => {
                if c < 256 && bit(word(i + 1 + (c >> 5) as usize)) {
                    return ok;
                }
                i += 9;
            }
            // <BIGCHARSET> <blocks> <256 bytes: the block of each high byte> <8 words a block>
            ops::BIGCHARSET => {
                let blocks = word(i + 1) as usize;
                if c < 0x1_0000 {
                    let high = (c >> 8) as usize;
                    let block = word(i + 2 + high / 4).to_ne_bytes()[high % 4] as usize;
                    if bit(word(i + 2 + 64 + block * 8 + (c as usize >> 5 & 7))) {
                        return ok;
                    }
                }
                i += 2 + 64 + blocks.min(set.len()) * 8;
            }
            ops::RANGE_UNI_IGNORE => {
                let range = word(i + 1)..=word(i + 2);
                if range.contains(&c) || range.contains(&upper(c)) {
                    return ok;
                }
                i += 3;
            }
            ops::NEGATE => {
                ok = !ok;
                i += 1;
            }
            _ => return !ok,
        }
    }
}

/// As [`charset`], with the case of the locale ignored.
pub fn charset_locale(set: &[u32], c: u32) -> bool {
    let (l, u) = (ascii_lower(c), ascii_upper(c));
    charset(set, l) || (u != l && charset(set, u))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_case() {
        for (c, l, u) in [('A', 'a', 'A'), ('ß', 'ß', 'ß'), ('İ', 'i', 'İ'), ('ᾀ', 'ᾀ', 'ᾈ'), ('é', 'é', 'É')]
        {
            assert_eq!((lower(c.into()), upper(c.into())), (l.into(), u.into()));
        }
    }

    #[test]
    fn sets() {
        let set = [ops::NEGATE, ops::RANGE, 0x61, 0x7a, ops::CATEGORY, 0, ops::FAILURE];
        assert!(charset(&set, 0x41) && !charset(&set, 0x62) && !charset(&set, 0x30));
        assert!(!charset(&[ops::BIGCHARSET], 0x1234));
    }
}
