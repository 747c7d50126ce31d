# Skein alone
# What setuptools is told while it builds distributions.
from importlib import metadata
from types import SimpleNamespace

import skein.building

(hook,) = metadata.entry_points(group="setuptools.finalize_distribution_options", name="skein")
assert hook.load() is skein.building.finalize


def built(name, extension="its._speedups"):
    said = []
    distribution = SimpleNamespace(
        metadata=SimpleNamespace(name=name),
        ext_modules=[SimpleNamespace(name=extension)],
        announce=lambda text, level: said.append(text),
    )
    skein.building.finalize(distribution)
    return [e.name for e in distribution.ext_modules], said


assert built("gevent") == ([], ["gevent is built in its pure Python form, without its._speedups"])
# Those of others are left to them.
assert built("somebody") == (["its._speedups"], [])
assert built(None) == (["its._speedups"], [])
# One whose module is there already, under whatever name its distribution is known by then.
assert built(None, "_cffi_backend") == ([], ["_cffi_backend is not built: it is part of the library"])
