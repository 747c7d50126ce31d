//! The options of `-X jit=…`.

use crate::machine::Machine;

/// How eager the compiler is, and what it tells.
///
/// As text, parts with commas between: `on`, `off`, `force` (record and compile whatever runs twice), `log`, `dump=LETTERS`
/// (see [`Dump`]; `dump` alone is `dump=o`), `view`, `perf`, `stats`, `quick` and `thorough` (code is made in this way only),
/// `mem=BYTES`.
#[derive(Clone, Debug)]
pub struct Options {
    pub on: bool,
    /// Instructions from one look at the running loop to the next.
    pub quantum: i64,
    /// Looks that find a loop before it is recorded.
    pub looks: u32,
    /// Which ways of making code there are.
    pub ways: Ways,
    /// Times that an exit is taken before its bridge is recorded.
    pub hits: u32,
    /// Bytes of machine code at most.
    pub memory: usize,
    /// Tell on stderr what is recorded, compiled and given up.
    pub log: bool,
    /// What to print of traces as they are compiled.
    pub dump: Dump,
    /// Keep the machine code's text for `skein.jit`.
    pub view: bool,
    /// Tell `perf` the names of traces: a line for each in `/tmp/perf-PID.map`.
    pub perf: bool,
    /// Print at the end how often traces were entered, and where they were left.
    pub stats: bool,
}

/// Which ways of making code there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// The quick one at first, then the thorough one for what turns out to be busy.
    Both,
    Quick,
    Thorough,
}

/// What is printed of each trace on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// `b`: the bytecode of the loop's function.
    pub bytecode: bool,
    /// `t`: the trace as recorded.
    pub trace: bool,
    /// `o`: the trace as optimized, with its exits.
    pub optimized: bool,
    /// `x`: the exits alone.
    pub exits: bool,
    /// `m`: machine code.
    pub machine: bool,
}

impl Dump {
    /// Nothing?
    pub fn is_empty(self) -> bool {
        self == Dump::default()
    }

    fn parse(letters: &str) -> Option<Dump> {
        let mut dump = Dump::default();
        for letter in letters.chars() {
            match letter {
                'b' => dump.bytecode = true,
                't' => dump.trace = true,
                'o' => dump.optimized = true,
                'x' => dump.exits = true,
                'm' => dump.machine = true,
                _ => return None,
            }
        }
        Some(dump)
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            on: true,
            quantum: 1 << 12,
            looks: 2,
            ways: if Machine::HAS_QUICK { Ways::Both } else { Ways::Thorough },
            hits: 80,
            memory: 64 << 20,
            log: false,
            dump: Dump::default(),
            view: false,
            perf: false,
            stats: false,
        }
    }
}

impl Options {
    /// From the text of `-X jit=…`.
    pub fn parse(text: &str) -> Option<Options> {
        let mut options = Options::default();
        for part in text.split(',') {
            match part {
                "on" => options.on = true,
                "off" => options.on = false,
                "force" => (options.quantum, options.looks, options.hits) = (24, 1, 2),
                "quick" => options.ways = Ways::Quick,
                "thorough" => options.ways = Ways::Thorough,
                "log" => options.log = true,
                "dump" => options.dump.optimized = true,
                "view" => options.view = true,
                "perf" => options.perf = true,
                "stats" => options.stats = true,
                _ => match part.split_once('=')? {
                    ("mem", text) => options.memory = bytes(text)?,
                    ("dump", letters) => options.dump = Dump::parse(letters)?,
                    _ => return None,
                },
            }
        }
        Some(options)
    }
}

/// A number of bytes, with k, m or g behind it.
fn bytes(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}
