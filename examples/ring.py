"""A ring of a thousand tasklets passes a counter round until it is used up."""
import stackless
import sys

size = 1000
hops = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000


def node(inbox, outbox, done):
    for n in inbox:
        if n == 0:
            done.send(None)
            return
        outbox.send(n - 1)


channels = [stackless.channel() for _ in range(size)]
done = stackless.channel()
for i in range(size):
    stackless.tasklet(node)(channels[i], channels[(i + 1) % size], done)
stackless.tasklet(channels[0].send)(hops)
done.receive()
print("a counter went", hops, "hops round a ring of", size, "tasklets")
