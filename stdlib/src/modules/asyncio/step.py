def step(self, exc=None):
    coro = ready(self) if exc is None else None
    if coro is None:
        exc = begin(self, exc)
        coro = self._coro
    try:
        if exc is None:
            result = advance(coro)
        else:
            result = coro.throw(exc)
    except BaseException as e:
        failed(self, e)
    else:
        if not suspended(self, result):
            yielded(self, result)


def wakeup(self, future):
    coro, exc = woken(self, future), None
    if coro is None:
        exc = begin(self, outcome(self, future))
        coro = self._coro
    try:
        if exc is None:
            result = advance(coro)
        else:
            result = coro.throw(exc)
    except BaseException as e:
        failed(self, e)
    else:
        if not suspended(self, result):
            yielded(self, result)


def eager(self, context):
    before = begin_eager(self)
    try:
        context.run(eager_step, self)
    finally:
        end_eager(self, before)


def eager_step(self):
    try:
        result = self._coro.send(None)
    except BaseException as e:
        failed(self, e)
    else:
        yielded(self, result)
