"""
Named tuples in a response, and what else tells its fields by `_asdict`: JSON objects in Lambda, whose runtime has simplejson.
To the json module the first are arrays and the others nothing.
"""

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


def tells_fields(value):
    return callable(getattr(value, "_asdict", None))


def _fields(value):
    told = value._asdict()
    if not isinstance(told, dict):
        raise TypeError("_asdict() must return a dict, not %s" % type(told).__name__)
    return told


def _has_any(value):
    if type(value) in _PLAIN or not _can_be_any():
        return False
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [each for _, each in one.items() if type(each) not in _PLAIN]
        elif isinstance(one, (list, tuple)):
            if isinstance(one, tuple) and tells_fields(one):
                return True
            waiting += [each for each in one if type(each) not in _PLAIN]
    return False


def _as_objects(value, within):
    """A copy with objects in their place. `within`: the ids of all that the value is in."""
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) in within:
        raise ValueError("Circular reference detected")
    within.add(id(value))
    if isinstance(value, dict):
        copy = {key: _as_objects(each, within) for key, each in value.items()}
    elif isinstance(value, tuple) and tells_fields(value):
        copy = _as_objects(_fields(value), within)
    else:
        copy = [_as_objects(each, within) for each in value]
    within.remove(id(value))
    return copy


def replaced(value):
    """
    The value with objects in the place of named tuples, itself where there are none. It has a form in JSON, and so is no
    ring.
    """
    return _as_objects(value, set()) if _has_any(value) else value


def as_object(value):
    """What stands for a value that tells its fields. Nothing is known of them: they may be a ring."""
    return _as_objects(_fields(value), set())
