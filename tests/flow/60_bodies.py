# SPDX-License-Identifier: Apache-2.0
"""Bodies of any size, slow peers, memory that stays bounded."""
import hashlib
import os
import pathlib
import socket
import ssl
import time

from lab import Answer, Lab, read_head, wait_until

SIZE = int(os.environ.get("FLOW_BODY_MIB", "256")) << 20
PIECE = bytes(range(256)) * 1024


def make(build):
    lab = Lab(build, edges=1, hosts={"big.lab.test": "127.0.0.1", "sink.lab.test": "127.0.0.1"})
    lab.big = lab.origin(big, tls=True)
    lab.sink = lab.origin(sink)
    lab.write_settings()
    return lab


def big(s):
    read_head(s)
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _ in range(SIZE // len(PIECE)):
        s.sendall(PIECE)


def sink(s):
    head = read_head(s)
    n = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    digest, got = hashlib.sha256(), 0
    while got < n:
        data = s.recv(1 << 20)
        digest.update(data)
        got += len(data)
    body = digest.hexdigest().encode()
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def test_a_big_body_through_a_slow_client_costs_no_memory(lab):
    edge = lab.children()["edge.0"]
    for _ in range(3):  # warm the allocator
        lab.get("www.lab.test", "/10m")
    before = resident_kib(edge)
    s = lab.tls("big.lab.test", lab.big)
    s.sendall(f"GET / HTTP/1.1\r\nHost: big.lab.test:{lab.big}\r\n\r\n".encode())
    read_head(s)
    got, most, slept = 0, 0, 0
    while got < SIZE:
        got += len(s.recv(1 << 16))
        if slept < 20 and got > slept * (SIZE // 40):
            time.sleep(0.1)
            slept += 1
            most = max(most, resident_kib(edge))
    most = max(most, resident_kib(edge))
    room = 4096 if "release" in str(lab.build) else 16384  # the sanitizer's own
    assert most - before < room, f"{before} -> {most} KiB"


def test_a_big_upload_arrives_as_it_was(lab):
    n = 64 << 20
    digest = hashlib.sha256()
    to = f"sink.lab.test:{lab.sink}"
    with lab.connect() as s:
        s.sendall(f"PUT http://{to}/ HTTP/1.1\r\nHost: {to}\r\nContent-Length: {n}\r\n\r\n".encode())
        for _ in range(n // len(PIECE)):
            digest.update(PIECE)
            s.sendall(PIECE)
        assert Answer(s).body.decode() == digest.hexdigest()
    e = lab.event(event="exchange", host="sink.lab.test")
    assert e["bytes_up"] == n


def test_a_client_that_leaves_ends_the_exchange(lab):
    s = lab.tls("big.lab.test", lab.big)
    s.sendall(f"GET / HTTP/1.1\r\nHost: big.lab.test:{lab.big}\r\n\r\n".encode())
    read_head(s)
    s.recv(1000)
    before = len([e for e in lab.journal() if e.get("host") == "big.lab.test"])
    s.close()
    wait_until(lambda: len([e for e in lab.journal() if e.get("host") == "big.lab.test"]) > before)


def test_the_end_of_a_body_that_had_to_wait_is_told(lab):
    """Among these sizes is one whose last piece alone finds the buffers full;
    that the connection serves on shows that its end was told."""
    to = f"plain.lab.test:{lab.plain_port}"
    head = f"GET http://{to}/10m HTTP/1.1\r\nHost: {to}\r\nRange: bytes=0-{{}}\r\n\r\n"
    with lab.connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.settimeout(5)
        for n in range(100_000, 6_000_000, 50_000):
            s.sendall(head.format(n - 1).encode())
            time.sleep(0.02)
            assert len(Answer(s).body) == n


def test_a_request_of_no_bytes_is_a_request_like_any(lab):
    with lab.connect() as s:
        for _ in range(3):
            a = lab.get_plain("plain.lab.test", "/1k", sock=s, headers="Content-Length: 0\r\n")
            assert a.status == 200 and a.field("connection") is None, a.raw
