# Skein alone
# What setuptools is told while it builds distributions.
from importlib import metadata
from types import SimpleNamespace

import skein.building

(hook,) = metadata.entry_points(group="setuptools.finalize_distribution_options", name="skein")
assert hook.load() is skein.building.finalize


def built(name):
    said = []
    distribution = SimpleNamespace(
        metadata=SimpleNamespace(name=name),
        ext_modules=[SimpleNamespace(name="its._speedups")],
        announce=lambda text, level: said.append(text),
    )
    skein.building.finalize(distribution)
    return [e.name for e in distribution.ext_modules], said


assert built("gevent") == ([], ["gevent is built in its pure Python form, without its._speedups"])
# Those of others are left to them.
assert built("somebody") == (["its._speedups"], [])
assert built(None) == (["its._speedups"], [])
