# SPDX-License-Identifier: Apache-2.0
"""The gate: separated systems reach the intermediate server, nobody else, and
each crossing has its record before its first byte."""
import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from lab import USERS, Authority, Lab, free_port, openssl, wait_until

GATE = "127.0.7.1"
CHUKAN = "127.0.8.10"
JUKI, ZEI, LATE, BARE, HIRED, OLD, RAW, PROBED = (f"127.0.3.{n}" for n in range(10, 90, 10))
CANARY = "198.51.100.7"  # no way leads there from inside
JAPAN = datetime.timezone(datetime.timedelta(hours=9))
DAY = datetime.timedelta(days=1)

SYSTEMS = {  # name: its address, the certificate it registered, its endpoints
    "city-juki": (JUKI, "juki", ["chukan", "script"]),
    "city-zei": (ZEI, "zei", ["script"]),
    "city-late": (LATE, "late", ["chukan"]),
    "city-bare": (BARE, "bare", ["chukan"]),
    "city-hired": (HIRED, "hired", ["chukan"]),
    "city-old": (OLD, "old", ["chukan"]),
    "city-raw": (RAW, "raw", ["other"]),
    "city-probed": (PROBED, "probed", ["chukan", "script"]),
}


def digest(crt):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pathlib.Path(crt).read_text())).hexdigest()


def make(build):
    lab = Lab(build)
    folder = lab.dir / "isolation"
    folder.mkdir()
    (lab.dir / "statements").mkdir()
    lab.ca = Authority(folder, "ca")
    lab.hirer = Authority(folder, "hirer")
    lab.ca.leaf("gate", f"IP:{GATE}", usage="serverAuth,clientAuth")
    for name in ("chukan", "script", "another"):
        lab.ca.leaf(name, f"DNS:{name}.test", usage="serverAuth")
    for name in ("juki", "zei", "late", "bare", "raw", "probed", "stranger"):
        lab.ca.leaf(name, f"DNS:{name}.test", usage="clientAuth")
    lab.hirer.leaf("hired", "DNS:hired.test", usage="clientAuth")
    lab.ca.leaf("old", "DNS:old.test", usage="clientAuth", days=0)
    openssl("genpkey", "-algorithm", "ED25519", "-out", folder / "auditor.key")
    openssl("pkey", "-in", folder / "auditor.key", "-pubout", "-out", folder / "auditor.pub")
    done = subprocess.run([lab.build / "sekisho-probe", "keygen", folder / "probe.key"],
                          capture_output=True, check=True)
    (folder / "probe.pub").write_bytes(done.stdout)
    lab.gate_port, lab.chukan_port, lab.other_port = free_port(), free_port(), free_port()
    lab.seen = []
    lab.script = lambda s: echo(lab, s)
    lab.script_port = scripted(lab)
    chukan(lab, lab.chukan_port, "chukan")
    chukan(lab, lab.other_port, "another")
    lab.isolation = {}
    write(lab)
    for name in SYSTEMS:
        if name != "city-bare":
            sign(lab, name)
    return lab


def echo(lab, s):
    while more := s.recv(65536):
        lab.seen.append(more)
        s.sendall(more)


def scripted(lab):
    def run(s):
        s.settimeout(30)
        lab.script(s)

    return lab.origin(run, tls=True, key=lab.dir / "isolation" / "script.key",
                      crt=lab.dir / "isolation" / "script.crt", at=(CHUKAN, 0))


def chukan(lab, port, name):
    """An intermediate server: nginx that asks for the gate's certificate."""
    run = lab.dir / "run" / name
    run.mkdir()
    (lab.dir / "www" / "32m").write_bytes(os.urandom(1 << 20) * 32)
    (run / "conf").write_text(f"""
daemon off; worker_processes 1; pid {run}/pid; user root; error_log {run}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log {run}/access.log; client_max_body_size 0;
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f;
  uwsgi_temp_path {run}/u; scgi_temp_path {run}/s;
  server {{ listen {CHUKAN}:{port} ssl; root {lab.dir}/www;
    ssl_certificate {lab.dir}/isolation/{name}.crt; ssl_certificate_key {lab.dir}/isolation/{name}.key;
    ssl_client_certificate {lab.ca.crt}; ssl_verify_client on;
    location /take {{ client_body_in_single_buffer on; proxy_pass http://127.0.0.1:{lab.plain_port}/empty; }} }} }}
""")
    lab.run_beside("nginx", "-p", run, "-c", run / "conf")
    wait_until(lambda: Lab._answers(port, CHUKAN))


def hours_away():
    """Hours that are not now, by the clock on the wall in Japan."""
    now = datetime.datetime.now(JAPAN)
    a, b = now + datetime.timedelta(hours=3), now + datetime.timedelta(hours=4)
    return f"mon-sun {a:%H:%M}-{b:%H:%M}"


def write(lab, without=(), hours=None, **change):
    lab.isolation.update(change)
    more = "".join(f"{k} = {v}; " for k, v in lab.isolation.items())
    hours = {"city-late": hours_away(), **(hours or {})}
    systems = ",\n".join(
        f'{{ name = "{n}"; body = "990019"; addresses = ["{at}"]; certificate = "isolation/{crt}.crt";'
        f' purposes = ["住民基本台帳に関する事務"]; owner = "関所市 市民課"; probe_key = "{"isolation/probe.pub" if n == "city-probed" else "none"}";'
        f' endpoints = [{", ".join(f"{chr(34)}{p}{chr(34)}" for p in ends)}];'
        + (f' hours = ["{hours[n]}"];' if n in hours else "") + " }"
        for n, (at, crt, ends) in SYSTEMS.items() if n not in without)
    lab.write_settings(extra=f"""
isolation = {{ gate = "{GATE}:{lab.gate_port}"; gate_certificate = "isolation/gate.crt";
  gate_key = "isolation/gate.key"; auditor_keys = ["isolation/auditor.pub"];
  contractor_certificates = ["isolation/hirer.crt"]; crossings = "crossings/log.jsonl";
  suspensions = "run/suspensions"; canaries = ["{CANARY}:443"]; {more} }};
provision = (
  {{ name = "chukan"; addresses = ["{CHUKAN}"]; port = {lab.chukan_port}; server_name = "chukan.test";
     certificate = "isolation/chukan.crt"; owner = "県"; }},
  {{ name = "script"; addresses = ["{CHUKAN}"]; port = {lab.script_port}; server_name = "script.test";
     certificate = "isolation/script.crt"; owner = "県"; }},
  {{ name = "other"; addresses = ["{CHUKAN}"]; port = {lab.other_port}; server_name = "other.test";
     certificate = "isolation/chukan.crt"; owner = "県"; }} );
systems = ( {systems} );
""")
    conf = lab.dir / "sekisho.conf"
    # its processes are started anew within a second, however often they die
    conf.write_text(conf.read_text().replace("processes = {", "processes = { restart_max = 1;"))


def sign(lab, name, until=None, file=None):
    """A statement of the auditor's; it counts from the next load on."""
    now = datetime.datetime.now(JAPAN)
    done = lab.ctl("-c", lab.dir / "sekisho.conf", "separation", "sign", "--key",
                   lab.dir / "isolation" / "auditor.key", "--system", name,
                   "--verified-by", "監査員", "--how", "現地で確認", "--from", f"{now - DAY:%F}",
                   "--until", until or f"{now + 30 * DAY:%F}")
    path = lab.dir / "statements" / f"{file or name}.statement"
    path.with_suffix(".new").write_text(done.stdout)
    path.with_suffix(".new").rename(path)
    return path.name


def standing(lab, name):
    rows = json.loads(lab.ctl("separation", "list", "--json").stdout)["systems"]
    return next(r["standing"] for r in rows if r["system"] == name)


def reload(lab):
    """A new gate, and the statements read anew."""
    before = lab.children()["gate"]
    lab.ctl("reload")
    wait_until(lambda: lab.children().get("gate") not in (None, before))


def restore(lab, name):
    time.sleep(1.1)  # a statement's time is in seconds
    file = sign(lab, name, file=f"{name}-{time.monotonic_ns()}")
    lab.ctl("separation", "restore", name, "--statement", file, "--reason", "確認済み")
    wait_until(lambda: standing(lab, name) == "separated", 15)


def curl(lab, crt="juki", source=JUKI, path="/1k", *more):
    f = lab.dir / "isolation"
    return subprocess.run(
        ["curl", "-sS", "--interface", source, "--cacert", lab.ca.crt, "--max-time", "20",
         *(["--cert", f / f"{crt}.crt", "--key", f / f"{crt}.key"] if crt else []), *more,
         f"https://{GATE}:{lab.gate_port}{path}"], capture_output=True)


def knock(lab, crt="juki", source=JUKI, name=None, timeout=10):
    """TLS with the gate; what comes of it shows when bytes are read."""
    f = lab.dir / "isolation"
    context = ssl.create_default_context(cafile=str(lab.ca.crt))
    context.check_hostname = False
    if crt:
        context.load_cert_chain(f / f"{crt}.crt", f / f"{crt}.key")
    s = socket.socket()
    s.settimeout(timeout)
    s.bind((source, 0))
    s.connect((GATE, lab.gate_port))
    try:
        return context.wrap_socket(s, server_hostname=name or GATE)
    except OSError:
        s.close()
        raise


def says(s, words):
    s.sendall(words)
    got = b""
    while len(got) < len(words):
        more = s.recv(65536)
        if not more:
            break
        got += more
    return got == words


@contextlib.contextmanager
def crossing(lab, source=JUKI, crt="juki", name="script.test"):
    """One that echoes; it passes bytes already."""
    with knock(lab, crt, source, name) as s:
        assert says(s, b"first words")
        yield s


def ended(s, seconds=1.0):
    """How long it took until the other end was gone."""
    begun = time.monotonic()
    s.settimeout(seconds)
    try:
        while s.recv(65536):
            pass
    except (ConnectionError, ssl.SSLError) as e:
        assert not isinstance(e, TimeoutError), f"still open after {seconds} s"
    return time.monotonic() - begun


def refused(lab, crt="juki", source=JUKI, name=None):
    """Nothing is answered, and nothing reaches an endpoint."""
    before = len(lab.seen)
    try:
        with knock(lab, crt, source, name) as s:
            s.sendall(b"GET /1k HTTP/1.1\r\nHost: x\r\n\r\n")
            assert s.recv(100) == b""
    except TimeoutError:
        raise
    except OSError:
        pass
    assert len(lab.seen) == before


def files(lab):
    return sorted((lab.dir / "crossings").glob("log-*.jsonl"))


def records(lab):
    return [json.loads(line) for f in files(lab) for line in f.read_text().splitlines()]


def killed(lab):
    """Another gate serves."""
    victim = lab.children()["gate"]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: lab.children().get("gate") not in (None, victim), 5)


def verify(lab, *args, check=True):
    return lab.ctl("log", "verify", *args, *files(lab), check=check)


def test_without_a_statement_nothing_passes(lab):
    refused(lab, "bare", BARE)
    e = lab.event(event="crossing_refused", system="city-bare")
    assert "statement" in e["why"] and e["body"] == "990019", e
    assert records(lab) == []


def test_a_separated_system_reaches_the_intermediate_server(lab):
    done = curl(lab)
    assert done.returncode == 0 and done.stdout == b"k" * 1024, done
    o = lab.event(event="crossing_opened", system="city-juki")
    e = lab.event(event="crossing_ended", crossing=o["crossing"])
    assert e["down"] > 1024 and e["up"] > 0 and e["why"] == "closed", e
    first, last = [r for r in records(lab) if r["crossing"] == o["crossing"]]
    assert first["event"] == "opened" and last["event"] == "ended"
    assert first["system"] == "city-juki" and first["body"] == "990019"
    assert first["purposes"] == ["住民基本台帳に関する事務"] and first["owner"] == "関所市 市民課"
    stated = re.search(r"(?m)^serial: ([0-9a-f]{32})$", (lab.dir / "statements" / "city-juki.statement").read_text())
    assert first["statement"] == stated[1], first
    assert first["endpoint"] == "chukan" and first["server"] == f"{CHUKAN}:{lab.chukan_port}"
    assert first["client"].startswith(JUKI + ":")
    assert first["certificate"] == digest(lab.dir / "isolation" / "juki.crt")
    assert last["up"] == e["up"] and last["down"] == e["down"]
    verify(lab, "--head", o["head"])
    kept = lab.event(event="crossings_kept")["head"]
    assert f"line {len(records(lab))}, 0 lines follow" in verify(lab, "--head", kept).stdout


def test_the_name_asked_for_chooses_among_its_endpoints(lab):
    with crossing(lab, name="script.test") as s:
        assert says(s, b"x" * 300000)
    with crossing(lab, ZEI, "zei", name="chukan.test"):  # not its: the first of its own
        pass
    assert lab.event(event="crossing_opened", system="city-zei")["endpoint"] == "script"


def test_bytes_go_both_ways_whole(lab):
    done = curl(lab, "juki", JUKI, "/32m")
    assert done.stdout == (lab.dir / "www" / "32m").read_bytes(), done.stderr
    done = curl(lab, "juki", JUKI, "/take", "--data-binary", f"@{lab.dir}/www/32m", "-o", "/dev/null",
                "-w", "%{http_code} %{size_upload}")
    assert done.stdout == b"204 33554432", done


def test_each_side_may_end_first(lab):
    got = []

    def read_all(s):
        data = b""
        while more := s.recv(65536):
            data += more
        got.append(data)

    def answer_after_the_end(s):
        read_all(s)
        s.sendall(b"answer " * 20000)
        s.unwrap()

    before, lab.script = lab.script, answer_after_the_end
    with knock(lab, name="script.test") as s:
        s.sendall(b"question")
        # close_notify of one side only, which Python's unwrap() does not do
        raw = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", f"{GATE}:{lab.gate_port}",
             "-bind", f"{JUKI}:0", "-servername", "script.test",
             "-cert", lab.dir / "isolation" / "juki.crt", "-key", lab.dir / "isolation" / "juki.key"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        raw.communicate(timeout=20)
    lab.script = before
    wait_until(lambda: b"question" in got)
    e = lab.event(event="crossing_ended", system="city-juki")
    assert e["why"], e


def test_a_slow_reader_stops_the_writer(lab):
    sent = []

    def pour(s):
        s.settimeout(None)
        while True:
            s.sendall(b"p" * 65536)
            sent.append(65536)

    before, lab.script = lab.script, pour
    try:
        with knock(lab, name="script.test") as s:
            s.sendall(b"?")
            time.sleep(1.5)
            first = sum(sent)
            time.sleep(1)
            assert sum(sent) == first, "what nobody reads goes on to be read"
            assert first < 32 << 20
            pid = lab.children()["gate"]
            rss = next(int(line.split()[1]) for line in
                       pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
            assert rss < 400 << 10
            # The kernels between hold megabytes of it: read until it moves.
            s.settimeout(10)
            while sum(sent) == first:
                assert s.recv(65536)
    finally:
        lab.script = before


def test_another_certificate_at_its_address_is_an_incident(lab):
    refused(lab, "stranger", ZEI)
    e = lab.event(event="crossing_refused", system="city-zei")
    assert e["why"] == "not the system's certificate", e
    lab.event(event="incident", what="gate: not the system's certificate")
    wait_until(lambda: standing(lab, "city-zei") == "suspended")
    refused(lab, "zei", ZEI)
    lab.event(event="crossing_refused", system="city-zei", why="the system is suspended")
    restore(lab, "city-zei")
    with crossing(lab, ZEI, "zei"):
        pass


def test_a_certificate_is_good_at_its_own_address_alone(lab):
    refused(lab, "juki", ZEI)
    wait_until(lambda: standing(lab, "city-zei") == "suspended")
    assert standing(lab, "city-juki") == "separated"
    restore(lab, "city-zei")
    refused(lab, "juki", "127.0.3.99")
    lab.event(event="crossing_refused", client="127.0.3.99", why="not the address of a registered system")
    refused(lab, "juki", "127.0.1.10")
    assert standing(lab, "city-juki") == "separated"


def test_no_certificate_and_an_old_one_are_no_incident(lab):
    refused(lab, None, OLD)
    assert "certificate" in lab.event(event="crossing_refused", system="city-old")["why"]
    refused(lab, "old", OLD)
    lab.event(event="crossing_refused", system="city-old", why="the certificate is expired")
    assert standing(lab, "city-old") == "separated"


def test_a_contractor_is_refused_even_where_it_is_registered(lab):
    refused(lab, "hired", HIRED)
    lab.event(event="crossing_refused", system="city-hired", why="a contractor's certificate")
    wait_until(lambda: standing(lab, "city-hired") == "suspended")


def test_hours_close_it(lab):
    refused(lab, "late", LATE)
    lab.event(event="crossing_refused", system="city-late", why="out of the system's hours")
    assert standing(lab, "city-late") == "separated"


def test_an_endpoint_with_another_certificate_gets_nothing(lab):
    refused(lab, "raw", RAW)
    e = lab.event(event="crossing_refused", system="city-raw")
    assert e["why"] == "the endpoint: not the endpoint's certificate", e
    assert (lab.dir / "run" / "another" / "access.log").read_text() == ""
    assert not [r for r in records(lab) if r.get("system") == "city-raw"]


def test_a_suspension_ends_what_is_open_within_a_second(lab):
    with crossing(lab) as s, crossing(lab) as t:
        lab.ctl("separation", "suspend", "city-juki", "--reason", "試験")
        begun = time.monotonic()
        assert ended(s) < 1 and ended(t) < 1
        assert time.monotonic() - begun < 1
        e = lab.event(event="crossing_ended", why="the system is suspended")
        assert e["system"] == "city-juki"
    refused(lab)
    restore(lab, "city-juki")


def test_a_proxy_request_of_its_ends_what_is_open(lab):
    with crossing(lab) as s:
        lab.send_raw(b"GET http://www.lab.test/ HTTP/1.1\r\nHost: www.lab.test\r\n\r\n", JUKI)
        assert ended(s) < 1.5
    lab.event(event="incident")
    restore(lab, "city-juki")


def test_a_statement_that_ends_ends_what_is_open(lab):
    end = datetime.datetime.now(JAPAN) + datetime.timedelta(seconds=6)
    for f in (lab.dir / "statements").glob("city-zei*"):
        f.unlink()
    sign(lab, "city-zei", until=f"{end:%Y-%m-%dT%H:%M:%S+0900}", file="short")
    reload(lab)
    assert standing(lab, "city-zei") == "separated"
    with crossing(lab, ZEI, "zei") as s:
        ended(s, 15)
        late = datetime.datetime.now(JAPAN) - end
        assert datetime.timedelta(seconds=-1.1) < late < datetime.timedelta(seconds=1.5), late
    lab.event(event="crossing_ended", system="city-zei", why="its separation statement is over")
    sign(lab, "city-zei", file="later")
    reload(lab)
    assert standing(lab, "city-zei") == "separated"


def test_a_system_that_is_not_registered_any_more_is_ended(lab):
    with crossing(lab) as s, crossing(lab, ZEI, "zei") as t:
        write(lab, without=("city-juki",))
        reload(lab)
        assert ended(s, 2) < 2
        assert says(t, b"goes on")
        refused(lab)
        write(lab)
        reload(lab)
        assert says(t, b"goes on through two reloads")
    wait_until(lambda: standing(lab, "city-juki") == "separated", 15)
    verify(lab)


def test_limits_of_one_crossing_and_of_a_system(lab):
    write(lab, crossings_max=3, crossing_bytes_max=100000, idle_max=1)
    reload(lab)
    with crossing(lab) as s:
        time.sleep(0.5)
        assert says(s, b"not idle yet")
        begun = time.monotonic()
        ended(s, 3)
        assert 0.9 < time.monotonic() - begun < 1.6
    lab.event(event="crossing_ended", system="city-juki", why="no bytes for too long")
    with crossing(lab) as s:
        assert says(s, b"x" * (100000 - len(b"first words")))
        with contextlib.suppress(OSError):
            s.sendall(b"y")
        assert ended(s, 3) < 3
    e = lab.event(event="crossing_ended", why="more bytes than permitted, from the system")
    assert e["up"] == 100000 and e["down"] == 100000, e
    with contextlib.ExitStack() as held:
        three = [held.enter_context(crossing(lab)) for _ in range(3)]
        refused(lab)
        lab.event(event="crossing_refused", system="city-juki", why="as many crossings as its system may have")
        with crossing(lab, ZEI, "zei"):
            pass
        three[0].close()

        def comes_in():
            with contextlib.suppress(OSError, AssertionError), crossing(lab):
                return True

        wait_until(comes_in)
    write(lab, crossings_max=64, crossing_bytes_max=0, idle_max=300)
    reload(lab)


def test_handshakes_have_a_deadline_and_junk_ends(lab):
    with socket.socket() as s:
        s.bind((JUKI, 0))
        s.connect((GATE, lab.gate_port))
        s.settimeout(5)
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert s.recv(100)[:1] in (b"", b"\x15")
    with socket.socket() as s:
        s.bind((JUKI, 0))
        s.connect((GATE, lab.gate_port))
        s.settimeout(15)
        with contextlib.suppress(ConnectionError):
            assert s.recv(100) == b""
    assert lab.event(event="crossing_refused", why="the TLS handshake took too long")
    assert standing(lab, "city-juki") == "separated"


def test_a_killed_gate_comes_again_and_its_records_hold(lab):
    for _ in range(3):
        victim = lab.children()["gate"]
        with crossing(lab) as s:
            client = f"{JUKI}:{s.getsockname()[1]}"
            (mine,) = [r["crossing"] for r in records(lab) if r.get("client") == client]
            o = lab.event(event="crossing_opened", crossing=mine)
            os.kill(victim, signal.SIGKILL)
            assert ended(s) < 1
        wait_until(lambda v=victim: lab.children().get("gate") not in (None, v), 2)
        wait_until(lambda: curl(lab).stdout == b"k" * 1024, 3)
        assert [r["event"] for r in records(lab) if r["crossing"] == mine] == ["opened"]
        verify(lab, "--head", o["head"])


def test_a_torn_record_is_marked(lab):
    path = files(lab)[-1]
    os.kill(lab.daemon.pid, signal.SIGSTOP)
    try:
        os.kill(lab.children()["gate"], signal.SIGKILL)
        with open(path, "ab") as f:
            f.write(b'{"prev":"torn by a power cut')
        assert verify(lab, check=False).returncode == 1
    finally:
        os.kill(lab.daemon.pid, signal.SIGCONT)
    wait_until(lambda: curl(lab).stdout == b"k" * 1024, 5)
    said = verify(lab)
    assert "torn" in said.stdout and "marked" in said.stdout, said
    path.write_bytes(b"".join(line for line in path.read_bytes().splitlines(True)
                              if b"power cut" not in line))
    assert "does not follow" in verify(lab, check=False).stdout


def test_what_was_changed_is_found(lab):
    fresh(lab)
    for _ in range(3):
        assert curl(lab).returncode == 0
    wait_until(lambda: len(records(lab)) >= 6)
    path = files(lab)[-1]
    good = path.read_bytes()
    copy = lab.dir / "copy.jsonl"
    lines = good.splitlines(True)

    def look(data, *args):
        copy.write_bytes(data)
        return lab.ctl("log", "verify", *args, copy, check=False)

    head = hashlib.sha256(lines[-1]).hexdigest()
    assert look(good, "--head", head).returncode == 0
    assert look(b"".join(lines[:-1])).returncode == 0  # a chain alone cannot show it
    assert look(b"".join(lines[:-1]), "--head", head).returncode == 1
    moved = look(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))
    assert moved.returncode == 1 and "line 2 does not follow line 1" in moved.stdout, moved
    changed = lines[1].replace(b'"up":', b'"up":1')
    assert "line 3 does not follow line 2" in look(good.replace(lines[1], changed)).stdout
    assert "line 2 (byte" in look(good.replace(lines[1], b"not a line\n")).stdout


def fresh(lab):
    """A new file of records, as none of this year was there."""
    for f in files(lab):
        f.rename(f.with_suffix(".aside"))
    killed(lab)
    wait_until(lambda: files(lab), 5)


def test_a_new_years_file_goes_on_from_the_last(lab):
    (now,) = files(lab)
    year = int(now.stem[-4:])
    former = now.with_name(f"log-{year - 2}.jsonl")
    now.rename(former)
    head = hashlib.sha256(former.read_bytes().splitlines(True)[-1]).hexdigest()
    killed(lab)
    wait_until(lambda: curl(lab).returncode == 0, 5)
    first = json.loads(now.read_text().splitlines()[0])
    assert first == {"prev": head, "event": "continues", "file": former.name}, first
    verify(lab)
    assert lab.ctl("log", "verify", now, former, check=False).returncode == 1
    former.unlink()


def fill(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(fd, b"f" * 4096)
    os.close(fd)


def test_a_full_disk_refuses_the_crossing(lab):
    folder = lab.dir / "crossings"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=750", "records", folder],
                      stderr=subprocess.DEVNULL).returncode:
        return  # not permitted here
    try:
        killed(lab)
        wait_until(lambda: curl(lab).returncode == 0, 5)
        with crossing(lab) as held:
            fill(folder / "filler")
            # What room its last block has is soon used up.
            for _ in range(30):
                if curl(lab).returncode:
                    break
            refused(lab, name="script.test")
            lab.event(event="crossing_refused", system="city-juki", why="the record of it cannot be written")
            assert says(held, b"what has its record goes on")
            (folder / "filler").unlink()
            wait_until(lambda: curl(lab).returncode == 0, 5)
        verify(lab)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        killed(lab)
        wait_until(lambda: curl(lab).returncode == 0, 5)


def test_the_gate_is_locked_in(lab):
    pid = lab.children()["gate"]
    s = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
             if ":\t" in line)
    assert s["Uid"].split() == [str(USERS["gate_user"])] * 4
    assert s["Seccomp"].strip() == "2" and int(s["CapEff"], 16) == 0
    assert os.listdir(f"/proc/{pid}/root/") == []
    key = (lab.dir / "isolation" / "gate.key").stat()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            assert (fd.stat().st_dev, fd.stat().st_ino) != (key.st_dev, key.st_ino)


def test_a_key_that_does_not_fit_changes_nothing(lab):
    folder = lab.dir / "isolation"
    key = folder / "gate.key"
    good = key.read_bytes()
    cases = {
        "is not the key of": (folder / "juki.key").read_bytes(),
        "holds no private key": b"nothing\n",
        "open to everyone": None,
    }
    for words, text in cases.items():
        if text is None:
            os.chmod(key, 0o644)
        else:
            key.write_bytes(text)
        done = lab.ctl("reload", check=False)
        assert done.returncode != 0 and words in done.stdout + done.stderr, done
        key.write_bytes(good)
        os.chmod(key, 0o600)
        assert curl(lab).returncode == 0


def test_many_at_once_have_one_chain(lab):
    wrong = []

    def one():
        for _ in range(10):
            done = curl(lab)
            if done.stdout != b"k" * 1024:
                wrong.append(done)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads[:2]:
        t.join()
    write(lab)
    lab.ctl("reload")  # two gates write for a moment
    for t in threads:
        t.join()
    assert not wrong, wrong[:2]
    verify(lab)


def test_no_content_is_written_down(lab):
    secret = b"secret words 621498320257"
    with crossing(lab) as s:
        assert says(s, secret)
    for path in [*files(lab), lab.dir / "log" / "journal.jsonl"]:
        assert secret not in path.read_bytes() and b"621498320257" not in path.read_bytes()


def probe(lab):
    """The real program, on the system; what it says and exits with."""
    folder = lab.dir / "isolation"
    (folder / "probe.conf").write_text(f"""
system = city-probed
address = {PROBED}
from = {PROBED}
gate = {GATE}:{lab.gate_port}
gate_certificate = {digest(folder / "gate.crt")}
certificate = probed.crt
certificate_key = probed.key
probe_key = probe.key
canary = {CANARY}:443
deadline = 1
""")
    return subprocess.run([lab.build / "sekisho-probe", "-c", folder / "probe.conf"], capture_output=True,
                          text=True, timeout=60, env={**os.environ, "LANG": "C.UTF-8"})


def enclosed():
    """Whether packets to a canary go nowhere; the system's address is there."""
    if "SEKISHO_FLOW_ENCLOSED" not in os.environ:
        return False
    subprocess.run(["ip", "address", "replace", f"{PROBED}/32", "dev", "lo"], check=True)
    return True


def test_a_good_probe_opens_the_gate_and_a_bad_one_closes_it(lab):
    if not enclosed():
        return
    assert standing(lab, "city-probed") == "unprobed"
    refused(lab, "probed", PROBED)
    lab.event(event="crossing_refused", system="city-probed", why="no good probe that is recent enough")
    done = probe(lab)
    assert done.returncode == 0, done
    wait_until(lambda: standing(lab, "city-probed") == "separated")
    lab.event(event="probe_good", system="city-probed")
    with crossing(lab, PROBED, "probed") as s:
        assert probe(lab).returncode == 0
        assert says(s, b"goes on beside a probe")
        subprocess.run(["ip", "address", "add", f"{CANARY}/32", "dev", "lo"], check=True)
        try:
            done = probe(lab)
        finally:
            subprocess.run(["ip", "address", "del", f"{CANARY}/32", "dev", "lo"], check=True)
        assert done.returncode != 0 and "FOUND" in done.stdout + done.stderr, done
        assert ended(s) < 1
    lab.event(event="crossing_ended", system="city-probed", why="no good probe that is recent enough")
    assert CANARY in lab.event(event="probe_failed", system="city-probed")["what"]
    assert standing(lab, "city-probed") == "unprobed"
    assert probe(lab).returncode == 0
    wait_until(lambda: standing(lab, "city-probed") == "separated")
    assert {r["crossing"] for r in records(lab) if r.get("system") == "city-probed"} == \
        {e["crossing"] for e in lab.journal() if e.get("system") == "city-probed" and e["event"] == "crossing_opened"}


def bring(lab, message, crt="probed", source=PROBED):
    """What the gate says to those bytes of a probe."""
    f = lab.dir / "isolation"
    context = ssl.create_default_context(cafile=str(lab.ca.crt))
    context.check_hostname = False
    context.set_alpn_protocols(["sekisho-probe/1"])
    context.load_cert_chain(f / f"{crt}.crt", f / f"{crt}.key")
    with socket.socket() as plain:
        plain.settimeout(10)
        plain.bind((source, 0))
        plain.connect((GATE, lab.gate_port))
        with context.wrap_socket(plain, server_hostname=GATE) as s:
            assert s.selected_alpn_protocol() == "sekisho-probe/1"
            nonce = b""
            while len(nonce) < 32:
                nonce += s.recv(32 - len(nonce))
            said = b""
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                s.sendall(message)
                while more := s.recv(1000):
                    said += more
            return nonce, said.decode()


def test_a_probe_that_proves_nothing_ends_the_separation(lab):
    if not enclosed():
        return
    cases = {
        "no message": struct.pack(">I", 10) + b"0123456789",
        "none at all": struct.pack(">I", 0),
        "too long": struct.pack(">I", (128 << 10) + 1) + b"x" * 100,
    }
    nonces = set()
    for name, message in cases.items():
        assert probe(lab).returncode == 0
        wait_until(lambda: standing(lab, "city-probed") == "separated")
        nonce, said = bring(lab, message)
        nonces.add(nonce)
        assert said.startswith("refused ") and said.endswith("\n"), (name, said)
        wait_until(lambda: standing(lab, "city-probed") == "unprobed")
    assert len(nonces) == len(cases)


def test_who_has_no_probe_or_is_suspended_brings_none(lab):
    assert "no probe is registered" in bring(lab, b"", "juki", JUKI)[1]
    lab.ctl("separation", "suspend", "city-probed", "--reason", "試験")
    assert bring(lab, b"")[1] == "refused suspended\n"
    with contextlib.suppress(OSError):  # another's certificate
        bring(lab, b"", "juki", PROBED)
    assert standing(lab, "city-juki") == "separated"
