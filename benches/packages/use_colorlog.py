# pip install colorlog
import io
import logging

import colorlog

out = io.StringIO()
handler = colorlog.StreamHandler(out)
handler.setFormatter(colorlog.ColoredFormatter("%(log_color)s%(levelname)s:%(name)s:%(message)s", force_color=True))
logger = colorlog.getLogger("x")
logger.addHandler(handler)
logger.setLevel(logging.DEBUG)
for level in ("debug", "info", "error"):
    getattr(logger, level)("message %d", 1)
print(repr(out.getvalue()))
