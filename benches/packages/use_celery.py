# pip install celery
from celery import Celery, chain, group

app = Celery("demo", broker="memory://", backend="cache+memory://")
app.conf.update(task_always_eager=True, task_store_eager_result=False)


@app.task
def add(x, y):
    return x + y


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def flaky(self):
    if self.request.retries < 2:
        raise self.retry()
    return self.request.retries


print(add.delay(2, 3).get(), chain(add.s(1, 2), add.s(10))().get())
print(group(add.s(i, i) for i in range(3))().get(), flaky.delay().get())
print(sorted(t for t in app.tasks if t.startswith("__main__")), add.s(1, 2))
