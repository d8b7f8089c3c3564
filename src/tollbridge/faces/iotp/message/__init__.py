"""Trading messages (RFC 2801): values, the codec both ways, rules, sequence, errors, signatures.

Read with `codec.read`, write with `codec.write`, ask `rules.faults` and `sequence` what is wrong,
and answer with what `errors` makes of it.
"""
