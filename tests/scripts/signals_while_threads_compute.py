"""A signal that comes in while another thread computes and the main one waits in a system call is handled at once.

The computing thread may see the request first, and let the main one run before it passes the request on: that one must not
go back into its system call without having looked.
"""

import os
import signal
import sys
import threading
import time

read_end, write_end = os.pipe()
handled = 0
stop = False


def handler(number, frame):
    global handled
    handled += 1


def compute():
    while not stop:
        sum(range(1000))


def send():
    global stop, lost
    pid, long = os.getpid(), b"x" * 5_000_000
    for n in range(1, 151):
        # The main thread is back in its system call: between the look and the call a signal is late with any Python.
        time.sleep(0.01)
        # No call and no back edge in between: the request to let others run and the signal are seen together.
        long.find(b"yx")
        os.kill(pid, signal.SIGUSR1)
        until = time.monotonic() + 20
        while handled < n and time.monotonic() < until:
            time.sleep(0.0005)
        if handled < n:
            lost = n
            break
    stop = True
    os.write(write_end, b"x")


lost = None
sys.setswitchinterval(0.0001)
signal.signal(signal.SIGUSR1, handler)
threads = [threading.Thread(target=compute), threading.Thread(target=compute), threading.Thread(target=send)]
for thread in threads:
    thread.start()
assert os.read(read_end, 1) == b"x"
for thread in threads:
    thread.join()
assert lost is None, f"signal {lost} was not handled"
assert handled == 150, handled
