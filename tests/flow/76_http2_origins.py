# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 with origins, whatever the client speaks."""
import struct
import subprocess
import threading
import time

import h2
from h2 import DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, WINDOW_UPDATE, Connection, Origin, frame
from lab import CITY, TOWN, Cut, Lab, read_head, wait_until

REFUSED, HTTP_1_1_REQUIRED = 7, 13
MAX_CONCURRENT_STREAMS = 3
ORIGINS = {}  # name -> script of a connection


def origin(script):
    ORIGINS[script.__name__] = script
    return script


def make(build):
    lab = Lab(build, hosts={f"{n}.lab.test": "127.0.0.1" for n in (*ORIGINS, "other", "third", "narrow", "beside")},
              edges=1, limits="body_timeout = 4; answer_timeout = 3; interim_max = 4; head_max = 8192;")
    lab.connections = []
    lab.requests = []
    for name, script in ORIGINS.items():
        def serve(s, name=name, script=script):
            lab.connections.append(name)
            script(lab, s)
        setattr(lab, name, lab.origin(serve, tls=True, alpn=["h2", "http/1.1"]))
    # its certificate covers one of the two names that lead to it
    lab.narrow = lab.origin(lambda s: plain(lab, s), True,
                            *lab.origin_ca.leaf("narrow", "DNS:narrow.lab.test"), alpn=["h2"])
    lab.write_settings()
    return lab


def curl(lab, *options, check=True):
    done = subprocess.run(
        ["curl", "-sS", "-m", "20", "--interface", CITY, "-x", f"http://127.0.0.1:{lab.port}",
         "--cacert", lab.proxy_ca.crt, *options], capture_output=True, timeout=30)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


@origin
def plain(lab, s):
    o = Origin(s)
    while stream := o.request():
        lab.requests.append(stream)
        o.answer(stream)


@origin
def leaving(lab, s):
    """The first connection says that it took nothing, and goes."""
    o = Origin(s)
    if lab.connections.count("leaving") > 1:
        while stream := o.request():
            o.answer(stream, b"second")
        return
    o.request()
    o.send(frame(GOAWAY, 0, 0, struct.pack("!II", 0, 0)))
    o.read()


@origin
def refusing(lab, s):
    """Refuses each first request."""
    o = Origin(s)
    while stream := o.request():
        lab.requests.append(stream)
        if len(lab.requests) == 1:
            o.send(frame(RST_STREAM, 0, stream, struct.pack("!I", REFUSED)))
        else:
            o.answer(stream, b"taken")


@origin
def cutting(_, s):
    o = Origin(s)
    while stream := o.request():
        o.head(stream, fields=(("content-length", "10"),))
        o.send(frame(DATA, 0, stream, b"half"))
        o.send(frame(RST_STREAM, 0, stream, struct.pack("!I", 2)))


@origin
def vanishing(_, s):
    o = Origin(s)
    stream = o.request()
    o.head(stream)
    o.send(frame(DATA, 0, stream, b"half"))


@origin
def trailing(_, s):
    o = Origin(s)
    while stream := o.request():
        o.head(stream, "103", (("link", "</a>"),))
        o.head(stream)
        o.send(frame(DATA, 0, stream, b"body"))
        o.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, h2.block(("x-sum", "7"))))


@origin
def odd(lab, s):
    """The answer is what the lab's odd_frames make of the stream."""
    o = Origin(s)
    while stream := o.request():
        o.send(lab.odd_frames(stream))


@origin
def misled(lab, s):
    """Serves its own name alone: the first connection, and each that asked for it."""
    o = Origin(s)
    while stream := o.request():
        lab.requests.append(stream)
        first = lab.connections.count("misled") == 1
        o.answer(stream, b"mine", "200" if len(lab.requests) == 1 or not first else "421")


@origin
def ntlm(_, s):
    if s.selected_alpn_protocol() == "h2":
        o = Origin(s)
        while stream := o.request():
            o.answer(stream, b"who?", "401", (("www-authenticate", "Negotiate"),))
        return
    n = 0
    while b"\r\n\r\n" in (head := read_head(s)):
        n += 1
        ok = b"Negotiate" in head or n > 1
        s.sendall(b"HTTP/1.1 %s\r\nContent-Length: 1\r\n\r\n%d" % (
            b"200 OK" if ok else b"401 No\r\nWWW-Authenticate: Negotiate", n))


@origin
def few(lab, s):
    """Takes two requests at a time, and answers when both are there or time passes."""
    o = Origin(s, settings=((MAX_CONCURRENT_STREAMS, 2),))
    while stream := o.request():
        time.sleep(0.3)  # as work does; meanwhile others must wait or go elsewhere
        o.answer(stream)


@origin
def early(_, s):
    """Goes on when but an eighth of its window is still owed."""
    o = Origin(s)
    while stream := o.request():
        o.head(stream)
        o.send(frame(DATA, 0, stream, b"x" * 16000) * 2)
        given = 0
        while given < 32000 - 65535 // 8:
            got = o.until(WINDOW_UPDATE, stream)
            given += int.from_bytes(got[3], "big")
        o.send(frame(DATA, END_STREAM, stream, b"y"))


@origin
def silent(lab, s):
    o = Origin(s)
    while stream := o.request():
        lab.requests.append(stream)
        if lab.connections.count("silent") > 1:
            o.answer(stream)


def test_either_client_reaches_an_h2_origin(lab):
    lab.requests.clear()
    for version, told in (("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")):
        out = curl(lab, version, "-D", "-", f"https://www.lab.test:{lab.tls_port}/1k?{version}")
        assert b"X-Seen-Version: HTTP/2.0".lower() in out.lower(), out
        assert out.endswith(b"k" * 1024)
        lab.event(event="exchange", http_client=told, http_origin="HTTP/2", bytes_down=1024)


def test_head_and_no_content(lab):
    out = curl(lab, "--http1.1", "-I", f"https://www.lab.test:{lab.tls_port}/1k")
    assert b"Content-Length: 1024" in out or b"content-length: 1024" in out, out
    answer = lab.get("www.lab.test", "/empty")
    assert answer.status == 204
    # the connection goes on
    sock = lab.tls("www.lab.test")
    for path, status in (("/1k", 200), ("/empty", 204), ("/moved", 302), ("/1k", 200)):
        assert lab.get("www.lab.test", path, sock=sock).status == status


def test_ten_mebibytes_are_whole(lab):
    want = (lab.dir / "www" / "10m").read_bytes()
    for version in ("--http1.1", "--http2"):
        assert curl(lab, version, f"https://www.lab.test:{lab.tls_port}/10m") == want

    def both():
        times = [e["us_total"] for e in lab.journal() if e.get("path") == "/10m"]
        return len(times) >= 2 and times

    times = wait_until(both)
    assert max(times) < 2500000, f"no wait for a timer of 3 s: {times}"


def test_a_window_is_given_back_in_eighths(lab):
    """In halves, one of them can go around for ever without being used."""
    assert curl(lab, f"https://early.lab.test:{lab.early}/") == b"x" * 32000 + b"y"


def test_many_clients_share_one_connection(lab):
    lab.connections.clear()
    socks = [lab.tls("plain.lab.test", lab.plain) for _ in range(10)]
    results = []

    def ask(sock):
        for _ in range(5):
            results.append(lab.get("plain.lab.test", sock=sock, port=lab.plain).body)

    threads = [threading.Thread(target=ask, args=(s,)) for s in socks]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [b"ok"] * 50
    assert lab.connections.count("plain") == 1, lab.connections


def test_another_body_has_its_own_connection(lab):
    lab.connections.clear()
    lab.get("plain.lab.test", port=lab.plain)
    n = lab.connections.count("plain")
    lab.get("plain.lab.test", port=lab.plain, source=TOWN)
    assert lab.connections.count("plain") == n + 1


def test_goaway_is_followed_by_a_new_connection(lab):
    lab.connections.clear()
    assert lab.get("leaving.lab.test", port=lab.leaving).body == b"second"
    assert lab.connections.count("leaving") == 2


def test_a_body_that_has_left_is_not_sent_twice(lab):
    lab.connections.clear()
    curl(lab, "--interface", TOWN, "-d", "gone with the first connection",
         f"https://leaving.lab.test:{lab.leaving}/")
    assert lab.event(host="leaving.lab.test", method="POST", status=502)["bytes_up"] == 30


def test_refused_stream_is_asked_again_whatever_the_method(lab):
    lab.requests.clear()
    assert curl(lab, "-X", "POST", f"https://refusing.lab.test:{lab.refusing}/") == b"taken"
    assert len(lab.requests) == 2


def assert_cut(lab, name):
    """The client can tell: the body ends early, or no answer comes at all."""
    try:
        answer = lab.get(f"{name}.lab.test", port=getattr(lab, name))
        assert answer.status == 0, answer.body
    except Cut:
        pass


def test_a_cut_body_is_seen_to_be_cut(lab):
    for name in ("cutting", "vanishing"):
        port = getattr(lab, name)
        assert_cut(lab, name)
        done = subprocess.run(
            ["curl", "-sS", "--http2", "-m", "20", "--interface", CITY, "-x",
             f"http://127.0.0.1:{lab.port}", "--cacert", lab.proxy_ca.crt,
             f"https://{name}.lab.test:{port}/"], capture_output=True, timeout=30)
        assert done.returncode in (18, 56, 92), done


def test_trailers_and_interim_answers_pass(lab):
    sock = lab.tls("trailing.lab.test", lab.trailing)
    sock.sendall(b"GET / HTTP/1.1\r\nHost: trailing.lab.test:%d\r\nTE: trailers\r\n\r\n"
                 % lab.trailing)
    data = b""
    while not data.endswith(b"x-sum: 7\r\n\r\n"):
        more = sock.recv(4096)
        assert more, data
        data += more
    assert data.startswith(b"HTTP/1.1 103") and b"\r\n4\r\nbody\r\n0\r\n" in data, data


ODD = {
    "a status of two digits": lambda n: frame(HEADERS, END_HEADERS, n, h2.block((":status", "20"))),
    "101": lambda n: frame(HEADERS, END_HEADERS, n, h2.block((":status", "101"))),
    "no status": lambda n: frame(HEADERS, END_HEADERS | END_STREAM, n, h2.block(("a", "b"))),
    "a status twice": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), (":status", "204"))),
    "a pseudo-field of requests": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), (":path", "/"))),
    "a status after a field": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        ("a", "b"), (":status", "200"))),
    "a field of the connection": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), ("connection", "close"))),
    "transfer-encoding": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), ("transfer-encoding", "chunked"))),
    "an upper-case name": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), ("X-A", "b"))),
    "a line break in a value": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), ("a", "b\r\nset-cookie: c"))),
    "NUL in a value": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), ("a", "b\0c"))),
    "two lengths": lambda n: frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "200"), ("content-length", "1"), ("content-length", "2"))),
    "a length and no body": lambda n: frame(HEADERS, END_HEADERS | END_STREAM, n, h2.block(
        (":status", "200"), ("content-length", "5"))),
    "body before the head": lambda n: frame(DATA, 0, n, b"x"),
    "too many interim answers": lambda n: 6 * frame(HEADERS, END_HEADERS, n, h2.block(
        (":status", "103"))),
}


def test_what_is_no_answer_becomes_a_page(lab):
    for name, frames in ODD.items():
        lab.odd_frames = frames
        for version in ("--http1.1", "--http2"):
            out = curl(lab, version, "-o", "/dev/null", "-w", "%{http_code}",
                       f"https://odd.lab.test:{lab.odd}/")
            assert out == b"502", (name, version, out)


def test_a_head_is_taken_up_to_its_limit(lab):
    """Each field counts 32 bytes besides (RFC 9113 section 6.5.2)."""
    room = 8192 - (len(":status") + len("200") + 32) - (len("a") + 32)
    for past in (0, 1):
        lab.odd_frames = lambda n, past=past: frame(
            HEADERS, END_HEADERS | END_STREAM, n,
            h2.block((":status", "200"), ("a", "x" * (room + past))))
        answer = lab.get("odd.lab.test", "/limit", port=lab.odd)
        assert answer.status == (502 if past else 200), past
    assert lab.event(path="/limit", status=502)["why"] == "the head is too large"


def test_a_trailer_that_means_something_cuts_the_answer(lab):
    for name, fine in (("x-sum", True), ("content-length", False), ("host", False)):
        lab.odd_frames = lambda n, name=name: frame(
            HEADERS, END_HEADERS, n, h2.block((":status", "200"))) + frame(DATA, 0, n, b"body") + \
            frame(HEADERS, END_HEADERS | END_STREAM, n, h2.block((name, "4")))
        if fine:
            assert lab.get("odd.lab.test", port=lab.odd).body == b"body"
        else:
            assert_cut(lab, "odd")


def test_more_than_the_length_is_cut(lab):
    for body in (b"123", b"1234567"):
        lab.odd_frames = lambda n, body=body: frame(
            HEADERS, END_HEADERS, n, h2.block((":status", "200"), ("content-length", "5"))) + \
            frame(DATA, END_STREAM, n, body)
        assert_cut(lab, "odd")


def test_another_name_of_the_same_origin_shares_its_connection(lab):
    lab.connections.clear()
    assert lab.get("plain.lab.test", port=lab.plain).status == 200
    n = lab.connections.count("plain")
    assert lab.get("other.lab.test", port=lab.plain).status == 200
    assert lab.connections.count("plain") == n, "the certificate covers both"


def test_a_name_that_the_certificate_does_not_cover_has_no_part_in_it(lab):
    assert lab.get("narrow.lab.test", port=lab.narrow).body == b"ok"
    answer = lab.get("beside.lab.test", port=lab.narrow)
    assert answer.status == 502 and b"ok" != answer.body
    assert lab.event(host="beside.lab.test", status=502)["why"] == "hostname mismatch"


def test_who_comes_while_a_connection_is_opened_waits_for_it(lab):
    """Two find room where there is one, the other four do not open four."""
    lab.get("few.lab.test", port=lab.few)
    lab.connections.clear()
    with Connection(lab, "few.lab.test", lab.few) as c:
        for stream in range(1, 12, 2):
            c.ask(stream)
        done = set()
        while len(done) < 6:
            got = c.read()
            if got[0] == DATA and got[1] & END_STREAM:
                done.add(got[2])
    assert lab.connections.count("few") in (1, 2), "beside the one that was there"


def test_who_waits_for_a_connection_may_leave(lab):
    """The first of them, who had it opened, too."""
    for gone in (range(5, 10, 2), range(5, 12, 2)):
        with Connection(lab, "few.lab.test", lab.few, source=TOWN) as c:
            for stream in range(1, 12, 2):
                c.ask(stream)
            for stream in gone:
                c.send(frame(RST_STREAM, 0, stream, struct.pack("!I", 8)))
            left = {n for n in range(1, 12, 2) if n not in gone}
            while left:
                got = c.read()
                if got[0] == DATA and got[1] & END_STREAM:
                    left.discard(got[2])
    with Connection(lab, "few.lab.test", lab.few) as c:
        for stream in range(1, 12, 2):
            c.ask(stream)
    assert lab.get("few.lab.test", port=lab.few).status == 200


def test_misdirected_is_asked_on_its_own_connection(lab):
    lab.connections.clear()
    lab.requests.clear()
    assert lab.get("misled.lab.test", port=lab.misled).status == 200
    assert lab.get("third.lab.test", port=lab.misled).status == 200
    assert lab.connections.count("misled") == 2


def test_authentication_of_the_connection_is_of_http1(lab):
    sock = lab.tls("ntlm.lab.test", lab.ntlm)
    assert lab.get("ntlm.lab.test", port=lab.ntlm, sock=sock).status == 401
    answers = [lab.get("ntlm.lab.test", port=lab.ntlm, sock=sock, headers=headers)
               for headers in ("Authorization: Negotiate abc\r\n", "", "")]
    assert [(a.status, a.body) for a in answers] == [(200, b"1"), (200, b"2"), (200, b"3")], \
        "the same connection, this client's alone"
    with Connection(lab, "ntlm.lab.test", lab.ntlm) as c:
        c.ask(1)
        assert c.reset(1) == HTTP_1_1_REQUIRED
    # and a real client comes back as it is told
    out = curl(lab, "--http2", "-w", " %{http_version} %{http_code}",
               f"https://ntlm.lab.test:{lab.ntlm}/")
    assert out.endswith(b" 1.1 401") or out.endswith(b" 1.1 200"), out


def test_a_silent_connection_is_not_given_to_others(lab):
    lab.connections.clear()
    assert lab.get("silent.lab.test", port=lab.silent).status == 504
    assert lab.get("silent.lab.test", port=lab.silent).status == 200
    assert lab.connections.count("silent") == 2


def test_a_client_that_goes_away_resets_its_stream_alone(lab):
    sock = lab.tls("www.lab.test")
    sock.sendall(b"GET /10m HTTP/1.1\r\nHost: www.lab.test:%d\r\n\r\n" % lab.tls_port)
    sock.recv(100)
    sock.close()
    wait_until(lambda: [e for e in lab.journal() if e.get("why") and e.get("path") == "/10m"])
    assert lab.get("www.lab.test", "/1k").body == b"k" * 1024
