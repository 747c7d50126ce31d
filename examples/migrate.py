"""A tasklet begins in one process and goes on in another, with its frames, its generator and its channel.

    cargo run --release -- examples/migrate.py
"""

import os
import pickle
import subprocess
import sys

import stackless


def primes():
    found = []
    n = 2
    while True:
        if all(n % p for p in found):
            found.append(n)
            yield n
        n += 1


def worker(answers):
    """Knows nothing of moving: it just pauses now and then."""
    total = 0
    for n, p in enumerate(primes(), 1):
        total += p
        if n % 100 == 0:
            answers.send((os.getpid(), n, total))


def run(answers, times):
    for _ in range(times):
        pid, n, total = answers.receive()
        print(f"process {pid}: the first {n} primes sum up to {total}", flush=True)


if sys.argv[1:] == ["--go-on"]:
    run(pickle.load(sys.stdin.buffer), 3)
else:
    answers = stackless.channel()
    stackless.tasklet(worker)(answers)
    run(answers, 3)
    # The worker waits on the channel, which takes it along.
    stackless.schedule()
    data = pickle.dumps(answers)
    print(f"{len(data)} bytes are sent to another process", flush=True)
    subprocess.run([sys.executable, __file__, "--go-on"], input=data, check=True)
