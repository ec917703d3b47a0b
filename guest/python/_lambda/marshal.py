"""
JSON as Lambda's runtime reads and writes it: like the json module, and Decimal as a number, bytes as text, named tuples as
objects.
"""

import sys

from . import jsontext, named
from .errors import Fault

# What a default function cannot return, a bare number token, is marked as a string and unquoted afterwards. No string of
# the function's can look like the mark with this random part.
_MARK = "decimal:%032x:" % int.from_bytes(__import__("os").urandom(16), "big")


def _is_decimal(value):
    # No import of decimal: where it was never imported there are no Decimals.
    module = sys.modules.get("decimal")
    return module is not None and isinstance(value, module.Decimal)


# Lambda keeps characters as they are from Python 3.12 on, and escapes them before.
_ESCAPES = sys.version_info < (3, 12)


def encode(value):
    marked = False

    def default(value):
        nonlocal marked
        if _is_decimal(value):
            marked = True
            return _MARK + ("NaN" if value.is_nan() else str(value))
        if isinstance(value, bytes):
            return value.decode()
        if named.tells_fields(value):
            return named.as_object(value)
        # Whatever a function has made of json's own encoder: AWS's runtime brings another.
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    text = jsontext.dumps(value, default, ascii_only=_ESCAPES)
    return _unquoted(text) if marked else text


def _unquoted(text):
    first, *others = text.split('"' + _MARK)
    return first + "".join(other.replace('"', "", 1) for other in others)


def response(value):
    """Returns the bytes of a handler's return value. Raises Fault Runtime.MarshalError."""
    if isinstance(value, bytes):
        return value
    try:
        # First as it is, which refuses a ring.
        text = encode(value)
        plain = named.replaced(value)
        return (text if plain is value else encode(plain)).encode()
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None


def failure(result):
    """Returns the bytes of an error document. Half of a surrogate pair, as in a file's name that is no UTF-8, is escaped."""
    return encode(result).encode("utf-8", "backslashreplace")


def event(data):
    try:
        return jsontext.loads(data.decode())
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None


def header(text, name):
    """Parses a JSON text of the invocation, or returns None where there is none."""
    if not text:
        return None
    try:
        return jsontext.loads(text)
    except Exception as error:
        message = "Unable to parse %s JSON: %s" % (name, error)
        raise Fault("Runtime.LambdaContextUnmarshalError", message) from None
