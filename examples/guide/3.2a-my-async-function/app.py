def handler(event, context):
    print('my-async-function got', event)
