"""UUIDs of the time and the machine, of version 1 of RFC 9562: what `uuid` asks the system for."""

import _thread
import os
import time

# There is a function that tells whether other processes were kept from making the same.
has_uuid_generate_time_safe = 1
# What `uuid.getnode()` takes from a UUID is the machine's address only if there is one.
has_stable_extractable_node = 0

# From the beginning of the Gregorian calendar to the system's epoch, in units of 100 nanoseconds.
_EPOCH = 0x01B21DD213814000
_INTERFACES = "/sys/class/net"

_lock = _thread.allocate_lock()
_node = None
_process = None
_sequence = 0
_last = 0


def _address():
    """The first interface's address, or a random one that is marked as such."""
    try:
        names = sorted(os.listdir(_INTERFACES))
    except OSError:
        names = []
    for name in names:
        try:
            with open(f"{_INTERFACES}/{name}/address", "rb") as file:
                node = bytes.fromhex(file.read().decode("ascii").strip().replace(":", ""))
        except (OSError, ValueError):
            continue
        # Neither the loop-back, nor one for groups or of local making.
        if len(node) == 6 and any(node) and not node[0] & 0b11:
            return node
    node = bytearray(os.urandom(6))
    node[0] |= 1
    return bytes(node)


def generate_time_safe():
    """Return the bytes of a UUID, and 0 if other processes cannot have made the same, else -1."""
    global _node, _process, _sequence, _last
    with _lock:
        if _process != os.getpid():
            # A child begins with another sequence than its parent's.
            _process = os.getpid()
            _sequence = int.from_bytes(os.urandom(2)) & 0x3FFF
            _last = 0
        if _node is None:
            _node = _address()
        # Several at one time are told apart by moments that are yet to come.
        now = _last = max(time.time_ns() // 100 + _EPOCH, _last + 1)
        sequence, node = _sequence, _node
    low, middle, high = now & 0xFFFFFFFF, now >> 32 & 0xFFFF, now >> 48 & 0x0FFF | 0x1000
    fields = low.to_bytes(4), middle.to_bytes(2), high.to_bytes(2), (sequence | 0x8000).to_bytes(2), node
    return b"".join(fields), -1
