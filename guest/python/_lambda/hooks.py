"""The module that AWS's Python runtimes have for SnapStart hooks, with its interface.

See AWS Lambda Developer Guide, "Lambda SnapStart runtime hooks for Python". A function may bring AWS's own in its package;
it is found first, and the runtime asks whichever was imported.
"""

_before_snapshot = []
_after_restore = []


def register_before_snapshot(func, *args, **kwargs):
    """Has `func` called before the snapshot is taken, the last registered first. Serves as a decorator."""
    _before_snapshot.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Has `func` called in each environment that is restored, the first registered first. Serves as a decorator."""
    _after_restore.append((func, args, kwargs))
    return func


def get_before_snapshot():
    """The registered (function, arguments, keyword arguments), in the order of registration."""
    return _before_snapshot


def get_after_restore():
    """The registered (function, arguments, keyword arguments), in the order of registration."""
    return _after_restore
