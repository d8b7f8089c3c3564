"""The RPC agent: the Within calls for programs in other languages, over Thrift."""
