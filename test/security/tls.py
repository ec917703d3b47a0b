"""Calls a platform over TLS with boto3, trusting what AWS_CA_BUNDLE names alone."""

import json

import boto3

s3 = boto3.client("s3")
s3.create_bucket(Bucket="over-tls")
s3.put_object(Bucket="over-tls", Key="k", Body=b"x" * 3_000_000)
body = s3.get_object(Bucket="over-tls", Key="k")["Body"].read()
url = s3.generate_presigned_url("get_object", Params={"Bucket": "over-tls", "Key": "k"})

# Whoever does not come by TLS is denied.
s3.put_bucket_policy(
    Bucket="over-tls",
    Policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::over-tls/*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        }
    ),
)
assert s3.get_object(Bucket="over-tls", Key="k")["ContentLength"] == 3_000_000

print(
    json.dumps(
        {
            "size": len(body),
            "presigned": url.split("?")[0],
            "queue": boto3.client("sqs").create_queue(QueueName="over-tls")["QueueUrl"],
        }
    )
)
