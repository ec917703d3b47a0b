"""The life of an execution environment: set up, load, serve."""

import builtins
import gc
import os
import sys
import time
from _sitebuiltins import Quitter, _Helper
from time import perf_counter
from time import time as epoch

from . import deferred, endpoint, errors, frames, loader, logs, marshal, snapshot
from .context import LambdaContext
from .memory import max_rss_kb

# Lambda's own words; 6,291,556 bytes is its limit for a buffered response.
_TOO_LARGE = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
}


def _set_up(init):
    # Absent where a launcher has started this process with the function's variables, to which a wrapper may have added.
    environment = init.setdefault("environment", dict(os.environ))
    os.environ.clear()
    os.environ.update(environment)
    if "TZ" in os.environ:
        time.tzset()
    os.chdir(init["taskRoot"])
    # The code store is shared between environments and addressed by content: no __pycache__ may appear in it.
    sys.dont_write_bytecode = True
    # -S leaves these out, and functions call them.
    builtins.exit = Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = Quitter("quit", "Ctrl-D (i.e. EOF)")
    builtins.help = _Helper()
    logs.replace_streams()
    deferred.hide_namesakes()
    loader.extend_path(init)
    endpoint.watch()
    snapshot.offer_hooks()
    # What the runtime itself has made stays as long as the process: no collection need look at it.
    gc.freeze()
    gc.enable()
    loader.customize(init)
    level = init.get("applicationLogLevel") or os.environ.get("AWS_LAMBDA_LOG_LEVEL")
    logs.install(logs.wants_json(init), level.upper() if level else None)


def _load(init, as_json):
    try:
        handler = loader.load_handler(init["handler"])
        if snapshot.wanted(init):
            snapshot.before()
        return handler
    except Exception as error:
        result = errors.document(error)
        errors.warn()
        errors.log(result, as_json, marshal.encode)
        frames.send_json(frames.INIT_ERROR, result)
        sys.exit(1)


def _invoke(handler, init, header, data):
    client_context = marshal.header(header.get("clientContext"), "Client Context")
    identity = marshal.header(header.get("identity"), "Cognito Identity")
    context = LambdaContext(init, header, client_context, identity)
    return marshal.response(handler(marshal.event(data), context))


def _reply(handler, init, as_json, header, data):
    request_id = header["requestId"]
    began = perf_counter()

    def head():
        return {"requestId": request_id, "maxRssKb": max_rss_kb(), "tookMs": (perf_counter() - began) * 1000}

    try:
        payload = _invoke(handler, init, header, data)
    except Exception as error:
        result = errors.document(error, request_id)
        logs.finish_lines()
        errors.log(result, as_json, marshal.encode)
    else:
        logs.finish_lines()
        if frames.send_headed(frames.RESPONSE, head(), payload):
            return
        result = _TOO_LARGE
    frames.send_headed(frames.ERROR, {**head(), "exit": False}, marshal.failure(result))


def _serve(handler, init, as_json):
    while True:
        frame = frames.receive()
        if frame is None or frame[0] not in (frames.INVOKE, frames.RESTORE):
            return
        header, data = frames.split(frame[1])
        if frame[0] == frames.RESTORE:
            if not snapshot.restore(as_json, header, data):
                return
            continue
        prefetched = header.get("prefetched")
        if prefetched is not None:
            if frames.is_recalled(prefetched):
                frames.send_headed(frames.RETURNED, {"requestId": header["requestId"]}, b"")
                continue
            header["deadlineMs"] = int(epoch() * 1000) + header["timeoutMs"]
        frames.between_events = False
        logs.request_id = header["requestId"]
        logs.tenant_id = header.get("tenantId")
        if header.get("traceId"):
            os.environ["_X_AMZN_TRACE_ID"] = header["traceId"]
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        _reply(handler, init, as_json, header, data)


def run(init):
    """Serves events until the platform ends."""
    try:
        _set_up(init)
        as_json = logs.wants_json(init)
        handler = _load(init, as_json)
        logs.finish_lines()
        frames.send_json(frames.INIT_DONE, {"prefetches": True})
        _serve(handler, init, as_json)
    finally:
        # sys.exit passes through here, while loading too: what was printed last is not to be lost.
        logs.finish_lines()
