# SPDX-License-Identifier: Apache-2.0
"""A whole prefecture of real networks: every pair of hosts is tried in every way, and just
what the proof says passes; then things break, and never more does."""
import ipaddress
import json
import os
import signal
import subprocess
import time

from lab import wait_until
from prefecture import BODIES, GATE, MAIL, PORTS, PROXY, PROXY6, USERS, Checkpoint, Prefecture

NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}


def make(build):
    checkpoint = Checkpoint(build, Prefecture(f"p{os.getpid()}-"))
    for code in BODIES:
        checkpoint.sign(code)
    checkpoint.intermediate_server()
    return checkpoint


def number(address):
    """IPv4 stands as ::ffff:a.b.c.d."""
    a = ipaddress.ip_address(address)
    return int(a) | 0xFFFF << 32 if a.version == 4 else int(a)


class Cells:
    """What the proof says may pass."""

    def __init__(self, lab):
        self.told = json.loads(lab.ctl("isolation", "prove", "--json").stdout)
        assert self.told["holds"] and not self.told["counterexamples"]
        self.cells = [(c["carrier"], c["protocol"], *(tuple(map(number, c[k])) for k in ("from", "to")), c["ports"])
                      for c in self.told["cells"]]

    def pass_(self, carriers, protocol, start, end, port):
        if protocol == "icmp":
            protocol, port = ("icmpv6" if ":" in end else "icmp"), 0
        a, b = number(start), number(end)
        return any(c in carriers and p == NUMBERS[protocol] and f[0] <= a <= f[1] and t[0] <= b <= t[1]
                   and ports[0] <= port <= ports[1] for c, p, f, t, ports in self.cells)


def pairs(lab):
    """Each host's addresses with all others', and with the checkpoint's own."""
    hosts = {n: h for n, h in lab.prefecture.hosts.items() if h.addresses}
    own = [PROXY, MAIL, GATE, PROXY6, *lab.prefecture.gateways]
    for name, host in hosts.items():
        others = [(m, a) for m, h in hosts.items() if m != name for a in h.addresses] + [("", a) for a in own]
        for start in host.addresses:
            for other, end in others:
                if (":" in start) == (":" in end):
                    yield name, start, other, end


def try_all(lab):
    """Packets of every kind between all pairs; those that somebody answered."""
    attempts = [(name, [protocol, start, end, port]) for name, start, _, end in pairs(lab)
                for protocol, port in [*(("tcp", p) for p in PORTS), ("udp", 53), ("udp", 443), ("icmp", 0)]]
    reached = lab.prefecture.reached(attempts)
    # Who refuses a connection has heard of it.
    return {k: v for k, v in reached.items() if v and (v[0] != "!" or "refused" in v)}


def check_packets(lab, cells):
    reached = try_all(lab)
    allowed, missing = {"forward", "listen"}, []
    for key in reached:
        assert cells.pass_(allowed, *key[1:]), f"passes and must not: {key}: {reached[key]}"
    for name, start, other, end in pairs(lab):
        for protocol, port in [*(("tcp", p) for p in PORTS), ("udp", 53), ("udp", 443), ("icmp", 0)]:
            if cells.pass_(allowed, protocol, start, end, port) and (name, protocol, start, end, port) not in reached:
                missing.append((name, protocol, start, end, port))
    assert not missing, f"{len(missing)} should pass and do not, {missing[:5]}"
    return len(reached)


def speak(crossing, words, seconds=5):
    """What comes back from the intermediate server; "" when the crossing is over."""
    crossing.stdin.write(words.encode() + b"\n")
    crossing.stdin.flush()
    os.set_blocking(crossing.stdout.fileno(), False)
    end, got = time.monotonic() + seconds, b""
    while not got.endswith(b"\n") and time.monotonic() < end and crossing.poll() is None:
        got += crossing.stdout.read() or b""
        time.sleep(0.02)
    return got.decode().strip()


def crosses(lab, b, **how):
    p = lab.cross(b, **how)
    try:
        return speak(p, "abc") == "cba"
    except BrokenPipeError:
        return False
    finally:
        p.kill()
        p.wait()


def sign_anew(lab):
    """All are separated, whatever was before."""
    time.sleep(1.1)  # a statement's time is in seconds
    for code in BODIES:
        lab.sign(code)
        if "suspended" in json.dumps([s for s in json.loads(lab.ctl("separation", "list", "--json").stdout)["systems"]
                                      if s["system"] == f"system-{code}" and s["standing"] == "suspended"]):
            lab.ctl("separation", "restore", f"system-{code}", "--statement", f"{code}.statement", "--reason",
                    "演習の後")


def test_registered_systems_cross(lab):
    for b in (1, 2, 3):
        assert crosses(lab, b), b
    # from another address of the segment, and with another's certificate
    assert not crosses(lab, 1, n=3)
    assert not crosses(lab, 1, code=BODIES[1])
    sign_anew(lab)


def test_just_the_proved_cells_pass(lab):
    cells = Cells(lab)
    begun = time.monotonic()
    n = check_packets(lab, cells)
    print(f"       {sum(1 for _ in pairs(lab)) * (len(PORTS) + 3)} tried, {n} answered,"
          f" {time.monotonic() - begun:.1f} s")
    # what systems tried beside the gate has suspended them all
    wait_until(lambda: {s["standing"] for s in json.loads(lab.ctl("separation", "list", "--json").stdout)["systems"]}
               == {"suspended"})
    for b in (1, 2, 3):
        assert not crosses(lab, b), b
    sign_anew(lab)
    assert crosses(lab, 1)


def test_the_proxy_leads_nowhere_else(lab):
    cells = Cells(lab)
    hosts = {n: h for n, h in lab.prefecture.hosts.items() if h.addresses}
    attempts, names = [], {}
    for name, host in hosts.items():
        for start in host.addresses:
            at = f"via {PROXY6}:8080" if ":" in start else f"via {PROXY}:8080"
            for other, h in hosts.items():
                for end in h.addresses if other != name else []:
                    for port in (443, 8445, 8446, 25):
                        attempts.append((name, [at, start, end, port]))
                    if ":" not in end:
                        rebinding = end.replace(".", "-") + ".rebind.test"
                        names[rebinding] = end
                        attempts.append((name, [at, start, rebinding, 443]))
    reached = lab.prefecture.reached(attempts)
    opened = {k: v for k, v in reached.items() if v in hosts}
    assert opened, reached
    for (name, at, start, end, port), who in opened.items():
        assert cells.pass_({"edge"}, "tcp", start, names.get(end, end), port), (name, at, start, end, port, who)
    for name, what in attempts:
        end = names.get(what[2], what[2])
        if name.startswith("internet") and cells.pass_({"edge"}, "tcp", what[1], end, what[3]) and \
                cells.pass_({"listen"}, "tcp", what[1], PROXY6 if ":" in what[1] else PROXY, 8080):
            assert (name, *what) in opened, (name, what, reached[(name, *what)])
    sign_anew(lab)


def test_mail_leads_nowhere_else(lab):
    inside = lab.address("mynumber1", 3)
    lab.prefecture.seen("mynumber1")
    name = inside.replace(".", "-") + ".rebind.test"
    script = f"""
import smtplib, sys
s = smtplib.SMTP("{MAIL}", 25, "host.city.test", 10, ("{lab.address('internet1', 2)}", 0))
try:
    s.sendmail("taro@city.test", ["x@{name}", "x@[{inside}]"], "Subject: x\\r\\n\\r\\ntext\\r\\n")
except smtplib.SMTPException as e:
    print(e)
"""
    done = lab.prefecture.hosts["internet1"].run("python3", "-c", script)
    assert done.returncode == 0, done.stderr
    time.sleep(2)
    assert not lab.prefecture.seen("mynumber1")
    said = [e for e in lab.journal() if e["event"] in ("mail_recipient", "mail_refused") and name in json.dumps(e)]
    assert said and all(e.get("result") != "delivered" for e in said), said


def test_no_process_of_this_machine_goes_there(lab):
    targets = [lab.address(f"mynumber{b}", n, f) for b in (1, 2, 3) for n in (2, 3) for f in (4, 6)]
    provision = lab.address("provision", 2)
    tried = {}
    for who, user in (("edge", USERS["edge_user"]), ("mail", USERS["mail_user"]), ("root", None),
                      ("gate", USERS["gate_user"])):
        host = lab.prefecture.process_of_cloud(who, user)
        attempts = [(who, ["tcp", "::" if ":" in t else "0.0.0.0", t, p]) for t in targets for p in (443, 8443)]
        attempts.append((who, ["tcp", "0.0.0.0", provision, 8446]))
        attempts.append((who, ["tcp", "0.0.0.0", provision, 443]))
        attempts.append((who, ["udp", "0.0.0.0", provision, 53]))
        for key, answer in lab.prefecture.reached(attempts).items():
            if answer and answer[0] != "!" or "refused" in answer:
                tried[key] = answer
        host.stop()
        del lab.prefecture.hosts[who]
    assert list(tried) == [("gate", "tcp", "0.0.0.0", provision, 8446)], tried


def test_rules_that_are_flushed_come_back(lab):
    cells = Cells(lab)
    lab.prefecture.in_cloud("nft", "flush", "table", "inet", "sekisho_isolation")
    drift = wait_until(lambda: lab.events("isolation_drift"), 15, 0.2)
    assert drift
    wait_until(lambda: lab.ctl("isolation", "verify", check=False).returncode == 0, 10)
    check_packets(lab, cells)
    sign_anew(lab)


def test_a_crossing_ends_with_its_statement(lab):
    p = lab.cross(2)
    assert speak(p, "abc") == "cba"
    begun = time.monotonic()
    lab.ctl("separation", "suspend", f"system-{BODIES[1]}", "--reason", "疑い")
    wait_until(lambda: p.poll() is not None, 3)
    print(f"       over {time.monotonic() - begun:.2f} s behind the order")
    p.wait()
    assert not crosses(lab, 2)
    assert crosses(lab, 1)
    sign_anew(lab)
    assert crosses(lab, 2)


def over_at(crossing, end):
    """Whether the crossing speaks until then, and is over within a second behind it."""
    while time.time() < end - 1:
        assert speak(crossing, "abc") == "cba"
        time.sleep(0.3)
    wait_until(lambda: crossing.poll() is not None, 10)
    print(f"       over {time.time() - end:.2f} s behind the statement's end")
    assert end - 1 < time.time() < end + 1.5
    crossing.wait()


def short_statement(lab, code, seconds=7):
    """It is over at the second that it returns."""
    time.sleep(1.1)
    end = int(time.time()) + seconds
    lab.sign(code, until=time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(end)))
    lab.ctl("reload")
    return end


def test_a_statement_ends_during_a_crossing(lab):
    end = short_statement(lab, BODIES[1])
    wait_until(lambda: crosses(lab, 2), 4)
    over_at(lab.cross(2), end)
    assert not crosses(lab, 2)
    assert crosses(lab, 1)
    sign_anew(lab)
    lab.ctl("reload")
    wait_until(lambda: crosses(lab, 2), 5)


def test_a_clock_that_is_set_back_gives_nothing_back(lab):
    """Neither what is over, nor more time to what is not; an hour, and then a year."""
    cells = Cells(lab)
    try:
        for back in 3600, 365 * 86400:
            end = short_statement(lab, BODIES[1])
            wait_until(lambda: crosses(lab, 2), 4)
            p = lab.cross(2)
            assert speak(p, "abc") == "cba"
            lab.set_clock(-back)
            wait_until(lambda: lab.events("clock_set_back"), 5)
            over_at(p, end)
            for _ in range(3):
                assert not crosses(lab, 2)
                time.sleep(0.5)
            assert crosses(lab, 1)
            lab.set_clock(0)
            assert not crosses(lab, 2)
        lab.set_clock(-3600)
        check_packets(lab, cells)
    finally:
        lab.set_clock(0)
    sign_anew(lab)
    lab.ctl("reload")
    wait_until(lambda: crosses(lab, 2), 5)


def test_a_killed_gate_passes_nothing(lab):
    pid = next(e["text"].split()[-1] for e in reversed(lab.events("started")) if e["process"].startswith("gate"))
    p = lab.cross(1)
    assert speak(p, "abc") == "cba"
    os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: p.poll() is not None, 5)
    wait_until(lambda: crosses(lab, 1), 15)
    for file in (lab.dir / "log").glob("crossings*"):
        lab.ctl("log", "verify", file)
    assert any('"crossing_opened"' in f.read_text() or "opened" in f.read_text()
               for f in (lab.dir / "log").glob("crossings*"))


def test_a_killed_parent_leaves_the_rules(lab):
    cells = Cells(lab)
    p = lab.cross(1)
    assert speak(p, "abc") == "cba"
    children = subprocess.run(["pgrep", "-f", f"sekishod -c {lab.dir}/sekisho.conf"], capture_output=True,
                              text=True, check=True).stdout.split()
    os.kill(lab.daemon.pid, signal.SIGKILL)
    lab.daemon.wait()
    wait_until(lambda: p.poll() is not None, 10)
    wait_until(lambda: not any(os.path.exists(f"/proc/{c}") for c in children), 20)
    reached = try_all(lab)
    for key in reached:
        assert cells.pass_({"forward", "listen"}, *key[1:]), f"passes and must not: {key}: {reached[key]}"
    # and what was suspended before stays so behind a new start
    lab.start()
    sign_anew(lab)
    assert crosses(lab, 1)
