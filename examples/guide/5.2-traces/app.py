import aws_xray_sdk.core.patcher as patchers
patchers.patch_all()

def handler(event, context):
    # Your code here
    return {"status": "traced"}
