"""The managed Python runtime's own code; private to the platform."""
