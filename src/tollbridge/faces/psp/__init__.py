"""A payment provider's own face: the Worldpay Online and SecureNet APIs, served."""
