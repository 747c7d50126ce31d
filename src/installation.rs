//! Where the program is, and what follows from that: `sys.executable`, `sys.prefix` and their like.
//!
//! The library is inside the program, so that there are no landmarks to look for: the prefix is the folder above the
//! program's where that is called `bin`, and else the program's own. A virtual environment is told by its `pyvenv.cfg`,
//! as in CPython (PEP 405).

use skein_runtime::vm::Config;
use std::path::{Path, PathBuf};

/// Sets the paths of the installation. `program` is the command line's first argument.
pub fn locate(config: &mut Config, program: &str) {
    let executable = executable(program);
    let home = std::env::var("PYTHONHOME").ok().filter(|h| !h.is_empty() && !config.ignore_environment);
    let environment = match home {
        // It overrides an environment.
        Some(_) => None,
        None => environment_of(&executable),
    };
    let real = std::fs::canonicalize(&executable).unwrap_or_else(|_| executable.clone());
    let base_executable = match &environment {
        None => executable.clone(),
        Some(_) if real != executable => real,
        // A copy of the program.
        Some(environment) => environment.home.join(executable.file_name().unwrap_or_default()),
    };
    let real_base = std::fs::canonicalize(&base_executable).unwrap_or_else(|_| base_executable.clone());
    let base_prefix = match home {
        Some(home) => PathBuf::from(home.split(':').next().unwrap_or_default()),
        None => prefix_of(&real_base),
    };
    let text = |p: &Path| p.to_string_lossy().into_owned();
    config.prefix = environment.map_or_else(|| text(&base_prefix), |e| text(&e.prefix));
    config.base_prefix = text(&base_prefix);
    config.base_executable = text(&base_executable);
    config.executable = text(&executable);
}

/// The program's path as it was called, with links in it: that of a virtual environment is one.
fn executable(program: &str) -> PathBuf {
    let called = match program.contains('/') {
        true => Some(PathBuf::from(program)),
        false => on_path(program),
    };
    let called = called.filter(|p| p.is_file()).and_then(|p| std::path::absolute(p).ok());
    called.or_else(|| std::env::current_exe().ok()).unwrap_or_else(|| PathBuf::from(program))
}

/// Where a shell finds a command.
fn on_path(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::var_os("PATH").filter(|_| !name.is_empty())?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0))
}

/// A virtual environment.
struct Environment {
    prefix: PathBuf,
    /// The folder of the program that it was made with.
    home: PathBuf,
}

/// The environment whose configuration lies above the program, or beside it.
fn environment_of(executable: &Path) -> Option<Environment> {
    let beside = executable.parent()?;
    let folders = beside.parent().into_iter().chain([beside]);
    let (prefix, text) =
        folders.into_iter().find_map(|f| Some((f, std::fs::read_to_string(f.join("pyvenv.cfg")).ok()?)))?;
    let home = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        key.trim().eq_ignore_ascii_case("home").then(|| value.trim())
    })?;
    Some(Environment { prefix: prefix.into(), home: home.into() })
}

/// The prefix of a program that is no link.
fn prefix_of(program: &Path) -> PathBuf {
    let folder = program.parent().unwrap_or(Path::new("/"));
    match folder.file_name().is_some_and(|name| name == "bin") {
        true => folder.parent().unwrap_or(folder).into(),
        false => folder.into(),
    }
}
