"""Floor 2: memory. The journal is append-only, numbered and hash-chained."""
