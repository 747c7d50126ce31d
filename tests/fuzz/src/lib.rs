//! What the fuzzer's targets do with one input. Each `check` tells of a fault by an error; worse ones, panics, signals and
//! inputs that take too long, end the process, which is for the fuzzer to tell. The seeds are run as ordinary tests too.

pub mod bytecode;
pub mod containers;
pub mod mutate;
pub mod source;

use skein::{Error, Interpreter};

/// Inputs after which an isolate is made anew, so that what earlier ones left behind has an end.
const INPUTS_OF_AN_ISOLATE: u32 = 2000;

/// Bytes that an input's heap may have.
const HEAP: usize = 64 << 20;

/// What stops an input that computes for too long: processor time, since libFuzzer has the clock's timer for itself.
const WATCHDOG: &str = "
import signal
class TookTooLong(BaseException): pass
def stop(*_): raise TookTooLong
signal.signal(signal.SIGVTALRM, stop)
def watch(seconds): signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.05)
";

/// An isolate in which one input after the other is run.
pub struct Isolate {
    python: Interpreter,
    inputs: u32,
    stress: Option<u32>,
    prelude: &'static str,
}

impl Isolate {
    /// An isolate in which a prelude was run. With `stress`, garbage is collected at each so many allocations.
    ///
    /// # Errors
    /// If the isolate cannot be made, or what the prelude raises.
    pub fn new(prelude: &'static str, stress: Option<u32>) -> Result<Isolate, Error> {
        let mut builder = Interpreter::builder().heap_limit(HEAP).hash_seed(1);
        if let Some(every) = stress {
            builder = builder.gc_stress(every);
        }
        let python = builder.build()?;
        python.exec(WATCHDOG, "watchdog.py")?;
        python.exec(prelude, "prelude.py")?;
        Ok(Isolate { python, inputs: 0, stress, prelude })
    }

    /// The isolate for one more input.
    ///
    /// # Errors
    /// If it was time for a new one: those of [`Isolate::new`].
    pub fn for_input(&mut self) -> Result<&Interpreter, Error> {
        self.inputs += 1;
        if self.inputs > INPUTS_OF_AN_ISOLATE {
            *self = Isolate::new(self.prelude, self.stress)?;
        }
        // Signals go to the isolate that runs now.
        skein_builtins::modules::install_interrupt(self.python.vm());
        Ok(&self.python)
    }

    /// Calls a function of the prelude with an input and gives the text that it returns.
    ///
    /// # Errors
    /// What it raises, but for what only says that an input is too much.
    pub fn call(&mut self, function: &str, input: &[u8]) -> Result<String, Error> {
        let mut call = format!("{function}(b'");
        for byte in input {
            call.push_str(&format!("\\x{byte:02x}"));
        }
        call.push_str("')");
        match self.for_input()?.eval::<String>(&call) {
            Err(error) if too_much(error.kind()) => Ok(error.kind().to_owned()),
            result => result,
        }
    }
}

/// Is this the name of an exception that any input may end in, by taking too long or too much?
pub fn too_much(kind: &str) -> bool {
    matches!(kind, "TookTooLong" | "MemoryError" | "RecursionError" | "KeyboardInterrupt")
}
