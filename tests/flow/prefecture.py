# SPDX-License-Identifier: Apache-2.0
"""prefecture: a whole prefecture of network namespaces, for the flow tests.

Three bodies with three zones each, LGWAN, the internet and the provision network with
an intermediate server; every host stands in a namespace of its own, and all wires end
in the security cloud's, which routes between them. There is no other way: what the
cloud lets through is what passes. Addresses are those for documentation.
"""
import ipaddress
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from lab import Authority, labs, openssl, wait_until

HERE = pathlib.Path(__file__).parent
BODIES = ("990019", "990027", "990035")
ZONES = ("internet", "lgwan", "mynumber")
PORTS = (25, 53, 80, 443, 8080, 8443, 8445, 8446)


def networks():
    """Name of each segment -> its IPv4 and IPv6 networks."""
    out = {}
    for b in range(len(BODIES)):
        for z, zone in enumerate(ZONES):
            out[f"{zone}{b + 1}"] = (f"192.0.2.{64 * (b + 1) + 16 * z}/28", f"2001:db8:{b + 1}:{z + 1}::/64")
    out["lgwan"] = ("198.51.100.0/28", "2001:db8:f0::/64")
    out["provision"] = ("198.51.100.16/28", "2001:db8:f1::/64")
    out["outside"] = ("203.0.113.0/28", "2001:db8:ff::/64")
    return {n: tuple(ipaddress.ip_network(x) for x in pair) for n, pair in out.items()}


def ip(*args):
    subprocess.run(["ip", *map(str, args)], check=True, capture_output=True)


class Host:
    """user: of that number, with nothing that root may; for processes of the cloud."""

    def __init__(self, name, space, addresses, ports=PORTS, user=None):
        self.name, self.space, self.addresses = name, space, addresses
        become = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", space, *become, sys.executable, HERE / "prefecture_host.py", name,
             ",".join(addresses), *map(str, ports)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ready(self):
        assert self.process.stdout.readline() == "ready\n", self.name

    def ask(self, tries):
        self.process.stdin.write(json.dumps(tries) + "\n")
        self.process.stdin.flush()

    def told(self):
        return json.loads(self.process.stdout.readline())

    def run(self, *command, **kw):
        return subprocess.run(["ip", "netns", "exec", self.space, *map(str, command)], capture_output=True,
                              text=True, timeout=60, check=False, **kw)

    def stop(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(10)


class Prefecture:
    """The wires. `hosts[name]`: one in each segment, whose addresses are .2 and .3 (a second
    machine in the same segment) of either family; the cloud has .1."""

    def __init__(self, mark):
        self.cloud = f"{mark}cloud"
        self.spaces, self.hosts, self.gateways = [], {}, []
        self._space(self.cloud)
        for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            self.in_cloud("sysctl", "-qw", f"{key}=1")
        for i, (name, pair) in enumerate(networks().items()):
            self._segment(f"{mark}{name}", i, pair)
            addresses = [str(net[n]) for net in pair for n in (2, 3)]
            # What listens at the intermediate server's port is one with TLS.
            ports = [p for p in PORTS if name != "provision" or p != 8446]
            self.hosts[name] = Host(name, f"{mark}{name}", addresses, ports)
        for h in self.hosts.values():
            h.ready()

    def process_of_cloud(self, name, user):
        """One more that tries, on the checkpoint's own machine; its ready host."""
        self.hosts[name] = Host(name, self.cloud, [], [], user)
        self.hosts[name].ready()
        return self.hosts[name]

    def _space(self, name):
        ip("netns", "add", name)
        self.spaces.append(name)
        # An address that is still looked for elsewhere answers nobody.
        ip("netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
           "net.ipv6.conf.default.dad_transmits=0")
        ip("-n", name, "link", "set", "lo", "up")

    def _segment(self, space, i, pair):
        self._space(space)
        ip("-n", self.cloud, "link", "add", f"seg{i}", "type", "veth", "peer", "name", "up0", "netns", space)
        for where, link in ((self.cloud, f"seg{i}"), (space, "up0")):
            ip("-n", where, "link", "set", link, "up")
        for where, link, n in ((self.cloud, f"seg{i}", 1), (space, "up0", 2), (space, "up0", 3)):
            for net in pair:
                ip("-n", where, "addr", "add", f"{net[n]}/{net.prefixlen}", "dev", link)
        for net in pair:
            ip("-n", space, "route", "add", "default", "via", net[1], "dev", "up0")
            self.gateways.append(str(net[1]))

    def in_cloud(self, *command, check=True, **kw):
        done = subprocess.run(["ip", "netns", "exec", self.cloud, *map(str, command)], capture_output=True,
                              text=True, timeout=120, check=False, **kw)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def reached(self, attempts):
        """attempts: (host's name, [protocol, source, to, port]) -> what each of them came to."""
        by_host = {}
        for name, what in attempts:
            by_host.setdefault(name, []).append(what)
        for name, tries in by_host.items():
            self.hosts[name].ask(tries)
        out = {}
        for name, tries in by_host.items():
            for what, answer in zip(tries, self.hosts[name].told()):
                out[(name, *what)] = answer
        return out

    def seen(self, name):
        """Who has connected to that host since it was asked last: [from, to, port]."""
        self.hosts[name].ask("seen")
        return self.hosts[name].told()

    def stop(self):
        for h in self.hosts.values():
            h.stop()
        for s in self.spaces:
            subprocess.run(["ip", "netns", "del", s], capture_output=True, check=False)


USERS = {"edge_user": 64801, "keysmith_user": 64802, "journal_user": 64803, "control_user": 64804,
         "detox_user": 64805, "mail_user": 64806, "store_user": 64807, "gate_user": 64808,
         "tripwire_user": 64809, "handover_user": 64811}
PROXY, MAIL, GATE = "192.0.2.2", "192.0.2.3", "192.0.2.4"  # the cloud's own addresses
PROXY6 = "2001:db8:0:1::2"


def quoted(words):
    return "[" + ", ".join(f'"{w}"' for w in words) + "]"


def within(days):
    return time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400 * days))


class Checkpoint:
    """The security cloud: sekishod in the cloud's namespace, with everything it needs.

    Each body has a registered system at .2 of its My Number segment, and beside it at .3 a
    machine that is none.
    """

    def __init__(self, build, prefecture):
        self.build, self.prefecture = pathlib.Path(build).resolve(), prefecture
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-prefecture-"))
        os.chmod(self.dir, 0o755)
        self.networks, self.daemon = networks(), None
        for sub in ("log", "empty", "ca", "run", "statements", "spool"):
            (self.dir / sub).mkdir()
        os.chown(self.dir / "log", USERS["journal_user"], USERS["journal_user"])
        os.chown(self.dir / "spool", USERS["mail_user"], USERS["mail_user"])
        for address in (PROXY, MAIL, GATE):
            ip("-n", prefecture.cloud, "addr", "add", f"{address}/32", "dev", "lo")
        ip("-n", prefecture.cloud, "addr", "add", f"{PROXY6}/128", "dev", "lo")
        self.beside = []
        self.clock, self.shim = self.dir / "run" / "clock", self.dir / "run" / "clock_shim.so"
        self.clock.write_bytes(bytes(8))
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.shim,
                        pathlib.Path(__file__).parent / "clock_shim.c"], check=True)
        self._make_keys()
        self.write_settings()
        labs.append(self)

    def address(self, segment, n, family=4):
        return str(self.networks[segment][family == 6][n])

    def _make_keys(self):
        ca = self.dir / "ca"
        self.proxy_ca, self.ca = Authority(ca, "proxy-ca"), Authority(ca, "isolation-ca")
        self.ca.leaf("gate", f"DNS:gate.test,IP:{GATE}")
        self.ca.leaf("chukan", "DNS:chukan.test")
        for b in BODIES:
            self.ca.leaf(f"system-{b}", f"DNS:system-{b}.test", usage="clientAuth")
        openssl("genpkey", "-algorithm", "ED25519", "-out", ca / "auditor.key")
        openssl("pkey", "-in", ca / "auditor.key", "-pubout", "-out", ca / "auditor.pub")

    def communications(self):
        """What else may pass, one of each kind: name, kind, from, to, protocol, port."""
        a = self.address
        return [
            ("shared", "", a("mynumber1", 3), a("mynumber2", 3), "tcp", 8443),
            ("clerk", "", a("lgwan3", 2, 6), a("mynumber3", 3, 6), "tcp", 443),
            ("names", "", a("lgwan1", 2), a("lgwan2", 3), "udp", 53),
            ("watch", "", a("lgwan1", 3), a("mynumber1", 3), "icmp", None),
            ("eltax", "eltax", a("mynumber2", 3), a("lgwan", 2), "tcp", 443),
        ]

    def write_settings(self, more="", extra_communications=()):
        users = "".join(f'{k} = "{v}:{v}"; ' for k, v in USERS.items())
        bodies = ",\n".join(
            f'  {{ code = "{code}"; name_ja = "団体{i + 1}"; segments = (' + ", ".join(
                f'{{ prefix = "{net}"; zone = "{zone}"; }}'
                for zone in ZONES for net in self.networks[f"{zone}{i + 1}"]) + "); }"
            for i, code in enumerate(BODIES))
        systems = ",\n".join(
            f'  {{ name = "system-{code}"; body = "{code}"; addresses = ["{self.address(f"mynumber{i + 1}", 2)}"];'
            f' certificate = "ca/system-{code}.crt"; purposes = ["住民基本台帳"]; owner = "情報政策課";'
            f' endpoints = ["chukan"]; probe_key = "none"; }}' for i, code in enumerate(BODIES))
        communications = ",\n".join(
            f'  {{ name = "{name}"; {f"""kind = "{kind}"; """ if kind else ""}from = ["{start}"]; to = ["{end}"];'
            f' protocol = "{protocol}"; {f"port = {port}; " if port else ""}purpose = "試験"; owner = "情報政策課";'
            f' approval = "第1号"; expires = "{within(100)}"; }}'
            for name, kind, start, end, protocol, port in (*self.communications(), *extra_communications))
        (self.dir / "policy.conf").write_text(
            'default = ( { name = "all"; zones = ["internet"]; verdict = "tunnel"; reason_ja = "試験"; } );\n')
        (self.dir / "national.conf").write_text(
            'default = ( { name = "may-tunnel"; verdict = "may-tunnel"; reason_ja = "可"; } );\n')
        (self.dir / "mail.conf").write_text(f"""
inbound = ( {{ name = "city"; body = "{BODIES[0]}"; domains = ["city.test"]; side = "lgwan"; detox = "strict";
  next_hops = ( {{ host = "{self.address("lgwan1", 2)}"; port = 25; tls = "none"; }} ); }} );
outbound = ( {{ name = "world"; domains = ["*"]; tls = "opportunistic"; detox = "standard"; }} );
""")
        outside, outside6 = self.networks["outside"]
        (self.dir / "sekisho.conf").write_text(f"""
prefecture = {{ code = "990001"; name_ja = "関所県"; name_en = "Sekisho Prefecture"; contact = "情報政策課";
  proxy = "{PROXY}:8080"; }};
processes = {{ edges = 1; mails = 1; root = "{self.dir}/empty"; {users} drain_max = 5; restart_max = 1; }};
listeners = ( {{ address = "{PROXY}:8080"; }}, {{ address = "[{PROXY6}]:8080"; }} );
tls_client = {{ ca_certificate = "ca/proxy-ca.crt"; ca_key = "ca/proxy-ca.key"; }};
tls_origin = {{ system_store = ""; trust_files = ["ca/isolation-ca.crt"]; }};
upstream = {{ nameservers = ["{self.address("outside", 2)}:53"]; }};
journal = {{ file = "log/journal.jsonl"; }};
control = {{ socket = "run/control.sock"; }};
store = {{ folder = "store"; }};
mail = {{ name = "mail.test"; routes = "mail.conf"; spool = "spool"; spool_free_min = "1 MiB"; greeting_delay = 0.1;
  listeners = ( {{ address = "{MAIL}:25"; }} ); }};
zones = ( {{ name = "internet"; kind = "internet"; permitted = ["{outside}", "{outside6}"];
    ports = [80, 443, 8080, 8443, 8445, 8446]; }},
  {{ name = "lgwan"; kind = "lgwan"; permitted = ["{self.networks["lgwan"][0]}"]; ports = [443]; }},
  {{ name = "mynumber"; kind = "mynumber"; }} );
bodies = (
{bodies} );
policies = {{ national = ["national.conf"]; prefecture = ["policy.conf"]; }};
isolation = {{ gate = "{GATE}:8445"; gate_certificate = "ca/gate.crt"; gate_key = "ca/gate.key";
  auditor_keys = ["ca/auditor.pub"]; statements = "statements"; suspensions = "run/suspensions";
  crossings = "log/crossings.jsonl"; lgwan = {quoted(self.networks["lgwan"])};
  machine = {quoted([PROXY, MAIL, PROXY6, *self.prefecture.gateways])}; kernel = true; verify_every = 3; admin = ["none"]; {more} }};
provision = ( {{ name = "chukan"; addresses = ["{self.address("provision", 2)}"]; port = 8446;
  server_name = "chukan.test"; certificate = "ca/chukan.crt"; owner = "情報政策課"; }} );
systems = (
{systems} );
communications = (
{communications} );
""")

    def ctl(self, *words, check=True):
        done = self.prefecture.in_cloud(
            self.build / "sekishoctl", "-c", self.dir / "sekisho.conf", *words, check=False,
            env={**{k: v for k, v in os.environ.items() if k != "SUDO_USER"}, "SUDO_USER": "hanako", "LANG": "C.UTF-8"})
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def set_clock(self, seconds):
        """The daemon's wall clock, beside the machine's."""
        with open(self.clock, "r+b") as f:
            f.write(struct.pack("=q", seconds))

    def sign(self, code, until=30):
        if not isinstance(until, str):
            until = within(until)
        text = self.ctl("separation", "sign", "--key", self.dir / "ca" / "auditor.key", "--system", f"system-{code}",
                        "--verified-by", "監査室", "--how", "配線を確かめた", "--from", within(-2), "--until",
                        until).stdout
        (self.dir / "statements" / f"{code}.statement").write_text(text)

    def start(self):
        self.stderr = open(self.dir / "run" / "stderr", "w+b")
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        at = self.dir / "run" / "notify"
        at.unlink(missing_ok=True)
        notify.bind(str(at))
        notify.settimeout(0.1)
        self.daemon = subprocess.Popen(
            ["ip", "netns", "exec", self.prefecture.cloud, self.build / "sekishod", "-c", self.dir / "sekisho.conf"],
            stderr=self.stderr, stdout=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(at), "CLOCK_FILE": str(self.clock), "LD_PRELOAD": str(self.shim),
                 "ASAN_OPTIONS": "verify_asan_link_order=0"})
        with notify:
            wait_until(lambda: self._is_ready(notify), 60)
        return self

    def _is_ready(self, notify):
        assert self.daemon.poll() is None, self.errors()
        try:
            return b"READY=1" in notify.recv(4096)
        except TimeoutError:
            return False

    def errors(self):
        return (self.dir / "run" / "stderr").read_text(errors="replace")

    def journal(self):
        return [json.loads(line) for line in (self.dir / "log" / "journal.jsonl").read_text().splitlines()]

    def events(self, name):
        return [e for e in self.journal() if e["event"] == name]

    def intermediate_server(self):
        """Says each line backwards, in TLS."""
        at = self.address("provision", 2)
        self.beside.append(subprocess.Popen(
            ["ip", "netns", "exec", self.prefecture.hosts["provision"].space, "openssl", "s_server", "-quiet", "-rev",
             "-accept", f"{at}:8446", "-cert", self.dir / "ca" / "chukan.crt", "-key", self.dir / "ca" / "chukan.key"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def cross(self, b, n=2, code=None):
        """A process that speaks with the gate from body b's My Number segment."""
        key = self.dir / "ca" / f"system-{code or BODIES[b - 1]}"
        return subprocess.Popen(
            ["ip", "netns", "exec", self.prefecture.hosts[f"mynumber{b}"].space, "openssl", "s_client", "-quiet",
             "-connect", f"{GATE}:8445", "-bind", self.address(f"mynumber{b}", n), "-cert", key.with_suffix(".crt"),
             "-key", key.with_suffix(".key"), "-CAfile", self.ca.crt, "-servername", "chukan.test"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def stop(self):
        if self in labs:
            labs.remove(self)
        for p in self.beside:
            p.kill()
            p.wait()
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.wait(30)
        self.prefecture.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
