"""Calls by C-core that stay open: prints "open" when each has reached the backend, then the status of each as JSON."""
import json
import sys
import threading

import grpc

target, prefix = sys.argv[1], sys.argv[2]
never = threading.Event()


def silent():
    never.wait()
    yield b""


def greeting():
    yield b"hello"
    never.wait()


def end_of(call):
    try:
        for _ in call:
            pass
    except grpc.RpcError as error:
        return [error.code().name, error.details()]
    return ["OK", ""]


with grpc.insecure_channel(target) as channel:
    unary = channel.unary_unary(prefix + "Unary").future(b"hello")
    before = channel.stream_stream(prefix + "Chat")(silent())
    after = channel.stream_stream(prefix + "Chat")(greeting())
    next(after)
    print("open", flush=True)
    error = unary.exception()
    ends = {"unary": [error.code().name, error.details()], "before": end_of(before), "after": end_of(after)}
    print(json.dumps(ends), flush=True)
    never.set()
