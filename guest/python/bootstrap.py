"""Entry point of every managed Python runtime: says hello, waits for `init`, loads the function, serves events.

Only the standard library is used. The folder of this file leaves sys.path before the function is loaded, so that a
function sees nothing of it but the private package `_lambda` in sys.modules.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from _lambda import frames  # noqa: E402
from _lambda.runtime import run  # noqa: E402

del sys.path[0]
# With -S or without -P the interpreter has put this folder on the path as well.
sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(os.path.abspath(__file__))]


def main():
    frames.send_json(frames.HELLO, {"pid": os.getpid(), "version": sys.version.split()[0]})
    frame = frames.receive()
    if frame is None or frame[0] == frames.SHUTDOWN:
        return
    if frame[0] != frames.INIT:
        raise RuntimeError("expected an init frame, got type %d" % frame[0])
    run(frames.parse(frame[1]))


main()
