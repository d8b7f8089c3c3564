"""The bridge to SecureNet."""
