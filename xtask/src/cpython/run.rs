//! Runs the driver in processes of their own, and starts it again after each crash or hang.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::outcome::Outcome;

const DRIVER: &str = include_str!("driver.py");

/// How long nothing may be noted: a case, or the import of a module, that takes longer hangs.
const SILENCE: Duration = Duration::from_secs(120);
/// How long a module may take in all.
const MODULE_TIME: Duration = Duration::from_secs(1800);
/// How often a module is gone on with after a crash or hang.
const MAX_STARTS: usize = 40;

/// An interpreter and where its results go.
pub struct Runner {
    exe: PathBuf,
    args: &'static [&'static str],
    tests: PathBuf,
    /// Notes and folders to run in.
    folder: PathBuf,
}

impl Runner {
    pub fn skein(exe: PathBuf, tests: &Path, kept: &Path) -> Runner {
        // A test that allocates without end must not take the machine with it.
        let args = &["-X", "skein-heap-limit=3g"];
        Runner { exe, args, tests: tests.to_owned(), folder: kept.join("skein") }
    }

    /// # Errors
    /// If the interpreter cannot be started.
    pub fn reference(exe: &str, tests: &Path, kept: &Path) -> Result<Runner, String> {
        let out = Command::new(exe).arg("-VV").output().map_err(|e| format!("{exe}: {e}"))?;
        let version: String = String::from_utf8_lossy(&out.stdout)
            .chars()
            .map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' })
            .collect();
        let folder = kept.join(version.trim_matches('-'));
        Ok(Runner { exe: exe.into(), args: &[], tests: tests.to_owned(), folder })
    }

    /// The module's outcome, of an earlier run if there was one that came to its end.
    ///
    /// # Errors
    /// If files cannot be written or the interpreter cannot be started.
    pub fn kept_outcome(&self, module: &str) -> Result<Outcome, String> {
        if let Ok(notes) = std::fs::read_to_string(self.notes(module)) {
            let outcome = Outcome::parse(&self.without_places(&notes));
            if outcome.ended {
                return Ok(outcome);
            }
        }
        self.outcome(module)
    }

    /// Runs a module.
    ///
    /// # Errors
    /// If files cannot be written or the interpreter cannot be started.
    pub fn outcome(&self, module: &str) -> Result<Outcome, String> {
        let told = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
        std::fs::create_dir_all(&self.folder).map_err(|e| told(&self.folder, e))?;
        let notes = self.notes(module);
        std::fs::write(&notes, "").map_err(|e| told(&notes, e))?;
        // A name of its own: helpers that a test starts import the driver as their main module.
        let driver = self.folder.join("cpython_driver.py");
        // Another module's run may be reading it just now.
        if std::fs::read_to_string(&driver).map_or(true, |text| text != DRIVER) {
            let whole = self.folder.join(format!("{module}.driver"));
            std::fs::write(&whole, DRIVER).map_err(|e| told(&whole, e))?;
            std::fs::rename(&whole, &driver).map_err(|e| told(&driver, e))?;
        }
        let began = Instant::now();
        for _ in 0..MAX_STARTS {
            let end = self.start(module, &driver, &notes, began)?;
            let outcome = self.read(module)?;
            let death = match end {
                End::Exit(status) if outcome.ended && status.success() => return Ok(outcome),
                End::Exit(status) => ("crashed", how(status)),
                End::Silence => ("hung", String::new()),
                End::NoTime => ("hung", "the module's time is over".to_owned()),
            };
            let name = outcome.running.clone().unwrap_or_default();
            let line = format!("{}\t{name}\t{}\n", death.0, death.1);
            append(&notes, &line).map_err(|e| told(&notes, e))?;
            // Without a case to leave out, the next start would end in the same way.
            if outcome.ended || outcome.running.is_none() || matches!(end, End::NoTime) {
                break;
            }
        }
        append(&notes, "end\t\t\n").map_err(|e| told(&notes, e))?;
        self.read(module)
    }

    fn notes(&self, module: &str) -> PathBuf {
        self.folder.join(format!("{module}.notes"))
    }

    fn read(&self, module: &str) -> Result<Outcome, String> {
        let path = self.notes(module);
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Outcome::parse(&self.without_places(&String::from_utf8_lossy(&bytes))))
    }

    /// Messages without the folders of this machine, which mean nothing on another.
    fn without_places(&self, notes: &str) -> String {
        let mut text = notes.to_owned();
        // The package may be a link into the reference's library.
        let package = self.tests.join("test");
        // A message may show the beginning of a path only.
        let above = self.folder.parent().unwrap_or(&self.folder).to_owned();
        let places = [
            (&self.exe, "SKEIN"),
            (&self.folder, "FOLDER"),
            (&above, "BUILT"),
            (&package, "TESTS/test"),
            (&self.tests, "TESTS"),
        ];
        for (folder, name) in places {
            for path in [Some(folder.clone()), folder.canonicalize().ok()].into_iter().flatten() {
                text = text.replace(&*path.to_string_lossy(), name);
            }
        }
        text
    }

    fn start(&self, module: &str, driver: &Path, notes: &Path, began: Instant) -> Result<End, String> {
        let scratch = self.folder.join(format!("{module}.tmp"));
        let _ = std::fs::remove_dir_all(&scratch);
        std::fs::create_dir_all(&scratch).map_err(|e| format!("{}: {e}", scratch.display()))?;
        let output = self.folder.join(format!("{module}.out"));
        let output = std::fs::File::options().create(true).append(true).open(&output);
        let output = output.map_err(|e| e.to_string())?;
        let errors = output.try_clone().map_err(|e| e.to_string())?;
        let mut command = Command::new(&self.exe);
        command.args(self.args).arg(driver).arg(module).arg(notes);
        command.env("PYTHONPATH", &self.tests).env("TMPDIR", &scratch).current_dir(&scratch);
        // A group of its own, so that what a test leaves running ends with it.
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let mut child = command.spawn().map_err(|e| format!("{}: {e}", self.exe.display()))?;
        let end = wait(&mut child, notes, began);
        kill_group(&child);
        let status = child.wait().map_err(|e| e.to_string())?;
        let _ = std::fs::remove_dir_all(&scratch);
        Ok(end.unwrap_or(End::Exit(status)))
    }
}

/// How a run of the driver ended.
enum End {
    Exit(ExitStatus),
    Silence,
    NoTime,
}

/// Waits until the child ends, which is None, or has been silent or running for too long.
fn wait(child: &mut Child, notes: &Path, began: Instant) -> Option<End> {
    let mut size = 0;
    let mut since = Instant::now();
    loop {
        if !matches!(child.try_wait(), Ok(None)) {
            return None;
        }
        let now = std::fs::metadata(notes).map_or(0, |m| m.len());
        if now != size {
            (size, since) = (now, Instant::now());
        }
        if since.elapsed() > SILENCE {
            return Some(End::Silence);
        }
        if began.elapsed() > MODULE_TIME {
            return Some(End::NoTime);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Ends a child and all that it started. It may have ended already.
fn kill_group(child: &Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status();
}

fn how(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => "unknown".to_owned(),
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    std::fs::File::options().append(true).open(path)?.write_all(line.as_bytes())
}
