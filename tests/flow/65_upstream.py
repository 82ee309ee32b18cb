# SPDX-License-Identifier: Apache-2.0
"""Connections to origins: kept, raced, retried where that is allowed, bound."""
import itertools
import os
import pathlib
import signal
import socket
import time

from lab import CITY, FORWARDER, TOWN, Answer, Lab, read_head, wait_until


def make(build):
    names = ("count", "once", "bound", "early", "extra", "bye")
    lab = Lab(build, edges=1, hosts={f"{n}.lab.test": "127.0.0.1" for n in names})
    lab.seen = []
    lab.count = lab.origin(counted)
    lab.once = lab.origin(lambda s: once(lab, s))
    lab.bound = lab.origin(negotiate)
    lab.bye = lab.origin(bye)
    lab.early = lab.origin(early)
    lab.surplus = lab.origin(extra)
    lab.pieces = lab.origin(lambda s: pieces(lab, s))
    lab.write_settings()
    return lab


connections = []
numbers = itertools.count()


def counted(s):
    connections.append(s)
    me = len(connections)
    while read_head(s):
        text = f"connection {me}".encode()
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)


def once(lab, s):
    """Closes without a word at the second request, as an idle timeout does."""
    lab.seen.append(read_head(s))
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    lab.seen.append(read_head(s))


def pieces(lab, s):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    read_head(s)
    for part in lab.cut:
        s.sendall(part)
        time.sleep(0.002)  # a read of its own


def negotiate(s):
    me = b"%d" % next(numbers)
    while head := read_head(s):
        if b"Authorization: Negotiate" not in head and b"/open" not in head:
            s.sendall(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n"
                      b"X-Connection: " + me + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            s.sendall(b"HTTP/1.1 200 OK\r\nX-Connection: " + me + b"\r\nContent-Length: 0\r\n\r\n")


def early(s):
    """Answers before the body has come, and leaves."""
    read_head(s)
    s.sendall(b"HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def bye(s):
    if read_head(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    if read_head(s):
        s.sendall(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                  b"Content-Length: 0\r\n\r\n")


def extra(s):
    """Sends more than it was asked for."""
    me = b"%d" % next(numbers)
    while read_head(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nX-Connection: " + me + b"\r\nContent-Length: 4\r\n\r\nmine"
                  b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted")


def test_a_connection_is_kept_for_the_same_body_only(lab):
    def get(source):
        return lab.get_plain("count.lab.test", port=lab.count, source=source).body

    first = get(CITY)
    assert get(CITY) == first
    other = get(TOWN)
    assert other != first
    assert (get(CITY), get(TOWN)) == (first, other)


def test_what_may_be_done_twice_is_tried_again(lab):
    def send(method, body=b""):
        to = f"once.lab.test:{lab.once}"
        with lab.connect() as s:
            s.sendall(f"{method} http://{to}/ HTTP/1.1\r\nHost: {to}\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            return Answer(s).status

    assert send("GET") == 200
    assert send("GET") == 200, "a kept connection had closed: a fresh one is asked"
    got = send("POST", b"order")
    assert got == 502, f"{got}: what may not be done twice is not"
    posts = [h for h in lab.seen if h.startswith(b"POST")]
    assert len(posts) == 1, posts


def test_an_early_answer_reaches_a_client_that_still_sends(lab):
    """And what it still sends is taken from it, so that it comes to read."""
    begun = time.monotonic()
    to = f"early.lab.test:{lab.early}"
    with lab.connect() as s:
        s.sendall(f"POST http://{to}/ HTTP/1.1\r\nHost: {to}\r\nContent-Length: 10000000\r\n\r\n".encode())
        try:
            for _ in range(100):
                s.sendall(b"x" * 100000)
        except OSError:
            pass
        assert Answer(s).status == 413
    assert time.monotonic() - begun < 5


def test_bytes_that_nobody_asked_for_are_nobodys_answer(lab):
    answers = [lab.get_plain("extra.lab.test", port=lab.surplus) for _ in range(3)]
    assert [a.body for a in answers] == [b"mine"] * 3
    assert len({a.field("x-connection") for a in answers}) == 3, "such a connection is not kept"


def test_what_came_while_a_connection_was_kept_is_nobodys_answer(lab):
    """Even when it lies in the socket as the next request is made."""
    edge = lab.children()["edge.0"]
    planted = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted"
    to = f"count.lab.test:{lab.count}"
    request = f"GET http://{to}/ HTTP/1.1\r\nHost: {to}\r\n\r\n".encode()
    for _ in range(10):
        with lab.connect() as s:
            kept = lab.get_plain("count.lab.test", port=lab.count).body
            os.kill(edge, signal.SIGSTOP)
            wait_until(lambda: ") T " in pathlib.Path(f"/proc/{edge}/stat").read_text())
            try:
                connections[int(kept.split()[1]) - 1].sendall(planted)
                s.sendall(request)
            finally:
                os.kill(edge, signal.SIGCONT)
            assert b"planted" not in Answer(s).body


def test_a_farewell_is_no_answer(lab):
    """408 on a kept connection, which the next request met on its way."""
    assert lab.get_plain("bye.lab.test", port=lab.bye).body == b"ok"
    assert lab.get_plain("bye.lab.test", port=lab.bye).body == b"ok"


def test_a_connection_that_authenticated_serves_its_client_alone(lab):
    def get(s, path="/", headers=""):
        a = lab.get_plain("bound.lab.test", path, port=lab.bound, sock=s, headers=headers)
        return a.status, a.field("x-connection")

    with lab.connect() as mine, lab.connect() as other:
        status, connection = get(mine)
        assert status == 401
        assert get(mine, headers="Authorization: Negotiate abc\r\n") == (200, connection)
        assert get(other, "/open")[1] != connection
        assert get(mine, headers="Authorization: Negotiate abc\r\n") == (200, connection)


def test_a_bound_connection_goes_nowhere_else(lab):
    """Over one connection a client asks several origins, and a forwarder for several clients."""
    negotiate = "Authorization: Negotiate abc\r\n"
    with lab.connect() as s:
        mine = lab.get_plain("bound.lab.test", port=lab.bound, sock=s, headers=negotiate)
        a = lab.get_plain("count.lab.test", port=lab.count, sock=s)
        assert a.body.startswith(b"connection"), a.raw
        again = lab.get_plain("bound.lab.test", port=lab.bound, sock=s, headers=negotiate)
        assert again.field("x-connection") == mine.field("x-connection")
    with lab.connect(FORWARDER) as s:
        def get(who, headers=""):
            return lab.get_plain("bound.lab.test", "/open", port=lab.bound, sock=s,
                                 headers=f"X-Forwarded-For: {who}\r\n{headers}")

        first = get(CITY, negotiate).field("x-connection")
        assert get("127.0.1.77").field("x-connection") != first
        assert get(TOWN).field("x-connection") != first
        assert get(CITY, negotiate).field("x-connection") == first


def test_a_head_may_come_in_pieces(lab):
    """In as many as there are bytes, its body too."""
    whole = (b"HTTP/1.1 200 OK\r\nX-Seen: yes\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"2\r\nok\r\n0\r\nX-T: 1\r\n\r\n")
    cuts = [[whole[i:i + 1] for i in range(len(whole))]]
    cuts += [[whole[:at], whole[at:]] for at in range(1, len(whole), 7)]
    for lab.cut in cuts:
        answer = lab.get_plain("count.lab.test", port=lab.pieces)
        assert (answer.status, answer.field("x-seen"), answer.body) == (200, "yes", b"ok"), \
            (answer.raw, answer.body, len(lab.cut))


def test_a_dead_address_costs_no_more_than_the_race(lab):
    # nothing listens at the first, the second swallows packets where the
    # namespace allows to say so
    lab.write_settings(hosts={"raced.lab.test": '::1", "127.0.0.77", "127.0.0.1'},
                       upstream="race_delay = 0.2; connect_timeout = 5;")
    conf = lab.dir / "sekisho.conf"
    conf.write_text(conf.read_text().replace('permitted = ["127.0.0.0/8"]',
                                             'permitted = ["127.0.0.0/8", "::1/128"]'))
    lab.ctl("reload")
    begun = time.monotonic()
    assert lab.get("raced.lab.test").status == 200
    assert time.monotonic() - begun < 1.5


def test_an_address_that_never_answers_is_passed_by(lab):
    full = socket.socket()  # its backlog is full: no SYN is answered
    full.bind(("127.0.0.78", lab.tls_port))
    full.listen(0)
    fillers = []
    for _ in range(3):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.78", lab.tls_port))
        fillers.append(s)
    lab.write_settings(hosts={"mute.lab.test": '127.0.0.78", "127.0.0.1'},
                       upstream="race_delay = 0.2; connect_timeout = 5;")
    lab.ctl("reload")
    begun = time.monotonic()
    assert lab.get("mute.lab.test").status == 200
    took = time.monotonic() - begun
    assert 0.2 <= took < 2, took
    for s in (*fillers, full):
        s.close()
