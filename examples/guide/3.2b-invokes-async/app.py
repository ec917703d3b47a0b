import json
import boto3

lambda_client = boto3.client('lambda')

def handler(event, context):
    lambda_client.invoke(
        FunctionName='my-async-function',
        InvocationType='Event',
        Payload=json.dumps(event)
    )
