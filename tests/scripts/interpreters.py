"""Several interpreters in a process: `concurrent.interpreters`, queues, executors, and what they may not do."""

import gc
import os
import sys
import threading
import time

try:
    import concurrent.interpreters
except ImportError:
    print("this Python has no concurrent.interpreters")
    sys.exit(0)
import _interpreters
import _interpqueues
from concurrent import interpreters
from concurrent.futures import InterpreterPoolExecutor


def raises(error, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except error as e:
        return e
    raise AssertionError(f"{error.__name__} was not raised")


def square(x):
    return x * x


def divide(x, y):
    return x // y


def names_of_main():
    import __main__

    return sorted(n for n in vars(__main__) if not n.startswith("__"))


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)


def everything_is_its_own():
    a, b = interpreters.create(), interpreters.create()
    a.exec("import sys; sys.own = 1; x = 5")
    b.exec("import sys; assert not hasattr(sys, 'own'); assert 'x' not in globals()")
    a.exec("assert sys.own == 1 and x == 5")
    assert not hasattr(sys, "own")
    assert a.call(names_of_main) == ["sys", "x"], a.call(names_of_main)
    assert [i.id for i in interpreters.list_all()][:1] == [0]
    assert interpreters.get_current().id == interpreters.get_main().id == 0
    assert a.call(eval, "__import__('concurrent.interpreters').interpreters.get_current().id") == a.id
    assert interpreters.get_main().is_running() and not a.is_running()
    a.close()
    b.close()
    raises(interpreters.InterpreterNotFoundError, a.exec, "")
    raises(interpreters.InterpreterNotFoundError, a.close)
    raises(interpreters.InterpreterError, interpreters.get_main().close)
    raises(interpreters.InterpreterError, interpreters.get_main().exec, "")


def errors_come_as_text():
    i = interpreters.create()
    error = raises(interpreters.ExecutionFailed, i.exec, "def f(): return 1 // 0\nf()")
    assert error.excinfo.type.__name__ == "ZeroDivisionError"
    assert "ZeroDivisionError" in error.excinfo.formatted
    assert 'File "<script>", line 1, in f' in str(error), str(error)
    error = raises(interpreters.ExecutionFailed, i.call, divide, 1, 0)
    assert "in divide" in str(error) and "_serve" not in str(error), str(error)
    raises(interpreters.ExecutionFailed, i.exec, "raise SystemExit(3)")
    raises(SyntaxError, i.exec, "x = (")
    raises(TypeError, i.exec, 10)
    raises(ValueError, i.exec, lambda x: None)
    raises(ValueError, i.exec, lambda: 5)
    # It goes on.
    assert i.call(square, 12) == 144
    i.close()


def what_can_be_passed():
    i = interpreters.create()
    q = interpreters.create_queue()
    passed = [None, True, 5, -(1 << 62), 1 << 70, 2.5, "text", "\ud800", "日本", b"bytes", (), (1, ("a", b"b"), None)]
    for value in passed + [[1, 2], {"a": {1}}, Point(1, 2), complex(1, 2), range(3), Ellipsis]:
        q.put(value)
        got = q.get()
        assert got == value and type(got) is type(value), (got, value)
    assert i.call(square, 1.5) == 2.25
    assert i.call(sorted, [3, 1, 2], reverse=True) == [3, 2, 1]
    # The class is another one there.
    raises(interpreters.NotShareableError, i.call, Point, 3, 4)
    for value in passed[:3] + [(1, 2), memoryview(b""), q]:
        assert interpreters.is_shareable(value), value
    for value in [[], {}, object(), square, Point(1, 2), bytearray()]:
        assert not interpreters.is_shareable(value), value
    y = 5
    raises(interpreters.NotShareableError, q.put, lambda: y)
    raises(interpreters.NotShareableError, i.call, lambda: y)
    raises(interpreters.NotShareableError, i.prepare_main, x=[])
    raises(ValueError, i.prepare_main, {})
    i.prepare_main(a=1, b="two", c=(3, b"four"))
    i.exec("assert (a, b, c) == (1, 'two', (3, b'four'))")
    # Two that know each other's queue.
    answers = interpreters.create_queue()
    i.prepare_main(questions=q, answers=answers)
    q.put(20)
    i.exec("answers.put(questions.get() + 1)")
    assert answers.get() == 21
    i.close()


def memory_is_shared():
    i = interpreters.create()
    data = bytearray(b"spam and eggs")
    i.prepare_main(view=memoryview(data))
    i.exec("assert bytes(view) == b'spam and eggs' and not view.readonly; view[:4] = b'SPAM'")
    assert data == b"SPAM and eggs"
    data[-4:] = b"EGGS"
    i.exec("assert bytes(view) == b'SPAM and EGGS'")
    # The other one still has it.
    raises(BufferError, data.extend, b"more")
    i.prepare_main(fixed=memoryview(b"const"))
    i.exec("assert fixed.readonly and bytes(fixed) == b'const'")
    if sys.implementation.name == "cpython":
        return
    # What is lent outlives whose it is.
    i.exec("own = bytearray(b'of the other'); import _interpqueues")
    q = interpreters.create_queue()
    i.prepare_main(q=q)
    i.exec("q.put(memoryview(own))")
    theirs = q.get()
    assert bytes(theirs) == b"of the other"
    i.close()
    gc.collect()
    assert bytes(theirs) == b"of the other"
    theirs[:2] = b"OF"
    assert bytes(theirs) == b"OF the other"


def queues():
    q = interpreters.create_queue(2)
    q.put(1)
    q.put(2)
    assert q.full() and q.qsize() == 2 and q.maxsize == 2
    raises(interpreters.QueueFull, q.put_nowait, 3)
    assert (q.get(), q.get()) == (1, 2) and q.empty()
    raises(interpreters.QueueEmpty, q.get_nowait)
    raises(interpreters.QueueEmpty, q.get, timeout=0)
    raises(_interpqueues.QueueNotFoundError, _interpqueues.get, 1 << 40)
    assert interpreters.create_queue().id != q.id
    # What an interpreter that has ended has put in.
    i = interpreters.create()
    i.prepare_main(q=q)
    i.exec("q.put('gone')")
    i.close()
    assert q.get().__class__.__name__ == "UnboundQueueItem"


def many_threads_ask():
    i = interpreters.create()
    results, refused = [], []

    def ask(n):
        for k in range(20):
            while True:
                try:
                    results.append(i.call(square, n * 100 + k))
                    break
                except interpreters.InterpreterError:
                    refused.append(n)
                    time.sleep(0.001)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(results) == sorted((n * 100 + k) ** 2 for n in range(4) for k in range(20))
    i.close()


def threads_within():
    i = interpreters.create()
    i.exec("""if True:
        import threading
        done = []
        threads = [threading.Thread(target=done.append, args=(n,)) for n in range(4)]
        for t in threads: t.start()
        for t in threads: t.join()
        assert sorted(done) == [0, 1, 2, 3]
        try:
            threading.Thread(target=print, daemon=True)
        except RuntimeError as e:
            assert "daemon" in str(e)
        else:
            raise AssertionError("a daemon was taken")
        import signal
        try:
            signal.signal(signal.SIGUSR1, print)
        except ValueError as e:
            assert "main interpreter" in str(e)
        else:
            raise AssertionError("a handler was taken")
        import os
        for function in (os.fork, lambda: os.execv("/bin/true", ["true"])):
            try:
                function()
            except RuntimeError as e:
                assert "not supported for isolated subinterpreters" in str(e), e
            else:
                raise AssertionError("it was done")
        """)
    # Threads that still run are waited for.
    r, w = os.pipe()
    i.exec(f"import time, os; threading.Thread(target=lambda: (time.sleep(0.05), os.write({w}, b'x'))).start()")
    i.close()
    assert os.read(r, 1) == b"x"
    os.close(r)
    os.close(w)


def at_once():
    # Each waits for the other's byte: they run at the same time.
    pipes = [os.pipe(), os.pipe()]
    script = "import os\nos.write({}, b'x'); assert os.read({}, 1) == b'x'"
    threads = []
    made = [interpreters.create(), interpreters.create()]
    for i, me, other in ((made[0], 0, 1), (made[1], 1, 0)):
        code = script.format(pipes[other][1], pipes[me][0])
        threads.append(threading.Thread(target=i.exec, args=(code,)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in made:
        i.close()
    for pair in pipes:
        for fd in pair:
            os.close(fd)


def executors():
    with InterpreterPoolExecutor(2) as pool:
        assert list(pool.map(square, range(8))) == [n * n for n in range(8)]
        raises(ZeroDivisionError, pool.submit(divide, 1, 0).result)
    with InterpreterPoolExecutor(1, initializer=exec, initargs=("import json",)) as pool:
        assert pool.submit(len, "abc").result() == 3


def in_one_another():
    i = interpreters.create()
    i.exec("""if True:
        from concurrent import interpreters
        inner = interpreters.create()
        assert inner.call(pow, 2, 5) == 32
        inner.exec("import sys; assert sys.argv is not None")
        inner.close()
        # Who asks is running.
        try:
            interpreters.get_current().exec("")
        except interpreters.InterpreterError as e:
            assert "running" in str(e)
        else:
            raise AssertionError("it has run")
        """)
    i.close()


def settings():
    isolated = _interpreters.new_config()
    assert isolated.gil == "own" and not isolated.allow_fork
    id = _interpreters.create(_interpreters.new_config("isolated", allow_daemon_threads=True))
    assert _interpreters.get_config(id).allow_daemon_threads
    assert _interpreters.exec(id, "import _thread; assert _thread.daemon_threads_allowed()") is None
    _interpreters.destroy(id)
    raises(ValueError, _interpreters.new_config, "other")
    raises(TypeError, _interpreters.new_config, gil=1)
    raises(interpreters.InterpreterError, _interpreters.create, "empty")
    captured = _interpreters.capture_exception(ValueError("x"))
    assert (captured.type.__name__, captured.msg) == ("ValueError", "x")


if __name__ == "__main__":
    everything_is_its_own()
    errors_come_as_text()
    what_can_be_passed()
    memory_is_shared()
    queues()
    many_threads_ask()
    threads_within()
    at_once()
    executors()
    in_one_another()
    settings()
    print("ok")
