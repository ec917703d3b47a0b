"""Entry point of every managed Python runtime: says hello, loads its own modules, waits for `init`, serves events.

Hello goes first: the platform prepares `init` while the modules are loaded. Only the standard library is used. The folder
of this file leaves sys.path before the function is loaded, so that a function sees nothing of it but the private package
`_lambda` in sys.modules.
"""

import gc
import os
import sys

# A guest that has waited so long for its function, in seconds, is ahead of its time, and prepares for it.
_EARLY = 0.1


def _say_hello():
    body = b'{"pid":%d,"version":"%s"}' % (os.getpid(), sys.version.split()[0].encode())
    # One write of some forty bytes on a fresh channel is never a partial one.
    os.write(4, (len(body) + 1).to_bytes(4, "big") + b"\x81" + body)


def _load_runtime():
    folder = os.path.dirname(os.path.abspath(__file__))
    # The interpreter itself has put the folder on the path as well.
    others = [entry for entry in sys.path if entry != folder]
    sys.path[:] = [folder, *others]
    # -B is for the function's code, which environments share. Compiled files of the runtime's own, where its folder may
    # be written to, save a fifth of the start: 6 of 30 ms of processor time in Python 3.13.
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    from _lambda import deferred, frames, jsontext, runtime

    sys.dont_write_bytecode = before
    sys.path[:] = others
    return deferred, frames, jsontext, runtime


def _main():
    _say_hello()
    # Nothing of what is imported is garbage: runtime.py turns it on again.
    gc.disable()
    deferred, frames, jsontext, runtime = _load_runtime()
    if not frames.ready(_EARLY):
        deferred.load()
    frame = frames.receive()
    if frame is None or frame[0] == frames.SHUTDOWN:
        return
    if frame[0] != frames.INIT:
        raise RuntimeError("expected an init frame, got type %d" % frame[0])
    runtime.run(jsontext.loads(frame[1].decode()))


# A process that a function starts with multiprocessing's spawn or forkserver imports this file as __mp_main__.
if __name__ == "__main__":
    _main()
