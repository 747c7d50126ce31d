//! A code that several have, read when it is first looked at.

use crate::code::Code;
use crate::file::PackedCode;
use std::cell::OnceCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

/// A shared code. What its [`Head`] and its names say is at hand; all else is read out of the packaged library at the first
/// look, since most functions of a module never run.
#[derive(Clone)]
pub struct CodeRef(Rc<Shared>);

/// What [`CodeRef::into_raw`] points to.
pub struct Shared {
    head: Head,
    code: OnceCell<Box<Code>>,
    /// Where it is read from.
    packed: Option<PackedCode>,
}

/// What calls and functions must know of a code before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub first_line: u32,
    pub flags: u32,
    pub arg_count: u16,
    pub posonly_count: u16,
    pub kwonly_count: u16,
    pub nregs: u16,
    /// Free locals.
    pub free: u16,
}

impl Head {
    pub fn of(code: &Code) -> Head {
        Head {
            first_line: code.first_line,
            flags: code.flags,
            arg_count: code.arg_count,
            posonly_count: code.posonly_count,
            kwonly_count: code.kwonly_count,
            nregs: code.nregs,
            // Locals are registers, of which there are fewer.
            free: code.free_locals().count() as u16,
        }
    }
}

impl Shared {
    pub fn head(&self) -> &Head {
        &self.head
    }

    #[inline]
    pub fn code(&self) -> &Code {
        self.code.get_or_init(|| {
            // Who made it without a code gave it a place to read from.
            let packed = self.packed.as_ref().expect("a code, or where it is");
            Box::new(packed.read())
        })
    }
}

impl CodeRef {
    pub fn new(code: Code) -> CodeRef {
        let head = Head::of(&code);
        CodeRef(Rc::new(Shared { head, code: OnceCell::from(Box::new(code)), packed: None }))
    }

    pub(crate) fn packed(packed: PackedCode, head: Head) -> CodeRef {
        CodeRef(Rc::new(Shared { head, code: OnceCell::new(), packed: Some(packed) }))
    }

    pub fn head(&self) -> &Head {
        &self.0.head
    }

    pub fn name(&self) -> &str {
        match (self.0.code.get(), &self.0.packed) {
            (None, Some(packed)) => packed.name,
            _ => &self.0.code().name,
        }
    }

    pub fn qualname(&self) -> &str {
        match (self.0.code.get(), &self.0.packed) {
            (None, Some(packed)) => packed.qualname,
            _ => &self.0.code().qualname,
        }
    }

    pub fn filename(&self) -> &str {
        match (self.0.code.get(), &self.0.packed) {
            (None, Some(packed)) => packed.filename(),
            _ => &self.0.code().filename,
        }
    }

    /// Are they one and the same?
    pub fn is(&self, other: &CodeRef) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The code, if it has been read and nobody else has it.
    pub(crate) fn into_inner(self) -> Option<Code> {
        Rc::into_inner(self.0)?.code.into_inner().map(|code| *code)
    }

    /// For those who keep it where nothing is dropped.
    pub fn into_raw(self) -> *const Shared {
        Rc::into_raw(self.0)
    }

    /// # Safety
    /// [`CodeRef::into_raw`] gave the pointer, and this is done once for each time.
    pub unsafe fn from_raw(raw: *const Shared) -> CodeRef {
        // SAFETY: the caller's promise.
        CodeRef(unsafe { Rc::from_raw(raw) })
    }
}

impl CodeRef {
    /// One more of what somebody keeps.
    ///
    /// # Safety
    /// [`CodeRef::into_raw`] gave the pointer, and it has not been taken back.
    pub unsafe fn from_borrowed(raw: *const Shared) -> CodeRef {
        // SAFETY: the caller's promise.
        unsafe {
            Rc::increment_strong_count(raw);
            CodeRef(Rc::from_raw(raw))
        }
    }
}

impl Deref for CodeRef {
    type Target = Code;

    fn deref(&self) -> &Code {
        self.0.code()
    }
}

impl PartialEq for CodeRef {
    fn eq(&self, other: &CodeRef) -> bool {
        self.is(other) || **self == **other
    }
}

impl Eq for CodeRef {}

impl Hash for CodeRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for CodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for CodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
