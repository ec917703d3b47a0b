#!/usr/bin/env python3
"""A runtime as awslambdaric is one: http.client over one connection; it can be asked to misbehave."""
import http.client
import json
import os

api = os.environ["AWS_LAMBDA_RUNTIME_API"]
connection = http.client.HTTPConnection(api)


def call(method, path, body=None, headers={}):
    connection.request(method, "/2018-06-01/runtime" + path, body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


if os.environ.get("FAIL_INIT"):
    document = {"errorMessage": "cannot load", "errorType": "Runtime.ImportModuleError", "stackTrace": []}
    call("POST", "/init/error", json.dumps(document), {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"})
    raise SystemExit(1)

while True:
    status, headers, payload = call("GET", "/invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    event = json.loads(payload)
    path = "/invocation/" + request_id
    statuses = []
    if event.get("wrongId"):
        statuses.append(call("POST", "/invocation/nobody/response", "{}")[0])
        statuses.append(call("POST", "/init/error", "{}")[0])
    if event.get("large"):
        call("POST", path + "/response", b'"' + b"x" * event["large"] + b'"')
        continue
    if event.get("sleep"):
        import time

        time.sleep(event["sleep"])
    answer = {"statuses": statuses, "deadline": int(headers["Lambda-Runtime-Deadline-Ms"]),
              "context": headers["Lambda-Runtime-Client-Context"], "variables": dict(os.environ)}
    call("POST", path + "/response", json.dumps(answer))
    if event.get("twice"):
        print("second answer:", call("POST", path + "/response", '"second"')[0], flush=True)
