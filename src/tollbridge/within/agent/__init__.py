"""The RPC agent: a local process with a Device in it, driven over Thrift (WIRE 4)."""
