# pip install structlog
import structlog

structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, structlog.processors.JSONRenderer(sort_keys=True)], logger_factory=structlog.PrintLoggerFactory())
log = structlog.get_logger().bind(a=1)
log.info("hello", b=[1, 2])
try:
    raise ValueError("x")
except ValueError:
    log.error("failed", exc_info=False)
print(structlog.dev.ConsoleRenderer(colors=False)(None, "", {"event": "e", "level": "info", "k": "v"}))
