"""Topics, filters, batches and FIFO topics through boto3, against queues. Prints "done" at its end."""

import json
import sys

import boto3

endpoint = sys.argv[1]
options = {"endpoint_url": endpoint, "region_name": "us-east-1"}
sns = boto3.client("sns", **options)
sqs = boto3.client("sqs", **options)
ACCOUNT = boto3.client("sts", **options).get_caller_identity()["Account"]


def queue(name, **attributes):
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        },
    }
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps(policy), **attributes})["QueueUrl"]
    return url, arn


def receive(url, count):
    bodies = []
    while len(bodies) < count:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=10)["Messages"]
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


suffix = sys.argv[2]
topic = sns.create_topic(Name=f"topic-{suffix}", Tags=[{"Key": "team", "Value": "a"}])["TopicArn"]
assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "team", "Value": "a"}]
url, arn = queue(f"queue-{suffix}")
subscription = sns.subscribe(
    TopicArn=topic,
    Protocol="sqs",
    Endpoint=arn,
    Attributes={"FilterPolicy": json.dumps({"kind": [{"prefix": "order"}]})},
    ReturnSubscriptionArn=True,
)["SubscriptionArn"]
for kind in ["order-placed", "invoice"]:
    attributes = {"kind": {"DataType": "String", "StringValue": kind}}
    sns.publish(TopicArn=topic, Message=kind, Subject="Kind", MessageAttributes=attributes)
[body] = [json.loads(body) for body in receive(url, 1)]
assert (body["Message"], body["Subject"]) == ("order-placed", "Kind"), body
assert body["MessageAttributes"] == {"kind": {"Type": "String", "Value": "order-placed"}}, body

sns.set_subscription_attributes(
    SubscriptionArn=subscription, AttributeName="FilterPolicyScope", AttributeValue="MessageBody"
)
sns.set_subscription_attributes(
    SubscriptionArn=subscription,
    AttributeName="FilterPolicy",
    AttributeValue=json.dumps({"price": [{"numeric": [">", 10]}], "tags": ["red"]}),
)
entries = [
    {"Id": str(number), "Message": json.dumps({"price": number, "tags": ["blue", "red"]})}
    for number in (5, 15, 25)
]
answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
assert [entry["Id"] for entry in answer["Successful"]] == ["5", "15", "25"], answer
prices = sorted(json.loads(json.loads(body)["Message"])["price"] for body in receive(url, 2))
assert prices == [15, 25], prices

try:
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="queue")
    raise AssertionError("accepted what is no ARN")
except sns.exceptions.InvalidParameterException as error:
    assert str(error).endswith("Invalid parameter: SQS endpoint ARN"), error

fifo = sns.create_topic(
    Name=f"topic-{suffix}.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"}
)["TopicArn"]
fifo_url, fifo_arn = queue(f"queue-{suffix}.fifo", FifoQueue="true")
sns.subscribe(
    TopicArn=fifo, Protocol="sqs", Endpoint=fifo_arn, Attributes={"RawMessageDelivery": "true"}
)
for number in [1, 2, 2, 3]:
    sns.publish(TopicArn=fifo, Message=str(number), MessageGroupId="group")
assert receive(fifo_url, 3) == ["1", "2", "3"]

pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
assert [s["SubscriptionArn"] for page in pages for s in page["Subscriptions"]] == [subscription]
sns.unsubscribe(SubscriptionArn=subscription)
for arn in [topic, fifo]:
    sns.delete_topic(TopicArn=arn)
print("done")
