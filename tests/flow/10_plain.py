# SPDX-License-Identifier: Apache-2.0
"""http:// through the proxy, from simple to odd."""
import threading

from lab import CITY, CITY_LGWAN, CITY_MYNUMBER, STRANGER, Answer, Cut, Lab, read_head


def make(build):
    lab = Lab(build, hosts={f"{n}.lab.test": "127.0.0.1"
                           for n in ("echo", "cut", "chunks", "slow")})
    lab.echo = lab.origin(echo)
    lab.cut = lab.origin(cut)
    lab.chunks = lab.origin(chunks)
    lab.slow = lab.origin(interim)
    lab.write_settings()
    return lab


def echo(s):
    """Answers each request with its own head and body as the body."""
    while True:
        head = read_head(s)
        if not head:
            return
        text = head.decode().lower()
        body = b""
        if "transfer-encoding: chunked" in text:
            while not body.endswith(b"\r\n\r\n") and body != b"0\r\n\r\n":
                body += s.recv(65536)
        elif "content-length:" in text:
            n = int(text.split("content-length:")[1].split("\r\n")[0])
            while len(body) < n:
                body += s.recv(65536)
        whole = head + body
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole)


def cut(s):
    path = read_head(s).split(b" ")[1]
    if path == b"/length":
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    elif path == b"/chunked":
        s.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
    elif path == b"/close":
        s.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
    elif path == b"/nothing":
        pass


def chunks(s):
    while read_head(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                  b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 42\r\n\r\n")


def interim(s):
    head = read_head(s)
    if b"100-continue" in head.lower():
        s.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        n = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = b""
        while len(body) < n:
            body += s.recv(n)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n + body)
    else:
        s.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
                  b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_a_page_comes_through(lab):
    a = lab.get_plain("plain.lab.test")
    assert a.status == 200 and a.body == b"hello from the origin\n"
    assert a.field("via") == "1.1 sekisho-990001"
    assert a.field("x-seen-via") == "1.1 sekisho-990001"
    assert a.field("alt-svc") is None


def test_the_journal_tells_of_it_without_the_query(lab):
    lab.get_plain("plain.lab.test", "/1k?secret=1234")
    e = lab.event(event="exchange", path="/1k")
    assert (e["body"], e["zone"], e["client"]) == ("990019", "internet", CITY)
    assert (e["method"], e["status"], e["bytes_down"]) == ("GET", 200, 1024)
    assert (e["verdict"], e["rule"]) == ("allow", "lab")
    assert "secret" not in str(lab.journal())


def test_one_connection_carries_many_requests(lab):
    with lab.connect() as s:
        for path in ("/", "/1k", "/empty", "/none", "/"):
            a = lab.get_plain("plain.lab.test", path, sock=s)
            assert a.status == {"/empty": 204, "/none": 404}.get(path, 200), a.raw


def test_pipelined_requests_are_answered_in_order(lab):
    to = f"plain.lab.test:{lab.plain_port}"
    one = "GET http://{}/{} HTTP/1.1\r\nHost: {}\r\n\r\n"
    with lab.connect() as s:
        s.sendall("".join(one.format(to, p, to) for p in ("1k", "", "1k")).encode())
        assert [len(Answer(s).body) for _ in range(3)] == [1024, 22, 1024]


def test_head_and_range_and_condition(lab):
    to = f"plain.lab.test:{lab.plain_port}"
    with lab.connect() as s:
        s.sendall(f"HEAD http://{to}/1k HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
        a = Answer(s, "HEAD")
        assert a.status == 200 and a.field("content-length") == "1024"
        a = lab.get_plain("plain.lab.test", "/1k", sock=s, headers="Range: bytes=0-9\r\n")
        assert a.status == 206 and len(a.body) == 10
        tag = a.field("etag")
        a = lab.get_plain("plain.lab.test", "/1k", sock=s, headers=f"If-None-Match: {tag}\r\n")
        assert a.status == 304


def test_fields_about_the_client_do_not_leave(lab):
    a = lab.get_plain("plain.lab.test", headers="X-Forwarded-For: 192.0.2.7\r\n"
                      "Proxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\n")
    assert a.field("x-seen-forwarded") == "[]", a.raw


def test_bodies_go_up_with_length_and_in_chunks(lab):
    to = f"echo.lab.test:{lab.echo}"
    with lab.connect() as s:
        s.sendall(f"POST http://{to}/ HTTP/1.1\r\nHost: {to}\r\nContent-Length: 5\r\n\r\nhello".encode())
        assert Answer(s).body.endswith(b"\r\n\r\nhello")
        s.sendall(f"POST http://{to}/ HTTP/1.1\r\nHost: {to}\r\nTransfer-Encoding: chunked\r\n"
                  "Connection: X-Hop\r\nX-Hop: 1\r\n\r\n5\r\nhello\r\n".encode())
        s.sendall(b"0\r\nX-Sum: 1\r\n\r\n")
        body = Answer(s).body
        assert b"5\r\nhello\r\n" in body and b"X-Sum: 1\r\n" in body
        assert b"X-Hop" not in body and b"Content-Length" not in body


def test_chunks_and_trailers_come_down(lab):
    a = lab.get_plain("chunks.lab.test", port=lab.chunks)
    assert a.body == b"hello world" and a.trailers == [("X-Sum", "42")]


def test_old_clients_get_no_chunks(lab):
    to = f"chunks.lab.test:{lab.chunks}"
    with lab.connect() as s:
        s.sendall(f"GET http://{to}/ HTTP/1.0\r\nHost: {to}\r\n\r\n".encode())
        a = Answer(s)
        assert a.field("transfer-encoding") is None and a.body == b"hello world"


def test_old_requests_without_host_get_one(lab):
    with lab.connect() as s:
        s.sendall(f"GET http://plain.lab.test:{lab.plain_port}/1k HTTP/1.0\r\n\r\n".encode())
        a = Answer(s)
        assert a.status == 200, a.raw
        assert a.field("x-seen-host") == f"plain.lab.test:{lab.plain_port}"


def test_a_request_that_runs_in_a_circle_is_refused(lab):
    for via in ("1.1 sekisho-990001", "1.1 sekisho-990001, 1.1 squid", "1.0 a, 1.1 sekisho-990001"):
        assert lab.get_plain("plain.lab.test", headers=f"Via: {via}\r\n").status == 400, via
    assert lab.get_plain("plain.lab.test", headers="Via: 1.1 sekisho-990002\r\n").status == 200


def test_interim_answers_pass(lab):
    to = f"slow.lab.test:{lab.slow}"
    with lab.connect() as s:
        s.sendall(f"PUT http://{to}/ HTTP/1.1\r\nHost: {to}\r\nExpect: 100-continue\r\n"
                  "Content-Length: 4\r\n\r\n".encode())
        assert Answer(s).status == 100
        s.sendall(b"body")
        assert Answer(s).body == b"body"
    a = lab.get_plain("slow.lab.test", port=lab.slow)
    assert a.status == 103 and a.field("link") == "</a.css>"
    assert Answer(a.sock).body == b"ok"


def test_a_cut_body_can_be_told_from_a_whole_one(lab):
    for path in ("/length", "/chunked"):
        try:
            lab.get_plain("cut.lab.test", path, port=lab.cut)
        except Cut:
            continue
        raise AssertionError(f"{path} looked complete")
    assert lab.get_plain("cut.lab.test", "/close", port=lab.cut).body == b"until the end"
    assert lab.get_plain("cut.lab.test", "/nothing", port=lab.cut).status == 502


def test_unknown_sources_and_the_mynumber_zone_get_nothing(lab):
    for source in (STRANGER, CITY_MYNUMBER):
        a = lab.get_plain("plain.lab.test", source=source)
        assert a.status == 403 and b"hello" not in a.body, source
    assert lab.get_plain("plain.lab.test", source=CITY_LGWAN).status == 403
    assert lab.get_plain("lgwan-ok.lab.test", source=CITY_LGWAN).status == 200
    rule = lab.event(event="exchange", client=CITY_MYNUMBER)["rule"]
    assert rule.startswith("builtin:")


def test_what_no_rule_names_is_blocked(lab):
    a = lab.get_plain("elsewhere.test", port=80)
    assert a.status == 403
    e = lab.event(event="exchange", host="elsewhere.test")
    assert e["verdict"] == "block"
    assert e["id"].encode() in a.body


def test_many_clients_at_once(lab):
    wrong = []

    def one():
        with lab.connect() as s:
            for _ in range(50):
                if lab.get_plain("plain.lab.test", "/1k", sock=s).body != b"k" * 1024:
                    wrong.append(1)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


