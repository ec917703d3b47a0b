"""S3 through boto3 as people use it: transfers, presigned URLs, versions, tags, forms. The endpoint is the argument."""

import hashlib
import io
import json
import os
import sys
import tempfile
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

url = sys.argv[1]
options = dict(endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}, signature_version="s3v4"), **options)
bucket = "boto3-bucket"
s3.create_bucket(Bucket=bucket)
assert s3.head_bucket(Bucket=bucket)["BucketRegion"] == "us-east-1"
assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None

with tempfile.TemporaryDirectory() as folder:
    source, target = os.path.join(folder, "source"), os.path.join(folder, "target")
    data = os.urandom(1 << 20) * 20 + b"end"
    with open(source, "wb") as file:
        file.write(data)
    config = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=6 << 20, max_concurrency=4)
    s3.upload_file(source, bucket, "big file", Config=config, ExtraArgs={"Metadata": {"kind": "big"}})
    head = s3.head_object(Bucket=bucket, Key="big file")
    assert head["ContentLength"] == len(data) and head["Metadata"] == {"kind": "big"}, head
    assert head["ETag"].endswith('-4"'), head["ETag"]
    s3.download_file(bucket, "big file", target, Config=config)
    with open(target, "rb") as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest()
    s3.copy({"Bucket": bucket, "Key": "big file"}, bucket, "copy", Config=config)
    assert s3.head_object(Bucket=bucket, Key="copy")["ContentLength"] == len(data)
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []

for algorithm in ("CRC32", "SHA1", "SHA256"):
    put = s3.put_object(Bucket=bucket, Key=algorithm, Body=b"checked", ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"checked" and got["Checksum" + algorithm] == put["Checksum" + algorithm]

link = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "linked/ä b"}, ExpiresIn=60)
request = urllib.request.Request(link, data=b"by link", method="PUT")
assert urllib.request.urlopen(request).status == 200
link = s3.generate_presigned_url(
    "get_object",
    Params={"Bucket": bucket, "Key": "linked/ä b", "ResponseContentType": "text/x-thaw"},
    ExpiresIn=60,
)
with urllib.request.urlopen(link) as answer:
    assert (answer.read(), answer.headers["content-type"]) == (b"by link", "text/x-thaw")

try:
    s3.get_object(Bucket=bucket, Key="nothing")
    raise AssertionError("NoSuchKey was expected")
except s3.exceptions.NoSuchKey as error:
    assert error.response["Error"]["Key"] == "nothing"

s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
first = s3.put_object(Bucket=bucket, Key="v", Body=b"1")["VersionId"]
second = s3.put_object(Bucket=bucket, Key="v", Body=b"2", Tagging="a=1&b=2")["VersionId"]
assert s3.get_object(Bucket=bucket, Key="v", VersionId=first)["Body"].read() == b"1"
assert s3.head_object(Bucket=bucket, Key="v")["TagCount"] == 2
marker = s3.delete_object(Bucket=bucket, Key="v")
assert marker["DeleteMarker"] and marker["VersionId"] not in (first, second)
versions = s3.list_object_versions(Bucket=bucket, Prefix="v")
assert [v["VersionId"] for v in versions["Versions"]] == [second, first]
assert versions["DeleteMarkers"][0]["IsLatest"]
s3.delete_object(Bucket=bucket, Key="v", VersionId=marker["VersionId"])
assert s3.get_object(Bucket=bucket, Key="v")["Body"].read() == b"2"

s3.put_bucket_cors(
    Bucket=bucket,
    CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"]}]},
)
preflight = urllib.request.Request(
    f"{url}/{bucket}/v",
    method="OPTIONS",
    headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"},
)
with urllib.request.urlopen(preflight) as answer:
    assert answer.headers["access-control-allow-origin"] == "https://a.example"

policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": f"arn:aws:s3:::{bucket}/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}
s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
s3.delete_bucket_policy(Bucket=bucket)
try:
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    raise AssertionError("NotImplemented was expected")
except ClientError as error:
    assert error.response["Error"]["Code"] == "NotImplemented", error.response

west = boto3.client("s3", **{**options, "region_name": "eu-west-1"})
west.create_bucket(Bucket="boto3-west", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
# Signed for the wrong region, it is told the right one and goes on by itself.
s3.upload_fileobj(io.BytesIO(b"x" * 100_000), "boto3-west", "k")
west.delete_object(Bucket="boto3-west", Key="k")
west.delete_bucket(Bucket="boto3-west")

form = s3.generate_presigned_post(bucket, "posted")
body = b"--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nposted\r\n--x--\r\n"
posted = urllib.request.Request(
    form["url"], data=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
)
try:
    urllib.request.urlopen(posted)
    raise AssertionError("NotImplemented was expected")
except urllib.error.HTTPError as error:
    assert error.code == 501 and b"<Code>NotImplemented</Code>" in error.read()

resource = boto3.resource("s3", **options).Bucket(bucket)
resource.object_versions.delete()
resource.delete()
print("done")
