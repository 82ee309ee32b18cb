# SPDX-License-Identifier: Apache-2.0
"""The processes, asked of the kernel; death and reload."""
import json
import os
import pathlib
import signal
import socket
import threading
import time

from lab import CITY, USERS, Lab, wait_until


def make(build):
    lab = Lab(build, hosts={"raw.lab.test": "127.0.0.1"})
    lab.raw = lab.origin(lambda s: [s.sendall(b) for b in iter(lambda: s.recv(4096), b"")])
    lab.write_settings()
    return lab


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_every_process_is_locked_in(lab):
    children = lab.children()
    assert set(children) >= {"edge.0", "edge.1", "journal", "control", "keysmith"} or \
        len(children) == 6, children
    for name, pid in children.items():
        s = status(pid)
        kind = name.split(".")[0]
        want = next(v for k, v in USERS.items() if k.startswith(kind[:6]))
        assert s["Uid"].split() == [str(want)] * 4, (name, s["Uid"])
        assert s["Gid"].split() == [str(want)] * 4
        assert s["Groups"].strip() == ""
        assert s["NoNewPrivs"].strip() == "1" and s["Seccomp"].strip() == "2"
        assert int(s["CapEff"], 16) == int(s["CapPrm"], 16) == 0
        root = os.readlink(f"/proc/{pid}/root")
        assert root.startswith(str(lab.dir)), (name, root)
        if kind != "journal":
            assert os.listdir(f"/proc/{pid}/root/") == []


def test_a_killed_process_is_replaced_within_a_second(lab):
    for name, victim in sorted(lab.children().items()):
        os.kill(victim, signal.SIGKILL)
        begun = time.monotonic()
        wait_until(lambda: lab.children().get(name) not in (None, victim), 1)

        def serves():
            try:
                return lab.get("www.lab.test", "/1k").status == 200
            except OSError:
                return False

        wait_until(serves, 1 - (time.monotonic() - begun) + 0.5)
        e = lab.event(event="died", pid=victim)
        assert "signal 9" in e["text"], e


def on_edge(lab, name):
    rows = json.loads(lab.ctl("status", "--json").stdout)["processes"]
    return next(r["counters"]["connections"] for r in rows if r["name"] == name)


def test_an_open_connection_of_another_edge_goes_on(lab):
    held = [lab.tunnel("raw.lab.test", lab.raw) for _ in range(8)]
    while not all(on_edge(lab, n) for n in ("edge.0", "edge.1")):
        held.append(lab.tunnel("raw.lab.test", lab.raw))
    elsewhere = on_edge(lab, "edge.1")
    victim = lab.children()["edge.0"]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: lab.children().get("edge.0") not in (None, victim), 2)
    alive = 0
    for s in held:
        try:
            s.sendall(b"still there?")
            alive += s.recv(100) == b"still there?"
        except OSError:
            pass
    assert alive == elsewhere


def reloads(lab):
    return sum(e["event"] == "reloaded" for e in lab.journal())


def test_a_reload_fails_no_request_and_keeps_tunnels(lab):
    tunnel = lab.tunnel("raw.lab.test", lab.raw)
    stop, wrong, done = threading.Event(), [], []

    def load():
        while not stop.is_set():
            try:
                with lab.tls("www.lab.test") as s:
                    for _ in range(20):
                        a = lab.get("www.lab.test", "/1k", sock=s)
                        if a.status != 200:
                            wrong.append(a.raw)
                        done.append(1)
                        if a.field("connection") == "close":
                            break
            except Exception as e:  # any failure is what the test is about
                wrong.append(repr(e))

    threads = [threading.Thread(target=load) for _ in range(6)]
    for t in threads:
        t.start()
    before = reloads(lab)
    for _ in range(4):
        time.sleep(0.4)
        lab.ctl("reload")
    time.sleep(0.4)
    stop.set()
    for t in threads:
        t.join()
    assert not wrong, wrong[:3]
    assert len(done) > 50
    wait_until(lambda: reloads(lab) == before + 4)
    tunnel.sendall(b"through four reloads")
    assert tunnel.recv(100) == b"through four reloads"


def test_a_tunnel_opened_while_draining_is_a_tunnel_like_any(lab):
    before = reloads(lab)
    with lab.connect() as s:
        old = lab.children()["edge.0"], lab.children()["edge.1"]
        lab.ctl("reload")
        wait_until(lambda: reloads(lab) == before + 1)
        lab.tunnel("raw.lab.test", lab.raw, sock=s)
        names = [p for p in old if os.path.exists(f"/proc/{p}")]
        assert names, "the edge that drains serves it"
        s.sendall(b"bytes")
        assert s.recv(100) == b"bytes"


def test_a_broken_file_changes_nothing_and_is_named(lab):
    path = lab.dir / "policy.conf"
    good = path.read_text()
    path.write_text(good.replace('verdict = "block"', 'verdict = "blokc"', 1))
    answer = lab.ctl("reload", check=False)
    assert answer.returncode != 0
    said = answer.stdout + answer.stderr
    assert "policy.conf:" in said and "blokc" in said, said
    assert "policy.conf:" in lab.event(event="reload_refused")["text"]
    assert lab.get("www.lab.test", "/1k").status == 200
    path.write_text(good)
    lab.ctl("reload")


def test_a_reload_by_signal_brings_new_rules(lab):
    path = lab.dir / "gambling.domains"
    path.write_text("casino.lab.test\nsns.lab.test\n")
    lab.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: lab.get("sns.lab.test").status == 403)
    path.write_text("casino.lab.test\n")
    lab.ctl("reload")
    assert lab.get("sns.lab.test").status == 200


def test_status_tells_of_processes(lab):
    text = lab.ctl("status").stdout
    for name in ("edge.0", "edge.1", "keysmith", "journal", "control"):
        assert name in text, text
    assert max(map(len, text.splitlines())) <= 80


def test_slow_heads_are_ended(lab):
    lab.write_settings(limits="head_timeout = 1;")
    lab.ctl("reload")
    s = lab.connect()
    s.sendall(b"GET http://www.lab.test/ HTTP/1.1\r\n")
    s.settimeout(5)
    begun = time.monotonic()
    assert b" 408 " in s.recv(1000)
    assert 0.5 < time.monotonic() - begun < 3


def test_connections_of_one_address_are_limited(lab):
    lab.write_settings(limits="connections_per_address = 5;")
    lab.ctl("reload")
    time.sleep(0.2)
    source = "127.0.1.77"
    held = [lab.connect(source) for _ in range(5)]
    for s in held:
        assert lab.get_plain("plain.lab.test", source=source, sock=s).status == 200
    try:
        sixth = lab.connect(source)
        sixth.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert sixth.recv(100) == b""
    except ConnectionResetError:
        pass
    assert lab.get_plain("plain.lab.test", source=CITY).status == 200
    held[0].close()
    wait_until(lambda: works(lab, source), 3)
    lab.write_settings(limits="")
    lab.ctl("reload")


def works(lab, source):
    try:
        return lab.get_plain("plain.lab.test", source=source).status == 200
    except OSError:
        return False


def test_a_stop_refuses_new_connections_at_once(lab):
    held = lab.tunnel("raw.lab.test", lab.raw)
    lab.daemon.send_signal(signal.SIGTERM)

    def refused():
        try:
            lab.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(refused, 3)
    held.sendall(b"still open")
    assert held.recv(100) == b"still open"
    held.close()
    assert lab.daemon.wait(10) == 0
    assert not (lab.dir / "run" / "control.sock").exists()
    lab.start()


def test_stop_ends_every_process(lab):
    pids = list(lab.children().values())
    lab.daemon.terminate()
    lab.daemon.wait(30)
    assert lab.daemon.returncode == 0
    wait_until(lambda: not any(pathlib.Path(f"/proc/{p}").exists() for p in pids), 5)
