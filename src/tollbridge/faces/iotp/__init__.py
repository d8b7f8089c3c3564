"""IOTP, the Internet Open Trading Protocol, and its Payment API (RFC 2801, RFC 3867)."""
