"""What setuptools asks while it builds a distribution (the entry point is that of the distributions that are built in).

There is no C interface, so that an extension written for CPython cannot be compiled. Most distributions ask for the
implementation's name, or do without what does not compile; those listed here do neither, though their Python alone is
whole. Any other is built as it says, and fails where it needs its extensions.
"""

# Distributions that do without all of their extensions.
WITHOUT = frozenset({"gevent"})
# Extensions whose modules are part of the library, whichever distribution builds them.
THERE = frozenset({"_cffi_backend"})


def finalize(distribution):
    """Takes out the extensions that are not to be built."""
    extensions = distribution.ext_modules or []
    there = [extension.name for extension in extensions if extension.name in THERE]
    if there:
        distribution.announce(f"{', '.join(there)} is not built: it is part of the library", level=2)
        distribution.ext_modules = [extension for extension in extensions if extension.name not in THERE]
    name = (distribution.metadata.name or "").lower()
    if name in WITHOUT and distribution.ext_modules:
        names = ", ".join(extension.name for extension in distribution.ext_modules)
        distribution.announce(f"{name} is built in its pure Python form, without {names}", level=2)
        distribution.ext_modules = []
