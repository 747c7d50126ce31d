//! What is changed in the library's files: where they speak of RustPython, or of what is in another module here.

use crate::Source;
use crate::mends::MENDS;

/// A change of one place in one file.
pub struct Patch {
    pub path: &'static str,
    /// Must stand exactly once in the file.
    pub from: &'static str,
    pub to: &'static str,
    pub why: &'static str,
}

const PATCHES: &[Patch] = &[
    Patch {
        path: "sysconfig/__init__.py",
        from: "    return 'RustPython'  # XXX: RUSTPYTHON; For site-packages\n",
        to: "    return 'Skein'\n",
        why: "the name in paths of site-packages",
    },
    Patch {
        path: "site.py",
        from: "    return 'RustPython' # XXX: RUSTPYTHON; for site-packages\n",
        to: "    return 'Skein'\n",
        why: "the name in paths of site-packages",
    },
    Patch {
        path: "site.py",
        from: "    # XXX: RUSTPYTHON\n    return f'{userbase}/lib/rustpython{version[0]}",
        to: "    return f'{userbase}/lib/{implementation_lower}{version[0]}",
        why: "as in sysconfig's schemes",
    },
    Patch {
        path: "site.py",
        from: "        dir, dircase = makepath(dir)\n        if dircase not in known_paths:\n            L.append(dir)\n",
        to: "        dir, dircase = makepath(dir) if dir != sys._stdlib_dir else (dir, dir)\n        if dircase not in known_paths:\n            L.append(dir)\n",
        why: "the entry of the packed library is not a relative path",
    },
    Patch {
        path: "sysconfig/__init__.py",
        from: "    'posix_prefix': {\n        'stdlib': '{installed_base}/{platlibdir}/{implementation_lower}{py_version_short}{abi_thread}',\n",
        to: "    'posix_prefix': {\n        'stdlib': '{library}',\n",
        why: "the library is packed, and unpacked elsewhere",
    },
    Patch {
        path: "sysconfig/__init__.py",
        from: "    'posix_venv': {\n        'stdlib': '{installed_base}/{platlibdir}/{implementation_lower}{py_version_short}{abi_thread}',\n",
        to: "    'posix_venv': {\n        'stdlib': '{library}',\n",
        why: "as above",
    },
    Patch {
        path: "sysconfig/__init__.py",
        from: "    _CONFIG_VARS['installed_base'] = base_prefix\n",
        to: "    _CONFIG_VARS['installed_base'] = base_prefix\n    _CONFIG_VARS['library'] = sys._stdlib_dir\n",
        why: "as above",
    },
    Patch {
        path: "linecache.py",
        from: "    try:\n        stat = os.stat(fullname)\n    except OSError:\n        basename = filename\n",
        to: "    try:\n        if fullname.startswith(sys._stdlib_dir):\n            data = _packed.read(fullname[len(sys._stdlib_dir) + 1:])\n            if data is not None:\n                lines = [line + '\\n' for line in data.decode().splitlines()]\n                cache[filename] = len(data), None, lines, fullname\n                return lines\n        stat = os.stat(fullname)\n    except OSError:\n        basename = filename\n",
        why: "lines of packed files are no reason to unpack all of them",
    },
    Patch {
        path: "sysconfig/__init__.py",
        from: "    return os.path.join(get_path('stdlib'), config_dir_name, 'Makefile')\n",
        to: "    return os.path.join(get_path('platstdlib'), config_dir_name, 'Makefile')\n",
        why: "there is none beside the library, which need not be unpacked to see that",
    },
    Patch {
        path: "linecache.py",
        from: "        import os\n        import sys\n        import tokenize\n",
        to: "        import os\n        import sys\n        import tokenize\n        import _packed\n",
        why: "as above",
    },
    Patch {
        path: "venv/__init__.py",
        from: "        path = os.path.abspath(os.path.dirname(__file__))\n        path = os.path.join(path, 'scripts')\n        self.install_scripts(context, path)\n",
        to: "        from importlib import resources\n\n        with resources.as_file(resources.files(__name__) / 'scripts') as path:\n            self.install_scripts(context, str(path))\n",
        why: "the scripts are packed, and in no folder",
    },
    Patch {
        path: "venv/__init__.py",
        from: "                os.symlink('lib', link_path)\n",
        to: "                os.symlink('lib', link_path)\n        if os.name == 'posix':\n            link_path = os.path.join(env_dir, 'lib', 'python%d.%d' % sys.version_info[:2])\n            if not os.path.lexists(link_path):\n                os.symlink(os.path.basename(os.path.dirname(libpath)), link_path)\n",
        why: "tools that look for an environment's packages without asking its interpreter know no other name of the folder",
    },
    Patch {
        path: "platform.py",
        from: "        # XXX: RUSTPYTHON support\n        if \"RustPython\" in sys_version:\n            name = \"RustPython\"\n",
        to: "        if \"Skein\" in sys_version:\n            name = \"Skein\"\n",
        why: "platform.python_implementation()",
    },
    Patch {
        path: "ctypes/__init__.py",
        from: "else:\n    pythonapi = PyDLL(None)\n",
        to: "",
        why: "there is no C interface: programs that can do without look whether it is there",
    },
    Patch {
        path: "json/decoder.py",
        from: r#"    # RUSTPYTHON SPECIFIC
    @classmethod
    def _from_serde(cls, msg, doc, line, col):
        pos = 0
        # 0-indexed
        line -= 1
        col -= 1
        while line > 0:
            i = doc.index('\n', pos)
            line -= 1
            pos = i
        pos += col
        return cls(msg, doc, pos)

"#,
        to: "",
        why: "made for RustPython's own parser",
    },
    Patch {
        path: "unittest/__init__.py",
        from: r#"


# XXX: RUSTPYTHON
# This is very useful to reduce platform difference boilerplates in tests.
def expectedFailureIf(condition, reason):
    assert reason.startswith("TODO: RUSTPYTHON")
    if condition:
        return expectedFailure
    else:
        return lambda x: x

# XXX: RUSTPYTHON
# Even more useful because most of them are windows only.
def expectedFailureIfWindows(reason):
    import sys
    return expectedFailureIf(sys.platform == 'win32', reason)

# XXX: RUSTPYTHON
# For a rare case when the parent class test fails but the child pass.
def expectedSuccess(test_item):
    test_item.__unittest_expecting_failure__ = False
    return test_item
"#,
        to: "",
        why: "marks of RustPython's copy of the tests",
    },
    Patch {
        path: "_compat_pickle.py",
        from: r#"# NOTE: RUSTPYTHON exceptions
try:
    JitError
except NameError:
    pass
else:
    PYTHON2_EXCEPTIONS += ("JitError",)

"#,
        to: "PYTHON2_EXCEPTIONS += (\"TaskletExit\",)\n\n",
        why: "an exception of RustPython's; and the one that Stackless Python has among the builtin ones",
    },
    Patch {
        path: "pickle.py",
        from: "    dispatch[FunctionType] = save_global\n",
        to: r#"    def save_function(self, obj):
        reduce = dispatch_table.get(FunctionType)
        if reduce is not None:
            try:
                whichmodule(obj, obj.__qualname__)
            except Exception:
                return self.save_reduce(*reduce(obj), obj=obj)
        return self.save_global(obj)

    dispatch[FunctionType] = save_function
"#,
        why: "a function without a name that leads to it, where `stackless` has registered a reduction",
    },
    Patch {
        path: "copy.py",
        from: "                 state=None, listiter=None, dictiter=None,\n                 *, deepcopy=deepcopy):\n",
        to: "                 state=None, listiter=None, dictiter=None, state_setter=None,\n                 *, deepcopy=deepcopy):\n",
        why: "reductions with a function that sets the state, as those of `stackless` are",
    },
    Patch {
        path: "copy.py",
        from: "        if hasattr(y, '__setstate__'):\n            y.__setstate__(state)\n        else:\n            if isinstance(state, tuple)",
        to: "        if state_setter is not None:\n            state_setter(y, state)\n        elif hasattr(y, '__setstate__'):\n            y.__setstate__(state)\n        else:\n            if isinstance(state, tuple)",
        why: "as above",
    },
    Patch {
        path: "io.py",
        from: r#"                 IncrementalNewlineDecoder, text_encoding, TextIOWrapper)

# XXX: RUSTPYTHON; FileIO needs host_env, optional without it
try:
    from _io import FileIO
except ImportError:
    FileIO = None
"#,
        to: "                 IncrementalNewlineDecoder, text_encoding, TextIOWrapper, FileIO)\n",
        why: "Skein always has FileIO",
    },
    Patch {
        path: "io.py",
        from: "if FileIO is not None:  # XXX: RUSTPYTHON; see the try/except above\n    RawIOBase.register(FileIO)\n",
        to: "RawIOBase.register(FileIO)\n",
        why: "Skein always has FileIO",
    },
];

/// Checks that every patch is for a file that goes in.
///
/// # Errors
/// A patch for a file that is not there.
pub fn check_all(sources: &[Source]) -> Result<(), String> {
    let lost =
        PATCHES.iter().chain(MENDS).find(|patch| !sources.iter().any(|source| source.path == patch.path));
    lost.map_or(Ok(()), |patch| Err(format!("a patch for {}, which is not packed", patch.path)))
}

/// The file's text with its patches applied.
///
/// # Errors
/// If the place is not there, or there twice: the library has changed, look at the patch again.
pub fn apply(path: &str, text: Vec<u8>) -> Result<Vec<u8>, String> {
    let mut patches = PATCHES.iter().chain(MENDS).filter(|patch| patch.path == path).peekable();
    if patches.peek().is_none() {
        return Ok(text);
    }
    let mut text = String::from_utf8(text).map_err(|e| e.to_string())?;
    for patch in patches {
        if text.matches(patch.from).count() != 1 {
            return Err(format!("the patch for `{}` does not fit", patch.why));
        }
        text = text.replace(patch.from, patch.to);
    }
    Ok(text.into_bytes())
}
