def process_event(event):
    return {"status": "processed", "event": event}
