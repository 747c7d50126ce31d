"""Benchmarks of threads, one row a run: threads.py ROW [N]. Prints `RESULT row value unit`, in wall time: how fast the
interpreter's lock goes from one thread to another, and how long threads wait for it while others compute."""
import queue
import sys
import threading
import time

clock = time.perf_counter
ROWS = {}


def row(n, unit):
    """A function of a number of turns, whose result is the value."""

    def add(run):
        ROWS[run.__name__] = (run, n, unit)
        return run

    return add


@row(20000, "ns/handover")
def handover(n):
    """Two threads that pass two locks to each other: each turn is two handovers."""
    ping, pong = threading.Lock(), threading.Lock()
    ping.acquire()
    pong.acquire()

    def other():
        for _ in range(n):
            ping.acquire()
            pong.release()

    t = threading.Thread(target=other)
    t.start()
    start = clock()
    for _ in range(n):
        ping.release()
        pong.acquire()
    end = clock()
    t.join()
    return (end - start) / n / 2 * 1e9


@row(5000, "ns/item")
def queues(n):
    """An item through a queue to another thread, and the answer back."""
    there, back = queue.SimpleQueue(), queue.SimpleQueue()

    def other():
        while (item := there.get()) is not None:
            back.put(item)

    t = threading.Thread(target=other)
    t.start()
    start = clock()
    for i in range(n):
        there.put(i)
        back.get()
    end = clock()
    there.put(None)
    t.join()
    return (end - start) / n * 1e9


@row(500, "ns/thread")
def spawn(n):
    """Threads that begin and end."""
    start = clock()
    for _ in range(n):
        t = threading.Thread(target=int)
        t.start()
        t.join()
    return (clock() - start) / n * 1e9


def compete(computing, blocking, seconds):
    """The longest waits, in switch intervals: between two turns of one that computes, and of one that blocks for a
    millisecond until it goes on."""
    gaps, late, stop = [0.0] * computing, [0.0] * blocking, False

    def compute(i):
        last = clock()
        while not stop:
            now = clock()
            if now - last > gaps[i]:
                gaps[i] = now - last
            last = now

    def block(i):
        while not stop:
            start = clock()
            time.sleep(0.001)
            wait = clock() - start - 0.001
            if wait > late[i]:
                late[i] = wait

    threads = [threading.Thread(target=compute, args=(i,)) for i in range(computing)]
    threads += [threading.Thread(target=block, args=(i,)) for i in range(blocking)]
    for t in threads:
        t.start()
    time.sleep(seconds)
    stop = True
    for t in threads:
        t.join()
    interval = sys.getswitchinterval()
    return max(gaps) / interval, max(late) / interval


@row(2, "intervals")
def wait_computing(n):
    """8 threads compute and 8 block: the longest wait of one that computes."""
    return compete(8, 8, n)[0]


@row(2, "intervals")
def wait_blocking(n):
    """The same: the longest wait of one that comes back from a blocking call."""
    return compete(8, 8, n)[1]


def main():
    name = sys.argv[1]
    run, n, unit = ROWS[name]
    n = int(sys.argv[2]) if len(sys.argv) > 2 else n
    print("RESULT", name, f"{run(n):.2f}", unit)


if __name__ == "__main__":
    main()
