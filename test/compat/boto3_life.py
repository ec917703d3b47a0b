"""The life of a function as boto3 sees it. Prints `done` when every assertion held."""

import base64
import io
import json
import sys
import time
import uuid
import zipfile

import boto3
from botocore.exceptions import ClientError

endpoint = sys.argv[1]
name = f"boto3-{uuid.uuid4().hex[:8]}"
runtime = f"python3.{sys.version_info.minor}"


def archive(source):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("app.py", source)
    return buffer.getvalue()


def until(check, what, seconds=30):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, what
        time.sleep(0.05)


client = boto3.client("lambda", endpoint_url=endpoint)
iam = boto3.client("iam", endpoint_url=endpoint)
trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
policy = {"Effect": "Allow", "Action": "lambda:GetFunctionConfiguration", "Resource": f"arn:aws:lambda:*:*:function:{name}"}
document = lambda statement: json.dumps({"Version": "2012-10-17", "Statement": [statement]})
role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
iam.put_role_policy(RoleName=name, PolicyName="itself", PolicyDocument=document(policy))
logging = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
iam.attach_role_policy(RoleName=name, PolicyArn=logging)
identity = boto3.client("sts", endpoint_url=endpoint).get_caller_identity()
assert identity["Account"] == "000000000000", identity

created = client.create_function(
    FunctionName=name,
    Runtime=runtime,
    Handler="app.handler",
    Role=role,
    Timeout=30,
    Code={
        "ZipFile": archive(
            "import boto3, json\n"
            "def handler(event, context):\n"
            "    print('seen', event['n'])\n"
            "    me = boto3.client('lambda').get_function_configuration(FunctionName=context.function_name)\n"
            "    return {'me': me['FunctionName'], 'left': context.get_remaining_time_in_millis() > 0}\n"
        )
    },
)
assert created["State"] == "Pending", created
until(lambda: client.get_function(FunctionName=name)["Configuration"]["State"] == "Active", "never active")

response = client.invoke(FunctionName=name, Payload=json.dumps({"n": 9}), LogType="Tail")
payload = json.loads(response["Payload"].read())
log = base64.b64decode(response["LogResult"]).decode()
assert "FunctionError" not in response, (payload, log)
assert payload == {"me": name, "left": True}, payload
assert "seen 9\n" in log, log

failed = client.invoke(FunctionName=name, Payload=b"{}")
error = json.loads(failed["Payload"].read())
assert failed["FunctionError"] == "Unhandled", failed
assert error["errorType"] == "KeyError" and error["errorMessage"] == "'n'", error
assert any("in handler" in line for line in error["stackTrace"]), error

logs = boto3.client("logs", endpoint_url=endpoint)
group = f"/aws/lambda/{name}"


def seen():
    try:
        events = logs.filter_log_events(logGroupName=group, filterPattern="seen")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return False
    return any("seen 9" in event["message"] for event in events)


until(seen, "the line never came")

try:
    client.get_function(FunctionName="nobody")
    raise AssertionError("found nobody")
except ClientError as problem:
    assert problem.response["Error"]["Code"] == "ResourceNotFoundException", problem
    assert problem.response["ResponseMetadata"]["HTTPStatusCode"] == 404, problem

client.delete_function(FunctionName=name)
print("done")
