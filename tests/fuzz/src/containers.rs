//! Programs of operations on containers, whose items' special methods change the containers under work. An input is a program
//! in the terms of `containers.py`, which can also be run by itself: `skein containers.py FILE` prints what it does.

use crate::Isolate;

const PRELUDE: &str = include_str!("containers.py");

/// Runs programs, with rare and with frequent collections.
pub struct Containers {
    calm: Isolate,
    stressed: Isolate,
}

impl Containers {
    /// # Errors
    /// If an isolate cannot be made.
    pub fn new() -> Result<Containers, String> {
        let isolate = |stress| Isolate::new(PRELUDE, stress).map_err(|e| e.to_string());
        Ok(Containers { calm: isolate(None)?, stressed: isolate(Some(31))? })
    }

    /// Runs a program. Its first byte says in which isolate.
    ///
    /// # Errors
    /// What it raised that no program should see.
    pub fn check(&mut self, program: &[u8]) -> Result<(), String> {
        let Some((first, rest)) = program.split_first() else { return Ok(()) };
        let isolate = if first & 1 == 0 { &mut self.calm } else { &mut self.stressed };
        isolate.call("run", rest).map(drop).map_err(|e| e.to_string())
    }
}
