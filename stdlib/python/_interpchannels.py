"""This module provides primitive operations to manage Python interpreters' channels.
The 'interpreters' module provides a more convenient interface."""

import _isolates
import collections
import time
from skein import crossing


class ChannelError(RuntimeError):
    pass


class ChannelNotFoundError(ChannelError):
    pass


class ChannelClosedError(ChannelError):
    pass


class ChannelEmptyError(ChannelError):
    pass


class ChannelNotEmptyError(ChannelError):
    pass


_CLOSED, _EMPTY, _NOT_EMPTY = -1, -2, -3
_BOTH, _SEND, _RECV = 0, 1, -1

_FIELDS = """open closing closed count num_interp_send num_interp_send_released num_interp_recv num_interp_recv_released num_interp_both
num_interp_both_recv_released num_interp_both_send_released num_interp_both_released send_associated send_released recv_associated recv_released"""
ChannelInfo = collections.namedtuple("ChannelInfo", _FIELDS)
ChannelInfo.__doc__ = "ChannelInfo\n\nA named tuple of a channel's state."


class ChannelID:
    """A channel ID identifies a channel and may be used as an int."""

    __slots__ = ("_id", "_end", "_counted", "__weakref__")

    def __new__(cls, id, /, *, send=None, recv=None, force=False, _resolve=False):
        end = _end(send, recv)
        number = _number(id)
        self = object.__new__(cls)
        self._id, self._end, self._counted = number, end, False
        self._counted = _isolates.channel_refer(number, 1) is not None
        if not self._counted and not force:
            raise ChannelNotFoundError(f"channel {number} not found")
        return self

    def __del__(self):
        if self._counted:
            self._counted = False
            _isolates.channel_refer(self._id, -1)

    def __index__(self):
        return self._id

    __int__ = __index__

    def __str__(self):
        return str(self._id)

    def __repr__(self):
        end = {_BOTH: "", _SEND: ", send=True", _RECV: ", recv=True"}[self._end]
        return f"{type(self).__name__}({self._id}{end})"

    def __hash__(self):
        return hash(self._id)

    def __eq__(self, other):
        if isinstance(other, ChannelID):
            return self._end == other._end and self._id == other._id
        if isinstance(other, (int, float)):
            return self._id == other
        return NotImplemented

    @property
    def end(self):
        """'send', 'recv', or 'both'"""
        return {_BOTH: "both", _SEND: "send", _RECV: "recv"}[self._end]

    @property
    def send(self):
        """the 'send' end of the channel"""
        return ChannelID(self._id, send=True, force=True)

    @property
    def recv(self):
        """the 'recv' end of the channel"""
        return ChannelID(self._id, recv=True, force=True)


def _made_id(data):
    id, end = data
    return ChannelID(id, send=end == _SEND or None, recv=end == _RECV or None, force=True)


crossing.register(ChannelID, "_interpchannels", lambda channel: (channel._id, channel._end), _made_id)


def _register_end_types(send, recv):
    def made(data):
        end, id = data
        return {"send": send, "recv": recv}[end](id)

    crossing.register(send, send.__module__, lambda channel: ("send", int(channel.id)), made)
    crossing.register(recv, recv.__module__, lambda channel: ("recv", int(channel.id)), made)


def _end(send, recv):
    if send is None and recv is None:
        return _BOTH
    if not send and not recv:
        raise ValueError("'send' and 'recv' cannot both be False")
    return _BOTH if send and recv else _SEND if send else _RECV


def _number(cid):
    if isinstance(cid, ChannelID):
        return cid._id
    if not hasattr(type(cid), "__index__"):
        raise TypeError(f"channel ID must be an int, got {type(cid).__name__}")
    number = type(cid).__index__(cid)
    if number < 0:
        raise ValueError(f"channel ID must be a non-negative int, got {cid!r}")
    if number > crossing.MOST:
        raise OverflowError("Python int too large to convert to C long long")
    return number


def _found(cid, result):
    """What an operation on a channel gives, or the error that it comes to."""
    if result is None:
        raise ChannelNotFoundError(f"channel {cid} not found")
    if isinstance(result, int) and result < 0:
        if result == _CLOSED:
            raise ChannelClosedError(f"channel {cid} is closed")
        if result == _EMPTY:
            raise ChannelEmptyError(f"channel {cid} is empty")
        raise ChannelNotEmptyError(f"channel {cid} may not be closed if not empty (try force=True)")
    return result


def _checked(unboundop, fallback=-1):
    if unboundop not in (-1, 1, 2, 3):
        raise ValueError(f"unsupported unboundop {unboundop}")
    if fallback not in (-1, 0, 1):
        raise ValueError(f"unsupported fallback {fallback}")


def _channel_id(id, *, send=None, recv=None, force=False, _resolve=False):
    if not send and not recv and not (send is None and recv is None):
        raise ValueError("'send' and 'recv' cannot both be False")
    return ChannelID(id, send=send, recv=recv, force=force)


def create(unboundop=-1, fallback=-1):
    """channel_create(unboundop) -> cid

Create a new cross-interpreter channel and return a unique generated ID."""
    _checked(unboundop, fallback)
    return ChannelID(_isolates.channel_create(3 if unboundop < 0 else unboundop, 1 if fallback < 0 else fallback))


def destroy(cid):
    """channel_destroy(cid)

Close and finalize the channel.  Afterward attempts to use the channel
will behave as though it never existed."""
    cid = _number(cid)
    if not _isolates.channel_destroy(cid):
        raise ChannelNotFoundError(f"channel {cid} not found")


def list_all():
    """channel_list_all() -> [cid]

Return the list of all IDs for active channels."""
    return [(ChannelID(id, force=True), unbound, fallback) for id, unbound, fallback in _isolates.channel_list()]


def list_interpreters(cid, *, send):
    """channel_list_interpreters(cid, *, send) -> [id]

Return the list of all interpreter IDs associated with an end of the channel.

The 'send' argument should be a boolean indicating whether to use the send or
receive end."""
    cid = _number(cid)
    _, _, is_open, closing, _ = _found(cid, _isolates.channel_facts(cid))
    if not is_open or (closing and send):
        _found(cid, _CLOSED)
    return [id for id, is_open in _found(cid, _isolates.channel_ends(cid, bool(send))) if is_open]


def _sent(cid, obj, unboundop, blocking, timeout, fallback):
    cid = _number(cid)
    _checked(unboundop, fallback)
    if timeout is not None and timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout is not None and not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    _, default, *_ = _found(cid, _isolates.channel_facts(cid))
    views = []
    tree = crossing.tree_of(obj, views, bool(default if fallback < 0 else fallback))
    ticket = _found(cid, _isolates.channel_send(cid, unboundop, bool(blocking), crossing.dump("item", tree), views))
    if blocking:
        _wait(cid, ticket, None if timeout is None else time.monotonic() + timeout)


def _wait(cid, ticket, until):
    """Waits until what was sent is received. What ends the waiting takes it back."""
    longest = 0.05
    try:
        while True:
            left = longest if until is None else min(longest, max(0.0, until - time.monotonic()))
            state = _isolates.channel_wait(cid, ticket, left)
            if state > 0:
                return
            if state < 0:
                _found(cid, _CLOSED)
            if until is not None and time.monotonic() >= until:
                raise TimeoutError("timed out")
    except BaseException:
        _isolates.channel_cancel(cid, ticket)
        raise


def send(cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None):
    """channel_send(cid, obj, *, blocking=True, timeout=None)

Add the object's data to the channel's queue.
By default this waits for the object to be received."""
    _sent(cid, obj, unboundop, blocking, timeout, fallback)


def send_buffer(cid, obj, unboundop=-1, fallback=-1, *, blocking=True, timeout=None):
    """channel_send_buffer(cid, obj, *, blocking=True, timeout=None)

Add the object's buffer to the channel's queue.
By default this waits for the object to be received."""
    _sent(cid, memoryview(obj), unboundop, blocking, timeout, fallback)


_MISSING = object()


def recv(cid, default=_MISSING):
    """channel_recv(cid, [default]) -> (obj, unboundop)

Return a new object from the data at the front of the channel's queue.

If there is nothing to receive then raise ChannelEmptyError, unless
a default value is provided.  In that case return it."""
    cid = _number(cid)
    got = _isolates.channel_receive(cid)
    if got == _EMPTY and default is not _MISSING:
        return default, None
    got = _found(cid, got)
    if len(got) == 1:
        return None, got[0]
    data, views = got
    return crossing.value_of(crossing.load(data)[1], views), None


def close(cid, *, send=None, recv=None, force=False):
    """channel_close(cid, *, send=None, recv=None, force=False)

Close the channel for all interpreters.

If the channel is empty then the keyword args are ignored and both
ends are immediately closed.  Otherwise, if 'force' is True then
all queued items are released and both ends are immediately
closed.

If the channel is not empty *and* 'force' is False then following
happens:

 * recv is True (regardless of send):
   - raise ChannelNotEmptyError
 * recv is None and send is None:
   - raise ChannelNotEmptyError
 * send is True and recv is not True:
   - fully close the 'send' end
   - close the 'recv' end to interpreters not already receiving
   - fully close it once empty

Closing an already closed channel results in a ChannelClosedError.

Once the channel's ID has no more ref counts in any interpreter
the channel will be destroyed."""
    cid = _number(cid)
    _found(cid, _isolates.channel_close(cid, _wanted(send, recv), bool(force)))


def release(cid, *, send=None, recv=None, force=True):
    """channel_release(cid, *, send=None, recv=None, force=True)

Close the channel for the current interpreter.  'send' and 'recv'
(bool) may be used to indicate the ends to close.  By default both
ends are closed.  Closing an already closed end is a noop."""
    cid = _number(cid)
    _found(cid, _isolates.channel_release(cid, _wanted(send, recv)))


def _wanted(send, recv):
    return _BOTH if bool(send) == bool(recv) else _SEND if send else _RECV


def get_count(cid):
    """get_count(cid)

Return the number of items in the channel."""
    cid = _number(cid)
    return _found(cid, _isolates.channel_facts(cid))[4]


def get_channel_defaults(cid):
    """get_channel_defaults(cid)

Return the channel's default values, set when it was created."""
    cid = _number(cid)
    return _found(cid, _isolates.channel_facts(cid))[:2]


def get_info(cid):
    """get_info(cid)

Return details about the channel."""
    cid = _number(cid)
    _, _, is_open, closing, count = _found(cid, _isolates.channel_facts(cid))
    sending = dict(_found(cid, _isolates.channel_ends(cid, True)))
    receiving = dict(_found(cid, _isolates.channel_ends(cid, False)))
    both = sending.keys() & receiving.keys()

    def number(ids, send=None, receive=None):
        fits = [i for i in ids if (send is None or sending[i] == send) and (receive is None or receiving[i] == receive)]
        return len(fits)

    me = _isolates.current()
    return ChannelInfo(
        bool(is_open and not closing),
        bool(is_open and closing),
        not is_open,
        count,
        number(sending, send=1),
        number(sending, send=0),
        number(receiving, receive=1),
        number(receiving, receive=0),
        number(both, 1, 1),
        number(both, 1, 0),
        number(both, 0, 1),
        number(both, 0, 0),
        sending.get(me) == 1,
        sending.get(me) == 0,
        receiving.get(me) == 1,
        receiving.get(me) == 0,
    )
