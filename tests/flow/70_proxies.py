# SPDX-License-Identifier: Apache-2.0
"""PROXY headers and X-Forwarded-For: believed only where they are trusted."""
import ssl
import struct

from lab import (BALANCER, CITY, CITY_LGWAN, CITY_MYNUMBER, FORWARDER, STRANGER, TOWN, Answer)

V2 = b"\r\n\r\n\0\r\nQUIT\n"


def ask(lab, source, before=b"", headers=""):
    to = f"plain.lab.test:{lab.plain_port}"
    with lab.connect(source) as s:
        s.sendall(before + f"GET http://{to}/1k HTTP/1.1\r\nHost: {to}\r\n{headers}\r\n".encode())
        try:
            return Answer(s).status
        except ConnectionResetError:
            return 0


def v1(client):
    return f"PROXY TCP4 {client} 127.0.0.1 40000 8080\r\n".encode()


def v2(client):
    packed = bytes(map(int, client.split("."))) + bytes([127, 0, 0, 1]) + struct.pack("!HH", 40000, 8080)
    return V2 + b"\x21\x11" + struct.pack("!H", len(packed)) + packed


def test_a_trusted_balancer_names_the_client(lab):
    for header in (v1, v2):
        assert ask(lab, BALANCER, header("127.0.1.50")) == 200
        assert lab.event(event="exchange", client="127.0.1.50")["body"] == "990019"
        assert ask(lab, BALANCER, header("127.0.9.9")) == 403


def test_a_trusted_balancer_must_name_one(lab):
    assert ask(lab, BALANCER) == 0


def test_nobody_else_may(lab):
    for header in (v1, v2):
        status = ask(lab, CITY, header("127.0.4.50"))
        assert status in (0, 400, 501), status
        assert not any(e.get("client") == "127.0.4.50" for e in lab.journal())


def test_forwarded_for_counts_only_from_a_trusted_proxy(lab):
    assert ask(lab, FORWARDER, headers="X-Forwarded-For: 127.0.1.60\r\n") == 200
    lab.event(event="exchange", client="127.0.1.60")
    assert ask(lab, FORWARDER, headers="X-Forwarded-For: 127.0.9.9, 127.0.1.61\r\n") == 200
    lab.event(event="exchange", client="127.0.1.61")
    assert ask(lab, FORWARDER, headers="X-Forwarded-For: nonsense\r\n") == 400
    assert ask(lab, FORWARDER) == 403
    assert ask(lab, CITY, headers="X-Forwarded-For: 127.0.3.1\r\n") == 200


def test_forwarded_for_is_not_the_browsers_to_say(lab):
    """Inside TLS it is the browser that speaks: it could choose its zone."""
    to = f"www.lab.test:{lab.tls_port}"
    with lab.connect(FORWARDER) as s:
        s.sendall(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n"
                  f"X-Forwarded-For: {CITY_LGWAN}\r\n\r\n".encode())
        assert Answer(s).status == 200
        context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
        s = context.wrap_socket(s, server_hostname="www.lab.test")
        a = lab.get("www.lab.test", sock=s, headers=f"X-Forwarded-For: {CITY}\r\n")
        assert a.status == 403, a.raw
    assert lab.event(event="exchange", host="www.lab.test")["zone"] == "lgwan"


def test_pages_are_for_whom_the_forwarder_names(lab):
    with lab.connect(FORWARDER) as s:
        s.sendall(f"GET /proxy.pac HTTP/1.1\r\nHost: p\r\nX-Forwarded-For: {TOWN}\r\n\r\n".encode())
        assert b"990027" in Answer(s).body


def own(lab, path, source=CITY):
    """As a browser asks that knows the proxy, and one that uses it."""
    got = []
    for target in (path, f"http://127.0.0.1:{lab.port}{path}"):
        with lab.connect(source) as s:
            s.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\n\r\n".encode())
            got.append(Answer(s))
    assert got[0].status == got[1].status, (got[0].raw, got[1].raw)
    return got[0]


def test_the_proxy_serves_its_own_pages(lab):
    pac = own(lab, "/proxy.pac")
    assert pac.status == 200 and b"FindProxyForURL" in pac.body
    assert pac.field("content-type") == "application/x-ns-proxy-autoconfig"
    assert f"127.0.0.1:{lab.port}".encode() in pac.body
    ca = own(lab, "/ca.crt")
    assert ca.body == lab.proxy_ca.crt.read_bytes()
    assert own(lab, "/").status == 200
    assert own(lab, "/nothing").status == 400


def test_who_may_not_use_it_gets_none_of_its_pages(lab):
    for source in (STRANGER, CITY_MYNUMBER):
        for path in ("/", "/proxy.pac", "/ca.crt"):
            assert own(lab, path, source).status == 403, (source, path)
