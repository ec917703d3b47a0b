"""SnapStart: what happens at the end of init, and when an environment is restored (guest/PROTOCOL.md)."""

import os
import sys

from . import errors, frames, jsontext, logs, marshal
from .errors import Fault

_HOOKS = "snapshot_restore_py"


class _Finder:
    """Finds the hooks' module where the function brings none. No folder of the runtime's own is on sys.path for it."""

    def find_spec(self, name, path=None, target=None):
        if name != _HOOKS:
            return None
        from importlib.util import spec_from_file_location

        return spec_from_file_location(name, os.path.join(os.path.dirname(os.path.abspath(__file__)), "hooks.py"))


def offer_hooks():
    sys.meta_path.append(_Finder())


def _fault(kind, error):
    """The error as AWS's runtime names it, with the trace of the hook."""
    result = errors.document(error)
    return Fault(kind, "%s: %s" % (result["errorType"], result["errorMessage"]), result["stackTrace"])


def wanted(init):
    return init.get("initType") == "snap-start"


def before():
    """Runs the hooks before a snapshot, the last registered first. Raises Fault."""
    hooks = sys.modules.get(_HOOKS)
    if hooks is None:
        return
    try:
        for call, args, kwargs in reversed(hooks.get_before_snapshot()):
            call(*args, **kwargs)
    except Exception as error:
        raise _fault("Runtime.BeforeSnapshotError", error) from error


def _reseed():
    """Generators that were seeded before the snapshot would say the same in every environment."""
    for name in ("random", "numpy.random"):
        module = sys.modules.get(name)
        if module is not None:
            module.seed()


def _after():
    _reseed()
    hooks = sys.modules.get(_HOOKS)
    if hooks is None:
        return
    try:
        for call, args, kwargs in hooks.get_after_restore():
            call(*args, **kwargs)
    except Exception as error:
        raise _fault("Runtime.AfterRestoreError", error) from error


def restore(as_json, header, data):
    """Answers a restore frame. Returns whether the environment can serve events."""
    os.environ.update(jsontext.loads(data.decode()))
    head = {"requestId": header["requestId"], "maxRssKb": 0}
    try:
        _after()
    except Fault as fault:
        result = errors.document(fault)
        errors.warn()
        errors.log(result, as_json, marshal.encode)
        frames.send_headed(frames.ERROR, {**head, "exit": True}, marshal.failure(result))
        return False
    logs.finish_lines()
    frames.send_headed(frames.RESPONSE, head, b"null")
    return True
