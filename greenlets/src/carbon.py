"""The interface of carbon-scheduler over Skein's tasklets: the modules `scheduler` and `_scheduler`.

A tasklet here is one of `stackless` that also tells when it ran and how often, and that may keep its errors to itself. With
nested tasklets, `tasklet.run()` runs what is runnable behind the tasklet too, as in Stackless; without, it runs that
tasklet alone.
"""

import collections
import contextlib
import sys
import threading
import time
import traceback
import weakref

import stackless

# All of the isolate's, for the counts.
_channels = weakref.WeakSet()
_tasklets = weakref.WeakSet()
_managers = weakref.WeakKeyDictionary()
_created = 0
_nested = True
_schedule_callback = None
_channel_callback = None
_here = threading.local()


def _enter_thread():
    """What each thread needs that uses tasklets: the callbacks, which are all threads', and an end for what it leaves."""
    if getattr(_here, 'callbacks', None) != (_schedule_callback, _channel_callback):
        stackless.set_schedule_callback(_schedule_callback)
        stackless.set_channel_callback(_channel_callback)
        _here.callbacks = _schedule_callback, _channel_callback
    if not hasattr(_here, 'manager'):
        _here.manager = _managers[threading.current_thread()] = schedule_manager()
        if threading.current_thread() is not threading.main_thread():
            _at_thread_end(_end_thread)


def _end_thread():
    ident = threading.get_ident()
    for t in list(_tasklets):
        if t.alive and t.thread_id == ident and t is not stackless.getcurrent():
            stackless.tasklet.kill(t)


def _own_thread(t, what):
    if t.thread_id not in (-1, threading.get_ident()):
        raise RuntimeError(f'Failed to {what} tasklet: Cannot {what} tasklet from another thread')


class tasklet(stackless.tasklet):
    """A microthread of the calling thread's schedule."""

    # What a tasklet is before `__init__`, which a subclass may leave out.
    _callable = None
    _dont_raise = False
    _exception_handler = None
    _context_manager_getter = None
    method_name = ''
    module_name = ''
    file_name = ''
    line_number = 0
    parent_callsite = ''
    context = ''
    startTime = 0
    endTime = 0
    highlighted = False

    def __new__(cls, *args, **kwargs):
        global _created
        self = stackless.tasklet.__new__(cls)
        _created += 1
        _tasklets.add(self)
        return self

    def __init__(self, callable=None, args=None, kwargs=None):
        _enter_thread()
        caller = sys._getframe(1)
        self.parent_callsite = f'{caller.f_code.co_filename}:{caller.f_lineno}'
        self.bind(callable, args, kwargs)

    def bind(self, callable=None, args=None, kwargs=None):
        """Sets what is to be called; None: takes it back, unless arguments are given."""
        _own_thread(self, 'bind')
        if callable is None:
            if args is None and kwargs is None:
                if self._callable is not None or self.alive:
                    stackless.tasklet.bind(self, None)
                    self._callable = None
                return self
            callable = self._callable
        elif not hasattr(callable, '__call__'):
            raise TypeError('parameter must be callable')
        else:
            self._describe(callable)
        self._callable = callable
        self.startTime = self.endTime = 0
        if self.scheduled and not self.blocked and self is not stackless.getcurrent():
            self.remove()
        if args is None and kwargs is None:
            stackless.tasklet.bind(self, self._body)
        else:
            stackless.tasklet.bind(self, self._body, () if args is None else args, {} if kwargs is None else kwargs)
        return self

    def _describe(self, callable):
        self.method_name = str(getattr(callable, '__name__', ''))
        self.module_name = str(getattr(callable, '__module__', ''))
        code = getattr(callable, '__code__', None)
        self.file_name = getattr(code, 'co_filename', '')
        self.line_number = getattr(code, 'co_firstlineno', 0)

    def _body(self, *args, **kwargs):
        self.startTime = time.perf_counter_ns()
        try:
            if not self._dont_raise:
                return self._callable(*args, **kwargs)
            getter = self._context_manager_getter
            if getter is None:
                return self._guarded(args, kwargs)
            with getter(self):
                return self._guarded(args, kwargs)
        finally:
            # Time does not stand still, whatever the clock shows.
            self.endTime = max(time.perf_counter_ns(), self.startTime + 1)

    def _guarded(self, args, kwargs):
        try:
            return self._callable(*args, **kwargs)
        except Exception:
            handler = self._exception_handler
            if handler is None:
                return None
            try:
                handler(f'Unhandled exception in {self!r}\n{traceback.format_exc()}')
            except Exception:
                # It has nobody to tell, as what it was told of.
                traceback.print_exc()

    def setup(self, *args, **kwargs):
        _own_thread(self, 'setup')
        if self.scheduled or self._callable is None:
            raise RuntimeError('Failed to setup tasklet: it is not bound, or scheduled already')
        return stackless.tasklet.setup(self, *args, **kwargs)

    __call__ = setup

    def run(self):
        """Runs it now; without nesting, the calling one goes on next."""
        _own_thread(self, 'run')
        if not self.alive:
            raise RuntimeError('You cannot run an unbound(dead) tasklet')
        if self is stackless.getcurrent():
            return
        if _nested:
            stackless.tasklet.run(self)
        else:
            _step(self)

    def switch(self):
        _own_thread(self, 'switch')
        return stackless.tasklet.switch(self)

    def throw(self, exc=None, val=None, tb=None, pending=False):
        _own_thread(self, 'throw')
        return stackless.tasklet.throw(self, exc, val, tb, pending)

    def raise_exception(self, exc, *args):
        _own_thread(self, 'raise_exception')
        return stackless.tasklet.raise_exception(self, exc, *args)

    def kill(self, pending=False):
        """Ends it by TaskletExit."""
        _own_thread(self, 'kill')
        return stackless.tasklet.kill(self, pending)

    @property
    def next(self):
        """The next one in the schedule, of a tasklet that is in it."""
        return None if self.blocked else stackless.tasklet.next.__get__(self)

    @property
    def prev(self):
        return None if self.blocked else stackless.tasklet.prev.__get__(self)

    @property
    def dont_raise(self):
        """Errors end the tasklet and nothing else. Set before it is bound."""
        return self._dont_raise

    @dont_raise.setter
    def dont_raise(self, value):
        if self._callable is not None:
            raise RuntimeError('dont_raise cannot be altered after the Tasklet has been bound')
        self._dont_raise = bool(value)

    @property
    def context_manager_getter(self):
        """Called with the tasklet: the context manager in which it runs."""
        return self._context_manager_getter

    @context_manager_getter.setter
    def context_manager_getter(self, value):
        if value is not None and not callable(value):
            raise TypeError('context_manager_getter must be callable or None')
        self._context_manager_getter = value

    @property
    def exception_handler(self):
        """Called with a text about an error that is not raised, while it is handled."""
        return self._exception_handler

    @exception_handler.setter
    def exception_handler(self, value):
        if value is not None and not callable(value):
            raise TypeError('exception_handler must be callable or None')
        self._exception_handler = value

    @property
    def runTime(self):
        """Seconds from the beginning to the end, or until now."""
        if not self.startTime:
            return 0.0
        return ((self.endTime or time.perf_counter_ns()) - self.startTime) / 1e9


class channel(stackless.channel):
    """Where tasklets meet, one with a value and one that waits for it."""

    _is_ready = False

    def __new__(cls, *args, **kwargs):
        self = stackless.channel.__new__(cls)
        _channels.add(self)
        return self

    def __init__(self, *args, **kwargs):
        _enter_thread()
        self._is_ready = True

    def send(self, *args):
        """Sends a value; waits until somebody receives it."""
        if not self._is_ready:
            raise RuntimeError('Channel is not initialised')
        try:
            return stackless.channel.send(self, *args)
        except RuntimeError as e:
            raise _deadlock(e)

    def receive(self):
        """Receives a value; waits until somebody sends one."""
        if not self._is_ready:
            raise RuntimeError('Channel is not initialised')
        try:
            return stackless.channel.receive(self)
        except RuntimeError as e:
            raise _deadlock(e)

    def clear(self):
        """Ends all that wait on it."""
        while stackless.channel.balance.__get__(self):
            self.queue.kill()


def _deadlock(e):
    if str(e).startswith('the main tasklet is '):
        e.args = (f'Deadlock: {e}',)
    return e


class schedule_manager:
    """The schedule of a thread."""

    def __init__(self):
        self.thread_id = threading.get_ident()


def run():
    """Runs until no other tasklet of the thread is runnable."""
    _enter_thread()
    if not stackless.getcurrent().is_main:
        # In steps, this tasklet and the main one would take turns for ever.
        stackless.run()
        return
    while stackless.getruncount() > 1:
        _step()


def run_n_tasklets(number):
    """Runs so many tasklets, each until it gives way."""
    for _ in range(number):
        if stackless.getruncount() <= 1:
            return
        _step()


def calculateruncount():
    """As `getruncount`, by counting."""
    me = stackless.getcurrent()
    n, t = 1, me.next
    while t is not None and t is not me:
        n, t = n + 1, t.next
    return n


def get_schedule_manager():
    """The schedule of the calling thread."""
    _enter_thread()
    return _here.manager


def get_number_of_active_schedule_managers():
    """How many threads have one."""
    get_schedule_manager()
    return sum(thread.is_alive() for thread in _managers)


def get_number_of_active_channels():
    """How many channels somebody waits on."""
    return sum(c.balance != 0 for c in list(_channels))


def unblock_all_channels():
    """Ends all tasklets that wait on channels."""
    for c in list(_channels):
        c.clear()


def set_schedule_callback(callable):
    """Sets what is called at each switch, in all threads; what it was."""
    global _schedule_callback
    before = _schedule_callback
    stackless.set_schedule_callback(callable)
    _schedule_callback = callable
    _enter_thread()
    return before


def get_schedule_callback():
    return _schedule_callback


def set_channel_callback(callable):
    """Sets what is called at each action on a channel, in all threads; what it was."""
    global _channel_callback
    before = _channel_callback
    stackless.set_channel_callback(callable)
    _channel_callback = callable
    _enter_thread()
    return before


def get_channel_callback():
    return _channel_callback


def set_use_nested_tasklets(flag):
    """Does `tasklet.run()` run all that is runnable, or that tasklet alone?"""
    global _nested
    _nested = bool(flag)


def get_use_nested_tasklets():
    return _nested


def get_all_time_tasklet_count():
    """How many tasklets were made."""
    return _created


def get_active_tasklet_count():
    """How many tasklets there are, alive or not."""
    return len(_tasklets)


TaskletExit = TaskletExit
getcurrent = stackless.getcurrent
getmain = stackless.getmain
getruncount = stackless.getruncount
schedule = stackless.schedule
schedule_remove = stackless.schedule_remove
enable_softswitch = stackless.enable_softswitch
switch_trap = stackless.switch_trap
get_thread_info = stackless.get_thread_info


@contextlib.contextmanager
def block_trap(trap=True):
    """In its body the running tasklet may not be blocked."""
    t = getcurrent()
    before = t.block_trap
    t.block_trap = trap
    try:
        yield
    finally:
        t.block_trap = before


class QueueChannel(channel):
    """A channel that keeps what nobody waits for: senders are never blocked."""

    def __init__(self):
        super().__init__()
        self.data_queue = collections.deque()
        self.preference = 1

    @property
    def balance(self):
        return len(self.data_queue) or super().balance

    def __len__(self):
        return len(self.data_queue)

    def clear(self):
        self.data_queue.clear()
        super().clear()

    def _put(self, entry, send):
        if super().balance >= 0 and not self.closing:
            self.data_queue.append(entry)
        else:
            send()

    def send(self, data):
        send = super().send
        self._put((True, data), lambda: send(data))

    def send_throw(self, exc, value=None, tb=None):
        send = super().send_throw
        self._put((False, (exc, value, tb)), lambda: send(exc, value, tb))

    def send_exception(self, exc, *args):
        self.send_throw(exc, args)

    def send_sequence(self, sequence):
        for data in sequence:
            self.send(data)

    def receive(self):
        if not self.data_queue:
            return super().receive()
        is_value, data = self.data_queue.popleft()
        if is_value:
            return data
        exc, value, tb = data
        try:
            raise exc(*value if isinstance(value, tuple) else () if value is None else (value,)).with_traceback(tb)
        finally:
            # The traceback leads to this frame.
            del tb, data

    def __next__(self):
        return self.receive()
