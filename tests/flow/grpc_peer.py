# SPDX-License-Identifier: Apache-2.0
"""grpc_peer: either end of gRPC by its own library, with messages of raw bytes.

	grpc_peer.py serve PORT KEY CERTIFICATE
	grpc_peer.py ask NAME:PORT CA-CERTIFICATE	(http_proxy in the environment)
"""
import sys
import threading
from concurrent import futures

import grpc


class Service(grpc.GenericRpcHandler):
    def service(self, call):
        if call.method == "/lab.Echo/Unary":
            return grpc.unary_unary_rpc_method_handler(self.unary)
        if call.method == "/lab.Echo/Talk":
            return grpc.stream_stream_rpc_method_handler(self.talk)
        return None  # UNIMPLEMENTED

    @staticmethod
    def unary(request, context):
        context.set_trailing_metadata((("x-sum", str(len(request))),))
        if request == b"refuse":
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "関所: 通行止め")
        return request[::-1]

    @staticmethod
    def talk(requests, _):
        for request in requests:
            yield request.upper()


def serve(port, key, certificate):
    server = grpc.server(futures.ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((Service(),))
    with open(key, "rb") as k, open(certificate, "rb") as c:
        credentials = grpc.ssl_server_credentials([(k.read(), c.read())])
    server.add_secure_port(f"127.0.0.1:{port}", credentials)
    server.start()
    server.wait_for_termination()


def unary(channel):
    call = channel.unary_unary("/lab.Echo/Unary")
    for size in (0, 1, 100000, 3 << 20):
        message = bytes(range(251)) * (size // 251) + b"x" * (size % 251)
        answer, info = call.with_call(message, timeout=20)
        assert answer == message[::-1], size
        assert dict(info.trailing_metadata())["x-sum"] == str(size)
    try:
        call(b"refuse", timeout=20)
        raise AssertionError("it was not refused")
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.PERMISSION_DENIED, e
        assert e.details() == "関所: 通行止め", e.details()
    try:
        channel.unary_unary("/lab.Echo/Missing")(b"", timeout=20)
        raise AssertionError("there is no such method")
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.UNIMPLEMENTED, e


def talk(channel):
    """The answer to each message is there before the next one is sent."""
    for _ in range(3):
        may_send = threading.Semaphore(0)
        messages = [b"message %d" % n for n in range(50)]

        def requests():
            for message in messages:
                if not may_send.acquire(timeout=10):
                    return
                yield message

        answers = channel.stream_stream("/lab.Echo/Talk")(requests(), timeout=30)
        may_send.release()
        for message in messages:
            assert next(answers) == message.upper()
            may_send.release()
        assert not list(answers) and answers.code() == grpc.StatusCode.OK


def ask(target, ca):
    with open(ca, "rb") as f:
        credentials = grpc.ssl_channel_credentials(f.read())
    with grpc.secure_channel(target, credentials, (("grpc.max_receive_message_length", -1),)) as channel:
        unary(channel)
        talk(channel)
    print("all of it")


{"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
