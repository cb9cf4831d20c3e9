"""A client by C-core: so many unary calls by one connection, how often each backend answered as JSON."""
import collections
import json
import sys

import grpc

target, path, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
counts = collections.Counter()
with grpc.insecure_channel(target) as channel:
    call = channel.unary_unary(path)
    for _ in range(calls):
        _, made = call.with_call(b"hello", timeout=30)
        counts[dict(made.trailing_metadata())["x-addr"]] += 1
print(json.dumps(counts))
