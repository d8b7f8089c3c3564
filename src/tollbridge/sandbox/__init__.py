"""Floor 5: a simulated card network with issuers, accounts and a durable book of its own.

It is the world outside: it knows nothing of our journal, and tests use its book as the oracle.
What it speaks is described in `bridges/sandbox`.
"""
