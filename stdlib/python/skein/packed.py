"""What is packed into the program beside code: files of the library's packages, and the distributions that are built in."""

import contextlib
import io
import itertools
import pathlib
import sys
import tempfile
from importlib import metadata, resources
from importlib.resources.abc import Traversable, TraversableResources

import _packed

# The entry of sys.path that stands for the library.
LIBRARY = sys._stdlib_dir


class Packed(Traversable):
    """A file or folder of the packed library."""

    def __init__(self, path=""):
        self._path = path

    @property
    def name(self):
        return self._path.rpartition("/")[2]

    def iterdir(self):
        if not self.is_dir():
            raise self._missing()
        return (self.joinpath(name) for name in _packed.names(self._path))

    def is_dir(self):
        return bool(_packed.names(self._path))

    def is_file(self):
        return _packed.read(self._path) is not None

    def joinpath(self, *descendants):
        parts = [part for d in descendants for part in str(d).split("/") if part]
        return Packed("/".join([self._path, *parts] if self._path else parts))

    def read_bytes(self):
        content = _packed.read(self._path)
        if content is None:
            raise self._missing()
        return content

    def open(self, mode="r", *args, **kwargs):
        if mode not in ("r", "rb"):
            raise ValueError(f"files of the packed library are read only, not opened with {mode!r}")
        content = io.BytesIO(self.read_bytes())
        return content if mode == "rb" else io.TextIOWrapper(content, *args, **kwargs)

    def _missing(self):
        return FileNotFoundError(2, "No such file or directory", str(self))

    def __str__(self):
        return f"{LIBRARY}/{self._path}"

    def __repr__(self):
        return f"Packed({self._path!r})"


def _copy(source, target):
    if source.is_dir():
        target.mkdir()
        for child in source.iterdir():
            _copy(child, target / child.name)
    else:
        target.write_bytes(source.read_bytes())


@resources.as_file.register(Packed)
@contextlib.contextmanager
def _as_file(path):
    """A copy on disk under the file's own name, which installers of wheels go by."""
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder, path.name)
        _copy(path, target)
        yield target


class Reader(TraversableResources):
    """What importlib.resources reads a package of the library with."""

    def __init__(self, package):
        self._folder = Packed(package.replace(".", "/"))

    def files(self):
        return self._folder


class BuiltIn(metadata.Distribution):
    """A distribution that is a part of the program: it is installed, but neither in a folder nor to be removed."""

    def __init__(self, folder):
        self._folder = folder

    def read_text(self, filename):
        content = _packed.read(f"{self._folder}/{filename}")
        return None if content is None else content.decode()

    def locate_file(self, path):
        return Packed().joinpath(path)


def find_distributions(context=metadata.DistributionFinder.Context()):
    """Those on the path that a context names; the ones that are built in are where the library is."""
    if LIBRARY not in context.path:
        return metadata.MetadataPathFinder.find_distributions(context)
    # Not what is unpacked of them.
    elsewhere = metadata.DistributionFinder.Context(
        name=context.name, path=[entry for entry in context.path if entry != LIBRARY]
    )
    found = metadata.MetadataPathFinder.find_distributions(elsewhere)
    wanted = metadata.Prepared(context.name)
    built_in = (BuiltIn(name) for name in _packed.names("") if name.endswith(".dist-info"))
    return itertools.chain(
        (d for d in built_in if not wanted or d._normalized_name == wanted.normalized), found
    )
