"""The root logger as Lambda configures it. Imported once `logging` is: see deferred.py."""

import logging
import time
import traceback

from . import frames, jsontext, logs

# Attributes of a LogRecord that are not what the caller passed as `extra`.
_OWN_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {
    "aws_request_id",
    "tenant_id",
    "message",
    "asctime",
    "taskName",
}


class JsonFormatter(logging.Formatter):
    def format(self, record):
        level = min(50, max(0, record.levelno)) // 10 * 10
        error = record.exc_info if record.exc_info else None
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        event = {
            "timestamp": "%s.%03dZ" % (moment, record.msecs),
            "level": logging.getLevelName(level),
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(error[2]) if error else None,
            "errorType": error[0].__name__ if error and error[0] else None,
            "errorMessage": str(error[1]) if error else None,
            "requestId": record.aws_request_id,
            "location": "%s:%s:%s" % (record.pathname, record.funcName, record.lineno) if error else None,
            "tenantId": record.tenant_id,
        }
        for name, value in record.__dict__.items():
            if name not in _OWN_FIELDS and name not in event:
                event[name] = value
        return jsontext.dumps({name: value for name, value in event.items() if value is not None}, ascii_only=False)


class LambdaLoggerHandler(logging.Handler):
    def emit(self, record):
        text = self.format(record)
        frames.send_log(text[:-1] if text.endswith("\n") else text)


class LambdaLoggerFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = logs.request_id
        record.tenant_id = logs.tenant_id
        return True


def set_up(as_json, level):
    """`level` is Lambda's application log level or None."""
    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler()
    text = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
    handler.setFormatter(JsonFormatter() if as_json else logging.Formatter(text, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(LambdaLoggerFilter())
    root = logging.getLogger()
    name = {None: "", "TRACE": "DEBUG"}.get(level, level)
    if name in logging._nameToLevel:
        root.setLevel(name)
    root.addHandler(handler)
