import sys
import traceback

from zope.interface import classImplements
from gevent._interfaces import ICallback, ILoop
from gevent.exceptions import HubDestroyed

__all__ = [
    'get_version',
    'get_header_version',
    'supported_backends',
    'recommended_backends',
    'embeddable_backends',
    'time',
    'loop',
]


class _EVENTSType:
    def __repr__(self):
        return 'gevent.core.EVENTS'


EVENTS = GEVENT_CORE_EVENTS = _EVENTSType()

UNDEF = -1
NONE = 0
READ = 1
WRITE = 2
READWRITE = READ | WRITE
TIMER = 0x100
PERIODIC = 0x200
SIGNAL = 0x400
CHILD = 0x800
STAT = 0x1000
IDLE = 0x2000
PREPARE = 0x4000
CHECK = 0x8000
EMBED = 0x10000
FORK = 0x20000
CLEANUP = 0x40000
ASYNC = 0x80000
CUSTOM = 0x1000000
ERROR = -0x80000000

MINPRI = -2
MAXPRI = 2

BACKEND_SELECT = 1
BACKEND_POLL = 2
BACKEND_EPOLL = 4
BACKEND_KQUEUE = 8
BACKEND_PORT = 32
FORKCHECK = 0x2000000
NOINOTIFY = 0x100000
SIGNALFD = 0x200000
NOSIGMASK = 0x400000

# Programs may ask for any of these, and it is epoll that tells what is ready.
_SUPPORTED = BACKEND_EPOLL | BACKEND_POLL | BACKEND_SELECT

LIBEV_EMBED = True
SYSERR_CALLBACK = None

_flags = [
    (32, 'port'),
    (8, 'kqueue'),
    (128, 'linux_iouring'),
    (64, 'linux_aio'),
    (4, 'epoll'),
    (2, 'poll'),
    (1, 'select'),
    (0x1000000, 'noenv'),
    (FORKCHECK, 'forkcheck'),
    (SIGNALFD, 'signalfd'),
    (NOSIGMASK, 'nosigmask'),
]
_flags_str2int = {name: flag for flag, name in _flags}
_events = [
    (READ, 'READ'),
    (WRITE, 'WRITE'),
    (0x80, '_IOFDSET'),
    (PERIODIC, 'PERIODIC'),
    (SIGNAL, 'SIGNAL'),
    (CHILD, 'CHILD'),
    (STAT, 'STAT'),
    (IDLE, 'IDLE'),
    (PREPARE, 'PREPARE'),
    (CHECK, 'CHECK'),
    (EMBED, 'EMBED'),
    (FORK, 'FORK'),
    (CLEANUP, 'CLEANUP'),
    (ASYNC, 'ASYNC'),
    (CUSTOM, 'CUSTOM'),
    (ERROR, 'ERROR'),
]


def _names(bits, table):
    found = []
    for bit, name in table:
        if bits & bit:
            found.append(name)
            bits &= ~bit
    return found, bits


def _flags_to_list(flags):
    found, rest = _names(flags, _flags)
    return found + [rest] if rest else found


def _flags_to_int(flags):
    if not flags:
        return 0
    if isinstance(flags, int):
        return flags
    if isinstance(flags, (bytes, str)):
        flags = flags.split(',')
    result = 0
    for value in flags:
        value = value.strip().lower()
        if not value:
            continue
        if value not in _flags_str2int:
            known = ', '.join(sorted(_flags_str2int))
            raise ValueError('Invalid backend or flag: %r\nPossible values: %s' % (value, known))
        result |= _flags_str2int[value]
    return result


def _check_flags(flags):
    flags &= 0xFFFF
    if flags and not flags & 0xFF:
        raise ValueError('Invalid value for backend: 0x%x' % flags)
    if flags and not flags & _SUPPORTED:
        raise ValueError('Unsupported backend: %s' % '|'.join(map(str, _flags_to_list(flags))))


def _events_to_str(events):
    found, rest = _names(events, _events)
    return '|'.join(found + [hex(rest)] if rest else found)


def get_version():
    return 'skein-%d.%d.%d' % sys.implementation.version[:3]


get_header_version = get_version


def supported_backends():
    # Whichever of them a program asks for, the loop waits by epoll.
    return ['epoll', 'poll', 'select']


def recommended_backends():
    return ['epoll']


def embeddable_backends():
    return []


def time():
    import time
    return time.time()


def set_syserr_cb(callback):
    global SYSERR_CALLBACK
    if callback is not None and not callable(callback):
        raise TypeError('Expected callable or None, got %r' % (callback,))
    SYSERR_CALLBACK = callback


class loop(_loop):

    approx_timer_resolution = 0.00001
    WatcherType = watcher
    MAXPRI = MAXPRI
    MINPRI = MINPRI

    def __init__(self, flags=None, default=None, ptr=0):
        flags = _flags_to_int(flags)
        _check_flags(flags)
        self.origflags_int = flags | 0x1000000 | FORKCHECK
        asked = [bit for bit in (BACKEND_EPOLL, BACKEND_POLL, BACKEND_SELECT) if flags & bit]
        self.backend_int = asked[0] if asked else BACKEND_EPOLL

    @property
    def backend(self):
        return _flags_to_list(self.backend_int)[0]

    def fileno(self):
        # The other kinds have no descriptor of their own that a program could use.
        return super().fileno() if self.backend_int == BACKEND_EPOLL else None

    @property
    def origflags(self):
        return _flags_to_list(self.origflags_int)

    def run(self, nowait=False, once=False):
        run = _begin(self, bool(nowait), bool(once))
        due = None
        while True:
            try:
                while (due := _take(run, due)) is not None:
                    _fire(due)
                return
            except BaseException as e:
                try:
                    self.handle_error(_failed(run, due), type(e), e, e.__traceback__)
                except BaseException:
                    try:
                        traceback.print_exception(*sys.exc_info())
                    except BaseException:
                        # There is nowhere to say it, and the loop goes on.
                        pass

    def handle_error(self, context, type, value, tb):
        if type is HubDestroyed:
            _clear(self)
            self.break_()
            return
        handler = self.error_handler
        if handler is None:
            self._default_handle_error(context, type, value, tb)
        else:
            # Looked up each time, so that `hub.handle_error` can be set.
            getattr(handler, 'handle_error', handler)(context, type, value, tb)

    def _default_handle_error(self, context, type, value, tb):
        traceback.print_exception(type, value, tb)
        if self.ptr:
            self.break_()

    def _handle_syserr(self, message, errno):
        import os
        error = SystemError('%s: %s' % (message, os.strerror(errno)))
        self.handle_error(None, SystemError, error, None)

    def __repr__(self):
        return '<%s at 0x%x %s>' % (self.__class__.__name__, id(self), self._format())

    def _format(self):
        if not self.ptr:
            return 'destroyed'
        default = ' default' if self.default else ''
        return '%s%s pending=%s%s' % (self.backend, default, self.pendingcnt, self._format_details())

    def _format_details(self):
        return ' ref=%r fileno=%r' % (self.activecnt, self.fileno())

    @property
    def sigfd(self):
        raise AttributeError('sigfd')


setattr(loop, 'async', loop.async_)
locals()['async'] = async_
classImplements(loop, ILoop)
classImplements(callback, ICallback)
