"""Modules of the standard library that AWS's runtime has loaded before a function, and this one when they are asked for.

`json`, `logging` and `traceback`, with what they import, are half of the processor time of a start, and many functions do
without some of them. A guest that has nothing to do yet loads them ahead; in any other they are the standard library's
whatever the function brings by the same name, as they are on AWS, where they are in sys.modules already.
"""

import importlib
import os
import sys
from importlib.machinery import PathFinder

_ROOTS = ("json", "logging", "traceback")
# What they load, in each version: a name too many would hide a function's own module, which AWS's runtime finds.
_NAMES = {
    "collections",
    "copyreg",
    "enum",
    "functools",
    "json",
    "keyword",
    "linecache",
    "logging",
    "operator",
    "re",
    "reprlib",
    "string",
    "threading",
    "traceback",
    "types",
    "warnings",
    "weakref",
    "_weakrefset",
}
if sys.version_info < (3, 10):
    _NAMES |= {"heapq"}
if sys.version_info < (3, 11):
    _NAMES |= {"sre_compile", "sre_constants", "sre_parse"}
else:
    _NAMES |= {"contextlib", "textwrap"}
if sys.version_info >= (3, 13):
    _NAMES |= {"_colorize"}
if sys.version_info[:2] != (3, 13):
    _NAMES |= {"token", "tokenize"}
if sys.version_info >= (3, 14):
    _NAMES |= {"__future__", "annotationlib", "ast", "codeop", "copy", "dataclasses", "dis", "inspect", "opcode"}
    _NAMES |= {"_opcode_metadata"}
_FOLDER = os.path.dirname(os.__file__)


def after_loading(spec, call):
    """Has `call` called with the module once it has been executed. Returns the spec, which may be None."""
    if spec is not None and spec.loader is not None:
        execute = spec.loader.exec_module

        def exec_and_call(module):
            execute(module)
            call(module)

        spec.loader.exec_module = exec_and_call
    return spec


class _Finder:
    on_logging = None

    def find_spec(self, name, path=None, target=None):
        if name not in _NAMES:
            return None
        spec = PathFinder.find_spec(name, [_FOLDER])
        return after_loading(spec, self._tell) if name == "logging" and self.on_logging is not None else spec

    def _tell(self, _module):
        # Not again when a function reloads it, which takes the logger's handlers away.
        tell, self.on_logging = self.on_logging, None
        if tell is not None:
            tell()


_finder = _Finder()


def hide_namesakes():
    """Has them found in the standard library from now on."""
    sys.meta_path.insert(0, _finder)


def watch(on_logging):
    """Has `on_logging` called once, when `logging` has been loaded: at once where it has."""
    if "logging" in sys.modules:
        on_logging()
    else:
        _finder.on_logging = on_logging


def load():
    """Loads them."""
    for name in _ROOTS:
        importlib.import_module(name)
