# SPDX-License-Identifier: Apache-2.0
"""Each wait has an end, each count a limit; and what crashes again and again waits."""
import os
import signal
import socket
import ssl
import threading
import time

from lab import CITY, CITY_LGWAN, TOWN, Answer, Cut, Lab, read_head, wait_until


def make(build):
    lab = Lab(build, hosts={f"{n}.lab.test": "127.0.0.1" for n in ("raw", "mute", "stall", "odd")},
              limits="head_timeout = 1; handshake_timeout = 1; idle_timeout = 2; "
              "body_timeout = 1; answer_timeout = 1; tunnel_timeout = 1; interim_max = 3; "
              "connections_per_body = 12; connections_per_address = 8;")
    lab.raw = lab.origin(lambda s: [s.sendall(b) for b in iter(lambda: s.recv(4096), b"")])
    lab.mute = lab.origin(lambda s: [None for _ in iter(lambda: s.recv(4096), b"")])
    lab.stall = lab.origin(stall)
    lab.odd = lab.origin(interims)
    lab.write_settings()
    return lab


def stall(s):
    read_head(s)
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    s.recv(100)


def interims(s):
    n = int(read_head(s).split(b" ")[1][1:])
    s.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * n + b"HTTP/1.1 204 No Content\r\n\r\n")
    s.recv(100)


def ends_within(s, low, high):
    begun = time.monotonic()
    s.settimeout(high + 5)
    try:
        while s.recv(65536):
            pass
    except (ConnectionResetError, ssl.SSLError):
        pass
    took = time.monotonic() - begun
    assert low <= took <= high, took


def test_a_head_must_come_in_time(lab):
    with lab.connect() as s:
        s.sendall(b"GET http://plain.lab.test/ HT")
        a = Answer(s)
        assert a.status == 408
        ends_within(s, 0, 3)


def test_an_idle_connection_ends(lab):
    with lab.connect() as s:
        assert lab.get_plain("plain.lab.test", sock=s).status == 200
        ends_within(s, 1.5, 4)


def test_a_handshake_must_come_in_time(lab):
    s = lab.tunnel("www.lab.test")
    ends_within(s, 0.5, 3)
    assert "too long" in lab.event(event="tls_failed")["why"]


def test_an_origin_must_answer_in_time(lab):
    a = lab.get_plain("mute.lab.test", port=lab.mute)
    assert a.status == 504
    assert lab.event(host="mute.lab.test")["status"] == 504


def test_a_body_must_move(lab):
    try:
        lab.get_plain("stall.lab.test", port=lab.stall)
    except Cut:
        pass
    else:
        raise AssertionError("the body looked complete")
    to = f"mute.lab.test:{lab.mute}"
    with lab.connect() as s:
        s.sendall(f"POST http://{to}/ HTTP/1.1\r\nHost: {to}\r\nContent-Length: 9\r\n\r\nhalf".encode())
        assert Answer(s).status == 408


def test_a_silent_tunnel_ends(lab):
    s = lab.tunnel("raw.lab.test", lab.raw)
    s.sendall(b"x")
    assert s.recv(1) == b"x"
    ends_within(s, 0.5, 3)


def test_interim_answers_have_a_limit(lab):
    a = lab.get_plain("odd.lab.test", "/3", port=lab.odd)
    statuses = [a.status] + [Answer(a.sock).status for _ in range(3)]
    assert statuses == [102, 102, 102, 204], statuses
    a = lab.get_plain("odd.lab.test", "/4", port=lab.odd)
    assert [Answer(a.sock).status for _ in range(3)] == [102, 102, 502]


def open_ones(lab, sources):
    """How many of these connections are served, not refused."""
    held, served = [], 0
    for source in sources:
        try:
            held.append(lab.connect(source))
        except ConnectionResetError:
            pass
    for s in held:
        try:
            s.sendall(b"GET /proxy.pac HTTP/1.1\r\nHost: p\r\n\r\n")
            served += Answer(s).status == 200
        except OSError:
            pass
    for s in held:
        s.close()
    return served


def test_connections_of_an_address_and_of_a_body_are_limited(lab):
    none_open = lambda: '"connections":0,' in lab.ctl("status", "--json").stdout.replace(" ", "")
    wait_until(none_open, 5)
    assert open_ones(lab, [CITY] * 8) == 8
    wait_until(none_open, 5)
    assert open_ones(lab, [CITY] * 9) == 8
    lab.event(event="connection_refused", why="connections_per_address is reached")
    wait_until(none_open, 5)
    # the zones of one body count together, another body counts by itself
    city = [CITY] * 6 + [CITY_LGWAN] * 6
    assert open_ones(lab, city + [TOWN]) == 13
    wait_until(none_open, 5)
    assert open_ones(lab, city + ["127.0.1.11", TOWN]) == 13
    lab.event(event="connection_refused", why="connections_per_body is reached")


def test_half_a_record_holds_up_nobody(lab):
    """The edge once read the half again and again, and served nobody else."""
    held = []
    for _ in range(6):  # both edges
        context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
        came, left = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(came, left, server_hostname="www.lab.test")
        s = lab.tunnel("www.lab.test")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                s.sendall(left.read())
                came.write(s.recv(65536))
        s.sendall(left.read())
        tls.write(b"GET / HTTP/1.1\r\n")
        s.sendall(left.read()[:20])
        held.append(s)
    begun = time.monotonic()
    for _ in range(20):
        assert lab.get("www.lab.test", source=TOWN).status == 200
    assert time.monotonic() - begun < 3
    for s in held:
        s.close()


def test_what_crashes_again_and_again_waits(lab):
    def kill():
        pid = wait_until(lambda: lab.children().get("edge.1"), 10)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: lab.children().get("edge.1") != pid, 10)

    begun = len(lab.journal())
    for _ in range(4):
        kill()
    lab.event(event="backoff", wait_ms=400)
    waits = [e["wait_ms"] for e in lab.journal()[begun:] if e["event"] == "backoff"]
    assert waits == [100, 200, 400], waits
    # the other edge serves on
    answers = [lab.get_plain("plain.lab.test").status for _ in range(10)]
    assert answers == [200] * 10
    wait_until(lambda: lab.children().get("edge.1"), 10)


def test_a_tunnel_outlives_a_reload_until_drain_max(lab):
    conf = lab.dir / "sekisho.conf"
    conf.write_text(conf.read_text().replace("drain_max = 20", "drain_max = 2")
                    .replace("tunnel_timeout = 1", "tunnel_timeout = 60"))
    lab.ctl("reload")
    s = lab.tunnel("raw.lab.test", lab.raw)
    lab.ctl("reload")
    s.sendall(b"still")
    assert s.recv(10) == b"still"
    ends_within(s, 0.5, 5)
    wait_until(lambda: [e for e in lab.journal() if e["event"] == "drained"], 5)


def test_an_edge_without_descriptors_waits_and_goes_on(lab):
    conf = lab.dir / "sekisho.conf"
    conf.write_text(conf.read_text().replace("drain_max = 2", "drain_max = 2; files_max = 64")
                    .replace("edges = 2", "edges = 1")
                    .replace("per_address = 8", "per_address = 1000")
                    .replace("per_body = 12", "per_body = 1000")
                    .replace("idle_timeout = 2", "idle_timeout = 60"))
    lab.ctl("reload")
    wait_until(lambda: len([c for c in lab.children() if c.startswith("edge")]) == 1, 10)
    edge = lab.children()["edge.0"]
    held = [lab.connect() for _ in range(100)]
    lab.event(event="failure", process="edge.0")
    before = cpu(edge)
    time.sleep(1)
    assert cpu(edge) - before < 0.3, "it asks again and again for what it cannot have"
    for s in held:
        s.close()
    wait_until(lambda: lab.get_plain("plain.lab.test").status == 200)


def cpu(pid):
    """CPU seconds of that process."""
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
