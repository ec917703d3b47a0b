"""Error documents, as Invoke answers them and as they are logged."""

import os
import time

from . import frames, logs

# Where the platform is installed is not for the callers of functions to read.
_OWN_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_NO_BREAK_SPACE = "\u00a0"

_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare "
    "cases, a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes, "
    "runtime updates can be triggered by a function change, or can be applied automatically. To determine if the "
    "runtime has been updated, check the runtime version in the INIT_START log entry. If this error correlates with a "
    "change in the runtime version, you may be able to mitigate this error by temporarily rolling back to the previous "
    "runtime version. For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html"
)


class Fault(Exception):
    """An error that the runtime itself finds; `kind` is its errorType."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


def _trace(error):
    """Of the frames of the function and of what it called; Lambda's traces have no ^^^^ markers."""
    try:
        import traceback

        found = traceback.extract_tb(error.__traceback__)
        return traceback.format_list(
            [
                (frame.filename, frame.lineno, frame.name, frame.line)
                for frame in found
                if not frame.filename.startswith(_OWN_FOLDER)
            ]
        )
    except Exception:
        # A function may have left no descriptor or no stack for an import; how it failed is to be told all the same.
        return list(_without_source(error.__traceback__))


def _without_source(trace):
    """As the traceback module has it where it cannot read the source."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_OWN_FOLDER):
            yield '  File "%s", line %s, in %s\n' % (code.co_filename, trace.tb_lineno, code.co_name)
        trace = trace.tb_next


def document(error, request_id=""):
    """What Invoke answers for an exception: {errorMessage, errorType, requestId, stackTrace}."""
    if isinstance(error, Fault):
        kind, message, trace = error.kind, error.message, error.trace or []
    else:
        kind, message, trace = type(error).__name__, str(error), _trace(error)
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _indent(line):
    """Log viewers fold ordinary leading blanks, so Lambda prints no-break spaces."""
    stripped = line.lstrip(" ")
    return _NO_BREAK_SPACE * (len(line) - len(stripped)) + stripped


def warn():
    """Logs, by the root logger, that a function has failed outside its handler. Unfinished lines go first."""
    logs.finish_lines()
    try:
        import logging
    except Exception:
        # As in `_trace`: the error itself is logged without.
        return
    logging.warning(_WARNING)


def log(result, as_json, encode):
    """Writes the one log event of a failed invocation or init."""
    if as_json:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        frames.send_log(encode({"timestamp": now, "level": "ERROR", **result}))
        return
    first = " ".join(filter(None, ("[ERROR]", result["errorType"])))
    if result["errorMessage"]:
        first += (": " if result["errorType"] else " ") + result["errorMessage"]
    lines = [first, "Traceback (most recent call last):"]
    for element in result["stackTrace"]:
        lines += [_indent(line) for line in element.splitlines()] or [""]
    frames.send_log("\n".join(lines))
