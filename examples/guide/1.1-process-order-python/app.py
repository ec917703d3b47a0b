def process_order(event, context):
    order_id = event['order_id']
    # Process the order
    return {"status": "processed", "order_id": order_id}
