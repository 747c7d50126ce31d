# Where threads are: on demand, later, by a signal, and when the process dies.
import faulthandler
import os
import signal
import subprocess
import sys
import tempfile
import time


def shown(act):
    with tempfile.TemporaryFile("w+") as file:
        act(file)
        file.seek(0)
        return file.read()


def inner(file):
    faulthandler.dump_traceback(file, all_threads=False)


text = shown(inner)
assert text.startswith("Stack (most recent call first):\n") and text.index(" in inner\n") < text.index(" in shown\n")


def later(file):
    faulthandler.dump_traceback_later(0.02, file=file)
    time.sleep(0.2)


text = shown(later)
assert text.startswith("Timeout (0:00:00.020000)!\n") and " in later\n" in text


def by_signal(file):
    faulthandler.register(signal.SIGUSR1, file)
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.01)
    assert faulthandler.unregister(signal.SIGUSR1) and not faulthandler.unregister(signal.SIGUSR1)


assert " in by_signal\n" in shown(by_signal)
for call in (
    lambda: faulthandler.dump_traceback_later(0),
    lambda: faulthandler.register(0),
    lambda: faulthandler.dump_traceback(-1),
):
    try:
        call()
    except ValueError:
        pass
    else:
        raise AssertionError
faulthandler.enable()
assert faulthandler.is_enabled() and faulthandler.disable() and not faulthandler.disable()
code = "import os\ndef f(): os.kill(os.getpid(), 11)\nf()"
done = subprocess.run([sys.executable, "-S", "-X", "faulthandler", "-c", code], stderr=subprocess.PIPE, text=True)
assert done.returncode == -signal.SIGSEGV, done.returncode
assert done.stderr.startswith("Fatal Python error: Segmentation fault\n") and " in f\n" in done.stderr, done.stderr
