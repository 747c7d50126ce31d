//! Signature texts such as `f($self, a, /, b=1, *, c)`: their parameters, at compile time and at run time.

/// Most parameters of a typed native.
pub const MAX_PARAMS: usize = 16;

/// A parameter of a signature text.
pub struct Parameter<'a> {
    /// `$self` for the receiver, `*args` and `**kwargs` with their stars.
    pub name: &'a str,
    pub default: Option<&'a str>,
    pub positional_only: bool,
    pub keyword_only: bool,
    pub required: bool,
}

impl Parameter<'_> {
    /// That a method is called on.
    pub fn is_receiver(&self) -> bool {
        self.name.starts_with('$')
    }
}

/// The parameters of a signature text such as `f($self, a, /, b=1, *, c)`.
pub fn parameters(signature: &str) -> impl Iterator<Item = Parameter<'_>> {
    let open = signature.find('(').map_or(0, |i| i + 1);
    let inner = &signature[open..signature.len().saturating_sub(1)];
    let slash = split_top(inner).position(|p| p == "/");
    let star = split_top(inner).position(|p| p.starts_with('*'));
    split_top(inner).enumerate().filter(|(_, p)| *p != "/" && *p != "*").map(move |(i, p)| {
        let (name, default) = match p.split_once('=') {
            Some((n, d)) => (n.trim(), Some(d.trim())),
            None => (p, None),
        };
        Parameter {
            name,
            default,
            positional_only: slash.is_some_and(|s| i < s),
            keyword_only: star.is_some_and(|s| i > s),
            required: default.is_none() && !name.starts_with('*'),
        }
    })
}

/// Splits at commas that are not in quotes or brackets.
fn split_top(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.trim().is_empty() {
            return None;
        }
        let (mut depth, mut quote) = (0, None);
        for (i, c) in rest.char_indices() {
            match (quote, c) {
                (Some(q), _) if c == q => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(c),
                (None, '(' | '[' | '{') => depth += 1,
                (None, ')' | ']' | '}') => depth -= 1,
                (None, ',') if depth == 0 => {
                    let part = rest[..i].trim();
                    rest = &rest[i + 1..];
                    return Some(part);
                }
                _ => {}
            }
        }
        Some(std::mem::take(&mut rest).trim())
    })
}

pub(super) const fn name_of(signature: &'static str) -> &'static str {
    let bytes = signature.as_bytes();
    let mut i = 0;
    while i < bytes.len() && bytes[i] != b'(' {
        i += 1;
    }
    signature.split_at(i).0
}

/// (fewest positional, most positional, all parameters, whether all keyword-only ones have
/// defaults), at compile time.
pub(super) const fn count_params(signature: &str) -> (u8, u8, u8, bool) {
    let b = signature.as_bytes();
    let (mut min, mut max, mut all) = (0u8, 0u8, 0u8);
    let (mut keyword_only, mut depth, mut quote) = (false, 0, 0u8);
    let (mut has_name, mut has_default, mut star, mut optional) = (false, false, false, true);
    let mut i = 0;
    while i < b.len() {
        let c = b[i];
        if quote != 0 {
            if c == quote {
                quote = 0;
            }
        } else if c == b'\'' || c == b'"' {
            quote = c;
        } else if c == b'(' || c == b'[' || c == b'{' {
            depth += 1;
        } else if depth == 1 && (c == b',' || c == b')') {
            if star {
                keyword_only = true;
            }
            if has_name {
                all += 1;
                if keyword_only && !star && !has_default {
                    optional = false;
                }
                if !keyword_only && !star {
                    max += 1;
                    if !has_default {
                        min += 1;
                    }
                }
            }
            has_name = false;
            has_default = false;
            star = false;
            if c == b')' {
                depth -= 1;
            }
        } else if c == b')' || c == b']' || c == b'}' {
            depth -= 1;
        } else if depth == 1 {
            if c == b'=' {
                has_default = true;
            } else if c == b'*' {
                star = true;
            } else if c != b'/' && c != b' ' {
                has_name = true;
            }
        }
        i += 1;
    }
    (min, max, all, optional)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_counted() {
        assert_eq!(count_params("f()"), (0, 0, 0, true));
        assert_eq!(count_params("f($self, x, /)"), (2, 2, 2, true));
        assert_eq!(count_params("f(a, /, b=',', *, c, d=(1, 2))"), (1, 2, 4, false));
        assert_eq!(name_of("sqrt(x, /)"), "sqrt");
        let p: Vec<_> = parameters("f(a, /, b=',', *, c)").map(|p| (p.name, p.keyword_only)).collect();
        assert_eq!(p, [("a", false), ("b", false), ("c", true)]);
    }
}
