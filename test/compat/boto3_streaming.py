"""A streamed response as boto3 reads it. Prints `done` when every assertion held."""

import json
import sys

import boto3

client = boto3.client("lambda", endpoint_url=sys.argv[1])


def read(**event):
    response = client.invoke_with_response_stream(
        FunctionName="stream", Payload=json.dumps(event), LogType="Tail"
    )
    assert response["StatusCode"] == 200, response
    assert response["ExecutedVersion"] == "$LATEST", response
    assert response["ResponseStreamContentType"] == "application/vnd.amazon.eventstream", response
    body, complete = b"", None
    for part in response["EventStream"]:
        assert complete is None, part
        body += part.get("PayloadChunk", {}).get("Payload", b"")
        complete = part.get("InvokeComplete")
    return body, complete


body, complete = read(pieces=4)
assert body == b"first " + b"x" * 262144 + b"last", len(body)
assert "ErrorCode" not in complete and "LogResult" in complete, complete
body, complete = read(fail=True)
assert body == b"first " and complete["ErrorCode"] == "Unhandled", (body, complete)
assert json.loads(complete["ErrorDetails"])["errorMessage"] == "midway", complete
print("done")
