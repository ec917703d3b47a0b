#!/usr/bin/env python3
"""As AWS Lambda Web Adapter: an extension that is the client of the Runtime API and passes events on to a local web server."""
import http.client
import json
import os
import time

api = os.environ["AWS_LAMBDA_RUNTIME_API"]


def call(method, path, body=None, headers={}):
    connection = http.client.HTTPConnection(api)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.headers, response.read()


headers, _ = call("POST", "/2020-01-01/extension/register", json.dumps({"events": []}),
                  {"Lambda-Extension-Name": os.path.basename(__file__)})
me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
if os.fork() == 0:
    # Ready for no event of its own: it asks for the next one and is never given any.
    call("GET", "/2020-01-01/extension/event/next", None, me)
    os._exit(0)


def ask(path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
    connection.request("POST" if body else "GET", path, body)
    return connection.getresponse().read()


while True:
    try:
        ask("/ready")
        break
    except OSError:
        time.sleep(0.01)
while True:
    headers, event = call("GET", "/2018-06-01/runtime/invocation/next")
    answer = ask("/events", event)
    call("POST", "/2018-06-01/runtime/invocation/" + headers["Lambda-Runtime-Aws-Request-Id"] + "/response", answer)
