"""Running a script in another process: what `sys.remote_exec` does.

The script's path is left in a folder that only the user can write to, in a file of its own for each that is to be run; then a signal tells the other process, which has a handler
for it from its beginning and runs the script in its main thread, as soon as it can be interrupted. A process that was started with
`-X disable-remote-debug`, or with PYTHON_DISABLE_REMOTE_DEBUG set, has none.
"""

import os
import signal
import stat
import sys
import time

SIGNAL = signal.SIGRTMAX - 2


def folder(uid):
    return f"/tmp/skein-attach-{uid}"


def send(pid, script):
    """Has the process run the script. It may do so later. RuntimeError where it cannot."""
    sys.audit("sys.remote_exec", pid, script)
    if not isinstance(pid, int):
        raise TypeError(f"an integer is required (got type {type(pid).__name__})")
    script = os.path.abspath(os.fsdecode(script))
    os.stat(script)
    if pid == os.getpid():
        if not sys.is_remote_debug_enabled():
            raise RuntimeError("Remote debugging is not enabled")
        return run(script)
    uid = check(pid)
    where = folder(uid)
    try:
        os.mkdir(where, 0o700)
        if uid != os.geteuid():
            os.chown(where, uid, -1)
    except FileExistsError:
        check_own(os.lstat(where), uid, where)
    name = f"{process(pid)}.{time.monotonic_ns():020}.{os.getpid()}"
    ready = os.path.join(where, "." + name)
    fd = os.open(ready, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.write(fd, os.fsencode(script))
        if uid != os.geteuid():
            os.fchown(fd, uid, -1)
    finally:
        os.close(fd)
    os.rename(ready, os.path.join(where, name))
    os.kill(pid, SIGNAL)


def check(pid):
    """The user whose process it is. Errors say why it cannot be asked."""
    try:
        uid = os.stat(f"/proc/{pid}").st_uid
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {pid}") from None
    try:
        same = os.path.samefile(f"/proc/{pid}/exe", "/proc/self/exe")
    except PermissionError:
        raise PermissionError(f"process {pid} belongs to another user") from None
    if not same:
        raise RuntimeError(f"process {pid} does not run this interpreter")
    with open(f"/proc/{pid}/status") as f:
        caught = next((int(line.split()[1], 16) for line in f if line.startswith("SigCgt:")), 0)
    if not caught >> (SIGNAL - 1) & 1:
        raise RuntimeError(f"Remote debugging is not enabled in the remote process {pid}, or that has just begun")
    return uid


def check_own(info, uid, path):
    """Others must not be able to write there. PermissionError."""
    if info.st_uid not in (uid, 0) or info.st_mode & 0o022 or stat.S_ISLNK(info.st_mode):
        raise PermissionError(f"{path} can be written to by others")


def process(pid):
    """A name of the process that no later one with its number has: with the time when it began."""
    with open(f"/proc/{pid}/stat", "rb") as f:
        return f"{pid}-{int(f.read().rpartition(b')')[2].split()[19])}"


def run_what_was_left():
    """Called when the signal has come in: runs all scripts in their order. Anybody may have sent it: then there are none."""
    uid = os.geteuid()
    where = folder(uid)
    try:
        check_own(os.lstat(where), uid, where)
        names = os.listdir(where)
    except FileNotFoundError:
        return
    mine = process(os.getpid()) + "."
    for name in sorted(name for name in names if name.startswith(mine)):
        path = os.path.join(where, name)
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            check_own(os.fstat(fd), uid, path)
            script = os.fsdecode(os.read(fd, 65536))
        finally:
            os.close(fd)
        os.unlink(path)
        try:
            run(script)
        except BaseException:
            # It is told of; the others run all the same.
            run_what_was_left()
            raise


def run(script):
    sys.audit("cpython.remote_debugger_script", script)
    with open(script, "rb") as f:
        code = compile(f.read(), script, "exec")
    exec(code, {"__name__": "__main__", "__builtins__": __builtins__})
