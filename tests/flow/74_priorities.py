# SPDX-License-Identifier: Apache-2.0
"""RFC 9218: who is served first, and what origins are told of it."""
import threading
import time

import h2
from h2 import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, Connection, Origin, block, frame
from lab import CITY, Lab, read_head, wait_until

PRIORITY_UPDATE, NO_RFC7540_PRIORITIES, INITIAL_WINDOW = 0x10, 9, 4


def make(build):
    lab = Lab(build, edges=1, hosts={"two.lab.test": "127.0.0.1", "one.lab.test": "127.0.0.1"})
    lab.updates, lab.heads, lab.asked = [], [], threading.Event()
    lab.two = lab.origin(lambda s: two(lab, s), tls=True, alpn=["h2"])
    lab.one = lab.origin(lambda s: one(lab, s))
    lab.write_settings()
    return lab


def two(lab, s):
    """Keeps what it is told; answers with the second request."""
    o = Origin(s, [(NO_RFC7540_PRIORITIES, 1)])
    streams = []
    while got := o.read():
        if got[0] == PRIORITY_UPDATE:
            lab.updates.append(got[3])
        if got[0] == HEADERS:
            streams.append(got[2])
            lab.asked.set()
        if len(streams) == 2:
            while streams:
                o.answer(streams.pop())


def one(lab, s):
    while head := read_head(s):
        lab.heads.append(head)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def update(stream, value):
    return frame(PRIORITY_UPDATE, 0, 0, stream.to_bytes(4, "big") + value)


class Reader(Connection):
    """Its streams' windows are wide, its own is opened step by step."""

    def __init__(self, lab):
        super().__init__(lab, "www.lab.test", settings=[(INITIAL_WINDOW, 1 << 24)])
        self.left = 65535

    def take(self):
        """Which stream each frame is of, until the window is closed."""
        order = []
        while self.left > 0:
            got = self.read()
            if got[0] == DATA:
                order.append(got[2])
                self.left -= len(got[3])
        return order

    def open(self, n):
        self.left += n
        self.send(h2.window(0, n))


def begin(lab, *priorities):
    """A reader of one long answer for each of them, and who has room for more
    than the proxy has."""
    c = Reader(lab)
    for n, priority in enumerate(priorities):
        c.ask(2 * n + 1, "/10m", more=[("priority", priority)] if priority else ())
    c.take()
    c.open(65536)
    c.take()
    return c


def mostly(c):
    """Which stream is served, in small steps: who waits for more from its
    origin makes room for the next, so that gets time to come."""
    order = []
    for _ in range(20):
        time.sleep(0.02)
        c.open(8192)
        order += c.take()
    first = max(set(order), key=order.count)
    return first if order.count(first) > 0.8 * len(order) else None


def test_the_more_urgent_comes_first(lab):
    with begin(lab, "u=5", "u=1", "u=3") as c:
        assert mostly(c) == 3
        c.send(update(1, b"u=0"))
        assert mostly(c) == 1


def test_who_says_nothing_shares(lab):
    with begin(lab, None, None) as c:
        assert mostly(c) is None
    with begin(lab, "u=3, i", "u=3, i") as c:
        assert mostly(c) is None
    with begin(lab, "u=3", "u=3") as c:
        assert mostly(c) == 1


def test_origins_are_told(lab):
    with Connection(lab, "two.lab.test", lab.two) as c:
        c.ask(1, more=[("priority", "u=6")])
        assert lab.asked.wait(5)
        for value in (b"u=2, i", b"u=1\r\nx: y", b"x" * 33, b"x" * 32):
            c.send(update(1, value))
        c.ask(3)
        assert c.until(DATA, 3)
    assert lab.updates == [b"\0\0\0\1u=2, i", b"\0\0\0\1" + b"x" * 32], lab.updates


def test_before_the_origin_is_reached_it_is_the_field(lab):
    to = f"one.lab.test:{lab.one}"
    s = lab.connect_tls(CITY, alpn=["h2"])
    with h2.Peer(s, PREFACE + h2.settings_frame(())) as p:
        head = block((":method", "GET"), (":scheme", "http"), (":authority", to), (":path", "/"),
                     ("priority", "u=6"))
        flags = END_HEADERS | END_STREAM
        p.send(frame(HEADERS, flags, 1, head) + update(1, b"u=2") + update(1, b"u=1, i"))
        assert p.body(1) == b"ok"
        p.send(frame(HEADERS, flags, 3, head[:head.index(b"\0\x08priority")]) + update(3, b"u=0"))
        assert p.body(3) == b"ok"
    assert [line for head in lab.heads for line in head.split(b"\r\n")
            if line.lower().startswith(b"priority")] == [b"priority: u=1, i", b"Priority: u=0"], lab.heads


def test_an_update_may_come_before_its_stream(lab):
    """More of them than streams may be open: libnghttp2 1.52 would count each, and write into freed memory."""
    with Reader(lab) as c:
        for n in range(300):
            stream = 2 * n + 1
            c.send(update(stream, b"u=1"))
            c.ask(stream, "/1k")
            c.body(stream)
    with Reader(lab) as c:
        c.send(update(3, b"u=0"))
        c.ask(1, "/10m", more=[("priority", "u=1")])
        c.ask(3, "/10m")
        c.take()
        wait_until(lambda: lab.ctl("status"))
        c.open(65536)
        c.take()
        # its origin may be slower to fill what both of them need
        wait_until(lambda: mostly(c) == 3, 5)


def test_an_update_beside_any_number_of_fields(lab):
    """It becomes a field of its request: one more than there was room for, once wrote past it."""
    to = f"one.lab.test:{lab.one}"
    s = lab.connect_tls(CITY, alpn=["h2"])
    with h2.Peer(s, PREFACE + h2.settings_frame(())) as p:
        for n in range(40):
            stream = 2 * n + 1
            lab.heads.clear()
            head = block((":method", "GET"), (":scheme", "http"), (":authority", to), (":path", "/"),
                         *((f"x-{i}", "a") for i in range(n)))
            p.send(update(stream, b"u=0") + frame(HEADERS, END_HEADERS | END_STREAM, stream, head))
            assert p.body(stream) == b"ok"
            assert lab.heads[0].lower().count(b"priority: u=0\r\n") == 1
            assert lab.heads[0].count(b"\r\nx-") == n and b"\r\nhost: " in lab.heads[0].lower()


def test_an_update_of_nothing_ends_the_connection(lab):
    for bad, code in ((frame(PRIORITY_UPDATE, 0, 1, b"\0\0\0\1u=1"), 1), (frame(PRIORITY_UPDATE, 0, 0, b""), 6),
                      (frame(PRIORITY_UPDATE, 0, 0, b"\0\0\1"), 6), (update(0, b"u=1"), 1), (update(2, b"u=1"), 1)):
        with Connection(lab, "www.lab.test") as c:
            c.send(bad)
            assert c.end() == code, bad
