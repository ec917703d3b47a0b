"""A queue that gives its messages to a function, set up and watched with boto3 alone."""

import io
import json
import sys
import time
import zipfile

import boto3

CODE = """
import json
def handler(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        if body["n"] == 3:
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            print("done", body["n"], record["eventSource"])
    return {"batchItemFailures": failed}
"""

runtime = f"python3.{sys.version_info.minor}"
lambda_, sqs, logs, iam = (boto3.client(name) for name in ("lambda", "sqs", "logs", "iam"))

trust = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
iam.attach_role_policy(
    RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
)

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as zipped:
    zipped.writestr("app.py", CODE)
lambda_.create_function(
    FunctionName="reader",
    Runtime=runtime,
    Handler="app.handler",
    Role=role,
    Timeout=60,
    Code={"ZipFile": archive.getvalue()},
)
lambda_.get_waiter("function_active_v2").wait(FunctionName="reader", WaiterConfig={"Delay": 1})


def queue(name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


url, arn = queue("boto3-source", VisibilityTimeout="60")

try:
    lambda_.create_event_source_mapping(FunctionName="reader", EventSourceArn=arn + "-absent")
    sys.exit("a queue that is missing was taken")
except lambda_.exceptions.InvalidParameterValueException:
    pass

mapping = lambda_.create_event_source_mapping(
    FunctionName="reader", EventSourceArn=arn, FunctionResponseTypes=["ReportBatchItemFailures"]
)
assert mapping["State"] == "Creating", mapping
for n in range(5):
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"n": n}))

deadline = time.monotonic() + 60
done = set()
while len(done) < 4 and time.monotonic() < deadline:
    try:
        found = logs.filter_log_events(logGroupName="/aws/lambda/reader", filterPattern="done")
    except logs.exceptions.ResourceNotFoundException:
        # The function has not run yet.
        continue
    done = {event["message"].strip() for event in found["events"]}
assert done == {f"done {n} aws:sqs" for n in (0, 1, 2, 4)}, done

# The one that failed is hidden until its visibility timeout is over.
left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
assert left["ApproximateNumberOfMessages"] == "0", left
assert left["ApproximateNumberOfMessagesNotVisible"] == "1", left
assert lambda_.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Enabled"
lambda_.delete_event_source_mapping(UUID=mapping["UUID"])
print("done")
