"""Named tuples in a response, which are JSON objects in Lambda and arrays to the json module: AWS's runtime has simplejson."""

_PLAIN = frozenset((str, int, float, bool, type(None)))

# Whether there is a class of them, and the youngest class of tuples when that was last looked at.
_found = False
_youngest = None


def _can_be_any():
    global _found, _youngest
    if not _found:
        classes = tuple.__subclasses__()
        if classes[-1] is not _youngest:
            _youngest = classes[-1]
            _found = any(hasattr(each, "_asdict") for each in classes)
    return _found


def _is_named(value):
    return isinstance(value, tuple) and callable(getattr(value, "_asdict", None))


def _has_any(value):
    if type(value) in _PLAIN or not _can_be_any():
        return False
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [each for each in one.values() if type(each) not in _PLAIN]
        elif isinstance(one, (list, tuple)):
            if _is_named(one):
                return True
            waiting += [each for each in one if type(each) not in _PLAIN]
    return False


def _as_objects(value):
    if _is_named(value):
        return _as_objects(value._asdict())
    if isinstance(value, dict):
        return {key: _as_objects(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_objects(each) for each in value]
    return value


def replaced(value):
    """The value with objects in their place, itself where there are none. It has a form in JSON, and so is no ring."""
    return _as_objects(value) if _has_any(value) else value
