# What os and posix give: paths with folders' descriptors, descriptors, processes.
import errno
import os
import signal
import stat
import tempfile


def raises(kind, text, f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except kind as e:
        assert text is None or str(e) == text, str(e)
        return e
    raise AssertionError(f"{kind.__name__} not raised")


def with_room(test):
    def run():
        with tempfile.TemporaryDirectory() as room:
            test(room)

    run()


@with_room
def paths(room):
    fd = os.open(room, os.O_RDONLY | os.O_DIRECTORY)
    os.mkdir("sub", dir_fd=fd)
    with open(os.open("sub/a", os.O_CREAT | os.O_WRONLY, dir_fd=fd), "w") as f:
        f.write("hello")
    assert os.stat("sub/a", dir_fd=fd).st_size == 5
    os.link("sub/a", "b", src_dir_fd=fd, dst_dir_fd=fd)
    assert os.stat("b", dir_fd=fd).st_nlink == 2
    os.symlink("b", "c", dir_fd=fd)
    assert os.readlink("c", dir_fd=fd) == "b" and os.readlink(os.fsencode(room) + b"/c") == b"b"
    assert stat.S_ISLNK(os.stat("c", dir_fd=fd, follow_symlinks=False).st_mode)
    assert os.access("c", os.R_OK, dir_fd=fd) and not os.access("nothing", os.F_OK, dir_fd=fd)
    os.rename("c", "d", src_dir_fd=fd, dst_dir_fd=fd)
    assert sorted(os.listdir(fd)) == ["b", "d", "sub"]
    entries = {e.name: e for e in os.scandir(fd)}
    assert entries["sub"].is_dir() and entries["d"].is_symlink() and entries["d"].is_file()
    assert not entries["d"].is_file(follow_symlinks=False)
    assert entries["b"].stat().st_ino == entries["b"].inode()
    os.utime("b", (1, 2.5), dir_fd=fd)
    s = os.stat("b", dir_fd=fd)
    assert (s.st_atime, s.st_mtime, s.st_mtime_ns) == (1.0, 2.5, 2_500_000_000)
    os.utime(os.path.join(room, "b"), ns=(3, -5))
    assert os.stat("b", dir_fd=fd).st_mtime_ns == -5
    os.truncate(os.path.join(room, "b"), 2)
    assert os.stat("b", dir_fd=fd).st_size == 2
    os.mkfifo("pipe", dir_fd=fd)
    assert stat.S_ISFIFO(os.stat("pipe", dir_fd=fd).st_mode)
    os.chmod("b", 0o600, dir_fd=fd)
    assert stat.S_IMODE(os.stat("b", dir_fd=fd).st_mode) == 0o600
    for name in ("b", "d", "pipe", "sub/a"):
        os.unlink(name, dir_fd=fd)
    os.rmdir("sub", dir_fd=fd)
    here = os.getcwd()
    os.fchdir(fd)
    assert os.path.samefile(os.getcwd(), room)
    os.chdir(here)
    assert os.statvfs(room).f_namemax == os.fstatvfs(fd).f_namemax
    assert os.pathconf(room, "PC_NAME_MAX") == os.fpathconf(fd, "PC_NAME_MAX")
    os.close(fd)
    assert {os.stat, os.open, os.utime, os.scandir} <= os.supports_fd | os.supports_dir_fd
    assert list(os.fwalk(room)) and not [n for _, _, n, _ in os.fwalk(room) if n]


raises(ValueError, "mkdir: embedded null character in path", os.mkdir, "a\0b")
raises(TypeError, "stat: path should be string, bytes, os.PathLike or integer, not float", os.stat, 1.5)
raises(TypeError, "mkdir: path should be string, bytes or os.PathLike, not float", os.mkdir, 1.5)
raises(TypeError, "rename: src should be string, bytes or os.PathLike, not int", os.rename, 1, 2)
raises(TypeError, "argument should be integer or None, not str", os.stat, "x", dir_fd="q")
raises(ValueError, "stat: can't specify dir_fd without matching path", os.stat, 1, dir_fd=2)
raises(ValueError, "stat: cannot use fd and follow_symlinks together", os.stat, 0, follow_symlinks=False)
raises(TypeError, "utime: 'times' must be either a tuple of two ints or None", os.utime, "/tmp", (1, 2, 3))
raises(ValueError, "utime: you may specify either 'times' or 'ns' but not both", os.utime, "/", (1, 2), ns=(1, 2))
raises(TypeError, "uid should be integer, not str", os.chown, "a", "q", 1)
raises(FileNotFoundError, "[Errno 2] No such file or directory: 'no-a' -> 'no-b'", os.link, "no-a", "no-b")


@with_room
def descriptors(room):
    fd = os.memfd_create("x")
    assert os.writev(fd, [b"one", bytearray(b"two"), memoryview(b"three")]) == 11
    assert os.pread(fd, 3, 3) == b"two" and os.pwrite(fd, b"TWO", 3) == 3
    assert os.lseek(fd, 0, os.SEEK_SET) == 0
    a, b = bytearray(4), bytearray(20)
    assert os.readv(fd, [a, memoryview(b)]) == 11 and a == b"oneT" and b[:7] == b"WOthree"
    assert os.preadv(fd, [a], 3) == 4 and a == b"TWOt"
    into = bytearray(3)
    os.lseek(fd, 6, os.SEEK_SET)
    assert os.readinto(fd, into) == 3 and into == b"thr"
    raises(TypeError, "readv() arg 2 must be a sequence", os.readv, fd, 3)
    other = os.memfd_create("y")
    assert os.sendfile(other, fd, 0, 5) == 5 and os.pread(other, 9, 0) == b"oneTW"
    assert os.copy_file_range(fd, other, 3, 0, 5) == 3 and os.pread(other, 9, 0) == b"oneTWone"
    os.posix_fallocate(fd, 0, 100)
    assert os.fstat(fd).st_size == 100
    os.lockf(fd, os.F_LOCK, 0)
    os.close(fd)
    os.close(other)
    r, w = os.pipe2(os.O_NONBLOCK)
    assert not os.get_blocking(r)
    assert raises(BlockingIOError, None, os.read, r, 1).errno == errno.EAGAIN
    os.closerange(r, max(r, w) + 1)
    raises(OSError, None, os.fstat, r)
    e = os.eventfd(3)
    os.eventfd_write(e, 4)
    assert os.eventfd_read(e) == 7
    os.close(e)
    t = os.timerfd_create(0)
    os.timerfd_settime(t, initial=100.0, interval=0.5)
    left, interval = os.timerfd_gettime(t)
    assert 99 < left <= 100 and interval == 0.5
    os.close(t)
    master, slave = os.openpty()
    assert os.isatty(slave) and os.ttyname(slave).startswith("/dev/")
    os.close(master)
    os.close(slave)


def processes():
    calls = []
    os.register_at_fork(
        before=lambda: calls.append("before"),
        after_in_parent=lambda: calls.append("parent"),
        after_in_child=lambda: calls.append("child"),
    )
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        # The child has the whole heap: it can go on computing and collecting.
        import gc

        junk = [[i] for i in range(10000)]
        gc.collect()
        os.write(w, repr((calls, sum(x[0] for x in junk))).encode())
        os._exit(7)
    os.close(w)
    assert os.read(r, 200) == b"(['before', 'child'], 49995000)"
    os.close(r)
    assert calls == ["before", "parent"]
    got, status = os.waitpid(pid, 0)
    assert got == pid and os.WIFEXITED(status) and os.waitstatus_to_exitcode(status) == 7
    assert os.waitstatus_to_exitcode(os.system("exit 3")) == 3
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit $X"], {"X": "9"}, setpgroup=0)
    info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert (info.si_pid, info.si_status, info.si_code) == (pid, 9, os.CLD_EXITED)
    got, status, usage = os.wait4(pid, 0)
    assert got == pid and os.WEXITSTATUS(status) == 9 and usage.ru_utime >= 0
    out_r, out_w = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, out_w, 1), (os.POSIX_SPAWN_CLOSE, out_r)]
    pid = os.posix_spawnp("echo", ["echo", "hi"], os.environ, file_actions=actions)
    os.close(out_w)
    assert os.read(out_r, 10) == b"hi\n"
    os.close(out_r)
    os.waitpid(pid, 0)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/sh", ["sh", "-c", "kill -TERM $$"])
        finally:
            os._exit(99)
    pidfd = os.pidfd_open(pid)
    os.close(pidfd)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == -signal.SIGTERM
    raises(ValueError, "execv() arg 2 must not be empty", os.execv, "a", [])
    raises(TypeError, "execve: environment must be a mapping object", os.execve, "a", ["b"], 3)
    raises(FileNotFoundError, None, os.execve, "/nothing/there", ["b"], {})
    raises(TypeError, "'before' must be callable, not int", os.register_at_fork, before=3)


processes()

assert os.getpgid(0) == os.getpgrp() and len(os.getresuid()) == 3
assert os.uname().sysname == os.uname()[0] and len(os.times()) == 5
assert os.sched_getaffinity(0) and os.sched_getparam(0) == os.sched_param(0)
raises(ValueError, "negative CPU number", os.sched_setaffinity, 0, [-1])
assert os.getpriority(os.PRIO_PROCESS, 0) == os.nice(0)
assert os.major(os.makedev(3, 4)) == 3 and os.minor(os.makedev(3, 4)) == 4
raises(ValueError, "unrecognized configuration name", os.sysconf, "nothing")
assert os.path.splitroot("///a/b") == ("", "/", "//a/b") and os.path.splitroot(b"//a") == (b"", b"//", b"a")
assert os.path.normpath("/../a/./b//..") == "/a"
print("ok")
