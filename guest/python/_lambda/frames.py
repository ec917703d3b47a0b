"""Reading and writing frames (guest/PROTOCOL.md). Both directions block: between two events nothing is to run."""

import os
import select
import time
from _thread import allocate_lock

from . import jsontext

INIT = 0x01
INVOKE = 0x02
SHUTDOWN = 0x03
RESTORE = 0x05
INIT_DONE = 0x82
INIT_ERROR = 0x83
RESPONSE = 0x84
ERROR = 0x85
LOG = 0x86
RETURNED = 0x8B
LATE_LOG = 0x8C

# The most bytes a frame may hold after its length field.
FRAME_LIMIT = 32 * 1024 * 1024
# Lambda keeps 256 KB of a log event; a longer one is cut far above that so that a frame can always hold it.
LOG_LIMIT = 4 * 1024 * 1024

_INPUT = 3
_OUTPUT = 4
_RECALLS = 9
_CHUNK = 64 * 1024

# What has been read, many frames maybe, and where in it the next one begins.
_pending = b""
_start = 0
# A function's threads may log while its handler answers; a frame must leave in one piece.
_writing = allocate_lock()

_forked = False
# Whether an event was answered and no other has begun: what is logged then is of neither.
between_events = False


def _after_fork_in_child():
    """
    A forked child (multiprocessing) shares the channel, on which two would tear each other's frames and begin each other's
    events: it has no part in it, even where it comes back from the handler.
    """
    global _forked, _writing
    _forked = True
    _writing = allocate_lock()


os.register_at_fork(after_in_child=_after_fork_in_child)

# What a function starts must not hold the descriptors open.
os.set_inheritable(_INPUT, False)
os.set_inheritable(_OUTPUT, False)
try:
    os.set_inheritable(_RECALLS, False)
except OSError:
    # Not every sandbox hands it over: the platform gives no event ahead then.
    pass


def _when_ready(call, *arguments):
    """Only a platform that hands over a non-blocking descriptor gets to the second try."""
    while True:
        try:
            return call(*arguments)
        except BlockingIOError:
            time.sleep(0.001)


def _read(wanted):
    """Returns exactly `wanted` bytes, or None at the end of the stream."""
    global _pending, _start
    end = _start + wanted
    if end > len(_pending):
        parts = [_pending[_start:]]
        have = len(parts[0])
        while have < wanted:
            part = _when_ready(os.read, _INPUT, max(_CHUNK, wanted - have))
            if not part:
                return None
            parts.append(part)
            have += len(part)
        _pending = b"".join(parts)
        _start, end = 0, wanted
    taken = _pending[_start:end]
    if end == len(_pending):
        # A large event is not kept.
        _pending, end = b"", 0
    _start = end
    return taken


def ready(seconds):
    """Whether there is a frame to read, or an end, within so long."""
    return bool(_pending) or bool(select.select([_INPUT], [], [], seconds)[0])


def receive():
    """Waits for the next frame. Returns (type, body), or None when there is none to come: the platform has gone."""
    if _forked:
        return None
    head = _read(5)
    if head is None:
        return None
    length = int.from_bytes(head[:4], "big")
    if not 1 <= length <= FRAME_LIMIT:
        raise RuntimeError("a frame of %d bytes" % length)
    body = _read(length - 1)
    return None if body is None else (head[4], body)


def split(body):
    """Returns the header (parsed) and the bytes of a headed body."""
    end = 4 + int.from_bytes(body[:4], "big")
    return jsontext.loads(body[4:end].decode()), body[end:]


def is_recalled(number):
    """
    Whether the event that was given ahead as this one of all such, counted from 0, is not to be begun any more: whether the
    file is longer than that.
    """
    return len(os.pread(_RECALLS, 1, number)) == 1


def send(kind, body=b""):
    if _forked:
        return
    data = (len(body) + 1).to_bytes(4, "big") + bytes((kind,)) + body
    with _writing:
        sent = _when_ready(os.write, _OUTPUT, data)
        while sent < len(data):
            sent += _when_ready(os.write, _OUTPUT, memoryview(data)[sent:])


def _compact(value):
    return jsontext.dumps(value, separators=(",", ":")).encode()


def send_json(kind, value):
    send(kind, _compact(value))


def send_headed(kind, header, payload):
    """Sends a headed frame; returns False, with nothing sent, when it exceeds the limit."""
    global between_events
    head = _compact(header)
    if len(head) + len(payload) + 5 > FRAME_LIMIT:
        return False
    if kind != RETURNED:
        # Before it is sent: another thread may log right after.
        between_events = True
    send(kind, len(head).to_bytes(4, "big") + head + payload)
    return True


def send_log(text):
    """Sends one log event, final as it stands."""
    body = text[:LOG_LIMIT].encode("utf-8", "backslashreplace")
    if _forked:
        # The platform reads this descriptor line by line.
        os.write(1, body + b"\n")
        return
    send(LATE_LOG if between_events else LOG, int(time.time() * 1000).to_bytes(8, "big") + body)
