"""Queues as boto3 sees them, of whatever age: since 1.29 it speaks JSON to SQS, before that the query protocol. Prints
`done` when every assertion held. botocore checks MD5OfMessageBody of what it receives itself."""

import hashlib
import json
import sys
import time
import uuid

import boto3
from botocore.exceptions import ClientError

endpoint = sys.argv[1]
run = uuid.uuid4().hex[:8]
client = boto3.client("sqs", endpoint_url=endpoint)


def fails(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} was expected")


# A queue's life
url = client.create_queue(QueueName=f"q-{run}", Attributes={"VisibilityTimeout": "5"}, tags={"a": "b"})["QueueUrl"]
assert url == f"{endpoint}/000000000000/q-{run}", url
assert client.get_queue_url(QueueName=f"q-{run}")["QueueUrl"] == url
assert client.list_queues(QueueNamePrefix=f"q-{run}")["QueueUrls"] == [url]
assert client.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
assert attributes["VisibilityTimeout"] == "5" and attributes["QueueArn"].endswith(f":q-{run}"), attributes

# Messages with attributes, body and all
body = "<&\"'> \u00fc \U0001f4a7\r\n\tdone"
sent = client.send_message(
    QueueUrl=url,
    MessageBody=body,
    MessageAttributes={
        "text": {"DataType": "String", "StringValue": "\u00fc"},
        "number": {"DataType": "Number.int", "StringValue": "42"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    },
    MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}},
)
assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest(), sent
received = client.receive_message(
    QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["All"], MessageAttributeNames=["All"]
)["Messages"]
[message] = received
assert message["Body"] == body and message["MessageId"] == sent["MessageId"], message
assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"], message
assert message["MessageAttributes"]["bytes"]["BinaryValue"] == b"\x00\xff", message
assert message["Attributes"]["ApproximateReceiveCount"] == "1", message
assert message["Attributes"]["AWSTraceHeader"].startswith("Root="), message
client.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
[again] = client.receive_message(QueueUrl=url)["Messages"]
client.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
assert "Messages" not in client.receive_message(QueueUrl=url)

# A batch, part of which fails
batch = client.send_message_batch(
    QueueUrl=url,
    Entries=[{"Id": "good", "MessageBody": "x"}, {"Id": "bad", "MessageBody": "\x01"}],
)
assert [entry["Id"] for entry in batch["Successful"]] == ["good"], batch
assert batch["Failed"][0]["Code"] == "InvalidMessageContents" and batch["Failed"][0]["SenderFault"] is True, batch
[message] = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
deleted = client.delete_message_batch(
    QueueUrl=url,
    Entries=[{"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "2", "ReceiptHandle": "garbage"}],
)
assert deleted["Successful"] == [{"Id": "1"}] and deleted["Failed"][0]["Code"] == "ReceiptHandleIsInvalid", deleted

# Errors have the codes that they have always had
missing = f"{endpoint}/000000000000/nobody"
message = fails("AWS.SimpleQueueService.NonExistentQueue", client.send_message, QueueUrl=missing, MessageBody="x")
assert message.startswith("The specified queue does not exist"), message
try:
    client.get_queue_url(QueueName="nobody")
    raise AssertionError("a queue that does not exist has an address")
except client.exceptions.QueueDoesNotExist:
    pass
fails("QueueAlreadyExists", client.create_queue, QueueName=f"q-{run}", Attributes={"VisibilityTimeout": "6"})
fails("InvalidParameterValue", client.receive_message, QueueUrl=url, MaxNumberOfMessages=11)
fails("InvalidAttributeName", client.set_queue_attributes, QueueUrl=url, Attributes={"Nonsense": "1"})
fails("AWS.SimpleQueueService.EmptyBatchRequest", client.send_message_batch, QueueUrl=url, Entries=[])

# FIFO: order within a group, and each once
fifo = client.create_queue(
    QueueName=f"q-{run}.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
)["QueueUrl"]
for text in ("one", "two", "one"):
    assert client.send_message(QueueUrl=fifo, MessageBody=text, MessageGroupId="g")["SequenceNumber"]
messages = client.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
assert [each["Body"] for each in messages] == ["one", "two"], messages
assert messages[0]["Attributes"]["MessageGroupId"] == "g", messages
client.delete_message(QueueUrl=fifo, ReceiptHandle=messages[0]["ReceiptHandle"])
fails("MissingParameter", client.send_message, QueueUrl=fifo, MessageBody="x")

# Dead letters, found again by their source
dead = client.create_queue(QueueName=f"dead-{run}")["QueueUrl"]
dead_arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": "1"})
client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
assert client.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
client.send_message(QueueUrl=url, MessageBody="poison")
assert len(client.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]) == 1
assert "Messages" not in client.receive_message(QueueUrl=url)
[letter] = client.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"]
assert letter["Body"] == "poison" and letter["Attributes"]["DeadLetterQueueSourceArn"].endswith(f":q-{run}"), letter

# A long poll ends with nothing
started = time.monotonic()
assert "Messages" not in client.receive_message(QueueUrl=url, WaitTimeSeconds=1)
assert time.monotonic() - started >= 0.9

# The resource API posts to the queue's own address
queue = boto3.resource("sqs", endpoint_url=endpoint).get_queue_by_name(QueueName=f"q-{run}")
queue.send_message(MessageBody="by resource")
[message] = queue.receive_messages()
assert message.body == "by resource"
message.delete()
queue.purge()
fails("AWS.SimpleQueueService.PurgeQueueInProgress", client.purge_queue, QueueUrl=url)
for each in (url, fifo, dead):
    client.delete_queue(QueueUrl=each)
fails("AWS.SimpleQueueService.NonExistentQueue", client.get_queue_attributes, QueueUrl=url, AttributeNames=["All"])
print("done")
