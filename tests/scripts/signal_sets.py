"""Signals that are held back, and waiting for them."""
import os
import signal
import threading

USR1, USR2 = signal.SIGUSR1, signal.SIGUSR2
arrived = []
signal.signal(USR1, lambda number, frame: arrived.append(number))


def raised(kind, text, f, *args):
    try:
        f(*args)
    except kind as e:
        assert text in str(e), e
    else:
        raise AssertionError("no error")


before = signal.pthread_sigmask(signal.SIG_BLOCK, [USR1])
assert type(before) is set and USR1 not in before
assert signal.sigpending() == set()
os.kill(os.getpid(), USR1)
assert signal.sigpending() == {USR1} and arrived == []
assert signal.pthread_sigmask(signal.SIG_UNBLOCK, [USR1]) == before | {USR1}
assert arrived == [USR1] and signal.sigpending() == set()

signal.pthread_sigmask(signal.SIG_BLOCK, {USR1, USR2})
os.kill(os.getpid(), USR2)
assert signal.sigwait([USR1, USR2]) is USR2
os.kill(os.getpid(), USR2)
info = signal.sigwaitinfo([USR2])
assert type(info) is signal.struct_siginfo
assert (info.si_signo, info.si_pid, info.si_uid, info[0]) == (USR2, os.getpid(), os.getuid(), USR2)
assert signal.sigtimedwait([USR2], 0) is None and signal.sigtimedwait([USR2], 0.01) is None
threading.Timer(0.05, os.kill, (os.getpid(), USR2)).start()
assert signal.sigtimedwait([USR2], 60).si_signo == USR2
assert signal.pthread_sigmask(signal.SIG_SETMASK, before) == before | {USR1, USR2}
assert arrived == [USR1]

raised(ValueError, "signal number 0 out of range [1; 64]", signal.pthread_sigmask, signal.SIG_BLOCK, [0])
raised(ValueError, "signal number -1 out of range [1; 64]", signal.sigwait, [2**80])
raised(TypeError, "'str' object cannot be interpreted as an integer", signal.pthread_sigmask, signal.SIG_BLOCK, ["a"])
raised(TypeError, "'int' object is not iterable", signal.pthread_sigmask, signal.SIG_BLOCK, 3)
raised(OSError, "Invalid argument", signal.pthread_sigmask, 1700, [])
raised(ValueError, "timeout must be non-negative", signal.sigtimedwait, [USR2], -1)
