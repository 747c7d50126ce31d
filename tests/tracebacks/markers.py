class Thing:
    value = None


def work(a, b):
    x = 1 + (a + b) / (a -
                       a)
    return x


def call(*args):
    return work(
        args[0],
        args[1],
    ) + 1


t = Thing()
try:
    t.value.other.more
except AttributeError as e:
    e.add_note('a note\nof two lines')
    saved = e
try:
    print(call(1, [2, 3][0]))
except ZeroDivisionError as z:
    raise RuntimeError() from saved
