"""Entry point of every managed Python runtime: says hello, loads its own modules, waits for `init`, serves events.

Hello goes first: the platform prepares `init` while json and logging, two thirds of the start, are imported. Only the
standard library is used. The folder of this file leaves sys.path before the function is loaded, so that a
function sees nothing of it but the private package `_lambda` in sys.modules.
"""

import os
import sys

_HELLO = b'{"pid":%d,"version":"%s"}' % (os.getpid(), sys.version.split()[0].encode())
# One write of some forty bytes on a fresh channel is never a partial one.
os.write(4, (len(_HELLO) + 1).to_bytes(4, "big") + b"\x81" + _HELLO)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from _lambda import frames  # noqa: E402
from _lambda.runtime import run  # noqa: E402

del sys.path[0]
# With -S or without -P the interpreter has put this folder on the path as well.
sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(os.path.abspath(__file__))]


def main():
    frame = frames.receive()
    if frame is None or frame[0] == frames.SHUTDOWN:
        return
    if frame[0] != frames.INIT:
        raise RuntimeError("expected an init frame, got type %d" % frame[0])
    run(frames.parse(frame[1]))


main()
