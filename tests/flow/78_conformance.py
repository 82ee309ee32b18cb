#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of RFC 9113 and RFC 7541 that a peer can break, as a table.

Run by itself it prints the table as Markdown: docs/generate makes
docs/CONFORMANCE.md of it. A row: the section, what the peer sends (words, and
what makes the bytes), what must come of it.
"""
import queue
import re

import h2
from h2 import ACK, CODES, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, \
    PING, PREFACE, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, WITH_PRIORITY, \
    Connection, Origin, Peer, block, frame, settings_frame, u32, window
from lab import Lab, read_head

BOTH = END_HEADERS | END_STREAM
TABLE_SIZE, ENABLE_PUSH, STREAMS, WINDOW, FRAME_SIZE, HEAD_SIZE, CONNECT_PROTOCOL, NO_PRIORITIES = (
    1, 2, 3, 4, 5, 6, 8, 9)
AFTER = 1001  # the stream of the request that shows whether the connection goes on


# What must come of a row.

class Want:
    def __init__(self, words, goaway=None, resets=(), answers=(), client=None, body=None):
        self.words, self.goaway, self.client, self.body = words, goaway, client, body
        self.resets, self.answers = dict(resets), dict(answers)


def ignored(words="it is ignored"):
    return Want(words)


def answered(status=200, stream=1, body=None, words=None):
    return Want(words or f"it is answered: {status}", answers={stream: status}, body=body)


STILL_IGNORED = Want("it is ignored", answers={1: 200})


def reset(code, stream=1):
    return Want(f"stream error {code}", resets={stream: code})


def ended(code, *answers):
    return Want(f"connection error {code}", goaway=code, answers=answers)


CLOSED = "closed"  # without GOAWAY
NO_DATA = "no DATA"  # not even an empty one


def closed():
    return Want("the connection is closed", goaway=CLOSED)


LEFT = Want("what runs is answered, then the connection ends", goaway=CLOSED, answers={1: 200})


class Seen:
    """What a peer got."""

    def __init__(self):
        self.goaway, self.resets, self.statuses, self.bodies = None, {}, {}, {}
        self.over, self.acks, self.finished = False, 0, set()

    def take(self, got):
        if got is None:
            self.over = True
            return
        kind, flags, stream, payload = got
        if kind == GOAWAY and payload[4:8] != u32(0):
            self.goaway = CODES[int.from_bytes(payload[4:8], "big")]
        elif kind == RST_STREAM:
            self.resets[stream] = CODES[int.from_bytes(payload, "big")]
        elif kind == HEADERS and stream not in self.statuses:
            self.statuses[stream] = payload
        elif kind == DATA:
            self.bodies[stream] = self.bodies.get(stream, b"") + payload
        elif kind == SETTINGS and flags & ACK:
            self.acks += 1
        if kind == RST_STREAM or kind in (HEADERS, DATA) and flags & END_STREAM:
            self.finished.add(stream)


class Watched:
    """Either end, with what it has seen."""

    def __init__(self, *args, **kw):
        self.seen = Seen()
        super().__init__(*args, **kw)

    def read(self):
        got = super().read()
        self.seen.take(got)
        return got

    def wait(self, *streams):
        """Reads until these streams are done, or the connection is."""
        while not self.seen.over and not set(streams) <= self.seen.finished:
            self.read()
        return self.seen

    def wait_acks(self, n):
        while self.seen.acks < n:
            assert self.read()


class Client(Watched, Connection):
    pass


class OddOrigin(Watched, Origin):
    pass


class OddPeer(Watched, Peer):
    acknowledges = False


DIGITS = {"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5",
          "011100": "6", "011101": "7", "011110": "8", "011111": "9"}  # RFC 7541 appendix B


def status_of(head):
    """The :status of a head by nghttp2's encoder, where it comes first."""
    while head[0] & 0xe0 == 0x20:  # size updates
        n = 1
        if head[0] & 0x1f == 0x1f:
            while head[n] & 0x80:
                n += 1
            n += 1
        head = head[n:]
    if head[0] & 0x80:
        return (200, 204, 206, 304, 400, 404, 500)[(head[0] & 0x7f) - 8]
    n = head[1] & 0x7f
    if not head[1] & 0x80:
        return int(head[2:2 + n])
    bits, out = "".join(f"{b:08b}" for b in head[2:2 + n]), ""
    while len(out) < 3:
        code = next(c for c in DIGITS if bits.startswith(c))
        bits, out = bits[len(code):], out + DIGITS[code]
    return int(out)


# What clients send. c makes fields for the name that it is connected to.

def get(c, stream=1, flags=BOTH, **kw):
    return frame(HEADERS, flags, stream, c.fields(**kw))


def post(c, stream=1, more=(), body=None):
    head = frame(HEADERS, END_HEADERS, stream, c.fields(method="POST", more=more))
    return head if body is None else head + frame(DATA, END_STREAM, stream, body)


def raw(c, *fields, flags=BOTH):
    """A head of these fields; None stands for those of a good request."""
    good = {":method": "GET", ":scheme": "https", ":authority": c.authority, ":path": "/"}
    return frame(HEADERS, flags, 1, block(*(
        (f, good[f]) if isinstance(f, str) else f for f in fields)))


PSEUDO = (":method", ":scheme", ":authority", ":path")


def with_field(name, value=""):
    return lambda c: raw(c, *PSEUDO, (name, value))


def coded(octets, flags=BOTH):
    """A good request, then these octets of HPACK."""
    return lambda c: frame(HEADERS, flags, 1, c.fields() + octets)


def waiting(c, stream=1):
    """A request that nobody answers: half closed, as the client has ended."""
    return get(c, stream, path="/wait")


def finished(c):
    """A request that was answered to the end."""
    c.send(get(c))
    c.wait(1)


def reset_by_us(c):
    """A request that the proxy has reset."""
    c.send(post(c) + window(1, 2 ** 31 - 1) * 2)
    assert c.reset(1) == CODES.index("FLOW_CONTROL_ERROR")


def settings(*pairs):
    return lambda peer: settings_frame(pairs)


def bytes_of(octets):
    return lambda *_: octets


def after(state, make):
    """What `make` makes, when `state` has been reached."""
    def both(c):
        sent = state(c)
        return (sent or b"") + make(c)
    return both


def pinged(payload):
    def check(c):
        c.send(frame(PING, 0, 0, payload))
        assert c.until(PING)[3] == payload
    return check


def settings_are_acknowledged(c):
    c.send(settings_frame(((WINDOW, 1000),)))
    c.wait_acks(2)  # those of the preface too


def data_in_windows(c):
    """One octet, then as the window grows: by SETTINGS and by updates."""
    c.send(settings_frame(((WINDOW, 1),)) + get(c, path="/10"))
    assert len(c.until(DATA, 1)[3]) == 1
    c.send(settings_frame(((WINDOW, 4),)))
    assert len(c.until(DATA, 1)[3]) == 3
    c.send(settings_frame(((WINDOW, 2),)))  # it is negative now: -2
    c.send(window(1, 2) + frame(PING, 0, 0, b"negative"))
    assert c.until(PING) and not c.unread
    c.send(window(1, 1))
    got = c.until(DATA, 1)
    assert len(got[3]) == 1, got
    c.send(settings_frame(((WINDOW, 65535),)))


def no_more_than_the_connections_window(c):
    c.send(settings_frame(((WINDOW, 2 ** 20),)) + get(c, path="/100000"))
    n = 0
    while n < 65535:
        n += len(c.until(DATA, 1)[3])
    assert n == 65535, n
    c.send(frame(PING, 0, 0, b"thewhole"))
    assert c.until(PING)[3] == b"thewhole"
    c.send(window(0, 2 ** 20))


def frames_in_size(c):
    c.send(get(c, path="/50000"))
    n = 0
    while n < 50000:
        got = c.until(DATA, 1)
        assert len(got[3]) <= 16384
        n += len(got[3])


def last_of_two_counts(c):
    c.send(settings_frame(((WINDOW, 100), (WINDOW, 1))) + get(c, path="/10"))
    assert len(c.until(DATA, 1)[3]) == 1
    c.send(settings_frame(((WINDOW, 65535),)))


def no_table(c):
    """With a table of 0, the next head begins with a size update (RFC 7541 section 4.2)."""
    c.send(settings_frame(((TABLE_SIZE, 0),)) + get(c))
    assert c.until(HEADERS, 1)[3][0] == 0x20


def no_field_of_the_connection(c):
    c.send(get(c, path="/odd-fields"))
    head = c.until(HEADERS, 1)[3]
    assert b"keep-alive" not in head


def cookies(c):
    c.send(raw(c, *PSEUDO[:3], (":path", "/cookie"), ("cookie", "a=1"), ("cookie", "b=2")))


def over_the_limit(c):
    c.until(SETTINGS)
    c.send(b"".join(waiting(c, n) for n in range(1, 2 * 10 + 2, 2)))


BOMB = bytes((0x40, 1)) + b"a" + h2.number(3000) + b"y" * 3000  # into the table

CLIENT_ROWS = [
    # Starting.
    ("3.4", "the preface, then SETTINGS", bytes_of(b""), ignored("SETTINGS, and their ACK")),
    ("3.4", "`GET / HTTP/1.1` in place of the preface", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", closed()),
    ("3.4", "the preface, then PING in place of SETTINGS", PREFACE + frame(PING, 0, 0, b"8" * 8),
     ended("PROTOCOL_ERROR")),
    # 4. Frames.
    ("4.1", "flags that are not defined, on PING", bytes_of(frame(PING, 0xfe, 0, b"8" * 8)), ignored()),
    ("4.1", "the reserved bit of the stream identifier, set",
     bytes_of(frame(PING, 0, 1 << 31, b"8" * 8)), ignored()),
    ("4.1", "a request with flags that are not defined",
     lambda c: get(c, flags=BOTH | 0xd2 & ~PADDED & ~WITH_PRIORITY), answered()),
    ("4.2", "DATA of 16,384 octets", lambda c: post(c, body=b"x" * 16384), answered(body=b"POST 16384")),
    ("4.2", "DATA of 16,385 octets", lambda c: post(c, body=b"x" * 16385), ended("FRAME_SIZE_ERROR")),
    ("4.2", "HEADERS of 16,385 octets",
     lambda c: frame(HEADERS, BOTH, 1, c.fields() + b"x" * (16385 - len(c.fields()))),
     ended("FRAME_SIZE_ERROR")),
    ("4.2", "a request for 50,000 octets", frames_in_size, answered(words="DATA of at most 16,384 octets")),
    ("4.3", "a field block that ends in the middle of a field",
     coded(b"\x40\x05ab"), ended("COMPRESSION_ERROR")),
    ("4.3", "a field block of three frames",
     lambda c: frame(HEADERS, END_STREAM, 1, c.fields()[:3]) + frame(CONTINUATION, 0, 1, c.fields()[3:9])
     + frame(CONTINUATION, END_HEADERS, 1, c.fields()[9:]), answered()),
    ("4.3", "PRIORITY inside a field block",
     lambda c: get(c, flags=END_STREAM) + frame(PRIORITY, 0, 1, b"\0" * 5), ended("PROTOCOL_ERROR")),
    ("4.3", "HEADERS of another stream inside a field block",
     lambda c: get(c, flags=END_STREAM) + get(c, 3), ended("PROTOCOL_ERROR")),
    # 5.1 Stream states.
    ("5.1", "idle: DATA", bytes_of(frame(DATA, END_STREAM, 1, b"x")), ended("PROTOCOL_ERROR")),
    ("5.1", "idle: RST_STREAM", bytes_of(frame(RST_STREAM, 0, 1, u32(8))), ended("PROTOCOL_ERROR")),
    ("5.1", "idle: WINDOW_UPDATE", bytes_of(window(1, 100)), ended("PROTOCOL_ERROR")),
    ("5.1", "idle: CONTINUATION", lambda c: frame(CONTINUATION, BOTH, 1, c.fields()), ended("PROTOCOL_ERROR")),
    ("5.1", "idle: PRIORITY", bytes_of(frame(PRIORITY, 0, 1, u32(0) + b"\x0f")), ignored()),
    ("5.1", "half closed: DATA", lambda c: waiting(c) + frame(DATA, END_STREAM, 1, b"x"), ended("STREAM_CLOSED")),
    ("5.1", "half closed: HEADERS", lambda c: waiting(c) + get(c), ended("STREAM_CLOSED")),
    ("5.1", "half closed: CONTINUATION",
     lambda c: waiting(c) + frame(CONTINUATION, BOTH, 1, c.fields()), ended("PROTOCOL_ERROR")),
    ("5.1", "half closed: WINDOW_UPDATE", lambda c: get(c) + window(1, 1), answered()),
    ("5.1", "half closed: PRIORITY", lambda c: get(c) + frame(PRIORITY, 0, 1, u32(0) + b"\x0f"), answered()),
    ("5.1", "half closed: RST_STREAM", lambda c: waiting(c) + frame(RST_STREAM, 0, 1, u32(8)),
     ignored("the request is given up")),
    ("5.1", "closed by both ends: DATA", after(finished, bytes_of(frame(DATA, END_STREAM, 1, b"x"))),
     STILL_IGNORED),
    ("5.1", "closed by both ends: HEADERS", after(finished, get), STILL_IGNORED),
    ("5.1", "closed by both ends: CONTINUATION",
     after(finished, lambda c: frame(CONTINUATION, BOTH, 1, c.fields())), ended("PROTOCOL_ERROR")),
    ("5.1", "closed by both ends: WINDOW_UPDATE, RST_STREAM and PRIORITY",
     after(finished, bytes_of(window(1, 1) + frame(RST_STREAM, 0, 1, u32(8))
                              + frame(PRIORITY, 0, 1, u32(0) + b"\x0f"))), STILL_IGNORED),
    ("5.1", "reset by the client: DATA",
     lambda c: post(c) + frame(RST_STREAM, 0, 1, u32(8)) + frame(DATA, END_STREAM, 1, b"x"), ignored()),
    ("5.1", "reset by the client: HEADERS",
     lambda c: post(c) + frame(RST_STREAM, 0, 1, u32(8)) + get(c), ignored()),
    ("5.1", "reset by the client: CONTINUATION",
     lambda c: waiting(c) + frame(RST_STREAM, 0, 1, u32(8)) + frame(CONTINUATION, BOTH, 1, c.fields()),
     ended("PROTOCOL_ERROR")),
    ("5.1", "reset by the proxy: DATA, HEADERS, WINDOW_UPDATE and RST_STREAM that were under way",
     after(reset_by_us, lambda c: frame(DATA, 0, 1, b"x" * 1000) + window(1, 5) + get(c)
           + frame(RST_STREAM, 0, 1, u32(8))),
     Want("it is ignored", resets={1: "FLOW_CONTROL_ERROR"})),
    ("5.1.1", "a request on an even stream", lambda c: get(c, 2), ended("PROTOCOL_ERROR")),
    ("5.1.1", "a request on stream 0", lambda c: get(c, 0), ended("PROTOCOL_ERROR")),
    ("5.1.1", "a request on stream 1 after one on stream 3",
     lambda c: get(c, 3) + get(c, 1), Want("it is ignored [1]", answers={3: 200})),
    ("5.1.1", "a request on stream 1,000,001, then on a higher one", lambda c: get(c, 501), answered(stream=501)),
    ("5.1.2", "one request more than `limits.h2_streams_max` (10 here)", over_the_limit,
     ended("PROTOCOL_ERROR")),
    # 5.3 Priorities.
    ("5.3", "HEADERS with a weight", lambda c: frame(HEADERS, BOTH | WITH_PRIORITY, 1, u32(0) + b"\xff" + c.fields()),
     answered()),
    ("5.3", "HEADERS that depends on itself",
     lambda c: frame(HEADERS, BOTH | WITH_PRIORITY, 1, u32(1) + b"\x0f" + c.fields()), ended("PROTOCOL_ERROR")),
    ("5.3", "HEADERS, exclusive, that depends on a stream to come",
     lambda c: frame(HEADERS, BOTH | WITH_PRIORITY, 1, u32(1 << 31 | 7) + b"\x0f" + c.fields()), answered()),
    ("5.3", "PRIORITY in a ring: 1 on 3, 3 on 5, 5 on 1",
     lambda c: b"".join(frame(PRIORITY, 0, a, u32(b) + b"\0") for a, b in ((1, 3), (3, 5), (5, 1))) + get(c),
     answered()),
    # 5.4 and 5.5.
    ("5.4.1", "a connection error (PING of 6 octets)", bytes_of(frame(PING, 0, 0, b"6" * 6)),
     Want("GOAWAY FRAME_SIZE_ERROR, then the end of the connection", goaway="FRAME_SIZE_ERROR")),
    ("5.4.1", "GOAWAY with an error", lambda c: get(c) + frame(GOAWAY, 0, 0, u32(0, 2)), LEFT),
    ("5.4.2", "RST_STREAM with a code that is not defined",
     lambda c: waiting(c) + frame(RST_STREAM, 0, 1, u32(0xff)), ignored("the request is given up")),
    ("5.5", "a frame of a type that is not known", bytes_of(frame(0x16, 0xff, 0, b"x" * 8)), ignored()),
    ("5.5", "the same on a stream", lambda c: frame(0x16, 0, 1, b"x" * 8) + get(c), answered()),
    ("5.5", "the same inside a field block", lambda c: get(c, flags=END_STREAM) + frame(0x16, 0, 1, b"x")
     + frame(CONTINUATION, END_HEADERS, 1), ended("PROTOCOL_ERROR")),
    # 6.1 DATA.
    ("6.1", "DATA on stream 0", bytes_of(frame(DATA, 0, 0, b"x")), ended("PROTOCOL_ERROR")),
    ("6.1", "DATA with padding", lambda c: post(c) + frame(DATA, PADDED | END_STREAM, 1, b"\x06four" + b"\0" * 6),
     answered(body=b"POST 4", words="answered; padding is no body")),
    ("6.1", "DATA of padding alone", lambda c: post(c) + frame(DATA, PADDED | END_STREAM, 1, b"\x06" + b"\0" * 6),
     answered(body=b"POST 0")),
    ("6.1", "padding as long as the payload, its own octet counted",
     lambda c: post(c) + frame(DATA, PADDED | END_STREAM, 1, b"\x06four0"), ended("PROTOCOL_ERROR")),
    ("6.1", "padding longer than the payload", lambda c: post(c) + frame(DATA, PADDED | END_STREAM, 1, b"\xfffour0"),
     ended("PROTOCOL_ERROR")),
    ("6.1", "the flag for padding, and no octet", lambda c: post(c) + frame(DATA, PADDED | END_STREAM, 1),
     Want("connection error PROTOCOL_ERROR [3]", goaway="PROTOCOL_ERROR")),
    ("6.1", "DATA in pieces, the last of them empty",
     lambda c: post(c) + frame(DATA, 0, 1, b"ab") + frame(DATA, 0, 1, b"c") + frame(DATA, END_STREAM, 1),
     answered(body=b"POST 3")),
    # 6.2 HEADERS.
    ("6.2", "HEADERS on stream 0", lambda c: frame(HEADERS, BOTH, 0, c.fields()), ended("PROTOCOL_ERROR")),
    ("6.2", "HEADERS with padding", lambda c: frame(HEADERS, BOTH | PADDED, 1, b"\x05" + c.fields() + b"\0" * 5),
     answered()),
    ("6.2", "HEADERS with padding and a priority",
     lambda c: frame(HEADERS, BOTH | PADDED | WITH_PRIORITY, 1, b"\x05" + u32(0) + b"\x0f" + c.fields() + b"\0" * 5),
     answered()),
    ("6.2", "padding longer than the payload",
     lambda c: frame(HEADERS, BOTH | PADDED, 1, bytes((255,)) + c.fields()[:200]), ended("PROTOCOL_ERROR")),
    ("6.2", "the flag for a priority, and 4 octets", bytes_of(frame(HEADERS, BOTH | WITH_PRIORITY, 1, b"\0" * 4)),
     ended("FRAME_SIZE_ERROR")),
    # 6.3 PRIORITY.
    ("6.3", "PRIORITY on stream 0", bytes_of(frame(PRIORITY, 0, 0, b"\0" * 5)), ended("PROTOCOL_ERROR")),
    ("6.3", "PRIORITY of 4 octets", bytes_of(frame(PRIORITY, 0, 1, b"\0" * 4)), ended("FRAME_SIZE_ERROR")),
    ("6.3", "PRIORITY that depends on itself", lambda c: frame(PRIORITY, 0, 1, u32(1) + b"\0") + get(c),
     answered(words="it is ignored: RFC 9218 section 2.1")),
    # 6.4 RST_STREAM.
    ("6.4", "RST_STREAM on stream 0", bytes_of(frame(RST_STREAM, 0, 0, u32(8))), ended("PROTOCOL_ERROR")),
    ("6.4", "RST_STREAM of 3 octets", lambda c: waiting(c) + frame(RST_STREAM, 0, 1, b"\0" * 3),
     ended("FRAME_SIZE_ERROR")),
    # 6.5 SETTINGS.
    ("6.5", "SETTINGS", settings_are_acknowledged, ignored("ACK, each")),
    ("6.5", "ACK with a payload", bytes_of(frame(SETTINGS, ACK, 0, b"\0" * 6)), ended("FRAME_SIZE_ERROR")),
    ("6.5", "SETTINGS on stream 1", bytes_of(frame(SETTINGS, 0, 1, b"\0\3\0\0\0\1")), ended("PROTOCOL_ERROR")),
    ("6.5", "SETTINGS of 5 octets", bytes_of(frame(SETTINGS, 0, 0, b"\0\3\0\0\0")), ended("FRAME_SIZE_ERROR")),
    ("6.5.2", "ENABLE_PUSH 0, 1", settings((ENABLE_PUSH, 0), (ENABLE_PUSH, 1)), ignored("ACK")),
    ("6.5.2", "ENABLE_PUSH 2", settings((ENABLE_PUSH, 2)), ended("PROTOCOL_ERROR")),
    ("6.5.2", "INITIAL_WINDOW_SIZE 2^31 - 1", settings((WINDOW, 2 ** 31 - 1)), ignored("ACK")),
    ("6.5.2", "INITIAL_WINDOW_SIZE 2^31", settings((WINDOW, 2 ** 31)), ended("FLOW_CONTROL_ERROR")),
    ("6.5.2", "MAX_FRAME_SIZE 16,384, 16,777,215", settings((FRAME_SIZE, 16384), (FRAME_SIZE, 16777215)),
     ignored("ACK")),
    ("6.5.2", "MAX_FRAME_SIZE 16,383", settings((FRAME_SIZE, 16383)), ended("PROTOCOL_ERROR")),
    ("6.5.2", "MAX_FRAME_SIZE 16,777,216", settings((FRAME_SIZE, 16777216)), ended("PROTOCOL_ERROR")),
    ("6.5.2", "HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS and MAX_HEADER_LIST_SIZE of 0 and of 2^32 - 1",
     settings(*((k, v) for k in (TABLE_SIZE, STREAMS, HEAD_SIZE) for v in (0, 2 ** 32 - 1))), ignored("ACK")),
    ("6.5.2", "a setting that is not known", settings((0xff, 1)), ignored("ACK")),
    ("6.5.3", "INITIAL_WINDOW_SIZE twice", last_of_two_counts, answered(words="the last one counts")),
    ("6.5.3", "HEADER_TABLE_SIZE 0", no_table, answered(words="the next head begins with a size update")),
    ("6.5.3", "ACK that nobody waits for", bytes_of(frame(SETTINGS, ACK, 0) * 3), ended("PROTOCOL_ERROR")),
    # 6.6 PUSH_PROMISE.
    ("6.6", "PUSH_PROMISE on stream 0", lambda c: frame(PUSH_PROMISE, END_HEADERS, 0, u32(2) + c.fields()),
     ended("PROTOCOL_ERROR")),
    ("8.4", "PUSH_PROMISE from a client",
     lambda c: waiting(c) + frame(PUSH_PROMISE, END_HEADERS, 1, u32(2) + c.fields()), ended("PROTOCOL_ERROR")),
    # 6.7 PING.
    ("6.7", "PING", pinged(b"12345678"), ignored("ACK with the same octets")),
    ("6.7", "ACK of a PING", bytes_of(frame(PING, ACK, 0, b"8" * 8)), ignored()),
    ("6.7", "PING on stream 1", bytes_of(frame(PING, 0, 1, b"8" * 8)), ended("PROTOCOL_ERROR")),
    ("6.7", "PING of 7 octets", bytes_of(frame(PING, 0, 0, b"7" * 7)), ended("FRAME_SIZE_ERROR")),
    ("6.7", "PING of 9 octets", bytes_of(frame(PING, 0, 0, b"9" * 9)), ended("FRAME_SIZE_ERROR")),
    # 6.8 GOAWAY.
    ("6.8", "GOAWAY on stream 1", bytes_of(frame(GOAWAY, 0, 1, u32(0, 0))), ended("PROTOCOL_ERROR")),
    ("6.8", "GOAWAY of 7 octets", bytes_of(frame(GOAWAY, 0, 0, b"\0" * 7)), ended("FRAME_SIZE_ERROR")),
    ("6.8", "GOAWAY with words, twice", lambda c: get(c) + frame(GOAWAY, 0, 0, u32(0, 0) + b"bye") * 2, LEFT),
    ("6.8", "GOAWAY whose last stream grows",
     lambda c: frame(GOAWAY, 0, 0, u32(0, 0)) + frame(GOAWAY, 0, 0, u32(2, 0)), ended("PROTOCOL_ERROR")),
    # 6.9 WINDOW_UPDATE.
    ("6.9", "WINDOW_UPDATE of 0, the connection's", bytes_of(frame(WINDOW_UPDATE, 0, 0, u32(0))),
     ended("PROTOCOL_ERROR")),
    ("6.9", "WINDOW_UPDATE of 0, a stream's", lambda c: waiting(c) + frame(WINDOW_UPDATE, 0, 1, u32(0)),
     ended("PROTOCOL_ERROR")),
    ("6.9", "WINDOW_UPDATE of 3 octets", bytes_of(frame(WINDOW_UPDATE, 0, 0, b"\0\0\1")), ended("FRAME_SIZE_ERROR")),
    ("6.9", "WINDOW_UPDATE with the reserved bit set", bytes_of(frame(WINDOW_UPDATE, 0, 0, u32(1 << 31 | 1))),
     ignored("it counts as 1")),
    ("6.9.1", "a request for more than the connection's window", no_more_than_the_connections_window,
     answered(words="65,535 octets, the rest when the window grows")),
    ("6.9.1", "updates past 2^31 - 1, the connection's", bytes_of(window(0, 2 ** 31 - 1) * 2),
     ended("FLOW_CONTROL_ERROR")),
    ("6.9.1", "updates past 2^31 - 1, a stream's", lambda c: waiting(c) + window(1, 2 ** 31 - 1) * 2,
     reset("FLOW_CONTROL_ERROR")),
    ("6.9.2", "a window of 1, of 4, and then of -2", data_in_windows,
     answered(words="1 octet, 3, none, and 1 when it is 1")),
    ("6.9.2", "SETTINGS that lift a stream's window past 2^31 - 1",
     lambda c: waiting(c) + window(1, 2 ** 31 - 1 - 65535) + settings_frame(((WINDOW, 65536),)),
     Want("stream error FLOW_CONTROL_ERROR [2]", resets={1: "FLOW_CONTROL_ERROR"})),
    # 6.10 CONTINUATION.
    ("6.10", "eight of them", lambda c: get(c, flags=END_STREAM) + frame(CONTINUATION, 0, 1) * 7
     + frame(CONTINUATION, END_HEADERS, 1), answered()),
    ("6.10", "nine of them", lambda c: get(c, flags=END_STREAM) + frame(CONTINUATION, 0, 1) * 8
     + frame(CONTINUATION, END_HEADERS, 1), closed()),
    ("6.10", "on stream 0", lambda c: get(c, flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 0),
     ended("PROTOCOL_ERROR")),
    ("6.10", "on another stream", lambda c: get(c, flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 3),
     ended("PROTOCOL_ERROR")),
    ("6.10", "after HEADERS that ended the block", lambda c: post(c) + frame(CONTINUATION, END_HEADERS, 1),
     ended("PROTOCOL_ERROR")),
    ("6.10", "after CONTINUATION that ended the block", lambda c: get(c, flags=END_STREAM)
     + frame(CONTINUATION, END_HEADERS, 1) * 2, ended("PROTOCOL_ERROR")),
    ("6.10", "after DATA", lambda c: post(c) + frame(DATA, 0, 1, b"x") + frame(CONTINUATION, END_HEADERS, 1),
     ended("PROTOCOL_ERROR")),
    ("6.10", "DATA in its place", lambda c: get(c, flags=END_STREAM) + frame(DATA, END_STREAM, 1, b"x"),
     ended("PROTOCOL_ERROR")),
    # 7. Codes.
    ("7", "GOAWAY with a code that is not defined", lambda c: get(c) + frame(GOAWAY, 0, 0, u32(0, 0xff)), LEFT),
    # 8.1 Messages.
    ("8.1", "GET, HEAD, POST", lambda c: get(c) + frame(HEADERS, BOTH, 3, c.fields(method="HEAD")) + post(c, 5, body=b"x"),
     Want("each is answered", answers={1: 200, 3: 200, 5: 200})),
    ("8.1", "POST with trailers",
     lambda c: post(c) + frame(DATA, 0, 1, b"abc") + frame(HEADERS, BOTH, 1, block(("x-sum", "7"))),
     answered(body=b"POST 3")),
    ("8.1", "a second head that does not end the stream",
     lambda c: post(c) + frame(DATA, 0, 1, b"abc") + frame(HEADERS, END_HEADERS, 1, block(("x-sum", "7"))),
     reset("PROTOCOL_ERROR")),
    ("8.1", "a pseudo-field in trailers",
     lambda c: post(c) + frame(HEADERS, BOTH, 1, block((":method", "GET"))), reset("PROTOCOL_ERROR")),
    ("8.1", "a field of heads in trailers",
     lambda c: post(c) + frame(HEADERS, BOTH, 1, block(("content-length", "0"))), reset("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` above the body", lambda c: post(c, more=(("content-length", "2"),), body=b"x"),
     reset("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` below the body", lambda c: post(c, more=(("content-length", "1"),), body=b"xy"),
     reset("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` below the body, in two frames", lambda c: post(c, more=(("content-length", "1"),))
     + frame(DATA, 0, 1, b"x") + frame(DATA, END_STREAM, 1, b"y"), reset("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` and no body", with_field("content-length", "1"), reset("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` that is no number", with_field("content-length", "+1"), reset("PROTOCOL_ERROR")),
    ("8.1.1", "two of `content-length`", lambda c: post(c, more=(("content-length", "1"),) * 2, body=b"x"),
     reset("PROTOCOL_ERROR")),
    # 8.2 Fields.
    *(("8.2.1", f"{what} in a field's name", with_field(name, "1"), reset("PROTOCOL_ERROR")) for what, name in (
        ("a capital letter", "X-a"), ("a blank", "x a"), ("a colon", "x:a"), ("a line feed", "x\na"),
        ("0x00", "x\0a"), ("0x7f", "x\x7fa"), ("an octet above 0x7f", "x\xe9"))),
    ("8.2.1", "a field without a name", with_field("", "1"), reset("PROTOCOL_ERROR")),
    *(("8.2.1", f"{what} in a field's value", with_field("x-a", value), reset("PROTOCOL_ERROR")) for what, value in (
        ("0x00", "a\0b"), ("a line feed", "a\nb"), ("a carriage return", "a\rb"))),
    ("8.2.1", "a blank around a field's value", with_field("x-a", " b "), reset("PROTOCOL_ERROR")),
    ("8.2.1", "octets above 0x7f in a field's value", with_field("x-a", "\xe9\xff"), answered()),
    *(("8.2.2", f"`{name}: {value}`", with_field(name, value), reset("PROTOCOL_ERROR")) for name, value in (
        ("connection", "close"), ("proxy-connection", "keep-alive"), ("keep-alive", "timeout=1"),
        ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "gzip"), ("te", "trailers, gzip"))),
    ("8.2.2", "`te: trailers`", with_field("te", "trailers"), answered()),
    ("8.2.2", "an answer of HTTP/1.1 with `Connection` and `Keep-Alive`", no_field_of_the_connection,
     answered(words="they do not pass")),
    ("8.2.3", "a cookie in two fields", cookies,
     answered(body=b"a=1; b=2", words="one field for the origin, with `; `")),
    # 8.3 Pseudo-fields.
    ("8.3", "a pseudo-field that is not known", lambda c: raw(c, *PSEUDO, (":test", "1")), reset("PROTOCOL_ERROR")),
    ("8.3", "a pseudo-field of answers", lambda c: raw(c, *PSEUDO, (":status", "200")), reset("PROTOCOL_ERROR")),
    ("8.3", "a pseudo-field after a field", lambda c: raw(c, *PSEUDO[:3], ("x-a", "1"), ":path"),
     reset("PROTOCOL_ERROR")),
    *(("8.3", f"`{name}` twice", lambda c, name=name: raw(c, *PSEUDO, name), reset("PROTOCOL_ERROR"))
      for name in PSEUDO),
    *(("8.3.1", f"no `{name}`", lambda c, name=name: raw(c, *(n for n in PSEUDO if n != name)), reset("PROTOCOL_ERROR"))
      for name in (":method", ":scheme", ":path")),
    ("8.3.1", "no `:authority`, no `host`", lambda c: raw(c, ":method", ":scheme", ":path"), reset("PROTOCOL_ERROR")),
    ("8.3.1", "`host` in place of `:authority`",
     lambda c: raw(c, ":method", ":scheme", ":path", ("host", c.authority)), answered()),
    ("8.3.1", "`host` unlike `:authority`", lambda c: raw(c, *PSEUDO, ("host", "other.lab.test")), answered(400)),
    ("8.3.1", "an empty `:path`", lambda c: raw(c, *PSEUDO[:3], (":path", "")), reset("PROTOCOL_ERROR")),
    ("8.3.1", "`:path` without a slash", lambda c: raw(c, *PSEUDO[:3], (":path", "x")), reset("PROTOCOL_ERROR")),
    ("8.3.1", "`OPTIONS` of `*`",
     lambda c: raw(c, (":method", "OPTIONS"), ":scheme", ":authority", (":path", "*")), answered()),
    ("8.3.1", "`GET` of `*`", lambda c: raw(c, *PSEUDO[:3], (":path", "*")), reset("PROTOCOL_ERROR")),
    ("8.3.1", "`:authority` with a user's name",
     lambda c: raw(c, ":method", ":scheme", (":authority", "me@" + c.authority), ":path"), answered(400)),
    ("8.3.1", "`:authority` of another name",
     lambda c: raw(c, ":method", ":scheme", (":authority", "www.lab.test"), ":path"), answered(421)),
    # 8.5 CONNECT, 8.6 Upgrade.
    ("8.5", "CONNECT", lambda c: raw(c, (":method", "CONNECT"), ":authority"), answered(400)),
    ("8.5", "CONNECT with `:path`",
     lambda c: raw(c, (":method", "CONNECT"), ":scheme", ":authority", ":path"), reset("PROTOCOL_ERROR")),
    ("8.5", "CONNECT without `:authority`", lambda c: raw(c, (":method", "CONNECT")), reset("PROTOCOL_ERROR")),
    ("8.6", "`upgrade: websocket`", with_field("upgrade", "websocket"), reset("PROTOCOL_ERROR")),
    # RFC 7541. A good request, then:
    ("HPACK 2.3.3", "an index past both tables", coded(b"\xff\x00"), ended("COMPRESSION_ERROR")),
    ("HPACK 4.2", "a size update that is not at the beginning", coded(b"\x20"), ended("COMPRESSION_ERROR")),
    ("HPACK 4.2", "size updates at the beginning, to 0 and to 4,096",
     lambda c: frame(HEADERS, BOTH, 1, b"\x20\x3f\xe1\x1f" + c.fields()), answered()),
    ("HPACK 5.1", "an integer that overflows", coded(b"\xff" + b"\xff" * 10 + b"\x01"), ended("COMPRESSION_ERROR")),
    ("HPACK 5.2", "a string longer than the block", coded(b"\x00\x7f\xf0\x01a"), ended("COMPRESSION_ERROR")),
    ("HPACK 5.2", "Huffman padding of 8 bits", coded(b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"),
     ended("COMPRESSION_ERROR")),
    ("HPACK 5.2", "Huffman padding of zeros", coded(b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"),
     ended("COMPRESSION_ERROR")),
    ("HPACK 5.2", "Huffman with EOS", coded(b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x50\x9f\xff\xff\xff\xfc"),
     ended("COMPRESSION_ERROR")),
    ("HPACK 5.2", "Huffman as it should be", coded(b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x9f"), answered()),
    ("HPACK 6.1", "index 0", coded(b"\x80"), ended("COMPRESSION_ERROR")),
    ("HPACK 6.1", "the static table's rows",
     lambda c: frame(HEADERS, BOTH, 1, b"\x82\x87\x84\x41" + h2.number(len(c.authority)) + c.authority.encode()),
     answered()),
    *(("HPACK 6.2", f"a literal {how}: the name by index, as text, and by Huffman",
       coded(bytes((index, *more, 1)) + b"a" + first + b"\x01a\x01b" + first + b"\x85\xf2\xb2\x4a\x84\xff"
             b"\x83\x49\x50\x9f"), answered())
      for how, index, more, first in (("with indexing", 0x40 | 58, (), b"\x40"), ("without indexing", 0x0f, (43,), b"\0"),
                                      ("that is never indexed", 0x1f, (43,), b"\x10"))),
    ("HPACK 6.2.1", "literals with indexing, the second by the table",
     coded(b"\x40\x01a\x01b\xbe\x7e\x01c"), answered()),
    ("HPACK 6.2.1", "a literal with an index past both tables", coded(b"\x7f\x40\x01a"), ended("COMPRESSION_ERROR")),
    ("HPACK 6.2.2", "a literal without indexing, its name past both tables",
     coded(b"\x0f\x80\x01\x01a"), ended("COMPRESSION_ERROR")),
    ("HPACK 6.2.3", "a literal that is never indexed, with a name of the table", coded(b"\x1f\x04\x01a"), answered()),
    ("HPACK 6.2.3", "a literal that is never indexed, its name past both tables",
     coded(b"\x1f\x80\x01\x01a"), ended("COMPRESSION_ERROR")),
    ("HPACK 6.3", "a size update above our table (4,097)",
     lambda c: frame(HEADERS, BOTH, 1, b"\x3f\xe2\x1f" + c.fields()), ended("COMPRESSION_ERROR")),
    ("HPACK 4.4", "a field larger than the table, then its index",
     coded(b"\x40\x01a" + h2.number(5000) + b"y" * 5000 + b"\xbe"), ended("COMPRESSION_ERROR")),
]


# What origins send. o is the origin's end, n the stream of the request.

def head(n, *fields, status="200", flags=END_HEADERS):
    return frame(HEADERS, flags, n, block(*(((":status", status),) if status else ()), *fields))


def answer(n, *fields, body=b"ok", **kw):
    return head(n, *fields, **kw) + frame(DATA, END_STREAM, n, body)


def fields_of(*fields, status="200"):
    return lambda o, n: head(n, *fields, status=status, flags=BOTH)


def behind(make):
    """The head, then what `make` makes."""
    return lambda o, n: head(n) + make(o, n)


def page(code=None, words=None):
    """Before a head has gone to the client: the page of a bad answer."""
    return Want(words or (f"stream error {code}" if code else "the stream is given up"),
                resets={1: code} if code else {}, client=502)


def cut(code=None):
    return Want(f"stream error {code}" if code else "the stream is given up",
                resets={1: code} if code else {}, client="cut")


def lost(code, client=502):
    return Want(f"connection error {code}" if code != CLOSED else "the connection is closed",
                goaway=code, client=client)


def passed(status=200, words="it is ignored, the answer passes", body=b"ok"):
    return Want(words, client=status, body=body)


def origin_settings_are_acknowledged(o, n):
    o.send(settings_frame(((WINDOW, 1000),)))
    o.wait_acks(2)
    return answer(n)


def origin_ping(o, n):
    o.send(frame(PING, 0, 0, b"abcdefgh"))
    assert o.until(PING)[3] == b"abcdefgh"
    return answer(n)


def grown(o, n):
    """The window of a request's body is kept to: by 1, and when it is negative."""
    assert o.uploaded == 1, o.uploaded
    o.send(settings_frame(((WINDOW, 4),)))
    assert len(o.until(DATA, n)[3]) == 3
    o.send(settings_frame(((WINDOW, 2),)) + window(n, 2) + frame(PING, 0, 0, b"negative"))
    assert o.until(PING) and not o.unread
    o.send(window(n, 1))
    assert len(o.until(DATA, n)[3]) == 1
    o.send(window(n, 100))
    assert len(o.until(DATA, n)[3]) == 5
    return answer(n)


ORIGIN_ROWS = [
    ("3.4", "PING in place of SETTINGS", frame(PING, 0, 0, b"8" * 8), lost("PROTOCOL_ERROR")),
    ("3.4", "HTTP/1.1 in place of SETTINGS", b"HTTP/1.1 400 Bad Request\r\n\r\n", lost("PROTOCOL_ERROR")),
    ("4.1", "flags that are not defined, the reserved bit",
     lambda o, n: frame(PING, 0xfe, 1 << 31, b"8" * 8) + answer(n, flags=END_HEADERS | 0xd2), passed()),
    ("4.2", "DATA of 16,384 octets", lambda o, n: answer(n, body=b"x" * 16384), passed(body=b"x" * 16384, words="it passes")),
    ("4.2", "DATA of 16,385 octets", behind(lambda o, n: frame(DATA, END_STREAM, n, b"x" * 16385)),
     lost("FRAME_SIZE_ERROR", "cut")),
    ("4.2", "HEADERS of 16,385 octets", lambda o, n: frame(HEADERS, BOTH, n, b"x" * 16385), lost("FRAME_SIZE_ERROR")),
    ("4.3", "a field block that ends in the middle of a field",
     lambda o, n: frame(HEADERS, BOTH, n, b"\x88\x40\x05ab"), lost("COMPRESSION_ERROR")),
    ("4.3", "DATA inside a field block",
     lambda o, n: head(n, flags=0) + frame(DATA, END_STREAM, n, b"x"), lost("PROTOCOL_ERROR")),
    ("5.1", "idle: DATA", lambda o, n: frame(DATA, 0, n + 2, b"x"), lost("PROTOCOL_ERROR")),
    ("5.1", "idle: HEADERS", lambda o, n: head(n + 2), lost("PROTOCOL_ERROR")),
    ("5.1", "idle: RST_STREAM", lambda o, n: frame(RST_STREAM, 0, n + 2, u32(8)), lost("PROTOCOL_ERROR")),
    ("5.1", "idle: WINDOW_UPDATE", lambda o, n: window(n + 2, 1), lost("PROTOCOL_ERROR")),
    ("5.1", "idle: PRIORITY", lambda o, n: frame(PRIORITY, 0, n + 2, b"\0" * 5) + answer(n), passed()),
    ("5.1", "closed: DATA, HEADERS, WINDOW_UPDATE, RST_STREAM behind the answer's end",
     lambda o, n: answer(n) + frame(DATA, 0, n, b"more") + head(n) + window(n, 1) + frame(RST_STREAM, 0, n, u32(0)),
     passed()),
    ("5.1.1", "HEADERS on an even stream", lambda o, n: head(2), lost("PROTOCOL_ERROR")),
    ("5.1.1", "HEADERS on stream 0", lambda o, n: head(0), lost("PROTOCOL_ERROR")),
    ("5.3", "PRIORITY", lambda o, n: frame(PRIORITY, 0, n, b"\0" * 5) + answer(n), passed()),
    ("5.4.2", "RST_STREAM before the answer", lambda o, n: frame(RST_STREAM, 0, n, u32(2)), page()),
    ("5.4.2", "RST_STREAM with a code that is not defined", lambda o, n: frame(RST_STREAM, 0, n, u32(0xff)), page()),
    ("5.4.2", "RST_STREAM in the answer", behind(lambda o, n: frame(RST_STREAM, 0, n, u32(2))), cut()),
    ("5.5", "frames of types that are not known", lambda o, n: frame(0x16, 0xff, 0, b"x") + frame(0x17, 0, n) + answer(n),
     passed()),
    ("5.5", "the same inside a field block", lambda o, n: head(n, flags=0) + frame(0x16, 0, n, b"x"),
     lost("PROTOCOL_ERROR")),
    ("6.1", "DATA on stream 0", lambda o, n: frame(DATA, 0, 0, b"x"), lost("PROTOCOL_ERROR")),
    ("6.1", "DATA with padding", behind(lambda o, n: frame(DATA, END_STREAM | PADDED, n, b"\3ok\0\0\0")),
     passed(words="padding is no body")),
    ("6.1", "padding longer than the payload", behind(lambda o, n: frame(DATA, END_STREAM | PADDED, n, b"\6ok")),
     lost("PROTOCOL_ERROR", "cut")),
    ("6.2", "HEADERS with padding and a priority", lambda o, n: frame(
        HEADERS, END_HEADERS | PADDED | WITH_PRIORITY, n, b"\2" + b"\0" * 5 + b"\x88\0\0")
     + frame(DATA, END_STREAM, n, b"ok"), passed(words="the answer passes")),
    ("6.2", "padding longer than the payload", lambda o, n: frame(HEADERS, BOTH | PADDED, n, b"\xff\x88"),
     lost("PROTOCOL_ERROR")),
    ("6.3", "PRIORITY of 4 octets", lambda o, n: frame(PRIORITY, 0, n, b"\0" * 4), lost("FRAME_SIZE_ERROR")),
    ("6.4", "RST_STREAM on stream 0", lambda o, n: frame(RST_STREAM, 0, 0, u32(8)), lost("PROTOCOL_ERROR")),
    ("6.4", "RST_STREAM of 3 octets", lambda o, n: frame(RST_STREAM, 0, n, b"\0" * 3), lost("FRAME_SIZE_ERROR")),
    ("6.5", "SETTINGS", origin_settings_are_acknowledged, passed(words="ACK, each")),
    ("6.5", "ACK with a payload", lambda o, n: frame(SETTINGS, ACK, 0, b"\0" * 6), lost("FRAME_SIZE_ERROR")),
    ("6.5", "SETTINGS on a stream", lambda o, n: frame(SETTINGS, 0, n), lost("PROTOCOL_ERROR")),
    ("6.5", "SETTINGS of 5 octets", lambda o, n: frame(SETTINGS, 0, 0, b"\0" * 5), lost("FRAME_SIZE_ERROR")),
    ("6.5.2", "ENABLE_PUSH 0", lambda o, n: settings_frame(((ENABLE_PUSH, 0),)) + answer(n), passed()),
    ("6.5.2", "ENABLE_PUSH 1", lambda o, n: settings_frame(((ENABLE_PUSH, 1),)), lost("PROTOCOL_ERROR")),
    ("6.5.2", "INITIAL_WINDOW_SIZE 2^31", lambda o, n: settings_frame(((WINDOW, 2 ** 31),)), lost("FLOW_CONTROL_ERROR")),
    ("6.5.2", "MAX_FRAME_SIZE 16,383", lambda o, n: settings_frame(((FRAME_SIZE, 16383),)), lost("PROTOCOL_ERROR")),
    ("6.5.2", "MAX_FRAME_SIZE 16,777,216", lambda o, n: settings_frame(((FRAME_SIZE, 16777216),)), lost("PROTOCOL_ERROR")),
    ("6.5.2", "a setting that is not known, and others as large as they can be",
     lambda o, n: settings_frame(((0xff, 1), *((k, 2 ** 32 - 1) for k in (TABLE_SIZE, STREAMS, HEAD_SIZE)),
                                  (FRAME_SIZE, 16777215), (WINDOW, 2 ** 31 - 1))) + answer(n), passed()),
    ("6.5.2", "HEADER_TABLE_SIZE 0",
     lambda o, n: settings_frame(((TABLE_SIZE, 0),)) + answer(n), passed(words="the next head begins with a size update")),
    ("8441 3", "ENABLE_CONNECT_PROTOCOL 2", lambda o, n: settings_frame(((CONNECT_PROTOCOL, 2),)), lost("PROTOCOL_ERROR")),
    ("8441 3", "ENABLE_CONNECT_PROTOCOL 1, then 0", lambda o, n: settings_frame(((CONNECT_PROTOCOL, 1),))
     + settings_frame(((CONNECT_PROTOCOL, 0),)), lost("PROTOCOL_ERROR")),
    ("6.5.3", "ACK that nobody waits for", lambda o, n: frame(SETTINGS, ACK, 0) * 2, lost("PROTOCOL_ERROR")),
    ("6.6", "PUSH_PROMISE, which our SETTINGS forbid",
     lambda o, n: frame(PUSH_PROMISE, END_HEADERS, n, u32(2) + block((":method", "GET"))), lost("PROTOCOL_ERROR")),
    ("6.6", "PUSH_PROMISE on stream 0", lambda o, n: frame(PUSH_PROMISE, END_HEADERS, 0, u32(2)), lost("PROTOCOL_ERROR")),
    ("6.7", "PING", origin_ping, passed(words="ACK with the same octets")),
    ("6.7", "ACK of a PING", lambda o, n: frame(PING, ACK, 0, b"8" * 8) + answer(n), passed()),
    ("6.7", "PING on a stream", lambda o, n: frame(PING, 0, n, b"8" * 8), lost("PROTOCOL_ERROR")),
    ("6.7", "PING of 7 octets", lambda o, n: frame(PING, 0, 0, b"7" * 7), lost("FRAME_SIZE_ERROR")),
    ("6.8", "GOAWAY on a stream", lambda o, n: frame(GOAWAY, 0, n, u32(1, 0)), lost("PROTOCOL_ERROR")),
    ("6.8", "GOAWAY of 7 octets", lambda o, n: frame(GOAWAY, 0, 0, b"\0" * 7), lost("FRAME_SIZE_ERROR")),
    ("6.8", "GOAWAY that counts the request, then its answer",
     lambda o, n: frame(GOAWAY, 0, 0, u32(n, 0)) + answer(n),
     Want("the answer passes; the next request takes a new connection", client=200, body=b"ok", goaway=CLOSED)),
    ("6.8", "GOAWAY that does not count the request", lambda o, n: frame(GOAWAY, 0, 0, u32(0, 0)),
     Want("asked again on a new connection", client=200, body=b"ok", goaway=CLOSED)),
    ("6.8", "GOAWAY of an even stream", lambda o, n: frame(GOAWAY, 0, 0, u32(2, 0)), lost("PROTOCOL_ERROR")),
    ("6.9", "WINDOW_UPDATE of 0, the connection's", lambda o, n: frame(WINDOW_UPDATE, 0, 0, u32(0)), lost("PROTOCOL_ERROR")),
    ("6.9", "WINDOW_UPDATE of 0, a stream's", lambda o, n: frame(WINDOW_UPDATE, 0, n, u32(0)), lost("PROTOCOL_ERROR")),
    ("6.9", "WINDOW_UPDATE of 3 octets", lambda o, n: frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"), lost("FRAME_SIZE_ERROR")),
    ("6.9.1", "updates past 2^31 - 1, the connection's", lambda o, n: window(0, 2 ** 31 - 1) * 2, lost("FLOW_CONTROL_ERROR")),
    ("6.9.1", "updates past 2^31 - 1, a stream's", lambda o, n: window(n, 2 ** 31 - 1) * 2, page("FLOW_CONTROL_ERROR")),
    ("6.9.1", "more than the stream's window, while the client takes nothing", behind(lambda o, n: frame(DATA, 0, n, b"x" * 16384) * 16),
     cut("FLOW_CONTROL_ERROR")),
    ("6.9.2", "a window of 1, of 4, and then of -2, for an upload of 10 octets", grown,
     passed(words="1 octet, 3, none, 1 when it is 1, the rest")),
    ("6.10", "ten CONTINUATION", lambda o, n: head(n, flags=END_STREAM) + frame(CONTINUATION, 0, n) * 10, lost(CLOSED)),
    ("6.10", "on another stream", lambda o, n: head(n, flags=0) + frame(CONTINUATION, END_HEADERS, n + 2),
     lost("PROTOCOL_ERROR")),
    ("6.10", "without HEADERS", lambda o, n: frame(CONTINUATION, END_HEADERS, n, b"\x88"), lost("PROTOCOL_ERROR")),
    ("8.1", "interim answers, then the final one", lambda o, n: head(n, status="103") + answer(n),
     Want("both pass", client=103)),
    ("8.1", "an interim answer that ends the stream", lambda o, n: head(n, status="103", flags=BOTH), page("PROTOCOL_ERROR")),
    ("8.1", "a head that ends the stream", fields_of(("grpc-status", "7")),
     passed(words="it ends the client's stream, too", body=NO_DATA)),
    ("8.1", "DATA before the head", lambda o, n: frame(DATA, END_STREAM, n, b"x"), lost("PROTOCOL_ERROR")),
    ("8.1", "trailers", lambda o, n: head(n) + frame(DATA, 0, n, b"ok") + head(n, ("x-sum", "7"), status=None, flags=BOTH),
     passed(words="they pass")),
    ("8.1", "trailers that do not end the stream",
     lambda o, n: head(n) + frame(DATA, 0, n, b"ok") + head(n, ("x-sum", "7"), status=None), cut("PROTOCOL_ERROR")),
    ("8.1", "a pseudo-field in trailers",
     lambda o, n: head(n) + frame(DATA, 0, n, b"ok") + head(n, flags=BOTH), cut("PROTOCOL_ERROR")),
    ("8.1", "a final head twice", lambda o, n: head(n) + head(n), cut("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` above the body", lambda o, n: answer(n, ("content-length", "3")), cut("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` below the body", lambda o, n: answer(n, ("content-length", "1")), cut("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` and no body", fields_of(("content-length", "1")), page("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` that is no number", fields_of(("content-length", "x")), page("PROTOCOL_ERROR")),
    ("8.1.1", "`content-length` with 304, and no body", fields_of(("content-length", "7"), status="304"),
     passed(304, "it passes", body=None)),
    ("8.1.1", "two of `content-length`", fields_of(("content-length", "0"), ("content-length", "0")), page("PROTOCOL_ERROR")),
    *(("8.1.1", f"a body with {status}", lambda o, n, status=status: answer(n, status=status),
       Want("stream error PROTOCOL_ERROR", resets={1: "PROTOCOL_ERROR"}, client=("cut", int(status))))
      for status in ("204", "304")),
    *(("8.2.1", f"{what} in a field's name", fields_of((name, "1")), page("PROTOCOL_ERROR")) for what, name in (
        ("a capital letter", "X-a"), ("a blank", "x a"), ("a colon", "x:a"), ("a line feed", "x\na"), ("0x00", "x\0a"))),
    *(("8.2.1", f"{what} in a field's value", fields_of(("x-a", value)), page("PROTOCOL_ERROR")) for what, value in (
        ("0x00", "a\0b"), ("a line feed", "a\nb"), ("a carriage return", "a\rb"))),
    ("8.2.1", "a blank around a field's value", fields_of(("x-a", " b")), page("PROTOCOL_ERROR")),
    *(("8.2.2", f"`{name}: {value}`", fields_of((name, value)), page("PROTOCOL_ERROR")) for name, value in (
        ("connection", "close"), ("proxy-connection", "keep-alive"), ("keep-alive", "timeout=1"),
        ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "gzip"))),
    ("8.3.2", "no `:status`", fields_of(("a", "b"), status=None), page("PROTOCOL_ERROR")),
    ("8.3.2", "`:status` twice", fields_of((":status", "200")), page("PROTOCOL_ERROR")),
    ("8.3.2", "`:status` after a field", fields_of(("a", "b"), (":status", "200"), status=None), page("PROTOCOL_ERROR")),
    ("8.3.2", "`:status` of two digits", fields_of(status="20"), page("PROTOCOL_ERROR")),
    ("8.3.2", "`:status` 099", fields_of(status="099"), page()),
    ("8.3.2", "a pseudo-field of requests", fields_of((":path", "/")), page("PROTOCOL_ERROR")),
    ("8.3.2", "a pseudo-field that is not known", fields_of((":test", "1")), page("PROTOCOL_ERROR")),
    ("8.4", "a promise of a stream that was promised already",
     lambda o, n: frame(PUSH_PROMISE, END_HEADERS, n, u32(2)) * 2, lost("PROTOCOL_ERROR")),
    ("8.6", "101", fields_of(status="101"), page("PROTOCOL_ERROR")),
    ("8.7", "RST_STREAM REFUSED_STREAM", lambda o, n: frame(RST_STREAM, 0, n, u32(7)), passed(words="asked again")),
    ("HPACK 2.3.3", "an index past both tables", lambda o, n: frame(HEADERS, BOTH, n, b"\xff\x00"), lost("COMPRESSION_ERROR")),
    ("HPACK 4.2", "a size update that is not at the beginning", lambda o, n: frame(HEADERS, BOTH, n, b"\x88\x20"),
     lost("COMPRESSION_ERROR")),
    ("HPACK 5.2", "Huffman with EOS", lambda o, n: frame(HEADERS, BOTH, n, b"\x88\x00\x84\xff\xff\xff\xfc\x00"),
     lost("COMPRESSION_ERROR")),
    ("HPACK 6.1", "index 0", lambda o, n: frame(HEADERS, BOTH, n, b"\x88\x80"), lost("COMPRESSION_ERROR")),
    ("HPACK 6.3", "a size update above our table", lambda o, n: frame(HEADERS, BOTH, n, b"\x3f\xe2\x1f\x88"),
     lost("COMPRESSION_ERROR")),
]


# The laboratory.

def make(build):
    lab = Lab(build, edges=1, hosts={f"{n}.lab.test": "127.0.0.1" for n in ("tell", "odd")},
              limits="h2_streams_max = 10;")
    lab.tell = lab.origin(tell, tls=True)
    lab.rows = [OriginRow(lab, row) for row in ORIGIN_ROWS]
    lab.write_settings()
    return lab


def tell(s):
    """HTTP/1.1: says what came. /wait is never answered, /N has N octets."""
    while data := read_head(s):
        if b" /wait " in data:
            s.recv(1)
            return
        method, path = data.split(b" ")[:2]
        total = len(read_upload(s, data))
        text = b"%s %d" % (method, total)
        if path == b"/cookie":
            text = re.search(rb"(?i)\ncookie: (.*)\r", data).group(1)
        elif path[1:].isdigit():
            text = b"x" * int(path[1:])
        more = b"Connection: keep-alive\r\nKeep-Alive: timeout=9\r\n" if path == b"/odd-fields" else b""
        s.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (more, len(text))
                  + (b"" if method == b"HEAD" else text))


def read_upload(s, data):
    def some(n):
        got = s.recv(n)
        if not got:
            raise OSError("ended")
        return got

    def line():
        out = b""
        while not out.endswith(b"\r\n"):
            out += some(1)
        return out

    def exactly(n):
        out = b""
        while len(out) < n:
            out += some(n - len(out))
        return out

    if b"chunked" not in data.lower():
        length = re.search(rb"(?i)content-length: (\d+)", data)
        return exactly(int(length.group(1)) if length else 0)
    body = b""
    while (n := int(line(), 16)) > 0:
        body += exactly(n + 2)[:-2]
    while line() != b"\r\n":
        pass
    return body


class OriginRow:
    """An origin that behaves as its row says on its first connection."""

    def __init__(self, lab, row):
        self.section, self.words, self.frames, self.want = row
        self.connections, self.seen, self.told = 0, Seen(), queue.Queue()
        self.upload = self.frames is grown
        self.port = lab.origin(self.serve, tls=True, alpn=["h2"])

    def serve(self, s):
        self.connections += 1
        if self.connections > 1:
            self.plainly(Origin(s))
            return
        try:
            self.misbehave(s)
        except Exception as e:
            self.told.put(e)
            raise
        self.told.put(self.seen)

    def misbehave(self, s):
        if not callable(self.frames):  # in place of SETTINGS
            o = OddPeer(s, b"")
            self.seen = o.seen
            assert o._exactly(len(PREFACE)) == PREFACE and o.until(HEADERS)
            o.send(self.frames)
        else:
            o = OddOrigin(s, ((WINDOW, 1),) if self.upload else ())
            self.seen = o.seen
            o.send(self.frames(o, self.request(o)))
        self.read_on(o)

    def request(self, o):
        if not self.upload:
            return o.request()
        got = o.until(DATA)
        o.uploaded = len(got[3])
        return got[2]

    def read_on(self, o):
        while got := o.read():
            if got[0] == HEADERS:
                assert self.words != "HEADER_TABLE_SIZE 0" or got[3][0] == 0x20, got
            if got[0] in (HEADERS, DATA) and got[1] & END_STREAM:
                o.answer(got[2])

    @staticmethod
    def plainly(o):
        while n := o.request():
            o.answer(n)

    def run(self, lab):
        want, narrow = self.want, "takes nothing" in self.words
        with Client(lab, "odd.lab.test", self.port) as c:
            if not narrow:
                c.send(window(0, 2 ** 20) + settings_frame(((WINDOW, 2 ** 20),)))
            c.send(post(c, body=b"0123456789") if self.upload else get(c))
            c.wait(1)
            if narrow:
                c.send(window(0, 2 ** 20))
            c.send(get(c, 3))
            client = c.wait(1, 3)
        got = "cut" if 1 in client.resets else status_of(client.statuses[1])
        assert got in (want.client if isinstance(want.client, tuple) else (want.client,)), (want.client, got, client.resets)
        assert want.body in (None, client.bodies.get(1, NO_DATA)), client.bodies
        assert status_of(client.statuses[3]) == 200 and client.bodies[3] == b"ok", vars(client)
        if want.goaway:
            seen = self.told.get(timeout=5)
            assert isinstance(seen, Seen), seen
            assert (seen.goaway or CLOSED) == want.goaway, (want.goaway, seen.goaway)
        assert self.connections == (2 if want.goaway else 1), self.connections
        resets = {stream: code for stream, code in self.seen.resets.items() if code != "CANCEL"}
        assert want.goaway or resets == want.resets, (want.resets, resets)


def run_client_row(lab, frames, want):
    hello = {} if callable(frames) else {"hello": frames}
    with Client(lab, "tell.lab.test", lab.tell, **hello) as c:
        try:
            c.send(callable(frames) and frames(c) or b"")
            c.send(get(c, AFTER))
        except OSError:
            pass  # it has ended already
        seen = c.wait(AFTER, *want.answers, *want.resets)
        while want.goaway and not seen.over:
            c.read()
    statuses = {stream: status_of(head) for stream, head in seen.statuses.items()}
    if want.goaway:
        assert (seen.goaway or CLOSED) == want.goaway, (want.goaway, seen.goaway)
        for stream, status in want.answers.items():
            assert statuses.get(stream) == status, (want.answers, statuses)
        return
    assert seen.goaway is None and not seen.over, vars(seen)
    assert statuses.pop(AFTER) == 200
    assert seen.resets == want.resets, seen.resets
    assert statuses == want.answers, (want.answers, statuses)
    assert want.body in (None, seen.bodies.get(1)), seen.bodies


def run_rows(lab, rows):
    wrong = []
    for section, words, run in rows:
        try:
            run()
        except Exception as e:
            wrong.append(f"{section}, {words}: {type(e).__name__} {e}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_each_rule_that_a_client_can_break(lab):
    run_rows(lab, [(section, words, lambda f=frames, w=want: run_client_row(lab, f, w))
                   for section, words, frames, want in CLIENT_ROWS])


def test_each_rule_that_an_origin_can_break(lab):
    run_rows(lab, [(row.section, row.words, lambda row=row: row.run(lab)) for row in lab.rows])


def told_client(want):
    """What the origin's client gets, in words."""
    if isinstance(want.client, tuple):
        return " or ".join(map(str, want.client))
    return want.client


def print_table():
    print("## From clients\n\n| section | a client sends | what becomes of it |\n|---|---|---|")
    for section, words, _, want in CLIENT_ROWS:
        print(f"| {section} | {words} | {want.words} |")
    print("\n## From origins\n\n| section | an origin sends | what becomes of it | its client gets |"
          "\n|---|---|---|---|")
    for section, words, _, want in ORIGIN_ROWS:
        print(f"| {section} | {words} | {want.words} | {told_client(want)} |")


if __name__ == "__main__":
    print_table()
