"""gevent's echo server under very many greenlets, of which some are killed, run into timeouts, or close their sockets.

    skein benches/soak.py [--greenlets 100000] [--connections 6000] [--seconds 600]

The server is a process of its own. All client greenlets are there at once; so many of them as there may be connections talk to the
server, the others sleep and look again whether there is room. Each reply must be what was sent. Prints each ten seconds how much memory both
processes have; at the end it must not be more than it was when all greenlets had begun. The exit status is 1 when a reply
was lost or memory has grown. `gevent` is imported as any package is.
"""

import argparse
import os
import random
import subprocess
import sys
import time

import gevent
import gevent.server
import gevent.socket

GROWTH = 1.10  # of memory, from the first half to the end


def memory(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) / 1024


def serve():
    def echo(sock, _):
        # A client that goes away without a word is no error.
        try:
            while data := sock.recv(4096):
                sock.sendall(data)
        except OSError:
            pass

    server = gevent.server.StreamServer(("127.0.0.1", 0), echo, backlog=4096)
    server.init_socket()
    print(server.address[1], flush=True)
    server.serve_forever()


class Counts:
    replies = wrong = lost = timeouts = closed = killed = refused = 0
    _open = 0


def exchange(sock, text):
    sock.sendall(text)
    got = b""
    while len(got) < len(text):
        data = sock.recv(4096)
        if not data:
            Counts.lost += 1
            return False
        got += data
    if got != text:
        Counts.wrong += 1
        return False
    Counts.replies += 1
    return True


def client(number, port, most, rng):
    while True:
        if Counts._open >= most:
            gevent.sleep(rng.random() * 30)
            continue
        Counts._open += 1
        try:
            talk(number, port, rng)
        finally:
            Counts._open -= 1


def talk(number, port, rng):
    try:
        sock = gevent.socket.create_connection(("127.0.0.1", port))
    except OSError:
        Counts.refused += 1
        return gevent.sleep(rng.random())
    with sock:
        for i in range(rng.randrange(1, 6)):
            what = rng.random()
            if what < 0.02:
                sock.close()
                Counts.closed += 1
                break
            if what < 0.05:
                # Nothing was sent, so nothing comes.
                try:
                    with gevent.Timeout(rng.random() / 100):
                        sock.recv(1)
                except gevent.Timeout:
                    Counts.timeouts += 1
            if not exchange(sock, b"%d:%d:" % (number, i) * rng.randrange(1, 30)):
                break
            gevent.sleep(rng.random() / 50)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--greenlets", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--serve", action="store_true")
    args = parser.parse_args()
    if args.serve:
        return serve()
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    rng = random.Random(1)
    greenlets = [gevent.spawn(client, n, port, args.connections, rng) for n in range(args.greenlets)]

    def kill():
        while True:
            gevent.sleep(0.02)
            for _ in range(20):
                n = rng.randrange(len(greenlets))
                greenlets[n].kill(block=False)
                Counts.killed += 1
                greenlets[n] = gevent.spawn(client, n, port, args.connections, rng)

    killer = gevent.spawn(kill)
    began, rows = time.monotonic(), []
    try:
        while (passed := time.monotonic() - began) < args.seconds:
            gevent.sleep(min(10, args.seconds / 12))
            rows.append((memory(os.getpid()), memory(server.pid)))
            counts = ", ".join(f"{n} {k}" for k, n in vars(Counts).items() if k.isalpha())
            print(f"{time.monotonic() - began:5.0f} s: clients {rows[-1][0]:.0f} MB, server {rows[-1][1]:.0f} MB; {counts}", flush=True)
            if server.poll() is not None:
                print("the server has ended")
                return 1
    finally:
        server.kill()
    killer.kill()
    dead = sum(g.dead for g in greenlets)
    half = len(rows) // 2
    grown = [max(r[i] for r in rows[half:]) / max(r[i] for r in rows[:half]) for i in (0, 1)]
    print(f"memory at the end, of that of the first half: clients {grown[0]:.2f}, server {grown[1]:.2f}; {dead} greenlets have ended")
    bad = Counts.wrong or Counts.lost or max(grown) > GROWTH or dead
    return int(bool(bad))


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # There are too many greenlets to end each by an exception.
    os._exit(status or 0)
