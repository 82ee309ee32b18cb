# SPDX-License-Identifier: Apache-2.0
"""What the gate takes of a probe: a system is separated while its probe says
so, and no other message than its own, made now, says so."""
import importlib
import os
import socket
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from lab import Authority, Lab, free_port, openssl, wait_until  # noqa: E402

gate_module = importlib.import_module("90_gate")
GATE, CHUKAN, JUKI = gate_module.GATE, gate_module.CHUKAN, gate_module.JUKI
STRANGER = "127.0.3.99"
NAME = "city-juki"
CANARIES = ("203.0.113.1:443", "[2001:db8:9::1]:53")  # no route leads there


class ProbeLab(Lab):
    def write_settings(self, **change):
        folder = self.dir / "isolation"
        super().write_settings(**change, extra=f"""
isolation = {{ gate = "{GATE}:{self.gate_port}"; gate_certificate = "isolation/gate.crt";
  gate_key = "isolation/gate.key"; auditor_keys = ["isolation/auditor.pub"];
  crossings = "crossings/log.jsonl"; suspensions = "run/suspensions";
  canaries = [{", ".join(f'"{c}"' for c in CANARIES)}]; probe_age_max = 60; }};
provision = ( {{ name = "chukan"; addresses = ["{CHUKAN}"]; port = {self.chukan_port};
  server_name = "chukan.test"; certificate = "isolation/chukan.crt"; owner = "県"; }} );
systems = ( {{ name = "{NAME}"; body = "990019"; addresses = ["{JUKI}"];
  certificate = "isolation/juki.crt"; purposes = ["住民基本台帳に関する事務"]; owner = "市民課";
  probe_key = "isolation/probe.pub"; endpoints = ["chukan"]; }} );
""" if folder.exists() else "")

    def standing(self):
        return gate_module.standing(self, NAME)

    def stands(self, standing):
        wait_until(lambda: self.standing() == standing)

    def crosses(self):
        return gate_module.curl(self).stdout == b"k" * 1024


def make(build):
    lab = ProbeLab(build)
    folder = lab.dir / "isolation"
    folder.mkdir()
    (lab.dir / "statements").mkdir()
    lab.ca = Authority(folder, "ca")
    lab.ca.leaf("gate", f"IP:{GATE}", usage="serverAuth,clientAuth")
    lab.ca.leaf("chukan", "DNS:chukan.test", usage="serverAuth")
    for name in ("juki", "stranger"):
        lab.ca.leaf(name, f"DNS:{name}.test", usage="clientAuth")
    openssl("genpkey", "-algorithm", "ED25519", "-out", folder / "auditor.key")
    openssl("pkey", "-in", folder / "auditor.key", "-pubout", "-out", folder / "auditor.pub")
    for name in ("probe", "other"):
        done = subprocess.run([lab.build / "sekisho-probe", "keygen", folder / f"{name}.key"],
                              capture_output=True, text=True, check=True)
        (folder / f"{name}.pub").write_text(done.stdout)
    lab.gate_port, lab.chukan_port = free_port(), free_port()
    gate_module.chukan(lab, lab.chukan_port, "chukan")
    lab.write_settings()
    gate_module.sign(lab, NAME)
    return lab


# What a program writes that holds the system's keys but is not ours.

def talk(lab, make_message, source=JUKI, crt="juki"):
    """The gate's line to a message made for its nonce."""
    folder = lab.dir / "isolation"
    context = ssl.create_default_context(cafile=str(lab.ca.crt))
    context.check_hostname = False
    context.set_alpn_protocols(["sekisho-probe/1"])
    context.load_cert_chain(folder / f"{crt}.crt", folder / f"{crt}.key")
    with socket.socket() as s:
        s.settimeout(15)
        s.bind((source, 0))
        s.connect((GATE, lab.gate_port))
        with context.wrap_socket(s) as tls:
            nonce = b""
            while len(nonce) < 32:
                got = tls.recv(32 - len(nonce))
                if not got:
                    return "closed"
                nonce += got
            message = make_message(nonce)
            tls.sendall(struct.pack(">I", len(message)) + message)
            line = b""
            while not line.endswith(b"\n"):
                got = tls.recv(512)
                if not got:
                    break
                line += got
            return line.decode()


def message(lab, nonce, name=NAME, at=None, canaries=CANARIES, verdict="good", key="probe"):
    folder = lab.dir / "isolation"
    tried = "".join(f"{kind} closed {c}\n" for c in canaries for kind in ("tcp", "udp"))
    text = (f"sekisho-probe 1\nnonce {nonce.hex()}\nsystem {name}\nhost lab\n"
            f"time {int(at or time.time())}\n{tried}verdict {verdict}\n").encode()
    (folder / "text").write_bytes(text)
    signature = subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", folder / f"{key}.key",
         "-in", folder / "text"], capture_output=True, check=True).stdout
    return text + f"signature {signature.hex()}\n".encode()


def good(lab):
    """A message that is taken; the system is separated."""
    kept = []

    def make_message(nonce):
        kept.append(message(lab, nonce))
        return kept[0]
    assert talk(lab, make_message) == "accepted good\n"
    lab.stands("separated")
    return kept[0]


def test_a_message_counts_once(lab):
    old = good(lab)
    line = talk(lab, lambda nonce: old)
    assert "another nonce" in line, line
    lab.stands("unprobed")
    assert not lab.crosses()


def test_messages_that_prove_nothing_close_it(lab):
    for why, change in (("not signed", {"key": "other"}),
                        ("is of the system", {"name": "city-zei"}),
                        ("ahead of this clock", {"at": time.time() + 300}),
                        ("behind this clock", {"at": time.time() - 300}),
                        ("did not try the registered canary", {"canaries": CANARIES[:1]}),
                        ("did not try the registered canary", {"canaries": CANARIES[1:]}),
                        ("verdict", {"canaries": ()}),
                        ("verdict", {"verdict": "bad"})):
        good(lab)
        line = talk(lab, lambda nonce: message(lab, nonce, **change))
        assert line.startswith("refused ") and why in line, (why, line)
        lab.stands("unprobed")
    for spoil in (lambda m: m[:-1], lambda m: m + b"\n", lambda m: m.replace(b"lab", b"lib"),
                  lambda m: b"", lambda m: os.urandom(1000), lambda m: b"\n" * 100000):
        good(lab)
        line = talk(lab, lambda nonce: spoil(message(lab, nonce)))
        assert not line.startswith("accepted"), line


def test_only_the_system_itself_is_heard(lab):
    good(lab)
    for source, crt in ((STRANGER, "juki"), (JUKI, "stranger")):
        try:
            line = talk(lab, lambda nonce: message(lab, nonce), source, crt)
        except OSError:
            line = "closed"
        assert not line.startswith("accepted"), line
