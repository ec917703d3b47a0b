"""Live Tail with boto3, without the host name's prefix, which a local address cannot have."""

import sys
import time

import boto3
from botocore.config import Config

url, suffix = sys.argv[1:3]
logs = boto3.client("logs", endpoint_url=url, region_name="us-east-1", config=Config(inject_host_prefix=False))
group = f"/tailed-by-python-{suffix}"
logs.create_log_group(logGroupName=group)
logs.create_log_stream(logGroupName=group, logStreamName="s")
arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]
stream = logs.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="ERROR")["responseStream"]
for event in stream:
    if "sessionStart" in event:
        assert event["sessionStart"]["logGroupIdentifiers"] == [arn], event
        messages = [{"timestamp": int(time.time() * 1000), "message": message} for message in ("ERROR one", "INFO two")]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=messages)
    elif event["sessionUpdate"]["sessionResults"]:
        found = event["sessionUpdate"]["sessionResults"]
        assert [(one["message"], one["logStreamName"]) for one in found] == [("ERROR one", "s")], found
        assert event["sessionUpdate"]["sessionMetadata"] == {"sampled": False}, event
        break
stream.close()
print("done")
