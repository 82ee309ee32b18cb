# SPDX-License-Identifier: Apache-2.0
"""dns_peer: zones below `test.` as nsd serves them, signed, and unbound, which
validates them from our own `test.` down. Both on free ports of loopback, with
settings of their own."""
import hashlib
import pathlib
import subprocess
import time

from lab import free_port, wait_until

AUTHORITY = "127.0.0.1"
PAST = ("-i", "20200101000000", "-e", "20200201000000")  # when signatures held


def tlsa(crt, usage=3, selector=1):
    """The data of a TLSA record that says so of a certificate, by SHA-256."""
    form = ("x509", "-in", crt, "-outform", "DER")
    if selector == 1:
        public = subprocess.run(["openssl", "x509", "-in", crt, "-pubkey", "-noout"], check=True,
                                capture_output=True).stdout
        form = ("pkey", "-pubin", "-outform", "DER")
    der = subprocess.run(["openssl", *form], input=public if selector == 1 else None, check=True,
                         capture_output=True).stdout
    return f"{usage} {selector} 1 {hashlib.sha256(der).hexdigest()}"


class Names:
    """`zone` each one, then `start`. Names in a zone's records stand below it."""

    def __init__(self, lab, port):
        self.lab, self.port, self.authority_port = lab, port, free_port()
        self.dir = pathlib.Path(lab.dir) / "names"
        self.dir.mkdir()
        self.zones, self.keys = [], {}
        self.authority = self.resolver = None

    def _run(self, *args):
        return subprocess.run(list(map(str, args)), check=True, capture_output=True, text=True, cwd=self.dir).stdout

    def _write(self, name, records):
        (self.dir / name).write_text(f"""$ORIGIN {name}.
$TTL 5
@ SOA ns.test. hostmaster.test. {int(time.time())} 3600 600 86400 5
@ NS ns.test.
{records}
""")

    def _sign(self, name, when=()):
        if name not in self.keys:
            self.keys[name] = self._run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", name).strip()
        self._run("ldns-signzone", *when, "-o", name, "-f", f"{name}.served", name, self.keys[name])

    def zone(self, name, records, signed=True, when=(), spoil=None):
        """spoil: what of it is changed behind its signing, and to what."""
        self._write(name, records)
        served = self.dir / f"{name}.served"
        if signed:
            self._sign(name, when)
        else:
            served.write_text((self.dir / name).read_text())
        if spoil:
            text = served.read_text()
            assert text.count(spoil[0]) == 1, text
            served.write_text(text.replace(*spoil))
        if name not in self.zones:
            self.zones.append(name)

    def _write_parent(self):
        lines = [f"ns A {AUTHORITY}"]
        for name in self.zones:
            lines.append(f"{name}. NS ns.test.")
            if name in self.keys:
                lines.append((self.dir / f"{self.keys[name]}.ds").read_text())
        self._write("test", "\n".join(lines))
        self._sign("test")

    def start(self):
        self._write_parent()
        zones = ["test", *self.zones]
        (self.dir / "nsd.conf").write_text(f"""
server:
  ip-address: {AUTHORITY}@{self.authority_port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{self.dir}"
  pidfile: "{self.dir}/nsd.pid"
  logfile: "{self.dir}/nsd.log"
  xfrdfile: "{self.dir}/xfrd.state"
  zonelistfile: "{self.dir}/zone.list"
  xfrdir: "{self.dir}"
remote-control:
  control-enable: no
""" + "".join(f'zone:\n  name: "{z}"\n  zonefile: "{z}.served"\n' for z in zones))
        (self.dir / "unbound.conf").write_text(f"""
server:
  interface: 127.0.0.1@{self.port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{self.dir}"
  pidfile: ""
  use-syslog: no
  logfile: "{self.dir}/unbound.log"
  val-log-level: 2
  do-ip6: no
  outgoing-range: 128
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor-file: "{self.dir}/{self.keys["test"]}.ds"
  local-zone: "test." nodefault
remote-control:
  control-enable: no
""" + "".join(f'stub-zone:\n  name: "{z}"\n  stub-addr: {AUTHORITY}@{self.authority_port}\n' for z in zones))
        self.run()

    def run(self):
        self.authority = self.lab.run_beside("/usr/sbin/nsd", "-d", "-c", self.dir / "nsd.conf")
        wait_until(lambda: self.lab._answers(self.authority_port))
        self.resolver = self.lab.run_beside("/usr/sbin/unbound", "-d", "-c", self.dir / "unbound.conf")
        wait_until(lambda: self.lab._answers(self.port))

    def run_again(self):
        """With what was signed meanwhile, and nothing that is remembered."""
        for p in (self.resolver, self.authority):
            p.terminate()
            p.wait(15)
        self.run()
