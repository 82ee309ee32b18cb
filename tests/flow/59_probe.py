# SPDX-License-Identifier: Apache-2.0
"""sekisho-probe on a system between real networks: closed, and with holes.

Three networks beside our own: the system's segment, its router, which is the
gate's machine too, and the internet behind it. Closed, the router forwards
nothing. Each test opens one hole and closes it again. The gate of this test is
a few lines that do what isolation/probe.h says.
"""
import contextlib
import ctypes
import hashlib
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

import lab as lab_module
from lab import Authority, wait_until

SYSTEM, ROUTER, ABSENT = "192.0.2.10", "192.0.2.1", "192.0.2.77"
SYSTEM6, ROUTER6 = "2001:db8:1::10", "2001:db8:1::1"
OUT, OUT6 = "203.0.113.7", "2001:db8:2::7"
NOWHERE = "198.51.100.9"  # no route leads there
GATE_PORT = 8445
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

SETTINGS = f"""
# what the test gives to the probe
system = kokuho-1
gate = {ROUTER}:{GATE_PORT}
certificate = system.crt
certificate_key = system.key
probe_key = probe.key
address = 192.0.2.0/28
address = {SYSTEM6}
canary = {OUT}:443
canary = {OUT}:53
canary = [{OUT6}]:443
canary = {ABSENT}:22
deadline = 2
"""


class Networks:
    """What the tests share; it is stopped as a Lab is."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-flow-"))
        os.chmod(self.dir, 0o755)
        self.keepers, self.sockets = [], []
        lab_module.labs.append(self)

    def start(self):
        self.system, self.router, self.out = (self._network() for _ in range(3))
        self._link(self.system, "eth0", [f"{SYSTEM}/24", f"{SYSTEM6}/64"],
                   self.router, "lan0", [f"{ROUTER}/24", f"{ROUTER6}/64"])
        self._link(self.out, "eth0", [f"{OUT}/24", f"{OUT6}/64"],
                   self.router, "wan0", ["203.0.113.1/24", "2001:db8:2::1/64"])
        for network, v4, v6 in ((self.system, ROUTER, ROUTER6),
                                (self.out, "203.0.113.1", "2001:db8:2::1")):
            self.sh(network, "ip", "route", "add", "default", "via", v4)
            self.sh(network, "ip", "-6", "route", "add", "default", "via", v6)
        self.sh(self.system, "ip", "route", "add", "blackhole", "198.51.100.0/24")
        self.forward(False)
        self._make_keys()
        self.gate = Gate(self)
        return self

    def _network(self):
        keeper = subprocess.Popen(["unshare", "-n", "sleep", "3600"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.keepers.append(keeper)
        own = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{keeper.pid}/ns/net") != own)
        self.sh(keeper.pid, "ip", "link", "set", "lo", "up")
        return keeper.pid

    def _link(self, one, one_name, one_has, other, other_name, other_has):
        self.sh(other, "ip", "link", "add", other_name, "type", "veth",
                "peer", "name", one_name, "netns", one)
        for network, name, addresses in ((one, one_name, one_has),
                                         (other, other_name, other_has)):
            self.sh(network, "ip", "link", "set", name, "up")
            for a in addresses:
                self.sh(network, "ip", "address", "add", a, "dev", name,
                        *(["nodad"] if ":" in a else []))

    def _make_keys(self):
        ca = Authority(self.dir, "systems-ca")
        for name in ("system", "gate", "other"):
            ca.leaf(name, f"DNS:{name}.test", usage="clientAuth,serverAuth")
        done = self.run("keygen", self.dir / "probe.key")
        assert done.returncode == 0, done
        (self.dir / "probe.pub").write_text(done.stdout)
        assert os.stat(self.dir / "probe.key").st_mode & 0o777 == 0o600
        der = ssl.PEM_cert_to_DER_cert((self.dir / "gate.crt").read_text())
        self.pin = hashlib.sha256(der).hexdigest()

    @staticmethod
    def sh(network, *args):
        subprocess.run(["nsenter", "-t", str(network), "-n", *map(str, args)], check=True)

    def forward(self, v4, v6=None):
        v6 = v4 if v6 is None else v6
        for name, on in (("ipv4/ip_forward", v4), ("ipv6/conf/all/forwarding", v6)):
            self.sh(self.router, "sh", "-c", f"echo {int(on)} >/proc/sys/net/{name}")
        # Turning it changes the routes that IPv6 learned, not these.

    @contextlib.contextmanager
    def hole(self, v4=True, v6=False):
        self.forward(v4, v6)
        try:
            yield
        finally:
            self.forward(False)

    def socket_in(self, network, make):
        """What make() gives, a socket, in another network; ours to close."""
        got = []

        def inside():
            with open(f"/proc/{network}/ns/net") as f:
                assert libc.setns(f.fileno(), CLONE_NEWNET) == 0
            got.append(make())
        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        self.sockets.append(got[0])
        return got[0]

    # the program

    def settings(self, extra="", name="probe.conf"):
        path = self.dir / name
        text = SETTINGS + f"gate_certificate = {self.pin}\n"
        for line in filter(None, extra.split("\n")):
            key = line.split(" =")[0]
            if not re.match("canary|name |address", line):
                text = re.sub(f"(?m)^{key} = .*\n", "", text)
            text += line + "\n"
        path.write_text(text)
        return path

    def run(self, *args, prefix=(), env=None):
        return subprocess.run([*map(str, prefix), self.build / "sekisho-probe", *map(str, args)],
                              capture_output=True, text=True, timeout=60,
                              env={**os.environ, "LC_ALL": "C", **(env or {})})

    def probe(self, extra="", *args, before=(), resolv="", env=None):
        """On the system, with what its resolver is told."""
        file = self.dir / "resolv.conf"
        file.write_text(resolv)
        return self.run("-c", self.settings(extra), *args, env=env, prefix=[
            "nsenter", "-t", self.system, "-n", "unshare", "-m", "sh", "-c",
            f'mount --bind {file} /etc/resolv.conf && exec "$@"', "sh", *before])

    def stop(self):
        if self in lab_module.labs:
            lab_module.labs.remove(self)
        for s in self.sockets:
            s.close()
        for keeper in self.keepers:
            keeper.kill()
            keeper.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def errors(self):
        return ""


class Gate:
    """Answers each connection; what it was told is in `said`."""

    def __init__(self, lab):
        self.lab, self.said, self.peers = lab, [], []
        self.answer, self.alpn, self.nonce = b"accepted %s\n", ["sekisho-probe/1"], None
        self.certificate = "gate"
        self.listener = lab.socket_in(
            lab.router, lambda: socket.create_server((ROUTER, GATE_PORT)))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, at = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), peer:
                self.peers.append(at[0])
                peer.settimeout(10)
                self._talk(peer)

    def _talk(self, peer):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.lab.dir / f"{self.certificate}.crt",
                                self.lab.dir / f"{self.certificate}.key")
        context.load_verify_locations(self.lab.dir / "systems-ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(self.alpn)
        with context.wrap_socket(peer, server_side=True) as s:
            nonce = self.nonce or os.urandom(32)
            s.sendall(nonce)
            n, = struct.unpack(">I", self._read(s, 4))
            message = self._read(s, n)
            self.said.append((nonce, message))
            verdict = re.search(rb"\nverdict (good|bad)\n", message)[1]
            s.sendall(self.answer % verdict if b"%s" in self.answer else self.answer)

    @staticmethod
    def _read(s, n):
        got = b""
        while len(got) < n:
            more = s.recv(n - len(got))
            if not more:
                raise OSError("it ended")
            got += more
        return got

    @contextlib.contextmanager
    def being(self, **change):
        was = {k: getattr(self, k) for k in change}
        self.__dict__.update(change)
        try:
            yield
        finally:
            self.__dict__.update(was)


def make(build):
    return Networks(build)


def lines(done):
    """KIND TARGET -> (outcome, detail) of what --dry-run prints."""
    found = {}
    for line in done.stdout.splitlines():
        parts = line.split("\t")
        if len(parts) == 4:
            found[f"{parts[1]} {parts[2]}"] = (parts[0], parts[3])
    return found


def outcomes(lab, *args, **kw):
    done = lab.probe(*args, "--dry-run", **kw) if args else lab.probe("", "--dry-run", **kw)
    assert done.returncode in (0, 2), done
    found = lines(done)
    assert (done.returncode == 2) == any(o in ("FOUND", "FAILED") for o, _ in found.values()), done
    return found


def is_signed(lab, message):
    text, signature = message.rsplit(b"signature ", 1)
    for name, content in (("text", text), ("sig", bytes.fromhex(signature.decode()))):
        (lab.dir / name).write_bytes(content)
    return subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", lab.dir / "probe.pub", "-rawin",
         "-in", lab.dir / "text", "-sigfile", lab.dir / "sig"],
        capture_output=True).returncode == 0


def test_needs_libc_and_openssl_alone(lab):
    done = subprocess.run(["readelf", "-d", lab.build / "sekisho-probe"],
                          capture_output=True, text=True, check=True)
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", done.stdout))
    if "libasan" in done.stdout:
        needed = {n for n in needed if not re.match("lib(asan|ubsan|m|gcc_s)\\.", n)}
    assert needed == {"libc.so.6", "libssl.so.3", "libcrypto.so.3"}, needed


def test_a_closed_system_is_good_and_told(lab):
    begun = time.monotonic()
    done = lab.probe()
    assert done.returncode == 0, done
    assert time.monotonic() - begun < 6
    assert done.stdout == "kokuho-1: closed: nothing answered\n"
    nonce, message = lab.gate.said[-1]
    assert is_signed(lab, message)
    assert not is_signed(lab, message.replace(b"kokuho-1", b"kokuho-2"))
    text = message.decode()
    assert text.startswith(f"sekisho-probe 1\nnonce {nonce.hex()}\nsystem kokuho-1\nhost "), text
    for canary in (f"{OUT}:443", f"{OUT}:53", f"[{OUT6}]:443", f"{ABSENT}:22"):
        assert f"\ntcp closed {canary} " in text and f"\nudp closed {canary} " in text, text
    assert text.count(f"icmp closed {OUT} ") == 1
    assert abs(int(re.search(r"\ntime (\d+)\n", text)[1]) - time.time()) < 20


def test_silence_and_no_route_are_closed(lab):
    found = outcomes(lab, f"canary = {NOWHERE}:443")
    assert found[f"tcp {OUT}:443"] == ("closed", "no answer"), found
    assert found[f"udp [{OUT6}]:443"] == ("closed", "no answer"), found
    assert found[f"tcp {NOWHERE}:443"][0] == "closed"
    assert found[f"icmp {NOWHERE}"][1].startswith("no way out of this system")


# The kernel here gives up on a neighbour after three seconds.
def test_an_absent_neighbour_is_closed(lab):
    found = outcomes(lab, "deadline = 5")
    for attempt in (f"tcp {ABSENT}:22", f"udp {ABSENT}:22", f"icmp {ABSENT}"):
        assert found[attempt][0] == "closed", found
        assert found[attempt][1].startswith("unreachable, says this system"), found


def test_a_connection_is_found(lab):
    lab.socket_in(lab.out, lambda: socket.create_server((OUT, 443)))
    with lab.hole():
        found = outcomes(lab)
    assert found[f"tcp {OUT}:443"] == ("FOUND", "connection made"), found
    assert found[f"icmp {OUT}"] == ("FOUND", "echo reply")
    assert found[f"udp {OUT}:443"] == ("FOUND", f"refusal came back: {OUT}")
    assert found[f"tcp [{OUT6}]:443"][0] == "closed"


def test_a_reset_is_found(lab):
    with lab.hole():
        found = outcomes(lab)
    assert found[f"tcp {OUT}:53"] == ("FOUND", "reset"), found


def test_a_hole_of_ipv6_alone_is_found(lab):
    with lab.hole(v4=False, v6=True):
        found = outcomes(lab)
    assert found[f"tcp [{OUT6}]:443"] == ("FOUND", "reset"), found
    assert found[f"udp [{OUT6}]:443"] == ("FOUND", f"refusal came back: {OUT6}")
    assert found[f"icmp {OUT6}"] == ("FOUND", "echo reply")
    assert found[f"tcp {OUT}:443"][0] == "closed"


def test_a_router_that_says_unreachable_is_found(lab):
    lab.sh(lab.router, "ip", "route", "add", "unreachable", f"{OUT}/32")
    try:
        with lab.hole():
            found = outcomes(lab)
    finally:
        lab.sh(lab.router, "ip", "route", "del", "unreachable", f"{OUT}/32")
    # A router says it of so many packets and no more: not of all attempts.
    said = [a for a, o in found.items() if o == (
        "FOUND", f"unreachable, says another machine: {ROUTER}")]
    assert {f"tcp {OUT}:443", f"udp {OUT}:443"} <= set(said), found
    assert all(OUT in a for a in said), found


def test_what_the_system_itself_rejects_is_closed(lab):
    lab.sh(lab.system, "ip", "route", "add", "prohibit", f"{OUT}/32")
    try:
        with lab.hole():
            found = outcomes(lab)
    finally:
        lab.sh(lab.system, "ip", "route", "del", "prohibit", f"{OUT}/32")
    for attempt in (f"tcp {OUT}:443", f"udp {OUT}:443", f"icmp {OUT}"):
        assert found[attempt][1].startswith("no way out of this system"), found


def answer_datagrams(s, answer):
    def serve():
        with contextlib.suppress(OSError):
            while True:
                question, peer = s.recvfrom(2048)
                back = answer(question)
                if back:
                    s.sendto(back, peer)
    threading.Thread(target=serve, daemon=True).start()


def udp(lab, network, at):
    def bound():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(at)
        return s
    return lab.socket_in(network, bound)


def test_a_name_server_outside_is_found(lab):
    """A canary of port 53 gets a question that a name server answers."""
    asked = []

    def refuse(question):
        asked.append(question)
        return question[:2] + b"\x81\x85" + question[4:] if b"\x07invalid\0" in question else None
    s = udp(lab, lab.out, (OUT, 53))
    answer_datagrams(s, refuse)
    with lab.hole():
        found = outcomes(lab)
    s.close()
    assert found[f"udp {OUT}:53"] == ("FOUND", "datagram came back"), (found, asked)


def dns_answer(names):
    """An A record for names that end so; of others there are none."""
    def answer(question):
        name, at = [], 12
        while question[at]:
            name.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        end, kind = at + 5, question[at + 1:at + 3]
        known = any(".".join(name).endswith(n) for n in names)
        answers = known and kind == b"\0\x01"
        head = question[:2] + (b"\x81\x80" if known else b"\x81\x83")
        record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + socket.inet_aton(OUT)
        asked.append(".".join(name))
        return (head + b"\0\x01" + (b"\0\x01" if answers else b"\0\0") + b"\0\0\0\0"
                + question[12:end] + (record if answers else b""))
    asked = []
    answer.asked = asked
    return answer


def test_a_name_that_resolves_is_found(lab):
    answer = dns_answer(["canary.test"])
    s = udp(lab, lab.router, (ROUTER, 53))
    answer_datagrams(s, answer)
    names = "name = *.canary.test\nname = www.absent.test"
    resolv = f"nameserver {ROUTER}\n"
    found = outcomes(lab, names, resolv=resolv)
    assert found["name *.canary.test"] == ("FOUND", f"resolved: {OUT}"), found
    assert found["name www.absent.test"][0] == "closed", found
    assert found[f"resolver {ROUTER}"] == ("fact", "")
    again = outcomes(lab, names + "\nnames = fact", resolv=resolv)
    assert again["name *.canary.test"] == ("fact", f"resolved: {OUT}"), again
    labels = {n for n in answer.asked if n.endswith(".canary.test")}
    assert len(labels) == 2, "a label is asked for once"
    s.close()


def test_a_silent_resolver_is_closed_by_the_deadline(lab):
    begun = time.monotonic()
    found = outcomes(lab, "name = www.canary.test", resolv=f"nameserver {ABSENT}\n")
    assert found["name www.canary.test"][0] == "closed", found
    assert time.monotonic() - begun < 6
    assert not subprocess.run(["pgrep", "-f", f"{lab.dir}/probe.conf"],
                              capture_output=True).stdout


def test_facts_are_findings_by_setting(lab):
    found = outcomes(lab)
    assert found["route 0.0.0.0/0"] == ("fact", f"via {ROUTER} dev eth0"), found
    assert found["route ::/0"] == ("fact", f"via {ROUTER6} dev eth0"), found
    found = outcomes(lab, "default_routes = finding\nresolvers = finding",
                     resolv="nameserver 192.0.2.53\n")
    assert found["route 0.0.0.0/0"][0] == "FOUND"
    assert found["resolver 192.0.2.53"][0] == "FOUND"


def test_an_address_beside_the_registered_is_found(lab):
    lab.sh(lab.system, "ip", "address", "add", "198.51.100.7/32", "dev", "eth0")
    try:
        found = outcomes(lab)
        assert found["address 198.51.100.7"] == ("FOUND", "dev eth0"), found
        found = outcomes(lab, "other_addresses = fact")
        assert found["address 198.51.100.7"] == ("fact", "dev eth0"), found
    finally:
        lab.sh(lab.system, "ip", "address", "del", "198.51.100.7/32", "dev", "eth0")


def test_echoes_that_are_not_permitted_are_told(lab):
    def as_nobody(group_range):
        lab.sh(lab.system, "sh", "-c",
               f"echo {group_range} >/proc/sys/net/ipv4/ping_group_range")
        return outcomes(lab, before=[
            "setpriv", "--reuid", 65534, "--regid", 65534, "--clear-groups",
            "--bounding-set", "-all"])
    found = as_nobody("1 0")
    assert found[f"icmp {OUT}"] == ("untried", "not permitted to this program"), found
    assert found[f"tcp {OUT}:443"][0] == "closed"
    found = as_nobody("0 65535")
    assert found[f"icmp {OUT}"] == ("closed", "no answer"), found
    with lab.hole(v6=True):
        found = as_nobody("0 65535")
    assert found[f"icmp {OUT}"] == ("FOUND", "echo reply"), found
    assert found[f"icmp {OUT6}"] == ("FOUND", "echo reply"), found


# A fence around the program must not look like a closed network.
def test_what_cannot_be_tried_is_a_finding(lab):
    found = outcomes(lab, before=["prlimit", "--nofile=8"])
    assert found[f"tcp {ABSENT}:22"] == (
        "FAILED", "cannot be tried: Too many open files"), found


def test_findings_are_told_and_end_with_2(lab):
    n = len(lab.gate.said)
    with lab.hole():
        done = lab.probe()
    assert done.returncode == 2, done
    assert f"FOUND\ttcp\t{OUT}:53\treset\n" in done.stdout, done
    assert "NOT CLOSED: findings: 5\n" in done.stdout, done
    assert "closed\ttcp" not in done.stdout
    message = lab.gate.said[n][1]
    assert is_signed(lab, message) and b"\nverdict bad\n" in message


def test_its_words_are_japanese_by_locale(lab):
    with lab.hole():
        done = lab.probe("", "--dry-run", env={"LC_ALL": "ja_JP.UTF-8"})
    assert f"要対処\tTCP\t{OUT}:53\t接続を断る応答（RST）が届きました\n" in done.stdout, done
    assert "閉じていません" in done.stdout


def test_dry_run_tells_nobody_and_needs_no_keys(lab):
    n = len(lab.gate.said)
    done = lab.probe("probe_key = /nowhere\ncertificate = /nowhere", "--dry-run")
    assert done.returncode == 0, done
    assert len(lab.gate.said) == n
    done = lab.probe("probe_key = /nowhere")
    assert done.returncode == 1 and "/nowhere: cannot be read" in done.stderr, done


def failed(lab, extra=""):
    n = len(lab.gate.said)
    done = lab.probe(extra)
    assert done.returncode == 1, done
    return done.stderr, len(lab.gate.said) - n


def test_only_the_pinned_gate_is_told(lab):
    with lab.gate.being(certificate="other"):
        words, told = failed(lab)
    assert "who answered is not the gate" in words and told == 0, words
    with lab.gate.being(alpn=["h2"]):
        words, told = failed(lab)
    assert told == 0, words
    with lab.gate.being(alpn=[]):
        words, told = failed(lab)
    assert "takes no sekisho-probe/1" in words and told == 0, words


def test_a_refusal_is_a_failure_with_its_words(lab):
    with lab.gate.being(answer=b"refused its time is 300 s ahead of this clock\n"):
        words, _ = failed(lab)
    assert "the gate says: refused its time is 300 s ahead" in words, words
    for answer in (b"accepted bad\n", b"accepted good", b"", b"x" * 4096 + b"\n",
                   b"refused \x1b[2J\n"):
        with lab.gate.being(answer=answer):
            words, _ = failed(lab)
        assert "the gate" in words and "\x1b" not in words, words


def test_it_comes_from_the_address_that_is_registered(lab):
    second = "192.0.2.11"
    lab.sh(lab.system, "ip", "address", "add", f"{second}/32", "dev", "eth0")
    done = lab.probe()
    assert done.returncode == 0 and lab.gate.peers[-1] == SYSTEM, done
    done = lab.probe(f"from = {second}")
    assert done.returncode == 0 and lab.gate.peers[-1] == second, done
    lab.sh(lab.system, "ip", "address", "del", f"{second}/32", "dev", "eth0")
    words, _ = failed(lab, f"from = {second}")
    assert f"from {second}: Cannot assign requested address" in words, words


def test_no_gate_is_a_failure(lab):
    words, _ = failed(lab, f"gate = {ROUTER}:1")
    assert "cannot be reached: Connection refused" in words, words
    words, _ = failed(lab, f"gate = {NOWHERE}:8445")
    assert "cannot be reached" in words, words


def test_a_certificate_of_another_key_is_a_failure(lab):
    words, told = failed(lab, "certificate_key = other.key")
    assert "other.key: expected the certificate's key" in words and told == 0, words
    (lab.dir / "empty.crt").write_text("")
    words, told = failed(lab, "certificate = empty.crt")
    assert "empty.crt: expected a certificate in PEM" in words and told == 0, words


def test_a_key_that_anyone_may_read_is_refused(lab):
    shutil.copy(lab.dir / "probe.key", lab.dir / "open.key")
    os.chmod(lab.dir / "open.key", 0o644)
    words, told = failed(lab, "probe_key = open.key")
    assert "open.key: anyone may use it, expected mode 0600" in words and told == 0, words
    words, told = failed(lab, "probe_key = system.key")
    assert "expected" in words and told == 0, words


def test_keygen_replaces_no_key(lab):
    before = (lab.dir / "probe.key").read_bytes()
    done = lab.run("keygen", lab.dir / "probe.key")
    assert done.returncode == 1 and "File exists" in done.stderr, done
    assert (lab.dir / "probe.key").read_bytes() == before


def test_wrong_settings_are_all_told(lab):
    path = lab.dir / "wrong.conf"
    path.write_text("system = s\ncanary = x\nsystem = t\n")
    done = lab.run("-c", path)
    assert done.returncode == 1, done
    assert f"{path}:2: canary is \"x\", expected ADDRESS:PORT" in done.stderr, done
    assert f"{path}:3: system a second time" in done.stderr, done
    assert f"{path}: no gate, expected" in done.stderr, done


def test_wrong_words_are_told(lab):
    for args in (["--nonsense"], ["words"], ["keygen", "a", "b"], ["--dry-run", "keygen"]):
        done = lab.run(*args)
        assert done.returncode == 64 and "usage:" in done.stderr, done
    assert "--dry-run" in lab.run("--help").stdout
    assert lab.run("--version").stdout.startswith("sekisho-probe ")
