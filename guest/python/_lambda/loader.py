"""Where a function's modules come from, and the handler in them."""

import importlib
import os
import sys
from importlib.machinery import PathFinder

from .errors import Fault


def _python_path(init):
    return [entry for entry in init["environment"].get("PYTHONPATH", "").split(":") if entry]


def extend_path(init):
    """Puts the function's code, its layers, PYTHONPATH and the runtime's packages (boto3) before the standard library, as AWS does."""
    version = "python%d.%d" % sys.version_info[:2]
    entries = [init["taskRoot"]]
    for layer in init.get("layerPaths") or ():
        packages = os.path.join(layer, "python", "lib", version, "site-packages")
        entries += [packages, os.path.join(layer, "python")]
    entries += _python_path(init)
    if init.get("runtimePath"):
        entries.append(init["runtimePath"])
    fresh = [entry for index, entry in enumerate(entries) if entry not in entries[:index] and entry not in sys.path]
    sys.path[:0] = [entry for entry in fresh if os.path.isdir(entry) or entry.endswith(".zip")]
    # -S leaves it out.
    packages = os.path.join(sys.prefix, "lib", version, "site-packages")
    if packages not in sys.path and os.path.isdir(packages):
        sys.path.append(packages)


def customize(init):
    """
    Runs the `sitecustomize` that a folder of PYTHONPATH has, as `site` does: OpenTelemetry and other agents come in by it.
    One beside the interpreter is of the operator's own, and one in a layer or beside the handler is not run in AWS either.
    """
    folders = [entry for entry in _python_path(init) if entry != init.get("runtimePath")]
    spec = PathFinder.find_spec("sitecustomize", folders) if folders else None
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    sys.modules[spec.name] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        sys.modules.pop(spec.name, None)
        told = "%s: %s" % (type(error).__name__, error)
        sys.stderr.write("Error in sitecustomize; set PYTHONVERBOSE for traceback:\n%s\n" % told)


def load_handler(name):
    """Returns the handler function. Raises Fault, or what the module raised when it was imported."""
    module_name, separator, function_name = name.rpartition(".")
    if not separator:
        reason = "not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, reason))
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = "Cannot use built-in module %s as a handler module" % module_name
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = "Unable to import module '%s': %s" % (module_name, error)
        raise Fault("Runtime.ImportModuleError", message) from None
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        message = "Syntax error in module '%s': %s" % (module_name, error)
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise Fault("Runtime.HandlerNotFound", message) from None
