# SPDX-License-Identifier: Apache-2.0
"""Floods and tricks, by clients and by origins: refused, told of, and nobody else's trouble."""
import gzip
import os
import select
import socket
import ssl
import subprocess
import time

import h2
from h2 import CODES, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, \
    PRIORITY, RST_STREAM, SETTINGS, Connection, Origin, block, frame, settings_frame, u32, window
from lab import CITY, Answer, Lab, free_port, read_head, wait_until

BOTH = END_HEADERS | END_STREAM
WINDOW = 4
CALM = CODES.index("ENHANCE_YOUR_CALM")
FLOOD = "a flood of frames that carry nothing"
# The largest entry of the table, put there once, then by its index, of one octet.
ENTRY = b"\x40\x01a" + h2.number(4000) + b"y" * 4000
BOMB = ENTRY + b"\xbe" * 12000


def make(build):
    names = ("tell", "odd", "zip", "chunks", "old")
    lab = Lab(build, edges=1, hosts={f"{n}.lab.test": "127.0.0.1" for n in names},
              limits="head_timeout = 2; body_timeout = 2; interim_max = 5; decoded_ratio = 1100;")
    lab.tell = lab.origin(tell, tls=True)
    lab.spare = [OddOrigin(lab) for _ in range(30)]
    lab.sink = lab.origin(lambda s: sink(lab, s))
    lab.zip = lab.origin(zipped, tls=True)
    lab.spare_port = free_port()
    lab.listening.append(lab.spare_port)
    lab.chunks = lab.origin(lambda s: chunks(lab, s))
    lab.write_settings()
    return lab


def tell(s):
    while head := read_head(s):
        if b" /wait " in head:
            s.recv(1)
            return
        body = b"x" * 100000 if b" /100000 " in head else b"ok"
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class OddOrigin:
    """An origin whose first connection, or each, is as `attack` makes it."""

    def __init__(self, lab):
        self.connections, self.always, self.attack = 0, False, None
        self.port = lab.origin(self.serve, tls=True, alpn=["h2"])

    def serve(self, s):
        o = Origin(s)
        self.connections += 1
        if self.connections == 1 or self.always:
            self.attack(o, o.request())
            return
        while n := o.request():
            o.answer(n)


def odd(lab, attack, always=False):
    """One that nobody has spoken with yet; its port."""
    o = lab.spare.pop()
    o.attack, o.always = attack, always
    return o.port


def sink(lab, s):
    """Takes what comes, and answers at what ends a chunked body."""
    lab.sunk += read_head(s)
    while more := s.recv(65536):
        lab.sunk += more
        if lab.sunk.endswith(b"\r\n0\r\n\r\n"):
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def zipped(s):
    while b"\r\n\r\n" in (head := read_head(s)):
        lab_heads.append(head)
        body = gzip.compress(b"\0" * (10 << 20))
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
                  % len(body) + body)


def chunks(lab, s):
    read_head(s)
    s.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + lab.chunked)
    s.recv(1)


lab_heads = []


def ended(lab, **want):
    return [e for e in lab.journal() if e["event"] == "connection_ended"
            and all(k in e if v is True else e.get(k) == v for k, v in want.items())]


def is_served(lab):
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        c.ask(1)
        assert c.body(1) == b"ok"


def pour(peer, data, answers=0, most=4 << 20):
    """Sends it again and again, reading what comes; the code of GOAWAY, or None after `most`
    octets, or -1 when the connection ended without one. Waits for so many answers each time:
    what is not read the library stops by itself."""
    sent = 0
    try:
        while sent < most:
            peer.send(data)
            sent += len(data)
            for _ in range(answers):
                got = peer.read()
                if got is None or got[0] == GOAWAY:
                    return int.from_bytes(got[3][4:8], "big") if got else -1
            while peer.unread or peer.s.pending() or select.select([peer.s], [], [], 0)[0]:
                got = peer.read()
                if got is None:
                    return -1
                if got[0] == GOAWAY:
                    return int.from_bytes(got[3][4:8], "big")
    except OSError:
        code = peer.end()
        return -1 if code is None else code
    return None


# name -> what is sent again and again, behind a request on stream 1 that is not answered.
USELESS = {
    "PING": frame(PING, 0, 0, b"8" * 8),
    "SETTINGS": frame(SETTINGS, 0, 0),
    "SETTINGS that change the window": settings_frame(((WINDOW, 1),)) + settings_frame(((WINDOW, 70000),)),
    "PRIORITY": frame(PRIORITY, 0, 1, u32(0) + b"\1"),
    "PRIORITY in a ring": b"".join(frame(PRIORITY, 0, a, u32(b) + b"\0")
                                   for a, b in ((3, 5), (5, 7), (7, 3))),
    "WINDOW_UPDATE of 1": window(0, 1),
    "frames of no known type": frame(0x42, 0, 0),
    "DATA of a stream that is gone": frame(DATA, 0, 3, b"x"),
    "HEADERS of a stream that is gone": frame(HEADERS, BOTH, 3, b"\x82"),
    "RST_STREAM of a stream that is gone": frame(RST_STREAM, 0, 3, u32(8)),
    "WINDOW_UPDATE of a stream that is gone": window(3, 1),
}
ANSWERS = {"PING": 100, "SETTINGS": 100, "SETTINGS that change the window": 200}
OF_A_BODY = {
    "empty DATA": frame(DATA, 0, 1),
    "DATA of padding": frame(DATA, PADDED, 1, b"\3\0\0\0"),
}


def test_what_carries_nothing_ends_its_connection(lab):
    for name, frames in {**USELESS, **OF_A_BODY}.items():
        # the library counts resets, and calls them INTERNAL_ERROR
        why = "INTERNAL_ERROR" if name.startswith("RST") else FLOOD
        n = len(ended(lab, why=why, client=CITY))
        with Connection(lab, "tell.lab.test", lab.tell) as c:
            c.ask(1, "/wait", END_HEADERS if name in OF_A_BODY else BOTH)
            c.ask(3)
            assert c.until(DATA, 3)
            code = pour(c, frames * 100, ANSWERS.get(name, 0))
            assert code == (CALM if why == FLOOD else CODES.index(why)), (name, code)
        wait_until(lambda: len(ended(lab, why=why, client=CITY)) == n + 1)
    is_served(lab)


def test_two_reasons_to_end_a_connection_are_one_end(lab):
    """Resets that the library counts, and so many at once that they are a flood too."""
    n = len(ended(lab, client=CITY))
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        c.ask(1, "/wait")
        c.ask(3)
        assert c.until(DATA, 3)
        code = pour(c, USELESS["RST_STREAM of a stream that is gone"] * 20000)
    assert code in (CODES.index("INTERNAL_ERROR"), -1), code
    wait_until(lambda: len(ended(lab, client=CITY)) > n)
    is_served(lab)
    why = [e["why"] for e in ended(lab, client=CITY)[n:]]
    assert why == ["INTERNAL_ERROR"], why


def test_what_carries_something_does_not(lab):
    """A body in 5,000 pieces, a window for each piece of others, PINGs between."""
    with Connection(lab, "tell.lab.test", lab.tell, settings=((WINDOW, 512),)) as c:
        for n in range(20):
            c.ask(2 * n + 1, "/100000")
            assert len(c.body(2 * n + 1)) == 100000
            c.send(frame(PING, 0, 0, b"8" * 8) * 10)
        c.send(settings_frame(((WINDOW, 65535),)))
        c.ask(201, "/wait", END_HEADERS, method="POST")
        for n in range(50):
            c.send(frame(DATA, 0, 201, b"tiny") * 100 + frame(PING, 0, 0, b"8" * 8))
            assert c.until(PING)


def test_patience_is_not_saved_up(lab):
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        for n in range(400):
            c.ask(2 * n + 1)
            assert c.body(2 * n + 1) == b"ok"
        assert pour(c, USELESS["PING"] * 100, 100, most=100000) == CALM


def test_what_was_under_way_when_we_reset_is_excused(lab):
    """A client leaves twenty downloads, the windows of which were full."""
    connections, n = [], len(ended(lab, origin="127.0.0.1"))

    def attack(o, stream):
        connections.append(o)
        streams = [stream, *(o.request() for _ in range(19))]
        for stream in streams:
            o.head(stream)
        for _ in streams:
            assert o.until(RST_STREAM)
        for stream in streams:
            o.send(frame(DATA, 0, stream, b"x" * 16000) * 4)
        while stream := o.request():
            o.answer(stream)

    port = odd(lab, attack)
    with Connection(lab, "odd.lab.test", port, settings=((WINDOW, 0),)) as c:
        for stream in range(1, 41, 2):
            c.ask(stream)
        for stream in range(1, 41, 2):
            assert c.until(HEADERS)
        c.send(b"".join(frame(RST_STREAM, 0, stream, u32(8)) for stream in range(1, 41, 2)))
        c.send(settings_frame(((WINDOW, 65535),)))
        for stream in range(41, 101, 2):
            c.ask(stream)
            assert c.body(stream) == b"ok"
    assert len(connections) == 1 and len(ended(lab, origin="127.0.0.1")) == n


def test_useless_frames_of_an_origin_end_its_connection(lab):
    floods = {**USELESS,
              "DATA of a stream that is gone": frame(DATA, 0, 1, b"x"),
              "HEADERS of a stream that is gone": frame(HEADERS, BOTH, 1, b"\x88"),
              "RST_STREAM of a stream that is gone": frame(RST_STREAM, 0, 1, u32(8)),
              "WINDOW_UPDATE of a stream that is gone": window(1, 1), **OF_A_BODY}
    for name, frames in floods.items():
        n = len(ended(lab, why=FLOOD, origin="127.0.0.1"))
        results = []

        def attack(o, stream):
            if name in OF_A_BODY:
                o.head(stream)
            if "gone" in name:
                o.answer(stream)
                stream = o.request()
            results.append(pour(o, frames * 100, ANSWERS.get(name, 0)))

        with Connection(lab, "odd.lab.test", odd(lab, attack)) as c:
            c.ask(1)
            if "gone" in name:
                assert c.body(1) == b"ok"
                c.ask(3, method="POST")
            got = c.until(HEADERS) if name not in OF_A_BODY else c.reset(1)
            assert got, name
            c.ask(5)
            assert c.body(5) == b"ok", name
        wait_until(lambda: results)
        assert results == [CALM], (name, results)
        wait_until(lambda: len(ended(lab, why=FLOOD, origin="127.0.0.1")) == n + 1)
    told = [e for e in lab.journal() if e["event"] == "exchange" and e["host"] == "odd.lab.test"
            and e.get("status") == 502]
    assert told and {e["why"] for e in told} == {"the origin does not keep to HTTP/2"}
    is_served(lab)


def test_a_head_of_one_octet_fields_is_not_read_to_its_end(lab):
    """Each octet is 4 KiB out of the table: 48 MB in 16 KB."""
    def bomb(c):
        c.send(frame(HEADERS, BOTH, 1, c.fields() + BOMB))

    def empty_names(c):
        c.send(frame(HEADERS, BOTH, 1, c.fields() + b"\0\0\0" * 5000))

    for attack, why in ((bomb, "a head without end"), (empty_names, None)):
        n = len(ended(lab, client=CITY, **({"why": why} if why else {})))
        with Connection(lab, "tell.lab.test", lab.tell) as c:
            attack(c)
            if why:
                assert c.until(HEADERS) is None
                wait_until(lambda: len(ended(lab, why=why, client=CITY)) == n + 1)
            else:
                assert c.reset(1) == CODES.index("PROTOCOL_ERROR")

    def answer_bomb(o, stream):
        o.send(frame(HEADERS, BOTH, stream, b"\x88" + BOMB))
        o.read()

    port = odd(lab, answer_bomb)
    assert lab.get("odd.lab.test", port=port).status == 502
    wait_until(lambda: ended(lab, why="a head without end", origin="127.0.0.1"))
    assert lab.get("odd.lab.test", port=port).status == 200
    is_served(lab)


def test_size_updates_before_each_head_are_a_flood(lab):
    """The table shrinks and grows, 8,000 times: the library takes it, for a while."""
    n = len(ended(lab, why=FLOOD, client=CITY))
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        for stream in range(1, 100, 2):
            c.send(frame(HEADERS, BOTH, stream, b"\x20\x3f\xe1\x1f" * 4000 + c.fields()))
            if c.until(HEADERS, stream) is None:
                break
        assert 5 < stream < 40, stream
    wait_until(lambda: len(ended(lab, why=FLOOD, client=CITY)) == n + 1)


def test_resets_that_we_are_made_to_send_are_counted(lab):
    """CVE-2025-8671, in forms that are stream errors and no connection errors."""
    forms = {
        "a window that overflows": lambda c, n: frame(HEADERS, BOTH, n, c.fields(path="/wait"))
        + window(n, 0x7fffffff),
        "a malformed head": lambda c, n: frame(HEADERS, BOTH, n, c.fields(more=(("X", "1"),))),
        "a body unlike its length": lambda c, n: frame(
            HEADERS, END_HEADERS, n, c.fields(method="POST", more=(("content-length", "1"),)))
        + frame(DATA, END_STREAM, n, b"xy"),
        "a trailer of heads": lambda c, n: frame(HEADERS, END_HEADERS, n, c.fields(method="POST"))
        + frame(HEADERS, BOTH, n, block(("content-length", "1"))),
    }
    for name, form in forms.items():
        n = len(ended(lab, why="a hundred faulty requests"))
        with Connection(lab, "tell.lab.test", lab.tell) as c:
            sent = b""
            for stream in range(1, 300, 2):
                try:
                    c.send(form(c, stream))
                    got = c.read()
                    while got and got[0] not in (RST_STREAM, GOAWAY):
                        got = c.read()
                    sent = got
                except OSError:
                    break
                if got is None or got[0] == GOAWAY:
                    break
            assert sent and sent[0] == GOAWAY and sent[3][7] == CALM, (name, stream, sent)
            assert 190 <= stream <= 210, (name, stream)
        wait_until(lambda: len(ended(lab, why="a hundred faulty requests")) == n + 1)
    is_served(lab)


def test_interim_answers_without_end_are_502(lab):
    def attack(o, stream):
        pour(o, frame(HEADERS, END_HEADERS, stream, block((":status", "103"))) * 100)

    n = len(ended(lab, why=FLOOD, origin="127.0.0.1"))
    with Connection(lab, "odd.lab.test", odd(lab, attack)) as c:
        c.ask(1, "/interim")
        assert c.body(1)
    assert lab.event(event="exchange", path="/interim")["status"] == 502
    wait_until(lambda: len(ended(lab, why=FLOOD, origin="127.0.0.1")) == n + 1)


def test_an_origin_that_always_leaves_or_refuses_is_asked_twice(lab):
    asked = []

    def leave(o, stream):
        asked.append(stream)
        o.send(frame(GOAWAY, 0, 0, u32(0, 0)) * 3)
        o.read()

    def refuse(o, stream):
        while stream:
            asked.append(stream)
            o.send(frame(RST_STREAM, 0, stream, u32(CODES.index("REFUSED_STREAM"))))
            stream = o.request()

    for attack in (leave, refuse):
        asked.clear()
        assert lab.get("odd.lab.test", port=odd(lab, attack, always=True)).status == 502, attack
        assert len(asked) == 2, (attack, asked)
    is_served(lab)


def test_windows_of_one_octet_end_their_connection(lab):
    """We would send a frame, and pay for it, for each octet (CVE-2019-9511)."""
    with Connection(lab, "tell.lab.test", lab.tell, settings=((WINDOW, 0),)) as c:
        for n in range(1, 21, 2):
            c.ask(n, "/100000")
        for n in range(1, 21, 2):
            assert c.until(HEADERS)
        # one octet each at a time: ten frames for ten
        assert pour(c, b"".join(window(n, 1) for n in range(1, 21, 2)), answers=10) == CALM
    is_served(lab)


def test_who_takes_nothing_is_not_waited_for(lab):
    """A window of nothing, and a socket that is not read (CVE-2019-9517)."""
    with Connection(lab, "tell.lab.test", lab.tell, settings=((WINDOW, 0),)) as c:
        begun = time.monotonic()
        c.ask(1, "/100000")
        assert c.reset(1) is not None
        assert 1 < time.monotonic() - begun < 6
    s = lab.connect()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lab.tunnel("www.lab.test", sock=s)
    context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
    context.set_alpn_protocols(["h2"])
    s = context.wrap_socket(s, server_hostname="www.lab.test")
    s.sendall(h2.PREFACE + settings_frame(((WINDOW, 2 ** 31 - 1),)) + window(0, 2 ** 30)
              + frame(HEADERS, BOTH, 1, block(
                  (":method", "GET"), (":scheme", "https"),
                  (":authority", f"www.lab.test:{lab.tls_port}"), (":path", "/10m?slow"))))
    e = lab.event(seconds=8, event="exchange", host="www.lab.test", path="/10m")
    assert e["bytes_down"] < 10 << 20 and e["why"], e
    s.close()


def test_what_is_packed_stays_packed(lab):
    """Ten mebibytes of zeros are ten kilobytes on the way, asked for or not."""
    for version in ("--http1.1", "--http2"):
        lab_heads.clear()
        done = subprocess.run(
            ["curl", "-sS", version, "-D", "-", "-o", lab.dir / "run" / "zip", "--cacert",
             lab.proxy_ca.crt, "--interface", CITY, "-x", f"http://127.0.0.1:{lab.port}",
             f"https://zip.lab.test:{lab.zip}/"], capture_output=True, timeout=30, check=True)
        got = (lab.dir / "run" / "zip").read_bytes()
        assert len(got) < 20000 and gzip.decompress(got) == b"\0" * (10 << 20)
        assert b"content-encoding: gzip" in done.stdout.lower()
        assert b"accept-encoding" not in lab_heads[0].lower(), "nor asked for on its behalf"


def test_chunk_extensions_and_trailers_have_a_limit(lab):
    bodies = {
        "extensions": b"2;" + b"x" * 100000 + b"\r\nok\r\n0\r\n\r\n",
        "an extension for each octet": (b"1;" + b"x" * 250 + b"\r\ny\r\n") * 3 + b"0\r\n\r\n",
        "a size with zeros": b"0" * 100000 + b"2\r\nok\r\n0\r\n\r\n",
        "a trailer": b"2\r\nok\r\n0\r\nX-A: " + b"x" * 100000 + b"\r\n\r\n",
        "many trailers": b"2\r\nok\r\n0\r\n" + b"X-A: y\r\n" * 10000 + b"\r\n",
    }
    for name, body in bodies.items():
        lab.sunk = b""
        with lab.connect() as s:
            s.sendall(f"POST http://old.lab.test:{lab.sink}/ HTTP/1.1\r\n"
                      f"Host: old.lab.test:{lab.sink}\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n".encode())
            try:
                s.sendall(body)
                status = Answer(s, body=False).status
            except OSError:
                status = 0
        fine = name == "an extension for each octet"  # within limits.chunk_line_max
        assert status == 200 if fine else status in (0, 400, 431), (name, status)
        assert b"xxx" not in lab.sunk and lab.sunk.endswith(b"\r\n0\r\n\r\n") == fine, name
        lab.chunked = body
        with lab.connect() as s:
            s.sendall(f"GET http://old.lab.test:{lab.chunks}/ HTTP/1.1\r\n"
                      f"Host: old.lab.test:{lab.chunks}\r\n\r\n".encode())
            data = b""
            try:
                while more := s.recv(65536):
                    data += more
                    if data.endswith(b"\r\n0\r\n\r\n"):
                        break
            except OSError:
                pass
        assert b"xxx" not in data, name
        assert data.endswith(b"\r\n0\r\n\r\n") == fine, (name, data[-100:])


# TLS.

def s_client(lab, *options, asked=b"", seconds=10):
    return subprocess.run(
        ["openssl", "s_client", "-proxy", f"127.0.0.1:{lab.port}", "-connect",
         f"tell.lab.test:{lab.tell}", "-servername", "tell.lab.test", "-bind", f"{CITY}:0",
         "-CAfile", lab.proxy_ca.crt, *options], input=asked, capture_output=True, timeout=seconds)


def test_a_client_cannot_renegotiate(lab):
    done = s_client(lab, "-tls1_2", asked=b"R\n")
    said = done.stdout + done.stderr
    assert b"RENEGOTIATING" in said and b"no renegotiation" in said, said[-500:]
    is_served(lab)


def test_nobody_may_send_early_data(lab):
    session, early = lab.dir / "run" / "session", lab.dir / "run" / "early"
    early.write_bytes(b"GET /early HTTP/1.1\r\nHost: tell.lab.test\r\n\r\n")
    # a request, so that the ticket behind the handshake is read
    ask = f"GET / HTTP/1.1\r\nHost: tell.lab.test:{lab.tell}\r\nConnection: close\r\n\r\n".encode()
    done = s_client(lab, "-tls1_3", "-ign_eof", "-sess_out", session, asked=ask)
    assert b"Max Early Data: 0" in done.stdout and session.stat().st_size > 0, done.stdout[-800:]
    done = s_client(lab, "-tls1_3", "-sess_in", session, "-early_data", early)
    assert b"Early data was not sent" in done.stdout, done.stdout[-800:]


def test_an_origin_cannot_renegotiate(lab):
    """It asks (HelloRequest, by `r` of s_server), and gets no second ClientHello."""
    port, said = lab.spare_port, b""
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-cert", lab.origin_crt,
         "-key", lab.origin_key, "-state"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)

    def until(words, seconds=5):
        nonlocal said
        end = time.monotonic() + seconds
        while words not in said and select.select([server.stdout], [], [], end - time.monotonic())[0]:
            said += os.read(server.stdout.fileno(), 4096)
        assert words in said, said[-500:]

    try:
        until(b"ACCEPT")
        s = lab.tls("old.lab.test", port)
        s.sendall(f"GET / HTTP/1.1\r\nHost: old.lab.test:{port}\r\n\r\n".encode())
        until(b"Host: old")
        for left in range(5, 0, -1):  # it may be between two of its reads
            server.stdin.write(b"r\n")
            server.stdin.flush()
            try:
                until(b"no renegotiation", 1)
                break
            except AssertionError:
                assert left > 1, said[-500:]
        s.close()
    finally:
        server.kill()
        said += server.communicate(timeout=10)[0]
    after = said.partition(b"write hello request")[2]
    after = after.partition(b"before SSL initialization")[0]  # of the next connection
    assert b"no renegotiation" in after and b"client hello" not in after, said
    is_served(lab)
