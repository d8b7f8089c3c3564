"""Floor 1: how bytes look. Shapes and safe parsers; no sockets."""
