"""Floor 5: an ASGI application that hosts faces and serves the JSON API."""
