"""The root logger as Lambda configures it, and stdout and stderr as log events."""

import io
import json
import logging
import os
import sys
import time
import traceback

from . import frames

_encode = json.JSONEncoder(ensure_ascii=False).encode
# Attributes of a LogRecord that are not what the caller passed as `extra`.
_OWN_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {
    "aws_request_id",
    "tenant_id",
    "message",
    "asctime",
    "taskName",
}

request_id = ""
tenant_id = None


class Lines(io.TextIOBase):
    """A text stream whose every line is a log event, in order with those of the logger."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, descriptor, name):
        self._descriptor = descriptor
        self.name = name
        self._partial = ""

    @property
    def buffer(self):
        # Bytes go to the descriptor itself, which the platform reads line by line.
        return io.FileIO(self._descriptor, "w", closefd=False)

    def fileno(self):
        return self._descriptor

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        if "\n" not in text:
            self._partial += text
            return len(text)
        lines = (self._partial + text).split("\n")
        self._partial = lines.pop()
        for line in lines:
            frames.send_log(line)
        return len(text)

    def reconfigure(self, **options):
        """Taken as a TextIOWrapper takes it; lines leave as UTF-8 and at once whatever is asked for."""

    def close(self):
        """Stays open: other code logs through it."""

    def finish(self):
        """Sends what was written without a newline; called when an invocation ends."""
        if self._partial:
            text, self._partial = self._partial, ""
            frames.send_log(text)


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
        return _encode({name: value for name, value in event.items() if value is not None})


class LambdaLoggerHandler(logging.Handler):
    def emit(self, record):
        text = self.format(record)
        frames.send_log(text[:-1] if text.endswith("\n") else text)


class LambdaLoggerFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = request_id
        record.tenant_id = tenant_id
        return True


def install(as_json, level):
    """Sets the root logger up. `level` is Lambda's application log level or None."""
    sys.stdout = Lines(1, "<stdout>")
    sys.stderr = Lines(2, "<stderr>")
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


def finish_lines():
    """Ends unfinished lines on the streams as installed; a function may have put its own in their place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Lines):
            stream.finish()


def wants_json(init):
    chosen = init.get("logFormat") or os.environ.get("AWS_LAMBDA_LOG_FORMAT") or ""
    return chosen.upper() == "JSON"
