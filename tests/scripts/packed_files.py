# Skein alone
# Files and distributions that are packed into the program.
import pkgutil
import sys
from importlib import metadata, resources

scripts = resources.files("venv") / "scripts"
assert scripts.is_dir() and sorted(p.name for p in scripts.iterdir()) == ["common", "nt", "posix"]
text = (scripts / "common" / "activate").read_text()
assert "VIRTUAL_ENV" in text
with resources.as_file(scripts) as folder:
    assert (folder / "common" / "activate").read_text() == text
assert pkgutil.get_data("venv", "scripts/common/activate") == text.encode()
assert resources.files("json").joinpath("decoder.py").read_bytes().startswith(b'"""')
assert not resources.files("json").joinpath("nothing.txt").is_file()
wheels = list((resources.files("ensurepip") / "_bundled").iterdir())
assert len(wheels) == 1 and wheels[0].read_bytes().startswith(b"PK")

assert sys.prefix and sys.base_prefix == sys.prefix and sys.executable == sys._base_executable
if sys.implementation.name == "skein":
    import greenlet

    assert metadata.version("greenlet") == greenlet.__version__
    assert [d.name for d in metadata.distributions(name="greenlet")] == ["greenlet"]
