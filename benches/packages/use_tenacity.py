# pip install tenacity
from tenacity import RetryError, Retrying, retry, retry_if_exception_type, stop_after_attempt, wait_none

tries = []


@retry(stop=stop_after_attempt(5), wait=wait_none(), retry=retry_if_exception_type(ValueError))
def flaky():
    tries.append(1)
    if len(tries) < 3:
        raise ValueError("no")
    return len(tries)


print(flaky(), flaky.statistics["attempt_number"])
try:
    for attempt in Retrying(stop=stop_after_attempt(2)):
        with attempt:
            raise KeyError("k")
except RetryError as e:
    print(e.last_attempt.attempt_number, repr(e.last_attempt.exception()))
