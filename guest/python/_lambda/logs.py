"""stdout and stderr as log events, and what every log event tells of the invocation."""

import io
import os
import sys

from . import deferred, frames

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


def replace_streams():
    sys.stdout = Lines(1, "<stdout>")
    sys.stderr = Lines(2, "<stderr>")


def install(as_json, level):
    """Sets the root logger up as soon as there is one. `level` is Lambda's application log level or None."""

    def set_up_logger():
        from . import logger

        logger.set_up(as_json, level)

    deferred.watch(set_up_logger)


def finish_lines():
    """Ends unfinished lines on the streams as installed; a function may have put its own in their place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Lines):
            stream.finish()


def wants_json(init):
    chosen = init.get("logFormat") or os.environ.get("AWS_LAMBDA_LOG_FORMAT") or ""
    return chosen.upper() == "JSON"
