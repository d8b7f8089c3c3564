"""Floor 2: inward translators, from a peer's wire to our words. They hold no sockets."""
