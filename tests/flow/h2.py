# SPDX-License-Identifier: Apache-2.0
"""h2: HTTP/2 frames by hand, for what no real client sends."""
import socket
import ssl
import struct

(DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
 CONTINUATION) = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32
CODES = ("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
         "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
         "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes((kind, flags)) + \
        struct.pack("!I", stream) + payload


def number(n):
    """An HPACK integer of 7 bits (RFC 7541 section 5.1)."""
    if n < 127:
        return bytes((n,))
    out, n = b"\x7f", n - 127
    while n >= 128:
        out, n = out + bytes((n & 127 | 128,)), n >> 7
    return out + bytes((n,))


def block(*fields):
    """Literals without indexing, without Huffman (RFC 7541 section 6.2.2)."""
    out = b""
    for name, value in fields:
        name, value = name.encode("latin-1"), value.encode("latin-1")
        out += b"\0" + number(len(name)) + name + number(len(value)) + value
    return out


def u32(*numbers):
    return b"".join(struct.pack("!I", n) for n in numbers)


def window(stream, n):
    """WINDOW_UPDATE; none for none."""
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", n)) if n else b""


class Peer:
    """Either end of a connection."""
    acknowledges = True  # SETTINGS, by itself

    def __init__(self, s, hello):
        self.s, self.unread = s, b""
        self.send(hello)

    def send(self, data):
        self.s.sendall(data)

    def read(self):
        """(type, flags, stream, payload); None at the end."""
        head = self._exactly(9)
        if head is None:
            return None
        n = int.from_bytes(head[:3], "big")
        payload = self._exactly(n)
        if payload is None:
            return None
        stream = int.from_bytes(head[5:], "big") & 0x7fffffff
        if head[3] == SETTINGS and not head[4] & ACK and self.acknowledges:
            try:
                self.send(frame(SETTINGS, ACK, 0))
            except OSError:
                pass  # what it said before it closed is still to be read
        return head[3], head[4], stream, payload

    def _exactly(self, n):
        while len(self.unread) < n:
            try:
                more = self.s.recv(65536)
            except (ConnectionError, ssl.SSLError):
                return None
            if not more:
                return None
            self.unread += more
        out, self.unread = self.unread[:n], self.unread[n:]
        return out

    def until(self, kind, stream=None):
        """The first such frame; None when the connection ends before."""
        while got := self.read():
            if got[0] == kind and stream in (None, got[2]):
                return got
        return None

    def body(self, stream):
        """All data of that stream up to its end."""
        data = b""
        while got := self.read():
            if got[2] != stream:
                continue
            if got[0] == RST_STREAM:
                return None
            if got[0] == DATA:
                data += got[3]
            if got[0] == DATA:
                last = got[1] & END_STREAM
                self.send(window(0, len(got[3])) + (b"" if last else window(stream, len(got[3]))))
            if got[0] in (DATA, HEADERS) and got[1] & END_STREAM:
                return data
        return None

    def end(self):
        """The error code of GOAWAY; None when there was none."""
        got = self.until(GOAWAY)
        return got and int.from_bytes(got[3][4:8], "big")

    def reset(self, stream):
        """The error code of RST_STREAM."""
        got = self.until(RST_STREAM, stream)
        return got and int.from_bytes(got[3], "big")

    def close(self):
        self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def settings_frame(settings):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack("!HI", k, v) for k, v in settings))


class Connection(Peer):
    """To one host, through CONNECT and the proxy's TLS."""

    def __init__(self, lab, host, port=None, source=None, settings=(),
                 hello=PREFACE):
        self.authority = f"{host}:{port or lab.tls_port}"
        s = lab.tunnel(host, port, **({"source": source} if source else {}))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
        context.set_alpn_protocols(["h2"])
        s = context.wrap_socket(s, server_hostname=host)
        assert s.selected_alpn_protocol() == "h2"
        super().__init__(s, hello + settings_frame(settings))

    def fields(self, path="/", method="GET", more=()):
        return block((":method", method), (":scheme", "https"),
                     (":authority", self.authority), (":path", path), *more)

    def ask(self, stream, path="/", flags=END_HEADERS | END_STREAM, **kw):
        self.send(frame(HEADERS, flags, stream, self.fields(path, **kw)))


class Origin(Peer):
    """The server's end, for a script of Lab.origin."""

    def __init__(self, s, settings=()):
        assert s.selected_alpn_protocol() == "h2"
        super().__init__(s, settings_frame(settings))
        assert self._exactly(len(PREFACE)) == PREFACE

    def request(self):
        """The stream of the next request, read to its end; None at the end."""
        stream = None
        while got := self.read():
            if got[0] == HEADERS:
                stream = got[2]
            if got[0] in (HEADERS, DATA) and got[1] & END_STREAM:
                return got[2]
        return None

    def head(self, stream, status="200", fields=(), flags=END_HEADERS):
        self.send(frame(HEADERS, flags, stream, block((":status", status), *fields)))

    def answer(self, stream, body=b"ok", status="200", fields=()):
        self.head(stream, status, fields)
        self.send(frame(DATA, END_STREAM, stream, body))
