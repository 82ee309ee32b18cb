# SPDX-License-Identifier: Apache-2.0
"""Clients that know of no proxy: the kernel sends their connections to us.

Two more networks beside the daemon's own, the clients' and the origins', each
in a namespace of its own; nftables sends what one client dials by redirect,
what the other dials by tproxy, both for IPv4 and IPv6.
"""
import ctypes
import os
import socket
import ssl
import subprocess
import time

from lab import Answer, Lab, free_port, wait_until

REDIRECT, TPROXY, STRANGER = "192.0.2.10", "192.0.2.20", "192.0.2.99"
MYNUMBER, LATER = "192.0.2.30", "192.0.2.40"
REDIRECT6, TPROXY6 = "2001:db8:1::10", "2001:db8:1::20"
CLIENTS = (REDIRECT, TPROXY, REDIRECT6, TPROXY6)
GATE, GATE6 = "192.0.2.1", "2001:db8:1::1"
HERE, THERE, OTHER, INSIDE = "203.0.113.7", "203.0.113.8", "203.0.113.9", "198.51.100.7"
NOBODY = "203.0.113.50"
HERE6, OTHER6 = "2001:db8:2::7", "2001:db8:2::9"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

HOSTS = {
    "www.lab.test": f'{HERE}", "{THERE}", "{HERE6}',
    "bank.lab.test": f'{HERE}", "{THERE}", "{NOBODY}", "{HERE6}',
    "casino.lab.test": f'{HERE}", "{HERE6}',
    "expired.lab.test": OTHER,
    "inside.lab.test": INSIDE,
}


class Gate(Lab):
    """A Lab whose daemon stands between two networks."""

    def stop(self):
        """What leads packets here would lead those of the next tests, too."""
        try:
            super().stop()
        finally:
            for command in ("nft delete table inet sekisho", *(
                    f"ip {family} {what}" for family in ("-4", "-6") for what in (
                        "rule del fwmark 1 lookup 100", "route del local default dev lo table 100"))):
                subprocess.run(command.split(), capture_output=True, check=False)

    def write_settings(self, **change):
        super().write_settings(**change)
        conf = self.dir / "sekisho.conf"
        text = conf.read_text()
        listeners = "".join(
            f', {{ address = "{a}:{p}"; transparent = "{kind}"; }}'
            for kind, p in (("redirect", self.redirect), ("tproxy", self.tproxy))
            for a in ("0.0.0.0", "[::]"))
        for old, new in (
                ('"]; }} );\nlimits'.replace("}}", "}"), f'"]; }}{listeners} );\nlimits'),
                ('permitted = ["127.0.0.0/8"]',
                 'permitted = ["127.0.0.0/8", "203.0.113.0/24", "2001:db8:2::/64"]'),
                ('80, 443 ', '80, 443, 8080 '),
                ('prefix = "127.0.0.1/32"; zone = "internet"; },',
                 'prefix = "127.0.0.1/32"; zone = "internet"; },'
                 + "".join(f'{{ prefix = "{c}"; zone = "internet"; }},' for c in CLIENTS)
                 + f'{{ prefix = "{MYNUMBER}"; zone = "mynumber"; }},')):
            assert old in text, old
            text = text.replace(old, new)
        conf.write_text(text)


def sh(*args, **kw):
    subprocess.run([*map(str, args)], check=True, **kw)


def make(build):
    Gate.redirect, Gate.tproxy = free_port(), free_port()
    lab = Gate(build, hosts=HOSTS)
    lab.clients, lab.origins = network(lab), network(lab)
    link(lab.clients, "lan0", (f"{GATE}/24", f"{GATE6}/64"),
         [f"{a}/24" for a in (REDIRECT, TPROXY, STRANGER, MYNUMBER, LATER)]
         + [f"{REDIRECT6}/64", f"{TPROXY6}/64"])
    link(lab.origins, "wan0", ("203.0.113.1/24", "198.51.100.1/24", "2001:db8:2::1/64"),
         [f"{a}/24" for a in (HERE, THERE, OTHER, INSIDE)] + [f"{HERE6}/64", f"{OTHER6}/64"])
    send_here(lab)
    start_origins(lab)
    return lab


def network(lab):
    """The process that keeps a network namespace."""
    keeper = lab.run_beside("unshare", "-n", "sleep", "3600")
    own = os.readlink("/proc/self/ns/net")
    wait_until(lambda: os.readlink(f"/proc/{keeper.pid}/ns/net") != own)
    return keeper.pid


def within(pid, *args):
    return ["nsenter", "-t", str(pid), "-n", *map(str, args)]


def link(pid, name, ours, theirs):
    sh("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", pid)
    for prefix, addresses, device in (([], ours, name), (within(pid), theirs, "eth0")):
        sh(*prefix, "ip", "link", "set", "lo", "up")
        sh(*prefix, "ip", "link", "set", device, "up")
        for a in addresses:
            sh(*prefix, "ip", "address", "add", a, "dev", device, *(["nodad"] if ":" in a else []))
    if GATE in ours[0]:
        sh(*within(pid), "ip", "route", "add", "default", "via", GATE)
        sh(*within(pid), "ip", "-6", "route", "add", "default", "via", GATE6)


def send_here(lab):
    """As in INSTALL.md."""
    ports = "{ 80, 443, 8080 }"
    sh("nft", "-f", "-", input=f"""
table inet sekisho {{
  chain by_redirect {{
    type nat hook prerouting priority dstnat;
    fib daddr type local return
    ip saddr {{ {REDIRECT}, {STRANGER}, {MYNUMBER} }} tcp dport {ports} redirect to :{lab.redirect}
    ip6 saddr {REDIRECT6} tcp dport {ports} redirect to :{lab.redirect}
  }}
  chain by_tproxy {{
    type filter hook prerouting priority mangle;
    fib daddr type local return
    iifname "lan0" ip saddr {TPROXY} tcp dport {ports} tproxy ip to :{lab.tproxy} meta mark set 1 accept
    iifname "lan0" ip6 saddr {TPROXY6} tcp dport {ports} tproxy ip6 to :{lab.tproxy} meta mark set 1 accept
  }}
}}
""", text=True)
    for family in ("-4", "-6"):
        sh("ip", family, "rule", "add", "fwmark", 1, "lookup", 100)
        sh("ip", family, "route", "add", "local", "default", "dev", "lo", "table", 100)


def start_origins(lab):
    run = lab.dir / "run"
    key, crt = lab.origin_ca.leaf(
        "gate", f"DNS:*.lab.test,IP:{HERE},IP:{HERE6}")
    old_key, old_crt = lab.origin_ca.leaf("old", "DNS:expired.lab.test", days=0)
    listen = "".join(f"listen {a}:443 ssl http2; listen {a}:80; listen {a}:8080; "
                     for a in (HERE, THERE, INSIDE, f"[{HERE6}]", f"[{OTHER6}]"))
    (run / "gate.conf").write_text(f"""
daemon off; worker_processes 1; pid {run}/gate.pid; user root;
error_log {run}/gate-error.log;
events {{ worker_connections 512; }}
http {{
  access_log {run}/gate-access.log;
  client_body_temp_path {run}/gb; proxy_temp_path {run}/gp; fastcgi_temp_path {run}/gf;
  uwsgi_temp_path {run}/gu; scgi_temp_path {run}/gs;
  server {{ {listen} ssl_certificate {crt}; ssl_certificate_key {key};
    root {lab.dir}/www;
    location = / {{ return 200 "$scheme $server_addr $http_host $http_via"; }} }}
  server {{ listen {OTHER}:443 ssl; listen {OTHER}:80; ssl_certificate {old_crt};
    ssl_certificate_key {old_key}; return 200 "other"; }}
}}
""")
    lab.run_beside(*within(lab.origins, "nginx", "-p", run, "-c", run / "gate.conf"))
    wait_until(lambda: lab._answers(443, HERE))


def curl(lab, source, url, at=None, *more, ca=None):
    """status, HTTP's version, body; at: the address that the client dials."""
    host = url.split("/")[2].split(":")[0]
    args = ["curl", "-sS", "-m", "20", "-g", "--interface", source,
            "--cacert", ca or lab.proxy_ca.crt,
            "-w", "\n%{http_code} %{http_version}", *more, url]
    if at:
        at = f"[{at}]" if ":" in at else at
        args[1:1] = [w for port in (80, 443, 8080) for w in ("--resolve", f"{host}:{port}:{at}")]
    done = subprocess.run(within(lab.clients, *args), capture_output=True, timeout=40,
                          env={"PATH": os.environ["PATH"]})
    if done.returncode:
        return 0, done.returncode, done.stderr.decode()
    body, _, last = done.stdout.rpartition(b"\n")
    status, version = last.decode().split()
    return int(status), version, body.decode()


def connect(lab, source, to, port):
    """A socket of the clients' network; what is opened there stays there."""
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with open("/proc/self/ns/net") as own, open(f"/proc/{lab.clients}/ns/net") as other:
        assert libc.setns(other.fileno(), CLONE_NEWNET) == 0
        try:
            s = socket.socket(family)
        finally:
            assert libc.setns(own.fileno(), CLONE_NEWNET) == 0
    s.settimeout(10)
    s.bind((source, 0))
    s.connect((to, port))
    return s


def ask(lab, source, to, request, port=80):
    with connect(lab, source, to, port) as s:
        s.sendall(request.encode())
        return Answer(s)


def tls(lab, source, to, sni, ca=None):
    context = ssl.create_default_context(cafile=str(ca or lab.proxy_ca.crt))
    context.check_hostname = sni is not None
    return context.wrap_socket(connect(lab, source, to, 443), server_hostname=sni)


def here(source):
    return HERE6 if ":" in source else HERE


def dialled(to, port):
    return f"[{to}]:{port}" if ":" in to else f"{to}:{port}"


def counter(lab, name):
    return [int(line.split()[1]) for line in lab.ctl("status").stdout.splitlines()
            if line.startswith(name + " ")][0]


def ends_of(s):
    """What comes before the end; None: it is reset."""
    said = b""
    try:
        while more := s.recv(4096):
            said += more
    except ConnectionResetError:
        return None
    return said


def test_http_and_https_pass_by_redirect_and_tproxy(lab):
    for source in CLIENTS:
        to = here(source)
        for scheme, port in (("http", 80), ("https", 443)):
            status, version, body = curl(lab, source, f"{scheme}://www.lab.test/", to)
            assert (status, body) == (200, f"{scheme} {to} www.lab.test 1.1 sekisho-990001"), \
                (source, scheme, status, body)
            assert version == ("2" if scheme == "https" else "1.1"), version
            e = lab.event(event="exchange", client=source, scheme=scheme, path="/")
            assert (e["host"], e["port"], e["rule"], e["body"]) == ("www.lab.test", port, "lab", "990019")
            assert e["dialled"] == dialled(to, port)


def test_each_version_of_http_and_big_bodies_pass(lab):
    whole = (lab.dir / "www" / "10m").stat().st_size
    for source in (REDIRECT, TPROXY):
        for how in ("--http1.0", "--http1.1", "--http2"):
            for scheme in ("http", "https"):
                done = subprocess.run(within(
                    lab.clients, "curl", "-sS", "-m", 30, "--interface", source, how, "--cacert",
                    lab.proxy_ca.crt, "--resolve", f"www.lab.test:80:{HERE}", "--resolve",
                    f"www.lab.test:443:{HERE}", f"{scheme}://www.lab.test/10m"),
                    capture_output=True, timeout=40)
                assert len(done.stdout) == whole, (source, how, scheme, done.stderr)


def test_another_port_is_part_of_the_name(lab):
    status, _, body = curl(lab, REDIRECT, "http://www.lab.test:8080/", HERE)
    assert (status, body) == (200, f"http {HERE} www.lab.test:8080 1.1 sekisho-990001")
    a = ask(lab, REDIRECT, HERE, "GET / HTTP/1.1\r\nHost: www.lab.test\r\n\r\n", 8080)
    assert a.status == 421
    lab.event(event="exchange", status=421, dialled=f"{HERE}:8080",
              why="Host unlike the original destination's port")


def test_what_is_dialled_is_what_is_reached(lab):
    """Of several addresses of one name, and although a connection to another is kept."""
    for _ in range(2):
        for to in (HERE, THERE):
            for source in (REDIRECT, TPROXY):
                for scheme in ("http", "https"):
                    body = curl(lab, source, f"{scheme}://www.lab.test/", to)[2]
                    assert body.split()[1] == to, (source, scheme, to, body)


def test_a_kept_connection_serves_again(lab):
    for scheme in ("http", "https"):
        curl(lab, REDIRECT, f"{scheme}://www.lab.test/", HERE)
        counted = counter(lab, "upstream_reused")
        for _ in range(4):
            curl(lab, REDIRECT, f"{scheme}://www.lab.test/1k", HERE)
        assert counter(lab, "upstream_reused") > counted, scheme


def test_a_name_that_leads_elsewhere_is_refused(lab):
    words = "the name does not resolve to the original destination"
    for source in CLIENTS:
        to = OTHER6 if ":" in source else OTHER
        for scheme, port in (("http", 80), ("https", 443)):
            # a connection that is kept must not excuse it
            assert curl(lab, source, f"{scheme}://www.lab.test/", here(source))[0] == 200
            status, _, body = curl(lab, source, f"{scheme}://www.lab.test/", to)
            assert status == 421 and words in body, (source, scheme, status, body)
            e = lab.event(event="exchange", client=source, status=421, dialled=dialled(to, port))
            assert e["why"] == words


def test_each_request_of_a_connection_must_lead_there(lab):
    with connect(lab, REDIRECT, HERE, 80) as s:
        for host, status in (("www.lab.test", 200), ("expired.lab.test", 421)):
            s.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            a = Answer(s)
            assert a.status == status, (host, a.raw)


def test_names_must_agree(lab):
    with tls(lab, TPROXY, HERE, "www.lab.test") as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: bank.lab.test\r\n\r\n")
        assert Answer(s).status == 421
    lab.event(event="exchange", client=TPROXY, status=421, scheme="https",
              why="Host unlike the CONNECT name")
    for target, host, status in (
            ("http://www.lab.test/1k", "www.lab.test", 200),
            ("http://www.lab.test/1k", "bank.lab.test", 421),
            ("http://www.lab.test:8080/1k", "www.lab.test:8080", 421),
            ("https://www.lab.test/1k", "www.lab.test", 421),
            ("https://www.lab.test:80/1k", "www.lab.test", 421),
            ("ftp://www.lab.test/1k", "www.lab.test", 400),
            ("/1k", "127.1", 400)):
        a = ask(lab, TPROXY, HERE, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert a.status == status, (target, host, a.raw)
    assert curl(lab, TPROXY, "https://www.lab.test/", HERE, "-H", "Host: x.lab.test")[0] == 421
    with tls(lab, TPROXY, THERE, "www.lab.test") as s:
        s.sendall(b"GET https://www.lab.test/ HTTP/1.1\r\nHost: www.lab.test\r\n\r\n")
        assert Answer(s).body.split()[1] == THERE.encode()


def test_who_is_no_proxy_takes_no_connect(lab):
    a = ask(lab, REDIRECT, HERE,
            "CONNECT www.lab.test:443 HTTP/1.1\r\nHost: www.lab.test:443\r\n\r\n")
    assert a.status == 400
    assert lab.event(event="exchange", method="CONNECT", status=400)["why"] \
        == "CONNECT to who is no proxy"
    with tls(lab, REDIRECT, HERE, "www.lab.test") as s:
        s.sendall(b"CONNECT www.lab.test:443 HTTP/1.1\r\nHost: www.lab.test:443\r\n\r\n")
        assert Answer(s).status == 400


def test_the_proxys_own_pages_are_not_served(lab):
    for path in ("/proxy.pac", "/ca.crt"):
        assert curl(lab, REDIRECT, f"http://www.lab.test{path}", HERE)[0] == 404


def test_without_a_name_the_address_is_the_destination(lab):
    """Judged by policy, and the certificate must hold for it: as CONNECT to an address."""
    lab.write_policy('''default = ( { name = "all"; zones = ["internet"]; verdict = "allow";
      reason_ja = "試験"; reason_en = "test"; } );\n''')
    lab.ctl("reload")
    for source in CLIENTS:
        to = here(source)
        url = f"[{to}]" if ":" in to else to
        for scheme in ("http", "https"):
            status, _, body = curl(lab, source, f"{scheme}://{url}/")
            assert (status, body) == (200, f"{scheme} {to} {url} 1.1 sekisho-990001"), (source, status, body)
    status, _, body = curl(lab, REDIRECT, f"https://{THERE}/")
    assert status == 502 and "IP address mismatch" in body, "its certificate is for another address"
    a = ask(lab, REDIRECT, HERE, "GET / HTTP/1.0\r\n\r\n")
    assert a.status == 200
    a = ask(lab, REDIRECT, HERE, f"GET / HTTP/1.1\r\nHost: {THERE}\r\n\r\n")
    assert a.status == 421
    lab.write_policy()
    lab.ctl("reload")
    # nothing permits it any more
    assert curl(lab, REDIRECT, f"https://{HERE}/")[0] == 403


def test_policy_holds_and_shows_its_page(lab):
    for source in CLIENTS:
        for scheme in ("http", "https"):
            status, _, body = curl(lab, source, f"{scheme}://casino.lab.test/", here(source))
            assert status == 403 and "no-gambling" in body, (source, scheme, status, body)


def test_a_bad_certificate_is_told_on_a_page(lab):
    status, _, body = curl(lab, TPROXY, "https://expired.lab.test/", OTHER)
    assert status == 502 and "expired" in body, (status, body)


def test_a_tunnel_is_not_opened_but_leads_there(lab):
    for source in CLIENTS:
        status, _, body = curl(lab, source, "https://bank.lab.test/", here(source), ca=lab.origin_ca.crt)
        assert (status, body) == (200, f"https {here(source)} bank.lab.test "), (source, status, body)
        e = lab.event(event="tunnel", client=source, host="bank.lab.test")
        assert (e["verdict"], e["dialled"], e["status"]) == ("tunnel", dialled(here(source), 443), 200)


def test_a_tunnel_that_cannot_be_is_ended_by_an_alert(lab):
    status, _, words = curl(lab, TPROXY, "https://bank.lab.test/", OTHER)
    assert status == 0 and "access denied" in words, words
    e = lab.event(event="exchange", client=TPROXY, host="bank.lab.test")
    assert e["why"] == "the name does not resolve to the original destination" and e["status"] == 421


def test_nothing_but_an_alert_is_said_before_tls(lab):
    for source, name in ((STRANGER, "www.lab.test"), (TPROXY, "bank.lab.test")):
        with connect(lab, source, OTHER, 443) as s:
            s.sendall(hello_of(name))
            assert ends_of(s) == b"\x15\x03\x03\x00\x02\x02\x31", "access_denied"


def test_a_client_that_leaves_is_noticed_while_its_tunnel_is_opened(lab):
    begun = time.monotonic()
    with connect(lab, TPROXY, NOBODY, 443) as s:
        s.sendall(hello_of("bank.lab.test"))
        time.sleep(0.2)
    e = lab.event(event="exchange", client=TPROXY, dialled=f"{NOBODY}:443")
    assert e["why"] == "the client closed the connection", e
    assert time.monotonic() - begun < 1.5, "before it is known that nobody is there"


def test_unknown_clients_and_the_mynumber_zone_get_nothing(lab):
    for source, rule in ((STRANGER, "builtin:unknown-source"), (MYNUMBER, "builtin:mynumber")):
        assert curl(lab, source, "http://www.lab.test/", HERE)[0] == 403
        e = lab.event(event="exchange", client=source, scheme="http")
        assert (e["rule"], e["host"]) == (rule, "www.lab.test")
        status, _, words = curl(lab, source, "https://www.lab.test/", HERE)
        assert status == 0 and "access denied" in words, words
        assert lab.event(event="exchange", client=source, scheme="https")["rule"] == rule
    only, = [e for e in lab.journal() if e["event"] == "incident"]
    assert (only["from"], only["to"], only["what"]) == (MYNUMBER, f"{HERE}:80", "GET www.lab.test:80")


def test_inner_addresses_are_not_reached(lab):
    for scheme in ("http", "https"):
        status, _, body = curl(lab, REDIRECT, f"{scheme}://inside.lab.test/", INSIDE)
        assert status == 403 and "documentation address" in body, (status, body)


def test_who_dials_the_listener_itself_is_refused(lab):
    for source in CLIENTS:
        gate = GATE6 if ":" in source else GATE
        for port in (lab.redirect, lab.tproxy):
            try:
                with connect(lab, source, gate, port) as s:
                    assert ends_of(s) is None, (source, port)
            except ConnectionResetError:
                pass  # before we could say that we are connected
            e = lab.event(event="connection_refused", client=source, dialled=dialled(gate, port))
            assert e["why"] == "the listener itself was dialled"


def test_what_is_no_hello_is_refused(lab):
    for said, why in (
            (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "TLS: no client hello"),
            (b"\x16\x03\x01\x00\x00", "TLS: record is empty"),
            (b"\x16\x03\x01\x00\x04\x01\x01\x00\x00", "TLS: handshake message is too long"),
            # each byte of the message a record
            (b"\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00" + b"\x16\x03\x01\x00\x01\x7f" * 11000,
             "TLS: handshake is too long")):
        with connect(lab, REDIRECT, HERE, 443) as s:
            try:
                s.sendall(said)
            except ConnectionResetError:
                pass
            assert ends_of(s) is None, why
        lab.event(event="connection_refused", client=REDIRECT, dialled=f"{HERE}:443", why=why)


def test_a_hello_in_pieces_is_waited_for(lab):
    context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = context.wrap_bio(incoming, outgoing, server_hostname="www.lab.test")
    with connect(lab, TPROXY, HERE, 443) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(10):
            try:
                end.do_handshake()
                break
            except ssl.SSLWantReadError:
                hello = outgoing.read()
                for at in range(0, len(hello), 100):
                    s.sendall(hello[at:at + 100])
                    time.sleep(0.005)
                incoming.write(s.recv(65536))
        else:
            raise AssertionError("no handshake")


def test_a_name_that_is_none_is_refused(lab):
    hello = hello_of("www.lab.test").replace(b"www.lab.test", b"www/lab.test")
    with connect(lab, TPROXY, HERE, 443) as s:
        s.sendall(hello)
        assert ends_of(s) is None
    lab.event(event="connection_refused", client=TPROXY, why="host with a forbidden byte")


def hello_of(name):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def test_the_silent_are_ended(lab):
    lab.write_settings(limits="head_timeout = 1;")
    lab.ctl("reload")
    try:
        for said, why in ((b"", None), (hello_of("www.lab.test")[:50], "the TLS hello took too long"),
                          (b"GET / HTTP/1.1\r\nHo", None)):
            begun = time.monotonic()
            with connect(lab, TPROXY, HERE, 443) as s:
                s.sendall(said)
                got = ends_of(s)
                assert 0.8 < time.monotonic() - begun < 5, said
                assert (got is None) == (why is not None), (said, got)
                assert not said.startswith(b"GET") or b" 408 " in got, got
            if why:
                lab.event(event="connection_refused", client=TPROXY, why=why)
    finally:
        lab.write_settings(limits="")
        lab.ctl("reload")


def test_a_client_that_leaves_early_leaves_nothing(lab):
    for said in (b"", hello_of("www.lab.test")[:50], hello_of("www.lab.test")):
        for _ in range(10):
            with connect(lab, REDIRECT, HERE, 443) as s:
                s.sendall(said)
    wait_until(lambda: counter(lab, "connections") == 0, 5)


def test_x_forwarded_for_is_not_believed(lab):
    a = ask(lab, REDIRECT, HERE, "GET /1k HTTP/1.1\r\nHost: www.lab.test\r\nX-Forwarded-For: 127.0.4.9\r\n\r\n")
    assert a.status == 200
    assert not any(e.get("client") == "127.0.4.9" for e in lab.journal())


def test_a_listener_becomes_transparent_by_a_reload(lab):
    """The sockets that are there stay; they must be made fit for tproxy."""
    conf = lab.dir / "sekisho.conf"
    text = conf.read_text()
    old = f'{lab.redirect}"; transparent = "redirect"'
    assert old in text
    swapped = text.replace(old, f'{lab.redirect}"; transparent = "tproxy"')
    conf.write_text(swapped)
    lab.ctl("reload")
    sh("nft", "add", "rule", "inet", "sekisho", "by_tproxy", "ip", "saddr", LATER,
       "tcp", "dport", "80", "tproxy", "ip", "to", f":{lab.redirect}", "meta", "mark", "set", "1", "accept")
    try:
        status, _, body = curl(lab, LATER, "http://www.lab.test/", HERE)
        assert status == 403 and "http://www.lab.test:80/" in body, (status, body)
        assert lab.event(event="exchange", client=LATER)["dialled"] == f"{HERE}:80"
    finally:
        conf.write_text(text)
        lab.ctl("reload")


def test_a_stop_does_not_wait_for_the_silent(lab):
    with connect(lab, TPROXY, HERE, 443) as s:
        wait_until(lambda: counter(lab, "connections") == 1)
        lab.daemon.terminate()
        lab.daemon.wait(5)
        assert ends_of(s) == b""
    lab.start()


def test_wrong_settings_are_named(lab):
    conf = lab.dir / "sekisho.conf"
    text = conf.read_text()
    for new, words in (
            ('transparent = "yes"', 'transparent is "yes", expected "no", "redirect" or "tproxy"'),
            ('transparent = "tproxy"; forwarded_from = ["192.0.2.0/24"]',
             'transparent is "tproxy", expected no tls, proxy_protocol_from or forwarded_from beside it'),
            ('transparent = "redirect"; proxy_protocol_from = ["192.0.2.0/24"]',
             'transparent is "redirect", expected no tls, proxy_protocol_from or forwarded_from beside it')):
        conf.write_text(text.replace('transparent = "redirect"', new))
        said = lab.ctl("reload", check=False)
        assert said.returncode and words in said.stdout + said.stderr, said
    conf.write_text(text)
    lab.ctl("reload")


if not os.environ.get("SEKISHO_FLOW_ENCLOSED"):
    print("56_transparent: needs namespaces, which cannot be had here: not run", flush=True)
    for name in [n for n in globals() if n.startswith("test_")]:
        del globals()[name]
