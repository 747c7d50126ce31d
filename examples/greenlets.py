"""Two greenlets hand a list back and forth."""
from greenlet import greenlet, getcurrent


def producer():
    for n in range(5):
        consumer.switch(n)
    consumer.switch(None)


def consume(first):
    n = first
    while n is not None:
        seen.append(n)
        n = source.switch()
    main.switch("done")


seen = []
main = getcurrent()
source = greenlet(producer)
consumer = greenlet(consume)
print(source.switch(), seen)
