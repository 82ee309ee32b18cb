# SPDX-License-Identifier: Apache-2.0
"""The kernel's rules, with real networks around the daemon's own.

A My Number segment, LGWAN, and what is beyond it (the intermediate server,
and a host of the internet) are namespaces with a veth each. On this machine's
other addresses and ports a program answers whoever reaches it: what is tried
here is the kernel's rules alone.
"""
import datetime
import json
import pathlib
import socket
import subprocess
import sys
import time

from lab import USERS, Lab, free_port, wait_until

KNOCK = pathlib.Path(__file__).parent / "knock.py"
TABLE = "sekisho_isolation"
GATE, GATE6 = "192.0.2.1", "2001:db8:1::1"
JUKI, ZEI, SERVER, PLAIN = "192.0.2.10", "192.0.2.11", "192.0.2.20", "192.0.2.30"
JUKI6, SERVER6 = "2001:db8:1::10", "2001:db8:1::20"
QUICK, LATE = "192.0.2.140", "192.0.2.200"  # of segments of their own
OFFICE, HOST = "198.51.100.10", "198.51.100.20"
OFFICE6, HOST6 = "2001:db8:2::10", "2001:db8:2::20"
CHUKAN, CHUKAN6, OUTSIDE, CANARY = "203.0.113.10", "2001:db8:3::10", "203.0.113.77", "203.0.113.99"
OUTSIDE6 = "2001:db8:3::77"
ALL = {"mynumber": (JUKI, ZEI, SERVER, PLAIN, JUKI6, SERVER6),
       "lgwan": (OFFICE, HOST, OFFICE6, HOST6),
       "beyond": (CHUKAN, OUTSIDE, CANARY, CHUKAN6, OUTSIDE6)}
NEXT_YEAR = time.strftime("%Y-%m-%d", time.localtime(time.time() + 300 * 86400))
PORTS = (53, 443, 8443, 8446)
DIGEST = "00000000000000000000000000000000000000000000000000000000000000"

# protocol, from, to, ports: what passes between the networks.
COMMUNICATIONS = (
    ("tcp", JUKI, HOST, "443"),
    ("udp", JUKI, HOST, "53"),
    ("icmp", JUKI, HOST, None),
    ("tcp", OFFICE, SERVER, "8443-8445"),
    ("tcp", JUKI6, HOST6, "443"),
    ("icmpv6", OFFICE6, SERVER6, None),
)


def communication(i, protocol, source, to, ports, more=""):
    port = f"port = {ports};" if ports and "-" not in ports else f'port = "{ports}";' if ports else ""
    return f"""{{ name = "c{i}"; from = ["{source}"]; to = ["{to}"]; protocol = "{protocol}"; {port}
      purpose = "試験"; owner = "関所市"; approval = "第1号"; expires = "{NEXT_YEAR}"; {more} }}"""


class Kernel(Lab):
    communications = COMMUNICATIONS
    kernel = "true"
    mac = ""

    def stop(self):
        """Rules outlive the daemon; other tests stand in the same namespace."""
        try:
            super().stop()
        finally:
            for command in ("nft delete table inet sekisho_isolation", "nft delete table inet sekisho",
                            "ip link del my0", "ip link del lg0", "ip link del be0"):
                subprocess.run(command.split(), capture_output=True, check=False)
            for way in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
                pathlib.Path("/proc/sys/net", way).write_text("0")

    def write_settings(self, **change):
        super().write_settings(**change)
        conf = self.dir / "sekisho.conf"
        text = conf.read_text()
        old = '"]; } );\nlimits'
        assert old in text
        text = text.replace(old, f'"]; }}, {{ address = "198.51.100.1:{self.web}"; }} );\nlimits')
        old = '{ prefix = "127.0.3.0/24"; zone = "mynumber"; }'
        assert old in text
        conf.write_text(text.replace(old, old + """,
       { prefix = "192.0.2.0/25"; zone = "mynumber"; }, { prefix = "192.0.2.128/26"; zone = "mynumber"; }, { prefix = "192.0.2.192/26"; zone = "mynumber"; },
       { prefix = "198.51.100.0/24"; zone = "lgwan"; },
       { prefix = "2001:db8:1::/64"; zone = "mynumber"; }, { prefix = "2001:db8:2::/64"; zone = "lgwan"; }""")
            + f"""
isolation = {{ gate = "{GATE}:8445"; gate_certificate = "{self.origin_crt}"; gate_key = "{self.origin_key}";
  statements = "statements"; crossings = "log/crossings.jsonl"; suspensions = "log/suspensions";
  machine = ["127.0.0.1", "{GATE6}", "198.51.100.1", "2001:db8:2::1", "203.0.113.1", "2001:db8:3::1"];
  canaries = ["{CANARY}:443"]; kernel = {self.kernel}; verify_every = 1;
  admin = ["198.51.100.8/29 tcp 8443", "198.51.100.8/29 icmp"]; }};
provision = ( {{ name = "chukan"; addresses = ["{CHUKAN}", "{CHUKAN6}"]; port = 8446;
  certificate = "{DIGEST}01"; owner = "関所県"; }} );
systems = ( {{ name = "juki"; body = "990019"; addresses = ["{JUKI}", "{JUKI6}"]; certificate = "{DIGEST}02";
    purposes = ["住民基本台帳"]; owner = "市民課"; endpoints = ["chukan"]; probe_key = "none"; }},
  {{ name = "zei"; body = "990019"; addresses = ["{ZEI}"]; certificate = "{DIGEST}03";
    purposes = ["税"]; owner = "税務課"; endpoints = ["chukan"]; probe_key = "none"; }},
  {{ name = "late"; body = "990019"; addresses = ["{LATE}"]; certificate = "{DIGEST}04";
    purposes = ["税"]; owner = "税務課"; endpoints = ["chukan"]; probe_key = "none"; }},
  {{ name = "quick"; body = "990019"; addresses = ["{QUICK}"]; certificate = "{DIGEST}05";
    purposes = ["税"]; owner = "税務課"; endpoints = ["chukan"]; probe_key = "none"; }} );
communications = ( {", ".join(communication(i, *c, self.mac if i == 0 else "") for i, c in enumerate(self.communications))} );
""")


def sh(*args, **kw):
    return subprocess.run([*map(str, args)], check=True, capture_output=True, text=True, **kw).stdout


def network(lab):
    keeper = lab.run_beside("unshare", "-n", "sleep", "3600")
    own = pathlib.Path("/proc/self/ns/net").readlink()
    wait_until(lambda: pathlib.Path(f"/proc/{keeper.pid}/ns/net").readlink() != own)
    return keeper.pid


def within(pid, *args):
    return ["nsenter", "-t", str(pid), "-n", *map(str, args)]


def link(pid, name, ours, theirs):
    sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", pid)
    for prefix, addresses, device in (([], ours, name), (within(pid), theirs, "eth0")):
        sh(*prefix, "ip", "link", "set", "lo", "up")
        sh(*prefix, "ip", "link", "set", device, "up")
        for a in addresses:
            sh(*prefix, "ip", "address", "add", a + ("/64" if ":" in a else "/24"), "dev", device,
               *(["nodad"] if ":" in a else []))
    sh(*within(pid), "ip", "route", "add", "default", "via", ours[0])
    sh(*within(pid), "ip", "-6", "route", "add", "default", "via", ours[1])


def serve(lab, prefix, wants):
    p = subprocess.Popen([*prefix, sys.executable, KNOCK, "serve"], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lab.beside.append(p)
    p.stdin.write(json.dumps(wants))
    p.stdin.close()
    assert p.stdout.readline() == "ready\n"


def make(build):
    Kernel.web = free_port()
    lab = Kernel(build)
    lab.nets = {name: network(lab) for name in ALL}
    link(lab.nets["mynumber"], "my0", (GATE, GATE6), (*ALL["mynumber"], QUICK, LATE))
    link(lab.nets["lgwan"], "lg0", ("198.51.100.1", "2001:db8:2::1"), ALL["lgwan"])
    link(lab.nets["beyond"], "be0", ("203.0.113.1", "2001:db8:3::1"), ALL["beyond"])
    for prefix in [], *(within(pid) for pid in lab.nets.values()):
        wait_until(lambda: not sh(*prefix, "ip", "-6", "address", "show", "tentative"))
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    pathlib.Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
    for name, addresses in ALL.items():
        serve(lab, within(lab.nets[name]), [(a, p) for a in addresses for p in PORTS])
    serve(lab, [], [(a, p) for a in (GATE, GATE6, "198.51.100.1", "203.0.113.1")
                    for p in (8445, 8443, 53) if (a, p) != (GATE, 8445)])
    # somebody else's table, which must stay as it is
    sh("nft", "add table inet sekisho; add chain inet sekisho theirs; add rule inet sekisho theirs accept")
    return lab


def knock(lab, where, wants, *words):
    prefix = within(lab.nets[where]) if where else []
    out = subprocess.run([*prefix, sys.executable, KNOCK, *map(str, words)], check=True, text=True,
                         input=json.dumps(wants), capture_output=True).stdout
    return [tuple(w) for w in json.loads(out)]


def ctl(lab, *words):
    p = subprocess.run([lab.build / "sekishoctl", "-c", lab.dir / "sekisho.conf", "isolation", *words],
                       capture_output=True, text=True, env={"LANG": "C"})
    return p.returncode, p.stdout + p.stderr


def events(lab, name):
    return [e for e in lab.journal() if e["event"] == name]


def counter(name):
    out = json.loads(sh("nft", "-j", "list", "counter", "inet", TABLE, name))
    return next(o["counter"]["packets"] for o in out["nftables"] if "counter" in o)


def theirs():
    return sh("nft", "list", "table", "inet", "sekisho")


def ports(text):
    first, _, last = (text or "0-65535").partition("-")
    return range(int(first), int(last or first) + 1)


def test_it_holds_the_rules(lab):
    assert ctl(lab, "verify") == (0, "the kernel holds the rules\n")
    wait_until(lambda: len(events(lab, "isolation_applied")) == 1)
    assert "accept" in theirs()
    code, text = ctl(lab, "nft")
    assert code == 0 and f"table inet {TABLE}" in text, text
    subprocess.run(["nft", "-c", "-f", "-"], input=text, text=True, check=True)


def try_between_networks(lab):
    for where, sources in ALL.items():
        wants = [(protocol, source, to, port)
                 for source in sources
                 for other, targets in ALL.items() if other != where
                 for to in targets if (":" in to) == (":" in source)
                 for protocol in ("tcp", "udp", "icmp", "132", "47")
                 for port in (PORTS if protocol in ("tcp", "udp") else (0,))]
        may = {w for w in wants for p, source, to, allowed in lab.communications
               if (w[1], w[2]) == (source, to) and p[:4] == w[0] and w[3] in ports(allowed)}
        got = set(knock(lab, where, wants))
        assert got == may, (where, got - may, may - got)


def try_the_gate(lab):
    wants = [("tcp", source, GATE6 if ":" in source else GATE, port)
             for source in ALL["mynumber"] for port in (8445, 8443, 53)]
    got = set(knock(lab, "mynumber", wants))
    assert got == {("tcp", JUKI, GATE, 8445), ("tcp", ZEI, GATE, 8445)}, got
    assert knock(lab, "lgwan", [("tcp", OFFICE, GATE, 8445), ("tcp", OFFICE, "198.51.100.1", 53)]) == []
    assert knock(lab, "beyond", [("tcp", OUTSIDE, GATE, 8445), ("tcp", CHUKAN, GATE, 8445),
                                 ("tcp", CHUKAN, "203.0.113.1", 8443)]) == []


def test_between_networks_the_communications_pass_and_nothing_else(lab):
    """Every pair of addresses, by every protocol, in both directions."""
    try_between_networks(lab)


def test_the_gate_hears_systems_alone(lab):
    try_the_gate(lab)


def test_answers_are_no_way_in(lab):
    """Where requests pass, what comes back passes on their connection alone."""
    before = counts("forwarded", "not_forwarded")
    within_python(lab, "lgwan", f'ip4(17, "{HOST}", "{JUKI}", struct.pack("!HHHH", 53, 9999, 8, 0))')
    within_python(lab, "lgwan", f'tcp("{HOST}", 443, "{JUKI}", 5555, 0x02)')
    wait_until(lambda: grown(before) == {"forwarded": 0, "not_forwarded": 2})


def test_listeners_hear_segments_but_not_my_number(lab):
    wants = [("tcp", source, "198.51.100.1", lab.web) for source in (OFFICE, HOST)]
    assert knock(lab, "lgwan", wants) == wants
    assert knock(lab, "beyond", [("tcp", OUTSIDE, "198.51.100.1", lab.web)]) == []
    assert knock(lab, "mynumber", [("tcp", PLAIN, "198.51.100.1", lab.web)]) == []


def try_datagrams(lab):
    """They say all that they have to say at once: no answer shows it."""
    heard = {}
    for source, where in ((PLAIN, "mynumber"), (JUKI, "mynumber"), (OUTSIDE, "beyond")):
        for address in (GATE, "198.51.100.1", "203.0.113.1"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.bind((address, 0))
                s.settimeout(0.3)
                within_python(lab, where, f"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("{source}", 0))
s.sendto(b"123456789018", ("{address}", {s.getsockname()[1]}))
""")
                try:
                    heard[source, address] = s.recv(100)
                except TimeoutError:
                    pass
    assert heard == {}, heard


def test_what_needs_no_answer_is_not_heard_either(lab):
    try_datagrams(lab)


def test_administrators_reach_what_is_listed_for_them(lab):
    wants = [(p, source, "198.51.100.1", port) for source in (OFFICE, HOST)
             for p, port in (("tcp", 8443), ("tcp", 8445), ("udp", 53), ("icmp", 0))]
    assert knock(lab, "lgwan", wants) == [("tcp", OFFICE, "198.51.100.1", 8443),
                                          ("icmp", OFFICE, "198.51.100.1", 0)]


def test_of_this_machine_the_gate_alone_reaches_endpoints(lab):
    wants = [(protocol, "0.0.0.0" if "." in to else "::", to, port)
             for to in (CHUKAN, CHUKAN6) for protocol in ("tcp", "udp") for port in PORTS]
    may = [w for w in wants if w[0] == "tcp" and w[3] == 8446]
    assert knock(lab, None, wants, "as", USERS["gate_user"]) == may
    for user in ("edge_user", "mail_user", "tripwire_user"):
        assert knock(lab, None, wants, "as", USERS[user]) == [], user
    before = counter("foreign")
    assert knock(lab, None, [*wants, ("icmp", "0.0.0.0", CHUKAN, 0), ("47", "0.0.0.0", CHUKAN, 0)]) == []
    assert counter("foreign") > before
    # nobody reaches the segment, the gate's user neither; elsewhere all may
    inward = [("tcp", "0.0.0.0", SERVER, 8443), ("icmp", "0.0.0.0", JUKI, 0)]
    elsewhere = [("tcp", "0.0.0.0", OUTSIDE, 443), ("udp", "0.0.0.0", OUTSIDE, 53)]
    assert knock(lab, None, inward + elsewhere) == elsewhere
    assert knock(lab, None, inward[:1] + elsewhere, "as", USERS["gate_user"]) == elsewhere


def within_python(lab, where, code):
    """Runs it with what raw packets need."""
    return sh(*within(lab.nets[where]), sys.executable, "-c", f"""
import socket, struct, sys, time
sys.path.insert(0, {str(KNOCK.parent)!r})
from knock import checksum
def ip4(protocol, source, to, payload):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    s.sendto(head + payload, (to, 0))
def tcp(source, port, to, to_port, flags):
    head = struct.pack("!HHIIBBHHH", port, to_port, 1, 1, 0x50, flags, 1024, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(to) + struct.pack("!BBH", 0, 6, len(head))
    ip4(6, source, to, head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:])
{code}""")


def counts(*names):
    return {n: counter(n) for n in names}


def grown(before):
    return {n: counter(n) - was for n, was in before.items()}


def suspended(lab):
    return {e["system"] for e in events(lab, "separation_suspended")}


def test_what_was_tried_before_tripped(lab):
    incidents = events(lab, "incident")
    assert incidents and all(i["how"] == "packet" for i in incidents), incidents
    wait_until(lambda: {"juki", "zei"} <= suspended(lab))


def test_what_trips_nothing(lab):
    """Forged sources, broadcasts, probes' canaries, late answers."""
    before = counts("tripped", "spoofed", "noise", "canary", "late")
    within_python(lab, "beyond", f'ip4(17, "{JUKI}", "{OFFICE}", struct.pack("!HHHH", 9, 9, 8, 0))')
    within_python(lab, "mynumber", """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.bind(("192.0.2.30", 0)); s.sendto(b"who", ("192.0.2.255", 137))
m = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); m.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
  socket.inet_aton("192.0.2.30")); m.bind(("192.0.2.30", 0)); m.sendto(b"who", ("224.0.0.251", 5353))""")
    knock(lab, "mynumber", [("tcp", PLAIN, CANARY, 443)])
    within_python(lab, "mynumber", f'tcp("{SERVER}", 8443, "{OFFICE}", 5555, 0x10)')
    got = grown(before)
    assert got["tripped"] == 0, got
    assert got["spoofed"] == 1 and got["noise"] >= 2 and got["canary"] >= 1 and got["late"] == 1, got


def test_nobody_speaks_for_an_end_of_a_communication(lab):
    """By an interface to which no route of it leads: to ask, or to answer."""
    before = counts("forwarded", "spoofed")
    within_python(lab, "beyond", f'tcp("{OFFICE}", 5555, "{SERVER}", 8443, 0x02)')
    within_python(lab, "beyond", f"""
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
echo = struct.pack("!BBHHH", 128, 0, 0, 1, 1) + b"words"
pseudo = socket.inet_pton(10, "{OFFICE6}") + socket.inet_pton(10, "{SERVER6}") + struct.pack("!II", len(echo), 58)
echo = echo[:2] + struct.pack("!H", checksum(pseudo + echo + b"\\0")) + echo[4:]
s.sendto(struct.pack("!IHBB", 6 << 28, len(echo), 58, 64) + pseudo[:32] + echo, ("{SERVER6}", 0))""")
    wait_until(lambda: sum(grown(before).values()) >= 2)
    assert grown(before) == {"forwarded": 0, "spoofed": 2}
    port = int(within_python(lab, "mynumber", f"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("{JUKI}", 0)); s.connect(("{HOST}", 53))
s.send(b"who"); print(s.getsockname()[1])"""))
    before = counts("forwarded", "spoofed")
    within_python(lab, "beyond", f'ip4(17, "{HOST}", "{JUKI}", struct.pack("!HHHH", 53, {port}, 8, 0))')
    wait_until(lambda: sum(grown(before).values()) >= 1)
    assert grown(before) == {"forwarded": 0, "spoofed": 1}


def test_forms_of_packets(lab):
    """Fragments are put together first; options, extension headers and servers that ask trip."""
    big = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); s.bind(("%s", 0))
%s
s.sendto(b"x" * %d, ("%s", 53))
try: print(s.recv(2000))
except OSError: print("nothing")"""
    assert "here" in within_python(lab, "mynumber", big % (JUKI, "", 1900, HOST))
    before = counts("tripped", "odd")
    route = f's.settimeout(0.3); s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\\x83\\x07\\x04" + socket.inet_aton("{HOST}") + b"\\x00")'
    assert "nothing" in within_python(lab, "mynumber", big % (JUKI, route.replace("\\\\", "\\"), 10, HOST))
    within_python(lab, "mynumber", f"""
s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM); s.setblocking(False); s.bind(("{JUKI6}", 0))
s.setsockopt(socket.IPPROTO_IPV6, 59, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
s.connect_ex(("{HOST6}", 443)); time.sleep(0.3)""")
    # a server that asks instead of answering
    within_python(lab, "mynumber", f'tcp("{SERVER}", 8443, "{OFFICE}", 5555, 0x02)')
    got = grown(before)
    assert got["odd"] >= 2 and got["tripped"] == got["odd"] + 1, got


def opened(lab, where, source, to, port):
    """A connection that stays open, and its own port."""
    p = subprocess.Popen(
        [*(within(lab.nets[where]) if where else []), sys.executable, "-c", f"""
import socket, time
s = socket.socket(socket.AF_INET6 if ":" in "{to}" else socket.AF_INET); s.bind(("{source}", 0))
s.connect(("{to}", {port})); print(s.getsockname()[1], flush=True); time.sleep(60)"""],
        stdout=subprocess.PIPE, text=True)
    lab.beside.append(p)
    return int(p.stdout.readline())


def error_arrives(lab, where, source, other, to, about):
    """An error of ICMP about a TCP segment that its receiver sent, with words of the sender's."""
    near, near_port, far, far_port = about
    hears = subprocess.Popen(
        [*within(lab.nets[other]), sys.executable, "-c", f"""
import socket, time
six = ":" in "{to}"
s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, 58 if six else 1)
s.settimeout(1); print("ready", flush=True); end = time.monotonic() + 1
try:
    while b"residents" not in s.recv(2000): pass
    print("heard")
except TimeoutError: print("nothing")"""], stdout=subprocess.PIPE, text=True)
    assert hears.stdout.readline() == "ready\n"
    within_python(lab, where, f"""
near, far, to, source = {near!r}, {far!r}, {to!r}, {source!r}
segment = struct.pack("!HHIIBBHHH", {near_port}, {far_port}, 1, 1, 0x50, 0x10, 1024, 0, 0) + b"residents!" * 20
if ":" in to:
    inner = struct.pack("!IHBB", 6 << 28, len(segment), 6, 64) + socket.inet_pton(10, near) + socket.inet_pton(10, far)
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58); s.bind((source, 0))
    s.sendto(struct.pack("!BBHI", 1, 4, 0, 0) + inner + segment, (to, 0))
else:
    inner = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0,
                        socket.inet_aton(near), socket.inet_aton(far))
    inner = inner[:10] + struct.pack("!H", checksum(inner)) + inner[12:]
    m = struct.pack("!BBHI", 3, 3, 0, 0) + inner + segment
    ip4(1, source, to, m[:2] + struct.pack("!H", checksum(m)) + m[4:])""")
    return hears.communicate()[0] == "heard\n"


def test_errors_of_icmp_are_about_communications_alone(lab):
    """They carry what their sender likes."""
    # this machine's own connections, and those with its listeners and its gate
    port = opened(lab, None, "203.0.113.1", OUTSIDE, 443)
    about = (OUTSIDE, 443, "203.0.113.1", port)
    assert not error_arrives(lab, "mynumber", PLAIN, "beyond", OUTSIDE, about)
    assert not error_arrives(lab, "mynumber", JUKI, "beyond", OUTSIDE, about)
    port = opened(lab, "lgwan", HOST, "198.51.100.1", lab.web)
    assert not error_arrives(lab, "mynumber", JUKI, "lgwan", HOST, (HOST, port, "198.51.100.1", lab.web))
    port = opened(lab, "mynumber", JUKI, GATE, 8445)
    assert not error_arrives(lab, "beyond", OUTSIDE, "mynumber", JUKI, (JUKI, port, GATE, 8445))
    port = opened(lab, None, "2001:db8:3::1", OUTSIDE6, 443)
    assert not error_arrives(lab, "mynumber", SERVER6, "beyond", OUTSIDE6, (OUTSIDE6, 443, "2001:db8:3::1", port))
    # of a communication both ends hear them
    port = opened(lab, "mynumber", JUKI, HOST, 443)
    assert error_arrives(lab, "lgwan", HOST, "mynumber", JUKI, (JUKI, port, HOST, 443))
    assert error_arrives(lab, "mynumber", JUKI, "lgwan", HOST, (HOST, 443, JUKI, port))
    port = opened(lab, "mynumber", JUKI6, HOST6, 443)
    assert error_arrives(lab, "lgwan", HOST6, "mynumber", JUKI6, (JUKI6, port, HOST6, 443))
    assert error_arrives(lab, "mynumber", JUKI6, "lgwan", HOST6, (HOST6, 443, JUKI6, port))


def test_a_flood_is_told_of_a_few_times(lab):
    """And hides no other: the first packet of a source always comes through."""
    before, told = counts("tripped"), len(events(lab, "incident"))
    code = f"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("{PLAIN}", 0))
for i in range(20000):
    try: s.sendto(b"x", ("{OUTSIDE}", 1000 + i % 30000))
    except OSError: pass"""
    within_python(lab, "mynumber", code)
    assert grown(before)["tripped"] >= 10000
    time.sleep(1)
    assert len(events(lab, "incident")) == told, "a new incident for each packet"


def test_a_system_is_suspended_within_a_second(lab):
    sent = time.time()
    within_python(lab, "mynumber", f'ip4(47, "{QUICK}", "{OUTSIDE}", b"anything"); print(time.time())')
    told = wait_until(lambda: [e for e in events(lab, "separation_suspended") if e["system"] == "quick"])
    at = datetime.datetime.fromisoformat(told[0]["time"].replace("Z", "+00:00")).timestamp()
    print(f"suspended {at - sent:.3f} s after its packet, the start of the program that sends it included")
    assert at - sent < 1
    assert told[0]["text"] == "packet: protocol 47", told


def test_trips_wait_for_the_process_that_reads_them(lab):
    """Killed, it finds what came meanwhile."""
    pid = lab.children()["tripwir"]
    subprocess.run(["kill", "-STOP", str(pid)], check=True)
    knock(lab, "mynumber", [("udp", LATE, OUTSIDE, 53)])
    subprocess.run(["kill", "-KILL", str(pid)], check=True)
    wait_until(lambda: any(e["system"] == "late" for e in events(lab, "separation_suspended")))
    wait_until(lambda: lab.children().get("tripwir") not in (None, pid))


def test_drift_is_found_and_mended(lab):
    other = theirs()
    for i, (harm, words) in enumerate((
            (f"flush table inet {TABLE}", "rule 1 is missing"),
            (f"delete table inet {TABLE}", "is missing"),
            (f"add table inet {TABLE} {{ flags dormant; }}", "is dormant"),
            (f"delete element inet {TABLE} forward4 {{ {JUKI} . {HOST} . tcp . 443 }}",
             f"set forward4: element {JUKI} . {HOST} . tcp . 443 is missing"),
            (f"add element inet {TABLE} forward4 {{ {PLAIN} . {OUTSIDE} . tcp . 443 }}",
             f"set forward4: element {PLAIN} . {OUTSIDE} . tcp . 443 is not ours"),
            (f"add rule inet {TABLE} output_provision accept", "chain output_provision: rule"),
            (f"insert rule inet {TABLE} forward accept", "chain forward: rule 1 differs"),
            (f"add chain inet {TABLE} forward {{ policy accept; }}", "chain forward differs"),
            (f"add chain inet {TABLE} more {{ type filter hook input priority 0; }}",
             "chain more is not ours"))):
        before = len(events(lab, "isolation_drift"))
        sh("nft", harm)
        wait_until(lambda: len(events(lab, "isolation_drift")) > before, 10)
        told = events(lab, "isolation_drift")[-1]["text"]
        assert words in told, (harm, told)
        wait_until(lambda: lab.errors().count("<1>sekishod: the kernel's rules are not those") > before)
        wait_until(lambda: ctl(lab, "verify")[0] == 0, 10)
        assert theirs() == other


def state(lab):
    """What the parent said last of the kernel's rules."""
    return next((e for e in reversed(lab.journal())
                 if e["event"] in ("isolation_applied", "isolation_closed")), {"event": None})


def test_the_gate_is_closed_while_the_rules_cannot_be_loaded(lab):
    """Another program takes the table for its own: nobody else can change it then."""
    wait_until(lambda: state(lab)["event"] == "isolation_applied")
    other = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        other.stdin.write(f"delete table inet {TABLE}; add table inet {TABLE} {{ flags owner; }}\n")
        other.stdin.flush()
        wait_until(lambda: state(lab)["event"] == "isolation_closed")
        assert "not permitted" in state(lab)["text"]
        wait_until(lambda: "<1>sekishod: the gate is closed until the kernel holds the rules" in lab.errors())
        refused = lab.ctl("reload", check=False)
        assert refused.returncode == 1 and "not permitted" in refused.stdout + refused.stderr, refused
        assert state(lab)["event"] == "isolation_closed"
    finally:
        other.stdin.close()
        other.wait()
    wait_until(lambda: state(lab)["event"] == "isolation_applied")
    wait_until(lambda: ctl(lab, "verify")[0] == 0)


def test_verify_says_what_differs(lab):
    lab.write_settings(kernel="false")  # nobody mends it meanwhile
    lab.ctl("reload")
    wait_until(lambda: ctl(lab, "verify") == (
        1, "the kernel's rules are not those of the settings:\n"
           f"  table inet {TABLE} is missing\n"))
    assert ctl(lab, "apply") == (0, "loaded\n")
    assert ctl(lab, "verify")[0] == 0
    sh("nft", f"delete element inet {TABLE} gate4 {{ {ZEI} . {GATE} . tcp . 8445 }}")
    assert ctl(lab, "verify") == (
        1, "the kernel's rules are not those of the settings:\n"
           f"  set gate4: element {ZEI} . {GATE} . tcp . 8445 is missing\n")
    assert ctl(lab, "remove") == (0, "removed\n")
    assert TABLE not in sh("nft", "list", "tables")
    lab.write_settings(kernel="true")
    lab.ctl("reload")
    assert ctl(lab, "verify")[0] == 0


def test_each_wall_stands_alone(lab):
    """Without the tripwire's chain the others let nothing more through."""
    lab.write_settings(kernel="false")
    lab.ctl("reload")
    assert ctl(lab, "apply")[0] == 0
    sh("nft", f"flush chain inet {TABLE} prerouting")
    try_between_networks(lab)
    try_the_gate(lab)
    try_datagrams(lab)
    lab.write_settings(kernel="true")
    lab.ctl("reload")
    assert ctl(lab, "verify")[0] == 0


def test_boot_loads_them_where_settings_say_so(lab):
    assert ctl(lab, "verify")[0] == 0
    assert ctl(lab, "boot") == (0, "loaded\n")
    assert ctl(lab, "verify")[0] == 0
    conf = lab.dir / "sekisho.conf"
    text = conf.read_text()
    conf.write_text(text.replace("kernel = true", "kernel = false"))
    try:
        assert ctl(lab, "boot") == (0, "isolation.kernel is false: nothing is loaded\n")
        conf.write_text(text.replace("kernel = true", "kernel = maybe"))
        code, said = ctl(lab, "boot")
        assert code == 1 and "sekisho.conf:" in said, said
    finally:
        conf.write_text(text)


def test_a_reload_brings_its_own_rules(lab):
    may = ("tcp", JUKI, HOST, 8443)
    assert knock(lab, "mynumber", [may]) == []
    lab.write_settings(communications=(*COMMUNICATIONS, ("tcp", JUKI, HOST, "8443")))
    lab.ctl("reload")
    assert knock(lab, "mynumber", [may]) == [may]
    open_one = subprocess.Popen(
        [*within(lab.nets["mynumber"]), sys.executable, "-c", f"""
import socket, time
s = socket.create_connection(("{HOST}", 8443)); print("open", flush=True); time.sleep(60)"""],
        stdout=subprocess.PIPE, text=True)
    lab.beside.append(open_one)
    assert open_one.stdout.readline() == "open\n"
    lab.write_settings(communications=COMMUNICATIONS)
    lab.ctl("reload")
    assert knock(lab, "mynumber", [may]) == []


def test_a_mac_is_asked_for(lab):
    for mac, may in (("02:00:00:00:00:01", []), (None, [("tcp", JUKI, HOST, 443)])):
        own = mac or json.loads(sh(*within(lab.nets["mynumber"]), "ip", "-j", "link", "show", "eth0"))[0]["address"]
        lab.write_settings(mac=f'mac = "{own}";')
        lab.ctl("reload")
        assert knock(lab, "mynumber", [("tcp", JUKI, HOST, 443)]) == may
    lab.write_settings(mac="")
    lab.ctl("reload")
