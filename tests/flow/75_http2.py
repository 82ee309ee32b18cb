# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 with clients, inside intercepted TLS."""
import os
import ssl
import struct
import subprocess
import time

import h2
from h2 import CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, \
    RST_STREAM, SETTINGS, WINDOW_UPDATE, Connection, frame
from lab import Lab, read_head, wait_until

PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, REFUSED, CANCEL, CALM = 1, 3, 5, 7, 8, 11


def make(build):
    names = ("tell", "sink", "trail", "early", "mute", "stuck")
    lab = Lab(build, hosts={f"{n}.lab.test": "127.0.0.1" for n in names},
              limits="head_timeout = 2; idle_timeout = 4; body_timeout = 4; head_max = 8192;")
    lab.heads = []
    lab.tell = lab.origin(lambda s: tell(lab, s), tls=True)
    lab.sink = lab.origin(sink, tls=True)
    lab.trail = lab.origin(trail, tls=True)
    lab.early = lab.origin(early, tls=True)
    lab.mute = lab.origin(mute, tls=True)
    lab.stuck_n = 0
    lab.stuck = lab.origin(lambda s: stuck(lab, s))
    lab.write_settings()
    return lab


def tell(lab, s):
    while head := read_head(s):
        lab.heads.append(head)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def sink(s):
    """Counts a chunked body, and tells with which trailer it came."""
    while read_head(s):
        total, line = 0, b""
        while (line := read_line(s)) != b"0\r\n":
            n = int(line, 16)
            while n + 2 > 0:
                n -= len(s.recv(min(n + 2, 65536)))
            total += int(line, 16)
        trailer = read_line(s)
        if trailer != b"\r\n":
            read_line(s)
        text = b"%d %s" % (total, trailer.strip())
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)


def read_line(s):
    line = b""
    while not line.endswith(b"\n"):
        got = s.recv(1)
        if not got:
            raise OSError("ended")
        line += got
    return line


def trail(s):
    while read_head(s):
        s.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                  b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                  b"4\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n")


def mute(s):
    read_head(s)
    time.sleep(8)


def stuck(lab, s):
    """Of each two connections the second stands before its TLS."""
    lab.stuck_n += 1
    if lab.stuck_n % 2 == 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(lab.origin_crt, lab.origin_key)
        s = context.wrap_socket(s, server_side=True)
    while s.recv(65536):
        pass


def early(s):
    read_head(s)
    s.sendall(b"HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def curl(lab, *options):
    done = subprocess.run(
        ["curl", "-sS", "--http2", "--cacert", lab.proxy_ca.crt, "--interface", "127.0.1.10",
         "-x", f"http://127.0.0.1:{lab.port}", *options],
        capture_output=True, timeout=60)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def test_curl_speaks_it(lab):
    to = f"https://www.lab.test:{lab.tls_port}"
    told = curl(lab, "-o", "/dev/null", "-w", "%{http_version} %{http_code} %{size_download}",
                f"{to}/10m")
    assert told == "2 200 10485760", told
    told = curl(lab, "-w", "%{http_version} %{http_code}", f"{to}/secret/plan")
    assert "no-gambling" not in told and "secret" in told and told.endswith("2 403"), told
    assert curl(lab, "--http1.1", "-o", "/dev/null", "-w", "%{http_version}", f"{to}/1k") == "1.1"
    head = curl(lab, "-I", f"{to}/10m")
    assert "HTTP/2 200" in head and "content-length: 10485760" in head and "alt-svc" not in head


def test_heads_trailers_and_interim_answers_pass(lab):
    told = curl(lab, "-v", f"https://trail.lab.test:{lab.trail}/")
    for want in ("HTTP/2 103", "link: </a>", "HTTP/2 200", "body", "x-sum: 7"):
        assert want in told, told
    assert "transfer-encoding" not in told.lower(), told


def test_an_upload_arrives_with_its_trailer(lab):
    with Connection(lab, "sink.lab.test", lab.sink) as c:
        c.ask(1, method="POST", flags=END_HEADERS)
        for _ in range(40):
            c.send(frame(DATA, 0, 1, b"x" * 1000))
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, h2.block(("x-sum", "7"))))
        assert c.body(1).lower() == b"40000 x-sum: 7"


def test_an_early_answer_reaches_a_client_that_still_sends(lab):
    body = lab.dir / "www" / "10m"
    told = curl(lab, "-T", body, "-w", "%{http_version} %{http_code}",
                f"https://early.lab.test:{lab.early}/")
    assert told == "2 413", told


def test_many_streams_at_once_are_answered(lab):
    with Connection(lab, "www.lab.test") as c:
        c.send(frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", 1 << 20)))
        for n in range(100):
            c.ask(2 * n + 1, f"/{'1k' if n % 2 else 'secret/plan'}")
        ended = set()
        while len(ended) < 100:
            kind, flags, stream, _ = c.read()
            assert kind != RST_STREAM
            if kind == DATA and flags & END_STREAM:
                ended.add(stream)
    wait_until(lambda: len([e for e in lab.journal() if e.get("path") == "/1k"]) >= 50)


def test_cookies_are_one_field_again(lab):
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        c.ask(1, "/pieces", more=(("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2"), ("te", "trailers")))
        assert c.body(1) == b"ok"
    e = lab.event(path="/pieces")
    assert (e["http_client"], e["http_origin"]) == ("HTTP/2", "HTTP/1.1")
    head = lab.heads[-1].lower()
    assert b"cookie: a=1; b=2\r\n" in head and head.count(b"cookie") == 1, head
    assert f"host: tell.lab.test:{lab.tell}\r\n".encode() in head and head.count(b"host:") == 1
    assert b"te: trailers" in head


def test_a_stream_that_nobody_reads_holds_up_none_but_itself(lab):
    with Connection(lab, "www.lab.test") as c:
        c.ask(1, "/10m")
        got = 0
        while got < 65535:  # its window, and the connection's
            kind, _, stream, payload = c.read()
            got += len(payload) if kind == DATA else 0
        c.send(frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", 1 << 20)))
        c.ask(3, "/1k")
        assert c.body(3) == b"k" * 1024


def test_what_waits_for_slow_origins_is_bounded(lab):
    """Of a hundred requests: the first window each, and what they grow by."""
    lab.write_settings(edges=1, limits=lab.limits + " h2_connection_window = 1048576;")
    lab.ctl("reload")
    with Connection(lab, "mute.lab.test", lab.mute) as c:
        edge = lab.children()["edge.0"]
        before = resident(edge)
        c.s.settimeout(1)
        room = {stream: 65535 for stream in range(1, 200, 2)}
        for stream in room:
            c.ask(stream, method="POST", flags=END_HEADERS)
        room[0] = 65535
        try:
            while True:
                for stream in room:
                    while stream and min(room[stream], room[0]) >= 16383:
                        c.send(frame(DATA, 0, stream, b"x" * 16383))
                        room[stream] -= 16383
                        room[0] -= 16383
                kind, _, stream, payload = c.read()
                if kind == WINDOW_UPDATE:
                    room[stream] += int.from_bytes(payload, "big")
        except TimeoutError:
            grown = resident(edge) - before
        assert grown < 100 * (160 + 64) * 1024 + 2 * 1048576, grown


def test_more_than_the_window_ends_the_stream(lab):
    """What waits for its origin takes its window, and not a byte more."""
    for past in (0, 1, 60000):
        with Connection(lab, "stuck.lab.test", lab.stuck) as c:
            c.until(WINDOW_UPDATE, 0)  # the connection takes more than a stream
            c.ask(1)  # on the connection that is there: the next one waits
            body = [16384, 16384, 16384, 16383] + [1] * (past == 1) + [15000] * (past // 15000)
            c.send(frame(HEADERS, END_HEADERS, 3, c.fields(method="POST"))
                   + b"".join(frame(DATA, 0, 3, b"x" * n) for n in body))
            c.s.settimeout(1)
            try:
                code = c.reset(3)
            except TimeoutError:
                code = None
            assert code == (FLOW_CONTROL_ERROR if past else None), (past, code)


def resident(pid):
    """Bytes of memory of that process."""
    return int(open(f"/proc/{pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def refusal(lab, fields, flags=END_HEADERS | END_STREAM):
    """The code of the reset that a request with these fields meets, or None."""
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        c.send(frame(HEADERS, flags, 1, h2.block(*fields)))
        got = c.read()
        while got and not (got[2] == 1 and got[0] in (HEADERS, RST_STREAM)):
            got = c.read()
    return int.from_bytes(got[3], "big") if got[0] == RST_STREAM else None


def test_what_would_smuggle_is_refused(lab):
    to = f"tell.lab.test:{lab.tell}"
    good = [(":method", "GET"), (":scheme", "https"), (":authority", to), (":path", "/")]
    asked = len(lab.heads)
    resets = {
        "upper case": good + [("X-Upper", "1")],
        "connection": good + [("connection", "close")],
        "transfer-encoding": good + [("transfer-encoding", "chunked")],
        "te": good + [("te", "gzip")],
        "a line feed": good + [("x-a", "1\nx-b: 2")],
        "a return": good + [("x-a", "1\r")],
        "a zero": good + [("x-a", "1\0")],
        "a colon in a name": good + [("x:a", "1")],
        "a blank in a name": good + [("x a", "1")],
        "no name": good + [("", "1")],
        "a pseudo-field after a field": good[:3] + [("x-a", "1"), (":path", "/")],
        "a pseudo-field twice": good + [(":path", "/2")],
        "a pseudo-field of answers": good + [(":status", "200")],
        "no :path": good[:3],
        "an empty :path": good[:3] + [(":path", "")],
        ":path without slash": good[:3] + [(":path", "x")],
        "no :method": good[1:],
        "a length that is none": good + [("content-length", "1x")],
        "a length and no body": good + [("content-length", "1")],
        "two lengths": good + [("content-length", "0"), ("content-length", "1")],
    }
    for what, fields in resets.items():
        code = refusal(lab, fields)
        assert code == PROTOCOL_ERROR, (what, code)
    answers = {
        "Host unlike :authority": good + [("host", "other.lab.test")],
        "Host unlike the CONNECT name": [*good[:2], (":authority", "www.lab.test"), good[3]],
        "the head is too large": good + [("x-a", "y" * 9000)],
        "too many fields": good + [(f"x-{n}", "") for n in range(130)],
        "a CONNECT that ends": [(":method", "CONNECT"), (":authority", to)],
        "CONNECT inside CONNECT": [(":method", "CONNECT"), (":authority", to)],
    }
    for why, fields in answers.items():
        flags = END_HEADERS if why == "CONNECT inside CONNECT" else END_HEADERS | END_STREAM
        assert refusal(lab, fields, flags) is None, "a page says why"
        assert lab.event(event="exchange", why=why)["status"] in (400, 421, 431)
    assert len(lab.heads) == asked, "none of it reached the origin"


def test_a_body_unlike_its_length_is_cut(lab):
    with Connection(lab, "sink.lab.test", lab.sink) as c:
        c.ask(1, method="POST", flags=END_HEADERS, more=(("content-length", "3"),))
        c.send(frame(DATA, END_STREAM, 1, b"four"))
        assert c.reset(1) == PROTOCOL_ERROR


def test_half_a_head_is_not_waited_for(lab):
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        c.ask(1)
        assert c.body(1) == b"ok"  # and the settings are acknowledged
        begun = time.monotonic()
        c.send(frame(HEADERS, 0, 3, c.fields()))
        assert c.until(HEADERS) is None
    took = time.monotonic() - begun
    assert 1 < took < 6, took


def test_an_idle_connection_is_told_to_leave(lab):
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        c.ask(1)
        assert c.body(1) == b"ok"
        assert c.end() == 0
        assert c.read() is None


def test_a_stream_id_that_is_past_is_not_served(lab):
    with Connection(lab, "tell.lab.test", lab.tell) as c:
        c.ask(3, "/third")
        assert c.body(3) == b"ok"
        c.ask(1, "/first")
        c.ask(3, "/third-again")
        c.ask(5, "/fifth")
        assert c.body(5) == b"ok"
    lab.event(path="/fifth")
    told = [e.get("path") for e in lab.journal()]
    assert "/first" not in told and "/third-again" not in told


def ended_connections(lab):
    return len([e for e in lab.journal() if e["event"] == "connection_ended"])


def test_floods_end_their_connection_alone(lab):
    def heads_in_pieces(c):
        c.send(frame(HEADERS, 0, 1, c.fields()))
        for _ in range(200):
            c.send(frame(CONTINUATION, 0, 1))

    def resets(c):
        for n in range(20000):
            c.ask(2 * n + 1, flags=END_HEADERS)
            c.send(frame(RST_STREAM, 0, 2 * n + 1, struct.pack("!I", CANCEL)))

    def made_resets(c):
        for n in range(5000):
            c.ask(2 * n + 1, flags=END_HEADERS)
            c.send(frame(WINDOW_UPDATE, 0, 2 * n + 1, struct.pack("!I", 0x7fffffff)))

    floods = {
        "resets that we are made to send": made_resets,
        "pings": lambda c: [c.send(frame(PING, 0, 0, b"8" * 8) * 100) for _ in range(2000)],
        "settings": lambda c: [c.send(frame(SETTINGS, 0, 0) * 100) for _ in range(2000)],
        "continuations": heads_in_pieces,
        "rapid resets": resets,
        "a window that overflows": lambda c: c.send(
            frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", 0x7fffffff)) * 2),
        "a window update of nothing": lambda c: c.send(
            frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", 0))),
        "data on no stream": lambda c: c.send(frame(DATA, 0, 1, b"x")),
        "an even stream": lambda c: c.ask(2),
        "frames that are too long": lambda c: c.send(frame(DATA, 0, 1, b"x" * 20000)),
        "no preface": lambda c: c.send(b"GET / HTTP/1.1\r\n\r\n" * 10),
    }
    for what, flood in floods.items():
        count = ended_connections(lab)
        with Connection(lab, "tell.lab.test", lab.tell) as c:
            try:
                flood(c)
                ended = c.until(GOAWAY) is None or c.until(GOAWAY) is None
            except OSError:
                ended = True
            assert ended, what
        try:
            wait_until(lambda: ended_connections(lab) > count, 2)
        except AssertionError:
            raise AssertionError(f"{what}: no line tells of it")
        with Connection(lab, "tell.lab.test", lab.tell) as c:
            c.ask(1)
            assert c.body(1) == b"ok", what


def test_a_reload_lets_what_runs_go_on(lab):
    with Connection(lab, "www.lab.test") as c:
        c.ask(1, "/10m")
        assert c.until(HEADERS, 1)
        lab.ctl("reload")
        data = c.body(1)
        assert data is not None and len(data) == 10485760
        assert c.read() is None or c.end() == 0
