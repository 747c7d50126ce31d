//! Raising SyntaxError and UnicodeError, which tell of places in texts.

use crate::object::Ref;
use crate::types::exception::Exception;
use crate::types::typeobj::Type;
use crate::value::{R, Raised, Value};
use crate::vm::Vm;

/// Where in a source text a program ends to be one. Lines and columns count from 1.
#[derive(Clone, Copy, Debug)]
pub struct SyntaxPlace<'a> {
    pub filename: &'a str,
    pub line: u32,
    pub col: u32,
    /// 0: the end is not known.
    pub end_line: u32,
    pub end_col: u32,
    pub text: Option<&'a str>,
}

impl Vm {
    /// Raises a SyntaxError, or the given subclass, with all its fields.
    #[cold]
    pub fn syntax_error(&self, ty: Ref<Type>, message: &str, place: &SyntaxPlace<'_>) -> Raised {
        let raise = || -> R<Raised> {
            let int = |n: u32| Value::small_int(i64::from(n));
            let filename = self.str(place.filename)?;
            let text = match place.text {
                Some(t) => self.str(t)?,
                None => Value::NONE,
            };
            let end = |n: u32| if place.end_line == 0 { Value::NONE } else { int(n) };
            let info =
                [filename, int(place.line), int(place.col), text, end(place.end_line), end(place.end_col)];
            let msg = self.str(message)?;
            let details = self.tuple(&info)?;
            let e = Exception::new(self, ty, &[msg, details])?;
            e.set_field(self, 0, msg)?;
            for (i, v) in info.into_iter().enumerate() {
                e.set_field(self, 1 + i, v)?;
            }
            Ok(self.raise(e.value()))
        };
        raise().unwrap_or(Raised)
    }

    /// Raises UnicodeDecodeError with its fields; positions count bytes.
    #[cold]
    pub fn decode_error(
        &self,
        encoding: &str,
        object: Value,
        start: usize,
        end: usize,
        reason: &str,
    ) -> Raised {
        self.unicode_error(self.exc.unicode_decode_error, encoding, object, start, end, reason)
    }

    /// Raises UnicodeEncodeError with its fields; positions count characters.
    #[cold]
    pub fn encode_error(
        &self,
        encoding: &str,
        object: Value,
        start: usize,
        end: usize,
        reason: &str,
    ) -> Raised {
        self.unicode_error(self.exc.unicode_encode_error, encoding, object, start, end, reason)
    }

    fn unicode_error(
        &self,
        ty: Ref<Type>,
        encoding: &str,
        object: Value,
        start: usize,
        end: usize,
        reason: &str,
    ) -> Raised {
        let raise = || -> R<Raised> {
            let encoding = self.str(encoding)?;
            let reason = self.str(reason)?;
            let row =
                [encoding, object, Value::small_int(start as i64), Value::small_int(end as i64), reason];
            let e = Exception::new(self, ty, &row)?;
            for (i, v) in row.into_iter().enumerate() {
                e.set_field(self, i, v)?;
            }
            Ok(self.raise(e.value()))
        };
        raise().unwrap_or(Raised)
    }
}
