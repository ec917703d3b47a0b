from shared_layer import common_utility

def handler(event, context):
    return common_utility.process_event(event)
