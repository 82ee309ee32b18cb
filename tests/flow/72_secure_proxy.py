# SPDX-License-Identifier: Apache-2.0
"""TLS to the proxy itself: HTTP/1.1 and HTTP/2, CONNECT as a connection and as
a stream, TLS with the destination inside."""
import json
import ssl
import subprocess

import h2
from h2 import DATA, END_HEADERS, END_STREAM, HEADERS, PREFACE, RST_STREAM, block, frame
from lab import BALANCER, CITY, CITY_LGWAN, FORWARDER, SECURE, Answer, Lab, wait_until


def make(build):
    return Lab(build, edges=1, limits="connections_per_address = 60;")


class Proxy(h2.Peer):
    """HTTP/2 with the proxy itself, by hand."""

    def __init__(self, lab, source=CITY):
        s = lab.connect_tls(source, alpn=["h2"])
        assert s.selected_alpn_protocol() == "h2"
        super().__init__(s, PREFACE + h2.settings_frame(()))
        self.got, self.ended, self.was_reset = {}, set(), {}

    def ask(self, stream, *fields, flags=END_HEADERS | END_STREAM):
        self.send(frame(HEADERS, flags, stream, block(*fields)))

    def connect(self, stream, to, flags=END_HEADERS, more=()):
        """The status of the answer; None when it was reset."""
        self.ask(stream, (":method", "CONNECT"), (":authority", to), *more, flags=flags)
        while got := self.read():
            if got[:3:2] == (HEADERS, stream):
                return status_of(got[3])
            self.sort(got)
            if stream in self.was_reset:
                return None

    def sort(self, got):
        kind, flags, stream, payload = got
        if kind == DATA:
            self.got[stream] = self.got.get(stream, b"") + payload
            n = len(payload)
            if n:
                self.send(h2.window(0, n) + h2.window(stream, n))
        if kind == RST_STREAM:
            self.was_reset[stream] = int.from_bytes(payload, "big")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended.add(stream)


def status_of(head):
    """Of an answer of our own: indexed, or a literal with that name."""
    if head[0] & 128:
        return {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}[head[0] & 127]
    n = head[1] & 127
    text = head[2:2 + n]
    return int(text) if not head[1] & 128 else huffman_digits(text)


def huffman_digits(text):
    """RFC 7541 appendix B: 0, 1, 2 have five bits, the other digits six."""
    bits = "".join(f"{b:08b}" for b in text)
    codes = {"00000": "0", "00001": "1", "00010": "2", **{f"{0x19 + i:06b}": str(3 + i) for i in range(7)}}
    out, at = "", ""
    for bit in bits:
        at += bit
        if at in codes:
            out, at = out + codes[at], ""
    return int(out)


class Inside:
    """TLS in the DATA of a stream; as a socket, for Answer."""

    def __init__(self, lab, proxy, stream, host, alpn=("http/1.1",), ca=None):
        context = ssl.create_default_context(cafile=str(ca or lab.proxy_ca.crt))
        context.set_alpn_protocols(list(alpn))
        self.proxy, self.stream = proxy, stream
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        self._drive(self.tls.do_handshake)

    def _flush(self, flags=0):
        data = self.outgoing.read()
        while data:
            self.proxy.send(frame(DATA, 0, self.stream, data[:16384]))
            data = data[16384:]
        if flags:
            self.proxy.send(frame(DATA, flags, self.stream))

    def _drive(self, what, *args):
        while True:
            try:
                done = what(*args)
                self._flush()
                return done
            except ssl.SSLWantReadError:
                self._flush()
                if not self._more():
                    return b""

    def _more(self):
        """False at the stream's end."""
        while not self.proxy.got.get(self.stream):
            if self.stream in self.proxy.ended | set(self.proxy.was_reset):
                return False
            got = self.proxy.read()
            if got is None:
                return False
            self.proxy.sort(got)
        self.incoming.write(self.proxy.got.pop(self.stream))
        return True

    def sendall(self, data):
        self._drive(self.tls.write, data)

    def recv(self, n):
        return self._drive(self.tls.read, n)

    def get(self, host, path="/1k"):
        self.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return Answer(self)


def curl(lab, url, *args, source=CITY):
    to = f"https://{SECURE}:{lab.secure_port}"
    return subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--interface", source, "--noproxy", "",
         "--resolve", f"{SECURE}:{lab.secure_port}:127.0.0.1", "--proxy", to,
         "--proxy-cacert", lab.proxy_ca.crt, "--cacert", lab.proxy_ca.crt,
         "-w", "\n%{http_code} %{http_connect}", *args, url],
        capture_output=True, timeout=60)


def www(lab, path=""):
    return f"https://www.lab.test:{lab.tls_port}{path}"


def test_curl_asks_through_it(lab):
    done = curl(lab, www(lab, "/10m"))
    assert done.stdout[:-8] == (lab.dir / "www" / "10m").read_bytes(), done.stderr
    assert done.stdout.endswith(b"\n200 200")
    e = lab.event(event="exchange", path="/10m")
    assert (e["client"], e["zone"], e["http_client"]) == (CITY, "internet", "HTTP/2"), e
    done = curl(lab, f"http://plain.lab.test:{lab.plain_port}/1k")
    assert done.stdout == b"k" * 1024 + b"\n200 000", done
    e = lab.event(event="exchange", host="plain.lab.test")
    assert e["tls_client"] == "TLSv1.3" and e["scheme"] == "http", e


def test_it_is_known_by_its_address_too(lab):
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--interface", CITY, "--noproxy", "", "--proxy",
         f"https://127.0.0.1:{lab.secure_port}", "--proxy-cacert", lab.proxy_ca.crt,
         "--cacert", lab.proxy_ca.crt, www(lab, "/1k")], capture_output=True, timeout=60)
    assert done.stdout == b"k" * 1024, done.stderr


def test_what_the_policy_blocks_is_a_page_inside(lab):
    done = curl(lab, "https://casino.lab.test:%d/" % lab.tls_port)
    assert done.stdout.endswith(b"\n403 200") and "賭け事".encode() in done.stdout, done
    done = curl(lab, www(lab, "/1k"), source=CITY_LGWAN)
    assert done.stdout.endswith(b"\n403 200"), done


def test_what_is_not_decrypted_passes(lab):
    done = curl(lab, f"https://bank.lab.test:{lab.tls_port}/1k", "--cacert", lab.origin_ca.crt)
    assert done.stdout == b"k" * 1024 + b"\n200 200", done
    assert lab.event(event="tunnel", host="bank.lab.test")["bytes_down"] > 1024


def test_its_own_pages(lab):
    for target in ("/proxy.pac", f"https://{SECURE}:{lab.secure_port}/proxy.pac"):
        with lab.connect_tls() as s:
            s.sendall(f"GET {target} HTTP/1.1\r\nHost: {SECURE}:{lab.secure_port}\r\n\r\n".encode())
            a = Answer(s)
            assert f'"HTTPS {SECURE}:{lab.secure_port}; PROXY 127.0.0.1:{lab.port}"'.encode() in a.body
    with Proxy(lab) as p:
        p.ask(1, (":method", "GET"), (":scheme", "https"),
              (":authority", f"{SECURE}:{lab.secure_port}"), (":path", "/ca.crt"))
        assert p.body(1) == lab.proxy_ca.crt.read_bytes()


def test_a_stream_carries_tls(lab):
    to = f"www.lab.test:{lab.tls_port}"
    with Proxy(lab) as p:
        assert p.connect(1, to) == 200
        inner = Inside(lab, p, 1, "www.lab.test")
        assert inner.get(to).body == b"k" * 1024
        assert inner.get(to, "/secret/plan").status == 403
        # another beside it, of HTTP/2 in HTTP/2
        assert p.connect(3, f"bank.lab.test:{lab.tls_port}") == 200
        bank = Inside(lab, p, 3, "bank.lab.test", ca=lab.origin_ca.crt)
        assert bank.get("bank.lab.test").body == b"k" * 1024
        assert p.connect(5, to) == 200
        two = Inside(lab, p, 5, "www.lab.test", alpn=["h2"])
        assert two.tls.selected_alpn_protocol() == "h2"
        two.sendall(PREFACE + h2.settings_frame(()) + frame(
            HEADERS, END_HEADERS | END_STREAM, 1, block(
                (":method", "GET"), (":scheme", "https"), (":authority", to), (":path", "/1k"))))
        got = b""
        while b"k" * 1024 not in got:
            more = two.recv(65536)
            assert more, got
            got += more
        assert inner.get(to).body == b"k" * 1024


def test_much_passes_and_who_is_slow_waits_alone(lab):
    to = f"www.lab.test:{lab.tls_port}"
    with Proxy(lab) as p:
        assert p.connect(1, to) == p.connect(3, to) == 200
        slow, quick = (Inside(lab, p, n, "www.lab.test") for n in (1, 3))
        slow.sendall(f"GET /10m HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
        hold, sort = [], p.sort

        def put_aside(got):
            if got[2] != 1:
                return sort(got)
            hold.append(got)
            return p.send(h2.window(0, len(got[3])))
        p.sort = put_aside
        assert quick.get(to, "/10m").body == (lab.dir / "www" / "10m").read_bytes()
        assert sum(len(got[3]) for got in hold) <= 65535
        p.sort = sort
        for got in hold:
            p.sort(got)
        assert Answer(slow).body == (lab.dir / "www" / "10m").read_bytes()


def test_a_request_without_connect(lab):
    to = f"plain.lab.test:{lab.plain_port}"
    with Proxy(lab) as p:
        fields = (":method", "GET"), (":authority", to), (":path", "/1k")
        p.ask(1, *fields, (":scheme", "http"))
        assert p.body(1) == b"k" * 1024
        p.ask(3, *fields, (":scheme", "https"))
        assert b"https needs CONNECT" in p.body(3)
        p.ask(5, (":method", "OPTIONS"), fields[1], (":path", "*"), (":scheme", "http"))
        assert b"no http or https URL" in p.body(5)
        p.ask(7, fields[0], fields[2], (":scheme", "http"), ("host", to))
        assert p.body(7) == b"k" * 1024


def test_a_connect_that_is_none(lab):
    to = f"www.lab.test:{lab.tls_port}"
    with Proxy(lab) as p:
        assert p.connect(1, "www.lab.test") == 400
        assert p.connect(3, to, more=[("content-length", "4")]) == 400
        assert p.connect(5, to, more=[("host", "plain.lab.test")]) == 400
        assert p.connect(7, to, more=[(":path", "/"), (":scheme", "https")]) is None
    assert lab.event(event="exchange", method="CONNECT", why="CONNECT with a body")


def edge_connections(lab):
    rows = json.loads(lab.ctl("status", "--json").stdout)["processes"]
    return sum(r["counters"].get("connections", 0) for r in rows)


def test_either_end_goes_and_the_other_follows(lab):
    to = f"www.lab.test:{lab.tls_port}"
    wait_until(lambda: edge_connections(lab) == 0)
    with Proxy(lab) as p:
        for n in (1, 3, 5):
            assert p.connect(n, to) == 200
        first, second, third = (Inside(lab, p, n, "www.lab.test") for n in (1, 3, 5))
        assert edge_connections(lab) == 4
        p.send(frame(RST_STREAM, 0, 1, b"\0\0\0\x08"))
        wait_until(lambda: edge_connections(lab) == 3)
        second._flush(END_STREAM)
        while 3 not in p.ended:
            p.sort(p.read())
        third.sendall(f"GET /1k HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n".encode())
        assert Answer(third).body == b"k" * 1024
        third._flush(END_STREAM)
        assert third.recv(100) == b""
        wait_until(lambda: edge_connections(lab) == 1)
        assert p.connect(7, to) == 200
        Inside(lab, p, 7, "www.lab.test")
    wait_until(lambda: edge_connections(lab) == 0)


def test_what_lies_inside_counts_for_the_limit(lab):
    to = f"www.lab.test:{lab.tls_port}"
    with Proxy(lab) as p:
        for n in range(59):
            assert p.connect(2 * n + 1, to) == 200
        assert not p.ended
        assert p.connect(119, to) == 200
        while 119 not in p.ended:
            p.sort(p.read())
        assert p.ended == {119} and not p.was_reset
    lab.event(event="connection_refused", why="connections_per_address is reached", client=CITY)


def test_tunnels_count_for_the_limit(lab):
    to = f"bank.lab.test:{lab.tls_port}"
    wait_until(lambda: edge_connections(lab) == 0)
    for _ in range(2):  # and what is counted is counted off
        with Proxy(lab) as p:
            for n in range(59):
                assert p.connect(2 * n + 1, to) == 200
            assert p.connect(119, to) == 502
            try:
                Proxy(lab)
                raise AssertionError("one more was let in")
            except ConnectionError:
                pass
        wait_until(lambda: edge_connections(lab) == 0)


def test_a_connect_cannot_end(lab):
    with Proxy(lab) as p:
        assert p.connect(1, f"bank.lab.test:{lab.tls_port}", flags=END_HEADERS | END_STREAM) == 400


def test_who_the_client_is(lab):
    header = b"PROXY TCP4 127.0.1.70 127.0.0.1 40000 8443\r\n"
    s = lab.connect(BALANCER, port=lab.secure_port)
    s.sendall(header)
    with lab.connect_tls(sock=s) as s:
        s = lab.tunnel("www.lab.test", sock=s)
    # the ClientHello in the header's own packet
    context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=SECURE)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    with lab.connect(BALANCER, port=lab.secure_port) as s:
        s.sendall(header.replace(b".1.70", b".1.71") + outgoing.read())
        incoming.write(s.recv(65536))
        tls.do_handshake()
        tls.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        s.sendall(outgoing.read())
        assert s.recv(65536)
    assert lab.event(event="exchange", client="127.0.1.71")["stage"] == "target"
    with Proxy(lab, FORWARDER) as p:
        assert p.connect(1, f"www.lab.test:{lab.tls_port}",
                         more=[("x-forwarded-for", CITY_LGWAN)]) == 200
        assert Inside(lab, p, 1, "www.lab.test").get(f"www.lab.test:{lab.tls_port}").status == 403
    assert lab.event(event="exchange", host="www.lab.test", zone="lgwan")["client"] == CITY_LGWAN


def test_bytes_before_the_answer_are_refused_where_tls_begins_on_the_connection(lab):
    to = f"www.lab.test:{lab.tls_port}"
    a = lab.send_raw(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n\x16\x03\x01".encode("latin-1"))
    assert a.status == 400 and b"bytes came before" in a.body
