import logging
logger = logging.getLogger()
logger.setLevel(logging.DEBUG)

def handler(event, context):
    try:
        return 100 / event['divisor']
    except Exception as e:
        logger.error('Error: %s', str(e))
        raise
