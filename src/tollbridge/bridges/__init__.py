"""Floor 2: outward translators, from our words to a provider's wire. They hold no sockets."""
