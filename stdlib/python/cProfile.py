"""Profiles a program: how often each function is called, and how long it takes, by the timer in `_lsprof`."""

import _lsprof
import importlib.machinery
import io
import marshal
import os
import pstats
import runpy
import sys

__all__ = ["run", "runctx", "Profile"]


def run(statement, filename=None, sort=-1):
    """Runs a statement in `__main__` and prints its profile, or writes it to a file."""
    _show(Profile(), lambda profile: profile.run(statement), filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    """As `run`, with these namespaces."""
    _show(Profile(), lambda profile: profile.runctx(statement, globals, locals), filename, sort)


def _show(profile, work, filename, sort):
    try:
        work(profile)
    except SystemExit:
        pass
    finally:
        if filename is None:
            profile.print_stats(sort)
        else:
            profile.dump_stats(filename)


class Profile(_lsprof.Profiler):
    """Profile(timer=None, timeunit=None, subcalls=True, builtins=True)

    Collects how often functions are called and how long they take, between enable() and disable(). A timer that returns
    ints is told by `timeunit` how many seconds each of them is.
    """

    def print_stats(self, sort=-1):
        """Prints what was collected, sorted as `pstats` says."""
        if not isinstance(sort, tuple):
            sort = (sort,)
        pstats.Stats(self).strip_dirs().sort_stats(*sort).print_stats()

    def dump_stats(self, file):
        """Writes what was collected, for `pstats` to be read."""
        with open(file, "wb") as f:
            self.create_stats()
            marshal.dump(self.stats, f)

    def create_stats(self):
        """Stops collecting; `stats` has what was collected."""
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        """What was collected so far, as `stats`: by function its counts, times and callers."""
        entries = self.getstats()
        self.stats = stats = {}
        callers = {}
        for entry in entries:
            function = label(entry.code)
            known = callers.setdefault(id(entry.code), {})
            row = (entry.callcount - entry.reccallcount, entry.callcount, entry.inlinetime, entry.totaltime)
            if function in stats:
                # Functions in Rust of one name.
                row = tuple(a + b for a, b in zip(row, stats[function][:4]))
                known.update(stats[function][4])
            stats[function] = (*row, known)
        for entry in entries:
            function = label(entry.code)
            for call in entry.calls or ():
                known = callers[id(call.code)]
                row = (call.callcount, call.callcount - call.reccallcount, call.inlinetime, call.totaltime)
                if function in known:
                    row = tuple(a + b for a, b in zip(row, known[function]))
                known[function] = row

    def run(self, cmd):
        """Profiles a statement in `__main__`."""
        import __main__

        return self.runctx(cmd, __main__.__dict__, __main__.__dict__)

    def runctx(self, cmd, globals, locals):
        """Profiles a statement in these namespaces."""
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        """Profiles a call, whose result is returned."""
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exc_info):
        self.disable()


def label(code):
    """File, line and name of a code; a function in Rust has its name only."""
    if isinstance(code, str):
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


def main():
    from optparse import OptionParser

    parser = OptionParser(usage="cProfile.py [-o output_file_path] [-s sort] [-m module | scriptfile] [arg] ...")
    parser.allow_interspersed_args = False
    parser.add_option("-o", "--outfile", dest="outfile", help="Save stats to <outfile>", default=None)
    parser.add_option(
        "-s", "--sort", dest="sort", default=2, choices=sorted(pstats.Stats.sort_arg_dict_default),
        help="Sort order when printing to stdout, based on pstats.Stats class",
    )
    parser.add_option("-m", dest="module", action="store_true", help="Profile a library module", default=False)
    if not sys.argv[1:]:
        parser.print_usage()
        sys.exit(2)
    options, args = parser.parse_args()
    sys.argv[:] = args
    # The program may go elsewhere before the file is written.
    if options.outfile is not None:
        options.outfile = os.path.abspath(options.outfile)
    if not args:
        parser.print_usage()
        return parser
    if options.module:
        code = "run_module(modname, run_name='__main__')"
        globs = {"run_module": runpy.run_module, "modname": args[0]}
        sys.path.insert(0, "")
    else:
        name = args[0]
        sys.path.insert(0, os.path.dirname(name))
        with io.open_code(name) as script:
            code = compile(script.read(), name, "exec")
        spec = importlib.machinery.ModuleSpec(name="__main__", loader=None, origin=name)
        module = type(sys)("__main__")
        globs = module.__dict__
        globs.update(__spec__=spec, __file__=name, __name__="__main__", __package__=None, __cached__=None)
        # The program's main module, as it would be without being profiled.
        sys.modules["__main__"] = module
    try:
        runctx(code, globs, None, options.outfile, options.sort)
    except BrokenPipeError as error:
        # Nobody reads what is printed any more.
        sys.stdout = None
        sys.exit(error.errno)
    return parser


if __name__ == "__main__":
    main()
