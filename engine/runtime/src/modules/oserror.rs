//! Raising OSError and its subclasses.

use crate::value::{R, Raised, Value};
use crate::vm::Vm;

/// The system's text of an error number.
pub fn strerror(errno: i32) -> String {
    let mut buf = [0u8; 256];
    // SAFETY: the buffer is as long as said, and ends with a zero byte afterwards.
    unsafe {
        if libc::strerror_r(errno, buf.as_mut_ptr().cast(), buf.len()) != 0 && buf[0] == 0 {
            return format!("Unknown error {errno}");
        }
        std::ffi::CStr::from_ptr(buf.as_ptr().cast()).to_string_lossy().into_owned()
    }
}

impl Vm {
    /// Raises OSError for an error number, of what works on two files.
    #[cold]
    pub fn os_error_2(&self, errno: i32, filename: Value, filename2: Value) -> Raised {
        let raise = || -> R<Raised> {
            let text = self.str(&strerror(errno))?;
            let row = [Value::small_int(errno.into()), text, filename, Value::NONE, filename2];
            // OSError makes an instance of the subclass for the number.
            let e = self.call(self.exc.os_error.value(), &row)?;
            Ok(self.raise(e))
        };
        raise().unwrap_or_else(|e| e)
    }

    /// Raises OSError for the error of the last system call.
    #[cold]
    pub fn last_os_error(&self, filename: Option<Value>) -> Raised {
        self.os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(0), filename)
    }

    /// Raises OSError for an error of Rust's library.
    #[cold]
    pub fn os_error_of(&self, error: &std::io::Error, path: Option<&str>) -> Raised {
        let name = match path.map(|p| self.str(p)) {
            Some(Err(e)) => return e,
            Some(Ok(v)) => Some(v),
            None => None,
        };
        match error.raw_os_error() {
            Some(errno) => self.os_error(errno, name),
            None => self.raise_text(self.exc.os_error, &error.to_string()),
        }
    }
}
