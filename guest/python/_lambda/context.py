"""The `context` argument, field by field as in AWS's runtime."""

import sys
import time

_TRACE_CONTEXT = ("traceparent", "tracestate", "baggage")


def _describe(thing, names):
    return "%s([%s])" % (type(thing).__name__, ",".join("%s=%s" % (name, getattr(thing, name)) for name in names))


class _Record:
    """An object with fixed fields, filled from a dict; what the dict lacks is None."""

    __slots__ = ()

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        return _describe(self, self.__slots__)


class CognitoIdentity(_Record):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Record):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_Record):
    __slots__ = ("custom", "env", "client")

    def __init__(self, values):
        super().__init__(values)
        if self.client is not None:
            self.client = Client(self.client)


class LambdaContext:
    _SHOWN = (
        "aws_request_id",
        "log_group_name",
        "log_stream_name",
        "function_name",
        "memory_limit_in_mb",
        "function_version",
        "invoked_function_arn",
        "client_context",
        "identity",
        "tenant_id",
    )

    def __init__(self, init, header, client_context, identity):
        self.aws_request_id = header["requestId"]
        self.log_group_name = init.get("logGroup")
        self.log_stream_name = init.get("logStream")
        self.function_name = init.get("functionName")
        self.memory_limit_in_mb = str(init.get("memoryMb"))
        self.function_version = init.get("functionVersion")
        self.invoked_function_arn = header.get("invokedFunctionArn")
        self.tenant_id = header.get("tenantId")
        self._trace_context = _take_trace_context(client_context)
        self.client_context = None if client_context is None else ClientContext(client_context)
        given = identity or {}
        self.identity = CognitoIdentity(
            {
                "cognito_identity_id": given.get("cognitoIdentityId"),
                "cognito_identity_pool_id": given.get("cognitoIdentityPoolId"),
            }
        )
        self._epoch_deadline_time_in_ms = header["deadlineMs"]

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self):
        return dict(self._trace_context)

    def log(self, msg):
        sys.stdout.write(str(msg))

    def __repr__(self):
        return _describe(self, self._SHOWN)


def _take_trace_context(client_context):
    """Takes `w3c` out of the client context; only its three standard fields, and only as text, reach the function."""
    source = client_context.pop("w3c", None) if isinstance(client_context, dict) else None
    if not isinstance(source, dict):
        return {}
    return {name: source[name] for name in _TRACE_CONTEXT if isinstance(source.get(name), str)}
