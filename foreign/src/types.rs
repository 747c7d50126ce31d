//! Types of C as the calling convention sees them.

/// A number or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Signed, of so many bytes.
    Int(u8),
    /// Unsigned, of so many bytes.
    Uint(u8),
    F32,
    F64,
    /// `long double`: in aggregates only, since it is no word.
    F80,
    /// `long double _Complex`, as a whole aggregate.
    C80,
}

impl Scalar {
    pub fn size(self) -> usize {
        match self {
            Scalar::Int(n) | Scalar::Uint(n) => n.into(),
            Scalar::F32 => 4,
            Scalar::F64 => 8,
            Scalar::F80 => 16,
            Scalar::C80 => 32,
        }
    }

    pub fn is_float(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }

    /// The word of an integer as one of this type: cut, and extended by its sign.
    pub fn narrowed(self, word: u64) -> u64 {
        let unused = 64 - 8 * self.size().min(8) as u32;
        match self {
            Scalar::Int(_) => ((word << unused) as i64 >> unused) as u64,
            _ => word << unused >> unused,
        }
    }
}

/// A struct, union or array that is passed by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    pub size: usize,
    pub align: usize,
    /// All numbers in it with their offsets, those of inner aggregates too.
    pub parts: Vec<(usize, Scalar)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Void,
    Scalar(Scalar),
    Aggregate(Aggregate),
}

/// Where an eightbyte travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Integer,
    Sse,
}

impl Aggregate {
    /// How many numbers a result of this type leaves on the stack of the floating-point unit.
    pub fn on_stack_of_floats(&self) -> usize {
        match *self.parts {
            [(0, Scalar::F80)] if self.size == 16 => 1,
            [(0, Scalar::C80)] if self.size == 32 => 2,
            _ => 0,
        }
    }

    /// A result of this type is written to where the caller says.
    pub fn is_written(&self) -> bool {
        self.classes().is_none() && self.on_stack_of_floats() == 0
    }

    /// Classes of its eightbytes; None: it is in memory.
    pub fn classes(&self) -> Option<Vec<Class>> {
        if self.size > 16 || self.size == 0 || self.on_stack_of_floats() != 0 {
            return None;
        }
        let mut classes = vec![Class::Sse; self.size.div_ceil(8)];
        for &(at, scalar) in &self.parts {
            // What is packed beyond its alignment is in memory.
            if at % scalar.size() != 0 || matches!(scalar, Scalar::F80 | Scalar::C80) {
                return None;
            }
            if !scalar.is_float() {
                *classes.get_mut(at / 8)? = Class::Integer;
            }
        }
        Some(classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_aggregates() {
        let of =
            |size, parts: &[(usize, Scalar)]| Aggregate { size, align: 8, parts: parts.to_vec() }.classes();
        let (int, float, double) = (Scalar::Int(4), Scalar::F32, Scalar::F64);
        assert_eq!(of(8, &[(0, int), (4, float)]), Some(vec![Class::Integer]));
        assert_eq!(of(16, &[(0, double), (8, int)]), Some(vec![Class::Sse, Class::Integer]));
        assert_eq!(of(8, &[(0, float), (4, float)]), Some(vec![Class::Sse]));
        assert_eq!(of(24, &[(0, double), (8, double), (16, double)]), None);
        assert_eq!(of(5, &[(0, Scalar::Int(1)), (1, int)]), None);
        assert_eq!(of(16, &[(0, Scalar::F80)]), None);
    }

    #[test]
    fn words_of_small_types() {
        assert_eq!(Scalar::Int(1).narrowed(0xff), u64::MAX);
        assert_eq!(Scalar::Uint(1).narrowed(0x1ff), 0xff);
        assert_eq!(Scalar::Int(8).narrowed(5), 5);
    }
}
