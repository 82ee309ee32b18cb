# SPDX-License-Identifier: Apache-2.0
"""What two parsers could read in two ways is refused, and never sent on."""
from lab import TOWN, Answer, Lab, read_head, wait_until

SEEN = []


def make(build):
    lab = Lab(build, hosts={"o.lab.test": "127.0.0.1"})
    lab.o = lab.origin(origin)
    lab.write_settings()
    return lab


def origin(s):
    while True:
        head = read_head(s)
        if not head:
            return
        SEEN.append(head)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


T, H = "http://o.lab.test:PORT/", "Host: o.lab.test:PORT\r\n"
BAD = {
    "length and chunks": f"POST {T} HTTP/1.1\r\n{H}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": f"POST {T} HTTP/1.1\r\n{H}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": f"POST {T} HTTP/1.1\r\n{H}Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": f"POST {T} HTTP/1.1\r\n{H}Content-Length: +3\r\n\r\nabc",
    "an unknown coding": f"POST {T} HTTP/1.1\r\n{H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": f"POST {T} HTTP/1.1\r\n{H}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "a folded field": f"GET {T} HTTP/1.1\r\n{H}X: a\r\n b\r\n\r\n",
    "a bare LF": f"GET {T} HTTP/1.1\n{H}\r\n\r\n",
    "a bare LF in a field": f"GET {T} HTTP/1.1\r\n{H}X: a\nY: b\r\n\r\n",
    "a bare CR in a field": f"GET {T} HTTP/1.1\r\n{H}X: a\rY: b\r\n\r\n",
    "NUL in a field": f"GET {T} HTTP/1.1\r\n{H}X: a\0b\r\n\r\n",
    "a blank before the colon": f"GET {T} HTTP/1.1\r\n{H}X : a\r\n\r\n",
    "an empty name": f"GET {T} HTTP/1.1\r\n{H}: a\r\n\r\n",
    "no Host": f"GET {T} HTTP/1.1\r\n\r\n",
    "two Hosts": f"GET {T} HTTP/1.1\r\n{H}{H}\r\n",
    "Host unlike the target": f"GET {T} HTTP/1.1\r\nHost: evil.test\r\n\r\n",
    "userinfo": f"GET http://a@o.lab.test:PORT/ HTTP/1.1\r\n{H}\r\n",
    "a backslash": f"GET http://o.lab.test:PORT\\@evil.test/ HTTP/1.1\r\n{H}\r\n",
    "origin form to a proxy": f"POST /x HTTP/1.1\r\n{H}Content-Length: 0\r\n\r\n",
    "HTTP/0.9": f"GET {T}\r\n\r\n",
    "HTTP/2 in words": f"GET {T} HTTP/2.0\r\n{H}\r\n",
    "a chunk size with a bare LF": f"POST {T} HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "a negative chunk": f"POST {T} HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a hexadecimal prefix": f"POST {T} HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a body after CONNECT": "CONNECT o.lab.test:PORT HTTP/1.1\r\nHost: o.lab.test:PORT\r\nContent-Length: 3\r\n\r\nabc",
    "CONNECT without port": "CONNECT o.lab.test HTTP/1.1\r\nHost: o.lab.test\r\n\r\n",
    "CONNECT with a path": "CONNECT http://o.lab.test:PORT/ HTTP/1.1\r\nHost: o.lab.test\r\n\r\n",
}


def test_ambiguous_requests_are_refused_with_a_reason(lab):
    for name, text in BAD.items():
        before = len(SEEN)
        a = lab.send_raw(text.replace("PORT", str(lab.o)).encode("latin-1"))
        assert a.status in (400, 501, 505), f"{name}: {a.raw}"
        smuggled = [h for h in SEEN[before:] if b"chunked" not in h.lower()]
        assert not smuggled, f"{name}: {smuggled}"


def test_a_request_that_follows_a_refused_one_is_not_served(lab):
    # at a place of their own: a body refused behind its head may still come in from before
    bad = BAD["length and chunks"].replace(T, T + "after").replace("PORT", str(lab.o))
    good = f"GET {T}after HTTP/1.1\r\n{H}\r\n".replace("PORT", str(lab.o))
    assert lab.send_raw((bad + good).encode()).status == 400
    assert not [h for h in SEEN if b"/after" in h], SEEN


def test_a_bad_body_behind_a_head_ends_its_exchange_alone(lab):
    """Read when the new connection to its origin is there, it ended the edge."""
    to = f"plain.lab.test:{lab.plain_port}"
    before = lab.children()
    for body in (b"5\nhello", b"x\r\n", b"5\r\nhello\r\n0\r\nHost: a\r\n\r\n"):
        with lab.connect(TOWN) as s:
            s.sendall(f"POST http://{to}/ HTTP/1.1\r\nHost: {to}\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n".encode() + body)
            assert Answer(s).status == 400, body
    assert lab.children() == before, "a process died of it"


def test_heads_stop_at_their_limit(lab):
    head = f"GET {T} HTTP/1.1\r\n{H}".replace("PORT", str(lab.o))
    room = 32768 - len(head) - len("X: \r\n\r\n")
    assert lab.send_raw(f"{head}X: {'a' * room}\r\n\r\n".encode()).status == 200
    assert lab.send_raw(f"{head}X: {'a' * (room + 1)}\r\n\r\n".encode()).status == 431
    assert lab.send_raw((head + "A: 1\r\n" * 127 + "\r\n").encode()).status == 200
    assert lab.send_raw((head + "A: 1\r\n" * 128 + "\r\n").encode()).status == 431


def test_the_reason_is_in_the_journal(lab):
    lab.send_raw(BAD["two lengths"].replace("PORT", str(lab.o)).encode())
    wait_until(lambda: any("Content-Length" in e.get("why", "") for e in lab.journal()))
