"""Calls function URLs with requests that botocore has signed. Prints each status and body as a line of JSON."""

import json
import sys
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def call(url, secret, service="lambda", method="POST", body=b'{"from": "botocore"}'):
    request = AWSRequest(method, url, headers={"content-type": "application/json"}, data=body)
    SigV4Auth(Credentials("test", secret), service, "us-east-1").add_auth(request)
    signed = urllib.request.Request(url, data=body, headers=dict(request.headers), method=method)
    try:
        with urllib.request.urlopen(signed) as response:
            answer = (response.status, response.read())
    except urllib.error.HTTPError as error:
        answer = (error.code, error.read())
    print(json.dumps([answer[0], json.loads(answer[1])]))


url = sys.argv[1]
call(url + "items/a%20b?q=1&q=x%2Fy", "test")
call(url, "not the secret")
call(url, "test", service="execute-api")
