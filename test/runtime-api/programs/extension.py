#!/usr/bin/env python3
"""An external extension as in AWS's samples (python-example-extension): registers, then handles one event after another."""
import json
import os
import sys
import time
import urllib.request

BASE = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension"
NAME = os.path.basename(__file__)


def call(method, path, headers, body=None):
    request = urllib.request.Request(BASE + path, method=method, headers=headers, data=body)
    with urllib.request.urlopen(request) as response:
        return response.headers, response.read()


def say(*words):
    print(f"[{NAME}]", *words, flush=True)


mode = os.environ.get("EXTENSION_MODE", "")
if mode == "crash at start":
    sys.exit(7)
headers, body = call("POST", "/register", {"Lambda-Extension-Name": NAME, "Lambda-Extension-Accept-Feature": "accountId"},
                     json.dumps({"events": ["INVOKE", "SHUTDOWN"]}).encode())
me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
say("registered", body.decode(), "handler variable", os.environ.get("_HANDLER"))
if mode == "init error":
    call("POST", "/init/error", {**me, "Lambda-Extension-Function-Error-Type": "Fatal.ConnectFailed"}, b"{}")
    sys.exit(1)
while True:
    _, body = call("GET", "/event/next", me)
    event = json.loads(body)
    if event["eventType"] == "SHUTDOWN":
        say("shutdown for", event["shutdownReason"], "with", round(event["deadlineMs"] - time.time() * 1000, -3), "ms")
        sys.exit(0)
    if mode == "crash in invoke":
        sys.exit(7)
    if mode == "slow":
        time.sleep(1.5)
    say("invoke", event["requestId"], event["tracing"]["type"])
