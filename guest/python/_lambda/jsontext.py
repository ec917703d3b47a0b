"""JSON as the json module has it, by the same parts of the interpreter, and without importing that module where all goes well.

With re and enum, which it needs, json is a third of the processor time of a start; a function that does not import it has
no use for it. Whatever the short way does not know is left to the module itself: odd input, errors and their words.
"""

try:
    from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner
except ImportError:
    make_scanner = make_encoder = None

_BLANK = " \t\n\r"


class _Decoding:
    """What json.JSONDecoder has by default, as its scanner asks for it."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}.__getitem__


_scan = None if make_scanner is None else make_scanner(_Decoding)


def loads(text):
    """As json.loads does for a str, with its errors."""
    if _scan is not None:
        stripped = text.strip(_BLANK)
        try:
            value, end = _scan(stripped, 0)
        except (StopIteration, ValueError):
            end = -1
        if end == len(stripped):
            return value
    import json

    return json.loads(text)


def _refuse(value):
    """Raises the TypeError for what has no form in JSON."""
    import json

    return json.JSONEncoder().default(value)


def dumps(value, default=_refuse, ascii_only=True, separators=(", ", ": ")):
    """As json.dumps does with `default` and these of its options, with its errors."""
    if make_encoder is None:
        import json

        return json.dumps(value, default=default, ensure_ascii=ascii_only, separators=separators)
    encode = encode_basestring_ascii if ascii_only else encode_basestring
    if isinstance(value, str):
        return encode(value)
    between, after_key = separators
    return "".join(make_encoder({}, default, encode, None, after_key, between, False, False, True)(value, 0))
