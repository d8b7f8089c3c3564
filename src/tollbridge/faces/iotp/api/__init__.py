"""The Payment API (RFC 3867): 24 functions between an application core and payment bridges."""
