def step(self, exc=None):
    exc = begin(self, exc)
    try:
        if exc is None:
            result = self._coro.send(None)
        else:
            result = self._coro.throw(exc)
    except BaseException as e:
        failed(self, e)
    else:
        yielded(self, result)


def wakeup(self, future):
    exc = begin(self, outcome(self, future))
    try:
        if exc is None:
            result = self._coro.send(None)
        else:
            result = self._coro.throw(exc)
    except BaseException as e:
        failed(self, e)
    else:
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
