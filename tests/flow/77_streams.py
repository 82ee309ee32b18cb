# SPDX-License-Identifier: Apache-2.0
"""What runs both ways for long: WebSocket, server-sent events, gRPC."""
import os
import re
import struct
import subprocess
import threading

import h2
from h2 import DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, SETTINGS, Connection, Origin, frame
from lab import Answer, Lab, accept_websocket, free_port, read_head, wait_until

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
CONNECT_PROTOCOL = 8
seen = threading.Semaphore(0)  # events, by their reader
ORIGINS = ("echo1", "echo2", "events", "grpc", "refuse", "shrug", "quiet")


def make(build):
    lab = Lab(build, edges=1, hosts={f"{n}.lab.test": "127.0.0.1" for n in (*ORIGINS, "real")})
    lab.heads = []
    lab.echo1 = lab.origin(lambda s: echo1(lab, s), tls=True)
    lab.echo2 = lab.origin(lambda s: echo2(lab, s), tls=True, alpn=["h2", "http/1.1"])
    lab.refuse = lab.origin(refuse, tls=True)
    lab.shrug = lab.origin(shrug, tls=True)
    lab.events = lab.origin(events, tls=True, alpn=["h2"])
    lab.quiet = lab.origin(quiet, tls=True, alpn=["h2"])
    lab.grpc = lab.origin(grpc, tls=True, alpn=["h2"])
    lab.plain_echo = lab.origin(lambda s: echo1(lab, s))
    lab.real = haproxy(lab)
    lab.listening.append(lab.real)
    lab.write_settings()
    return lab


def haproxy(lab):
    """A real origin that knows extended CONNECT; its backend is echo1."""
    port = free_port()
    pem = lab.dir / "run" / "haproxy.pem"
    pem.write_text(lab.origin_crt.read_text() + lab.origin_key.read_text())
    conf = lab.dir / "run" / "haproxy.cfg"
    conf.write_text(f"""
global
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:{port} ssl crt {pem} alpn h2,http/1.1
  default_backend b
backend b
  server s 127.0.0.1:{lab.plain_echo}
""")
    lab.run_beside("haproxy", "-db", "-f", conf)
    wait_until(lambda: lab._answers(port))
    return port


def echo1(lab, s):
    """Gives back what comes, after the handshake of HTTP/1.1."""
    head = read_head(s)
    lab.heads.append(head)
    key = re.search(rb"(?i)sec-websocket-key: (\S+)", head)
    if key is None:
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return
    s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket"
              b"\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: "
              + accept_websocket(key.group(1)) + b"\r\n\r\n")
    while data := s.recv(65536):
        s.sendall(data)


def echo2(lab, s):
    """The same for extended CONNECT: each stream that is not ended by its head."""
    if s.selected_alpn_protocol() != "h2":
        lab.heads.append(b"HTTP/1.1")
        echo1(lab, s)
        return
    o = Origin(s, settings=((CONNECT_PROTOCOL, 1),))
    while got := o.read():
        kind, flags, stream, payload = got
        if kind == HEADERS and flags & END_STREAM:
            o.answer(stream)
        elif kind == HEADERS:
            lab.heads.append(b"HTTP/2")
            o.head(stream, fields=(("sec-websocket-protocol", "chat"),))
        elif kind == DATA:
            o.send(h2.window(0, len(payload)) + h2.window(stream, len(payload))
                   + frame(DATA, flags & END_STREAM, stream, payload))


def refuse(s):
    while read_head(s):
        s.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")


def shrug(s):
    while read_head(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")


def events(s):
    """Three events, each when the reader has seen the one before."""
    o = Origin(s)
    while stream := o.request():
        o.head(stream, fields=(("content-type", "text/event-stream"),))
        for n in range(3):
            o.send(frame(DATA, 0, stream, b"data: %d\n\n" % n))
            assert seen.acquire(timeout=5), "the event was held up"
        o.send(frame(DATA, END_STREAM, stream))


def quiet(s):
    """Has a head to say, and no more."""
    o = Origin(s)
    while stream := o.request():
        o.head(stream)


def grpc(s):
    """Answers each message before the next is sent, and ends with trailers."""
    o = Origin(s)
    while got := o.read():
        kind, flags, stream, payload = got
        if kind == HEADERS:
            o.head(stream, fields=(("content-type", "application/grpc"),))
        elif kind == DATA and payload:
            o.send(frame(DATA, 0, stream, payload.upper()))
        if kind == DATA and flags & END_STREAM:
            o.send(frame(HEADERS, END_HEADERS | END_STREAM, stream,
                         h2.block(("grpc-status", "0"))))


def upgrade1(lab, host, port, sock=None):
    s = sock or lab.tls(host, port)
    s.sendall(f"GET /chat HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\n"
              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              f"Sec-WebSocket-Key: {KEY}\r\n\r\n".encode())
    a = Answer(s)
    assert a.status == 101 and a.field("upgrade").lower() == "websocket", a.raw
    assert a.field("sec-websocket-accept").encode() == accept_websocket(KEY.encode())
    assert a.field("sec-websocket-protocol") == "chat"
    return s


def extended(c, stream, path="/chat", flags=END_HEADERS):
    c.send(frame(HEADERS, flags, stream, h2.block(
        (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
        (":authority", c.authority), (":path", path), ("sec-websocket-version", "13"))))


def echoes1(s):
    for n in (1, 1000, 200000):
        data = os.urandom(n)
        s.sendall(data)
        got = b""
        while len(got) < n:
            more = s.recv(65536)
            assert more
            got += more
        assert got == data
    s.close()


def echoes2(c, stream):
    for n in (1, 1000, 60000):
        data = os.urandom(n)
        for at in range(0, n, 16000):
            c.send(frame(DATA, 0, stream, data[at:at + 16000]))
        got = b""
        while len(got) < n:
            f = c.until(DATA, stream)
            got += f[3]
            c.send(h2.window(0, len(f[3])) + h2.window(stream, len(f[3])))
        assert got == data
    c.send(frame(DATA, END_STREAM, stream))
    while not (f := c.read())[1] & END_STREAM or f[2] != stream:
        pass


def answers_200(c, stream):
    f = c.until(HEADERS, stream)
    assert f[3][:1] == b"\x88", f  # HPACK's static row for :status 200
    return True


def test_websocket_of_an_h2_client_to_an_h1_origin(lab):
    lab.heads.clear()
    with Connection(lab, "echo1.lab.test", lab.echo1) as c:
        extended(c, 1)
        assert answers_200(c, 1)
        echoes2(c, 1)
    head = lab.heads[-1]
    assert head.startswith(b"GET /chat HTTP/1.1\r\n") and b"Connection: Upgrade\r\n" in head
    assert b"protocol" not in head.lower() and b"connect " not in head.lower(), head
    e = lab.event(event="tunnel", host="echo1.lab.test")
    assert (e["http_client"], e["http_origin"], e["status"]) == ("HTTP/2", "HTTP/1.1", 101)


def test_websocket_of_either_client_to_an_h2_origin(lab):
    lab.get("echo2.lab.test", port=lab.echo2)  # its SETTINGS are known from here on
    lab.heads.clear()
    echoes1(upgrade1(lab, "echo2.lab.test", lab.echo2))
    with Connection(lab, "echo2.lab.test", lab.echo2) as c:
        extended(c, 1)
        assert answers_200(c, 1)
        echoes2(c, 1)
        extended(c, 3)
        assert answers_200(c, 3)
        echoes2(c, 3)
    assert lab.heads == [b"HTTP/2"] * 3


def test_websocket_to_a_real_h2_origin(lab):
    lab.get("real.lab.test", port=lab.real)
    echoes1(upgrade1(lab, "real.lab.test", lab.real))
    with Connection(lab, "real.lab.test", lab.real) as c:
        extended(c, 1)
        assert answers_200(c, 1)
        echoes2(c, 1)
    assert lab.event(event="tunnel", host="real.lab.test")["http_origin"] == "HTTP/2"


def test_a_refused_websocket_is_an_answer(lab):
    with Connection(lab, "refuse.lab.test", lab.refuse) as c:
        extended(c, 1)
        assert c.body(1) == b"no"
    assert lab.event(host="refuse.lab.test")["status"] == 403


def test_a_websocket_that_is_answered_but_not_granted(lab):
    """In HTTP/2 every 2xx would grant it (RFC 8441 section 5)."""
    with Connection(lab, "shrug.lab.test", lab.shrug) as c:
        extended(c, 1)
        assert b"the upgrade was not granted, but answered" in c.body(1)
    assert lab.event(host="shrug.lab.test")["status"] == 502
    a = lab.get("shrug.lab.test", "/", port=lab.shrug, headers=(
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\n"))
    assert (a.status, a.body) == (200, b"no")


def test_extended_connect_is_judged(lab):
    for fields, flags in (
            ((":protocol", "h2c"), END_HEADERS), ((":protocol", ""), END_HEADERS),
            ((":protocol", "websocket"), END_HEADERS | END_STREAM)):
        with Connection(lab, "echo1.lab.test", lab.echo1) as c:
            c.send(frame(HEADERS, flags, 1, h2.block(
                (":method", "CONNECT"), fields, (":scheme", "https"),
                (":authority", c.authority), (":path", "/judged"))))
            f = c.read()
            while f[0] not in (HEADERS, RST_STREAM) or f[2] != 1:
                f = c.read()
            assert f[0] == RST_STREAM or not f[3].startswith(b"\x88"), (fields, f)
    with Connection(lab, "echo1.lab.test", lab.echo1) as c:  # not of GET
        c.ask(1, more=((":protocol", "websocket"),))
        assert c.reset(1) is not None
    assert not [e for e in lab.journal() if e.get("path") == "/judged" and e.get("status") == 101]


def test_a_client_that_resets_its_websocket_closes_it_at_the_origin(lab):
    with Connection(lab, "echo1.lab.test", lab.echo1) as c:
        extended(c, 1, "/reset")
        assert answers_200(c, 1)
        c.send(frame(RST_STREAM, 0, 1, struct.pack("!I", 8)))
        assert lab.event(event="tunnel", path="/reset")["why"] == "the client cancelled the request"


def test_events_arrive_as_they_are_sent(lab):
    for version in ("--http1.1", "--http2"):
        curl = subprocess.Popen(
            ["curl", "-sSN", version, "--interface", "127.0.1.10", "-x",
             f"http://127.0.0.1:{lab.port}", "--cacert", lab.proxy_ca.crt,
             f"https://events.lab.test:{lab.events}/"], stdout=subprocess.PIPE)
        for n in range(3):
            assert curl.stdout.readline() == b"data: %d\n" % n
            curl.stdout.readline()
            seen.release()
        assert curl.wait(10) == 0


def test_a_head_does_not_wait_for_its_body(lab):
    with Connection(lab, "quiet.lab.test", lab.quiet) as c:
        c.until(SETTINGS)
        c.until(SETTINGS)  # from here on nothing else has it sent
        c.ask(1)
        assert answers_200(c, 1)
    s = lab.tls("quiet.lab.test", lab.quiet)
    s.sendall(b"GET / HTTP/1.1\r\nHost: quiet.lab.test:%d\r\n\r\n" % lab.quiet)
    assert Answer(s, body=False).status == 200
    s.close()


def test_grpc_talks_both_ways_and_ends_with_trailers(lab):
    with Connection(lab, "grpc.lab.test", lab.grpc) as c:
        c.ask(1, flags=END_HEADERS, method="POST",
              more=(("content-type", "application/grpc"), ("te", "trailers")))
        for message in (b"one", b"two", b"three"):
            c.send(frame(DATA, 0, 1, message))
            assert c.until(DATA, 1)[3] == message.upper()
        c.send(frame(DATA, END_STREAM, 1))
        f = c.until(HEADERS, 1)
        assert f[1] & END_STREAM and f[3], "trailers, not an empty DATA"
