"""This module provides primitive operations to manage Python interpreter queues."""

import _interpreters
import _isolates
from skein import crossing


class QueueError(RuntimeError):
    """Indicates that a queue-related error happened."""

    __module__ = "concurrent.interpreters"


class QueueNotFoundError(QueueError):
    __module__ = "concurrent.interpreters"


#: What the module above has registered: its class of queues, and errors.
_empty = _full = None


def _register_heap_types(queuetype, emptyerror, fullerror):
    global _empty, _full
    _empty, _full = emptyerror, fullerror
    crossing.register(queuetype, "concurrent.interpreters._queues", lambda queue: queue.id, queuetype)


def _error(name):
    """An error's class of the module above, which comes with it."""
    if _empty is None:
        import concurrent.interpreters._queues
    return {"empty": _empty, "full": _full}[name]


def _number(qid):
    if hasattr(type(qid), "__index__"):
        number = type(qid).__index__(qid)
    else:
        raise TypeError(f"queue ID must be an int, got {type(qid).__name__}")
    if number < 0:
        raise ValueError(f"queue ID must be a non-negative int, got {qid!r}")
    return number


def _found(qid, result):
    if result is None:
        raise QueueNotFoundError(f"queue {qid} not found")
    return result


def _checked(unboundop, fallback=-1):
    if unboundop not in (-1, 1, 2, 3):
        raise ValueError(f"unsupported unboundop {unboundop}")
    if fallback not in (-1, 0, 1):
        raise ValueError(f"unsupported fallback {fallback}")


def create(maxsize, unboundop=-1, fallback=-1):
    """create(maxsize, unboundop, fallback) -> qid

Create a new cross-interpreter queue and return its unique generated ID.
It is a new reference as though bind() had been called on the queue.

The caller is responsible for calling destroy() for the new queue
before the runtime is finalized."""
    _checked(unboundop, fallback)
    return _isolates.queue_create(maxsize, 3 if unboundop < 0 else unboundop, 1 if fallback < 0 else fallback)


def destroy(qid):
    """destroy(qid)

Clear and destroy the queue.  Afterward attempts to use the queue
will behave as though it never existed."""
    if not _isolates.queue_destroy(_number(qid)):
        raise QueueNotFoundError(f"queue {qid} not found")


def list_all():
    """list_all() -> [(qid, unboundop, fallback)]

Return the list of IDs for all queues.
Each corresponding default unbound op and fallback is also included."""
    return _isolates.queue_list()


def put(qid, obj, unboundop=-1, fallback=-1):
    """put(qid, obj)

Add the object's data to the queue."""
    qid = _number(qid)
    _checked(unboundop, fallback)
    _, _, _, _, default = _found(qid, _isolates.queue_facts(qid))
    views = []
    tree = crossing.tree_of(obj, views, bool(default if fallback < 0 else fallback))
    if not _found(qid, _isolates.queue_put(qid, unboundop, crossing.dump("item", tree), views)):
        raise _error("full")(f"queue {qid} is full")


def get(qid):
    """get(qid) -> (obj, unboundop)

Return a new object from the data at the front of the queue.
The unbound op is also returned.

If there is nothing to receive then raise QueueEmpty."""
    qid = _number(qid)
    got = _found(qid, _isolates.queue_get(qid))
    if got is False:
        raise _error("empty")(f"queue {qid} is empty")
    if isinstance(got, int):
        return None, got
    data, views = got
    return crossing.value_of(crossing.load(data)[1], views), None


def bind(qid):
    """bind(qid)

Take a reference to the identified queue.
The queue is not destroyed until there are no references left."""
    qid = _number(qid)
    _found(qid, _isolates.queue_bind(qid, 1))


def release(qid):
    """release(qid)

Release a reference to the queue.
The queue is destroyed once there are no references left."""
    qid = _number(qid)
    if not _found(qid, _isolates.queue_bind(qid, -1)):
        raise QueueError(f"queue {qid} not bound")


def get_maxsize(qid):
    """get_maxsize(qid)

Return the maximum number of items in the queue."""
    qid = _number(qid)
    return _found(qid, _isolates.queue_facts(qid))[0]


def get_queue_defaults(qid):
    """get_queue_defaults(qid)

Return the queue's default values, set when it was created."""
    qid = _number(qid)
    return _found(qid, _isolates.queue_facts(qid))[3:]


def is_full(qid):
    """is_full(qid)

Return true if the queue has a maxsize and has reached it."""
    qid = _number(qid)
    return bool(_found(qid, _isolates.queue_facts(qid))[2])


def get_count(qid):
    """get_count(qid)

Return the number of items in the queue."""
    qid = _number(qid)
    return _found(qid, _isolates.queue_facts(qid))[1]
