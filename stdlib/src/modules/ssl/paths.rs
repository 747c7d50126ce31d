//! Where the system keeps the certificates that it trusts.

use skein_runtime::{R, Value, Vm};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const FOLDER_VARIABLE: &str = "SSL_CERT_DIR";

/// Files of several systems; the first that is there.
const FILES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];
const FOLDERS: &[&str] = &["/etc/ssl/certs", "/etc/pki/tls/certs"];

fn first(paths: &[&'static str], is_there: fn(&Path) -> bool) -> &'static str {
    paths.iter().find(|path| is_there(Path::new(path))).unwrap_or(&paths[0])
}

pub fn to_path(path: &CStr) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path.to_bytes()))
}

/// `get_default_verify_paths`: a variable and a path for the file, and for the folder. MemoryError.
pub fn get_default_verify_paths(vm: &Vm) -> R<Value> {
    vm.tuple(&[
        vm.str(FILE_VARIABLE)?,
        vm.str(first(FILES, Path::is_file))?,
        vm.str(FOLDER_VARIABLE)?,
        vm.str(first(FOLDERS, Path::is_dir))?,
    ])
}

/// File and folder, the environment's before the system's.
pub fn trusted() -> (PathBuf, PathBuf) {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    (
        variable(FILE_VARIABLE).unwrap_or_else(|| first(FILES, Path::is_file).into()),
        variable(FOLDER_VARIABLE).unwrap_or_else(|| first(FOLDERS, Path::is_dir).into()),
    )
}
