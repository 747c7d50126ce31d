//! Sources: whether one compiles or is refused is what the reference interpreter says, `SKEIN_REFERENCE`. Without one only the
//! compiler's crashes are found. What the compiler makes must pass the verifier (the host looks at that in debug builds).

use crate::Isolate;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PRELUDE: &str = include_str!("source.py");

/// Both sides.
pub struct Sources {
    isolate: Isolate,
    reference: Option<Reference>,
}

/// A process that answers sources.
struct Reference {
    child: Child,
    sources: ChildStdin,
    answers: ChildStdout,
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Reference {
    fn start(python: &std::ffi::OsStr) -> Result<Reference, String> {
        let mut child = Command::new(python)
            .args(["-I", "-c", &format!("{PRELUDE}\nserve()")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", python.display()))?;
        let (sources, answers) = (child.stdin.take(), child.stdout.take());
        let (Some(sources), Some(answers)) = (sources, answers) else {
            return Err("the reference has no streams".into());
        };
        Ok(Reference { child, sources, answers })
    }

    fn ask(&mut self, source: &[u8]) -> std::io::Result<String> {
        self.sources.write_all(&(source.len() as u32).to_le_bytes())?;
        self.sources.write_all(source)?;
        self.sources.flush()?;
        let mut length = [0; 4];
        self.answers.read_exact(&mut length)?;
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        self.answers.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

/// Two answers that differ.
pub struct Difference {
    pub ours: String,
    pub theirs: String,
}

impl Difference {
    /// What sources that differ for the same reason have in common: both answers without what they quote, names and numbers.
    pub fn kind(&self) -> String {
        let mut kind = String::new();
        let mut quoted = false;
        for c in format!("{} | {}", self.ours, self.theirs).chars() {
            quoted ^= c == '\'';
            if !quoted && !c.is_ascii_digit() {
                kind.push(c);
            }
        }
        kind
    }
}

impl Sources {
    /// # Errors
    /// If a side cannot be started.
    pub fn new() -> Result<Sources, String> {
        let isolate = Isolate::new(PRELUDE, None).map_err(|e| e.to_string())?;
        let reference =
            std::env::var_os("SKEIN_REFERENCE").map(|python| Reference::start(&python)).transpose()?;
        Ok(Sources { isolate, reference })
    }

    /// Is there a reference to compare with?
    pub fn compares(&self) -> bool {
        self.reference.is_some()
    }

    /// Compiles a source on both sides.
    ///
    /// # Errors
    /// What compiling raised that a source cannot be to blame for.
    pub fn check(&mut self, source: &[u8]) -> Result<Option<Difference>, String> {
        let ours = self.isolate.call("compiles", source).map_err(|e| e.to_string())?;
        let Some(reference) = &mut self.reference else { return Ok(None) };
        let theirs = reference.ask(source).map_err(|e| format!("the reference: {e}"))?;
        let same = ours.is_empty()
            || theirs.is_empty()
            || matches!(ours.as_str(), "TookTooLong" | "MemoryError" | "RecursionError")
            || (ours == "accepted") == (theirs == "accepted");
        Ok((!same).then_some(Difference { ours, theirs }))
    }
}
