# SPDX-License-Identifier: Apache-2.0
"""CONNECT: intercepted, tunnelled, refused; and what the origin must show."""
import json
import re
import socket
import ssl
import struct
import subprocess
import threading

from lab import (CITY, CITY_MYNUMBER, STRANGER, Answer, Authority, Lab, Refused,
                 accept_websocket, read_head, wait_until)


def make(build):
    names = ("old.bank", "expired", "wrongname", "selfsigned", "weak", "echo", "raw", "dead", "notls", "head")
    lab = Lab(build, hosts={f"{n}.lab.test": "127.0.0.1" for n in names})
    ca = lab.origin_ca
    other = Authority(lab.dir / "ca", "other-ca")
    lab.bad = {
        "expired": lab.origin(ok, True, *ca.leaf("expired", "DNS:expired.lab.test", days=0)),
        "wrongname": lab.origin(ok, True, *ca.leaf("wrong", "DNS:other.test")),
        "selfsigned": lab.origin(ok, True, *other.leaf("self", "DNS:selfsigned.lab.test")),
        "weak": lab.origin(ok, True, *ca.leaf("client", "DNS:weak.lab.test", usage="clientAuth")),
    }
    lab.old_bank = lab.origin(ok, True, *ca.leaf("oldbank", "DNS:old.bank.lab.test", days=0))
    lab.plain_origin = lab.origin(lambda s: s.sendall(b"220 not tls\r\n") or s.recv(100))
    lab.head = lab.origin(show_head, tls=True)
    lab.touched = []
    lab.dead = lab.origin(lambda s: lab.touched.append(s))
    lab.echo = lab.origin(websocket, tls=True)
    lab.raw = lab.origin(lambda s: [s.sendall(b) for b in iter(lambda: s.recv(4096), b"")])
    lab.write_settings()
    return lab


def ok(s):
    while read_head(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def show_head(s):
    while head := read_head(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(head) + head)


def websocket(s):
    head = read_head(s)
    assert b"Upgrade: websocket\r\n" in head and b"Connection: Upgrade\r\n" in head, head
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", head).group(1)
    accept = b"x" if b"GET /wrong" in head else accept_websocket(key)
    s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
              b"Upgrade: websocket\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    while True:
        data = s.recv(65536)
        if not data:
            return
        s.sendall(data)


def names_of(sock):
    return sorted(v for _, v in sock.getpeercert()["subjectAltName"])


def test_an_intercepted_page_comes_under_our_certificate(lab):
    s = lab.tls("www.lab.test")
    assert "*.lab.test" in names_of(s)
    assert ("commonName", "proxy-ca") in [p[0] for p in s.getpeercert()["issuer"]]
    assert s.version() == "TLSv1.3" and s.selected_alpn_protocol() is None
    a = lab.get("www.lab.test", sock=s)
    assert a.status == 200 and a.body == b"hello from the origin\n"
    e = lab.event(event="exchange", host="www.lab.test", path="/")
    assert (e["scheme"], e["tls_client"], e["tls_origin"]) == ("https", "TLSv1.3", "TLSv1.3")


def test_tls_1_2_clients_are_served(lab):
    s = lab.tls("www.lab.test", version=ssl.TLSVersion.TLSv1_2)
    assert s.version() == "TLSv1.2"
    assert lab.get("www.lab.test", "/1k", sock=s).body == b"k" * 1024


def test_curl_is_served_like_anyone(lab):
    out = subprocess.run(
        ["curl", "-sS", "--interface", CITY, "-x", f"http://127.0.0.1:{lab.port}",
         "--cacert", str(lab.proxy_ca.crt), f"https://www.lab.test:{lab.tls_port}/10m"],
        capture_output=True, timeout=30, check=True).stdout
    assert out == (lab.dir / "www" / "10m").read_bytes()


def test_requests_inside_are_judged_one_by_one(lab):
    with lab.tls("www.lab.test") as s:
        assert lab.get("www.lab.test", "/1k", sock=s).status == 200
        a = lab.get("www.lab.test", "/secret/plan", sock=s)
        assert a.status == 403 and b"secret\n" not in a.body
        for path in ("/./secret/plan", "/a/../secret/plan", "/%73ecret/plan", "//secret/plan",
                     "/%2fsecret/plan", "/secret%2fplan", "/x/..%2fsecret/plan", "/secret;a/plan"):
            assert lab.get("www.lab.test", path, sock=s).status == 403, path
        assert lab.get("www.lab.test", "/1k", sock=s).status == 200


def test_a_blocked_name_shows_its_page_without_the_origin(lab):
    s = lab.tls("casino.lab.test")
    assert names_of(s) == ["casino.lab.test"]
    a = lab.get("casino.lab.test", sock=s, headers="Accept-Language: ja\r\n")
    assert a.status == 403
    page = a.body.decode()
    e = lab.event(event="exchange", host="casino.lab.test")
    assert (e["verdict"], e["rule"], e["category"]) == ("block", "no-gambling", "gambling")
    for word in ("賭け事の分類です。", "no-gambling", e["id"], "情報システム課"):
        assert word in page, word
    assert "<script" not in page and "http://" not in page
    a = lab.get("casino.lab.test", sock=s, headers="Accept-Language: en-US,en\r\n")
    assert "This is gambling." in a.body.decode()


def test_a_tunnel_shows_the_origins_own_certificate(lab):
    s = lab.tls("bank.lab.test", ca=lab.origin_ca.crt)
    assert ("commonName", "origin-ca") in [p[0] for p in s.getpeercert()["issuer"]]
    assert lab.get("bank.lab.test", "/1k", sock=s).body == b"k" * 1024
    s.close()
    e = lab.event(event="tunnel", host="bank.lab.test")
    assert e["verdict"] == "tunnel" and e["bytes_down"] > 1024


def test_only_tls_of_that_name_passes_a_tunnel_for_tls(lab):
    s = lab.tunnel("bank.lab.test")
    s.sendall(b"GET / HTTP/1.1\r\nHost: bank.lab.test\r\n\r\n")
    assert not closed_after(s), "plain text passed"
    try:
        lab.tls("bank.lab.test", sni="other.lab.test", ca=lab.origin_ca.crt)
    except (ssl.SSLError, OSError):
        return
    raise AssertionError("another name passed")


def test_a_tunnels_certificate_is_checked_where_tls_1_2_shows_it(lab):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.wrap_socket(lab.tunnel("old.bank.lab.test", lab.old_bank),
                            server_hostname="old.bank.lab.test")
    except (ssl.SSLError, OSError):
        assert "expired" in lab.event(event="tunnel", host="old.bank.lab.test")["why"]
    else:
        raise AssertionError("an expired certificate passed")
    context.wrap_socket(lab.tunnel("bank.lab.test"), server_hostname="bank.lab.test").close()


def closed_after(s):
    try:
        return s.recv(1000)
    except ConnectionResetError:
        return b""


def test_a_raw_tunnel_passes_anything_both_ways(lab):
    s = lab.tunnel("raw.lab.test", lab.raw)
    s.sendall(b"anything at all")
    assert s.recv(100) == b"anything at all"
    s.shutdown(socket.SHUT_WR)
    assert s.recv(100) == b""


def test_bad_certificates_are_refused_with_the_check_that_failed(lab):
    words = {"expired": "expired", "wrongname": "name", "selfsigned": "certificate",
             "weak": "purpose"}
    for name, port in lab.bad.items():
        a = lab.get(f"{name}.lab.test", port=port)
        assert a.status == 502, f"{name}: {a.raw}"
        e = lab.event(event="exchange", host=f"{name}.lab.test")
        assert words[name] in e["why"].lower(), f"{name}: {e}"
        assert e["id"].encode() in a.body


def test_an_origin_without_tls_is_an_error_page(lab):
    assert lab.get("notls.lab.test", port=lab.plain_origin).status == 502


def test_bytes_that_come_with_a_connect_are_judged_too(lab):
    to = f"bank.lab.test:{lab.tls_port}"
    before = lab.children()
    with lab.connect() as s:
        s.sendall(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\nthis is no TLS\r\n\r\n".encode())
        assert Answer(s).status == 200
        assert not closed_after(s)
    wait_until(lambda: [e for e in lab.journal() if e.get("host") == "bank.lab.test"
                        and "TLS" in e.get("why", "")])
    assert lab.get("www.lab.test").status == 200
    assert lab.children() == before, "a process died of it"


def test_a_tunnel_that_did_not_open_is_none(lab):
    try:
        lab.tunnel("raw.lab.test", 1)
    except Refused as r:
        assert r.answer.status == 403
    lab.write_settings(hosts={**lab.hosts, "raw.lab.test": "127.0.0.99"})
    lab.ctl("reload")
    try:
        lab.tunnel("raw.lab.test", lab.raw)
    except Refused as r:
        assert r.answer.status == 502
    else:
        raise AssertionError("a tunnel to nobody")
    rows = json.loads(lab.ctl("status", "--json").stdout)["processes"]
    assert all(r["counters"]["tunnels"] < 100 for r in rows), rows


def test_names_must_agree(lab):
    s = lab.tls("www.lab.test")
    s.sendall(f"GET / HTTP/1.1\r\nHost: bank.lab.test:{lab.tls_port}\r\n\r\n".encode())
    assert Answer(s).status == 421
    tunnel = lab.tunnel("www.lab.test")
    context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
    context.check_hostname = False
    s = context.wrap_socket(tunnel, server_hostname="casino.lab.test")
    assert lab.get("www.lab.test", sock=s).status == 421


def test_a_destination_of_which_all_is_blocked_is_not_asked(lab):
    """A rule about paths stands before the one that blocks all."""
    lab.write_policy("""default = ( { name = "odd"; urls = ["https://dead.lab.test:%d/x"];
        verdict = "block"; reason_ja = "試験"; }, { name = "lab"; zones = ["internet"];
        destinations = ["www.lab.test"]; verdict = "allow"; reason_ja = "試験"; } );""" % lab.dead)
    lab.ctl("reload")
    a = lab.get("dead.lab.test", port=lab.dead)
    assert a.status == 403 and not lab.touched
    assert lab.get("www.lab.test").status == 200
    lab.write_policy()
    lab.ctl("reload")


def test_sessions_are_resumed(lab):
    context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
    first = context.wrap_socket(lab.tunnel("www.lab.test"), server_hostname="www.lab.test")
    lab.get("www.lab.test", sock=first)
    for _ in range(6):  # whichever edge it meets
        s = context.wrap_socket(lab.tunnel("www.lab.test"), server_hostname="www.lab.test",
                                session=first.session)
        assert s.session_reused
        assert s.session.ticket_lifetime_hint == 2 * 8 * 3600
        assert lab.get("www.lab.test", "/1k", sock=s).status == 200


def test_a_websocket_passes(lab):
    s = lab.tls("echo.lab.test", lab.echo)
    s.sendall(f"GET /chat HTTP/1.1\r\nHost: echo.lab.test:{lab.echo}\r\n"
              "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    a = Answer(s)
    assert a.status == 101 and a.field("upgrade") == "websocket"
    for n in (1, 1000, 100000):
        data = bytes(range(256)) * (n // 256 + 1)
        s.sendall(data)
        got = b""
        while len(got) < len(data):
            got += s.recv(65536)
        assert got == data
    s.close()
    assert lab.event(event="tunnel", path="/chat")["status"] == 101


def test_an_origin_that_does_not_know_the_key_gets_no_tunnel(lab):
    s = lab.tls("echo.lab.test", lab.echo)
    s.sendall(f"GET /wrong HTTP/1.1\r\nHost: echo.lab.test:{lab.echo}\r\n"
              "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    assert Answer(s).status == 502
    assert lab.event(path="/wrong")["why"] == "Sec-WebSocket-Accept unlike the key"


def test_no_other_upgrade_passes(lab):
    """Behind h2c requests would pass that nobody judges."""
    for upgrade in ("h2c", "websocket, h2c", "TLS/1.0", "websocket\r\nUpgrade: h2c"):
        s = lab.tls("head.lab.test", lab.head)
        s.sendall(f"GET / HTTP/1.1\r\nHost: head.lab.test:{lab.head}\r\n"
                  f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\n"
                  "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n".encode())
        a = Answer(s)
        assert a.status == 200 and b"pgrade" not in a.body and b"HTTP2" not in a.body, a.body


def test_a_tunnel_whose_origin_is_gone_ends(lab):
    """While the client sends: it once hung until tunnel_timeout."""
    held = []

    def mute(s):
        held.append(s)
        gone.wait(20)

    gone = threading.Event()
    port = lab.origin(mute)
    lab.write_settings(hosts={**lab.hosts, "raw.lab.test": "127.0.0.1"})
    lab.ctl("reload")
    for linger in (1, 0):  # reset, closed
        held.clear()
        s = lab.tunnel("raw.lab.test", port)
        wait_until(lambda: held)
        if linger:
            held[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        held[0].close()
        s.settimeout(5)
        try:
            while True:
                s.sendall(b"x" * 65536)
        except TimeoutError:
            raise AssertionError("it hangs") from None
        except OSError:
            pass
    gone.set()


def test_who_may_not_gets_no_tunnel(lab):
    for source in (STRANGER, CITY_MYNUMBER):
        try:
            lab.tunnel("www.lab.test", source=source)
        except Refused as r:
            assert r.answer.status == 403
            continue
        raise AssertionError(source)
