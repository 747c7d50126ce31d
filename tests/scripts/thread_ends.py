# Ends of threads: what waits for a finalizer, joins in a forked child and while the program ends.
import os
import subprocess
import sys
import threading

class Opens:
    def __init__(self, lock):
        self.lock = lock
        self.cycle = self

    def __del__(self):
        if self.lock.locked():
            self.lock.release()


def wait_for_finalizer():
    lock = threading.Lock()
    lock.acquire()
    # Of so many, some are found dead whatever words are left of the last ones.
    for _ in range(100):
        Opens(lock)
    if sys.implementation.name == "cpython":
        import gc

        gc.collect()
    lock.acquire()


wait_for_finalizer()


class OpensAndWaits(Opens):
    # Before, what is found dead is finalized in the thread that makes these.
    waiting = False

    def __init__(self, lock, answer):
        super().__init__(lock)
        self.answer = answer

    def __del__(self):
        if self.lock.locked():
            self.lock.release()
            if self.waiting:
                assert self.answer.acquire(timeout=60)
                self.answer.release()


def answer_finalizer():
    # The finalizer waits in turn for what the thread does that waits for it.
    lock, answer = threading.Lock(), threading.Lock()
    lock.acquire()
    answer.acquire()
    for _ in range(100):
        OpensAndWaits(lock, answer)
    OpensAndWaits.waiting = True
    lock.acquire()
    answer.release()


if sys.implementation.name != "cpython":
    waiting = threading.Thread(target=answer_finalizer)
    waiting.start()
    waiting.join()


def join_in_child():
    main = threading.main_thread()
    child = os.fork()
    if child:
        assert os.waitpid(child, 0) == (child, 0)
        return
    other = threading.Thread(target=main.join)
    other.start()
    other.join()


if sys.implementation.name != "cpython":
    forking = threading.Thread(target=join_in_child)
    forking.start()
    forking.join()

code = """
import threading, time
class Cycle:
    def __init__(self):
        self.me = self
        self.thread = threading.Thread(target=time.sleep, args=(5,), daemon=True)
        self.thread.start()
    def __del__(self):
        try:
            self.thread.join()
        except PythonFinalizationError as error:
            print(error)
Cycle()
"""
done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
assert done.stdout == "cannot join thread at interpreter shutdown\n", done
