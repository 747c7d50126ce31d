# pip install loguru
import io
import sys

from loguru import logger

out = io.StringIO()
logger.remove()
logger.add(out, format="{level} {message} {extra} {function}:{line}", level="DEBUG")
logger.info("hello {}", "world")
logger.bind(user="ann").debug("bound")
with logger.contextualize(task=7):
    logger.warning("inside")


@logger.catch(reraise=False)
def bad(a):
    return 1 / a


bad(0)
print([line for line in out.getvalue().splitlines() if line[:1].isupper()][:3])
print("ZeroDivisionError: division by zero" in out.getvalue())
logger.add(sys.stdout, serialize=False, format="{message}", filter=lambda r: r["level"].no >= 40)
logger.error("to stdout")
