//! Raising OSError and its subclasses.

use crate::native::Args;
use crate::object::Ref;
use crate::types::typeobj::Type;
use crate::value::{Raised, Value};
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
    /// Raises OSError for an error number, with the name of the file if one was named.
    #[cold]
    pub fn os_error(&self, errno: i32, filename: Option<Value>) -> Raised {
        self.os_error_2(errno, filename, None)
    }

    /// As [`Vm::os_error`], of what works on two files.
    #[cold]
    pub fn os_error_2(&self, errno: i32, filename: Option<Value>, filename2: Option<Value>) -> Raised {
        let number = Value::small_int(errno.into());
        let text = match self.str(&strerror(errno)) {
            Ok(t) => t,
            Err(e) => return e,
        };
        let name = filename.unwrap_or(Value::NONE);
        let row = [number, text, name, Value::NONE, filename2.unwrap_or(Value::NONE)];
        let n = if filename2.is_some() {
            5
        } else if filename.is_some() {
            3
        } else {
            2
        };
        match self.construct(class_of_errno(self, i64::from(errno)), Args::new(&row[..n], None)) {
            Ok(e) => self.raise(e),
            Err(e) => e,
        }
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
            None if error.kind() == std::io::ErrorKind::OutOfMemory => self.memory_error(),
            None => self.raise_text(self.exc.os_error, &error.to_string()),
        }
    }
}

/// The class that `OSError(errno, …)` makes an instance of.
pub fn class_of_errno(vm: &Vm, errno: i64) -> Ref<Type> {
    let e = &vm.exc;
    match i32::try_from(errno).unwrap_or(0) {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => e.blocking_io_error,
        libc::EPIPE | libc::ESHUTDOWN => e.broken_pipe_error,
        libc::ECHILD => e.child_process_error,
        libc::ECONNABORTED => e.connection_aborted_error,
        libc::ECONNREFUSED => e.connection_refused_error,
        libc::ECONNRESET => e.connection_reset_error,
        libc::EEXIST => e.file_exists_error,
        libc::ENOENT => e.file_not_found_error,
        libc::EISDIR => e.is_a_directory_error,
        libc::ENOTDIR => e.not_a_directory_error,
        libc::EINTR => e.interrupted_error,
        libc::EACCES | libc::EPERM => e.permission_error,
        libc::ESRCH => e.process_lookup_error,
        libc::ETIMEDOUT => e.timeout_error,
        _ => e.os_error,
    }
}
