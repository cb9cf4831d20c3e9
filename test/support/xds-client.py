"""A client by C-core that dials TARGET. For each line "CALLS PERIOD_MS" of standard input it makes so many unary calls,
and prints as JSON how often each backend answered, and what calls failed with."""
import collections
import json
import sys
import time

import grpc

target, path = sys.argv[1], sys.argv[2]
with grpc.insecure_channel(target) as channel:
    call = channel.unary_unary(path)
    for line in sys.stdin:
        calls, period_ms = (int(word) for word in line.split())
        answers, failures = collections.Counter(), collections.Counter()
        for _ in range(calls):
            try:
                _, made = call.with_call(b"hello", timeout=10)
                answers[dict(made.trailing_metadata())["x-addr"]] += 1
            except grpc.RpcError as error:
                failures[f"{error.code().name}: {error.details()}"] += 1
            if period_ms:
                time.sleep(period_ms / 1000)
        print(json.dumps({"answers": answers, "failures": failures}), flush=True)
