"""Points a botocore that does not know AWS_ENDPOINT_URL (before 1.31) at the platform. Costs nothing until botocore is imported."""

import os
import sys
from importlib.machinery import PathFinder

from .deferred import after_loading

_PATCHED = "botocore.session"
_FIRST_WITH_SUPPORT = (1, 31)


def _configured(service):
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    own = os.environ.get("AWS_ENDPOINT_URL_" + service.upper().replace("-", "_"))
    return own or os.environ.get("AWS_ENDPOINT_URL") or None


def _version():
    parts = sys.modules["botocore"].__version__.split(".")[:2]
    return tuple(int(part) for part in parts)


def _patch(session_module):
    if _version() >= _FIRST_WITH_SUPPORT:
        return
    create_client = session_module.Session.create_client
    # create_client(self, service_name, region_name, api_version, use_ssl, verify, endpoint_url, ...)
    position = 5

    def create_client_at_endpoint(self, service_name, *args, **kwargs):
        given = args[position - 1] if len(args) >= position else kwargs.get("endpoint_url")
        if given is None and len(args) < position:
            kwargs["endpoint_url"] = _configured(service_name)
        return create_client(self, service_name, *args, **kwargs)

    session_module.Session.create_client = create_client_at_endpoint


class _Finder:
    """Waits for one module, then leaves the import machinery."""

    def find_spec(self, name, path=None, target=None):
        if name != _PATCHED:
            return None
        sys.meta_path.remove(self)
        return after_loading(PathFinder.find_spec(name, path, target), _patch)


def watch():
    sys.meta_path.insert(0, _Finder())
