# SPDX-License-Identifier: Apache-2.0
"""What DNS says of a mail host's certificate (DANE), by a real resolver that
validates what a real name server has of signed zones; and MTA-STS beside it."""
import importlib
import os
import random
import signal
import ssl
import subprocess

import dns_peer
from dns_peer import tlsa
from lab import CITY, Authority, free_port, read_head, wait_until
from mail_peer import Hop

mail_module = importlib.import_module("41_mail")

ENCLOSED = os.environ.get("SEKISHO_FLOW_ENCLOSED")
# Public ones that have no mail and no pages (RFC 7534); our own loopback is given them.
PUBLIC, PUBLIC6 = "192.175.48.43", "2620:4f:8000::43"
STS = ("dane", "wrong", "none", "unusable", "fits")
ROUTES = """
inbound = ( {{ name = "city"; body = "990019"; domains = ["city.test"]; side = "lgwan"; detox = "none";
  verify_recipients = false; next_hops = ( {{ host = "127.0.0.1"; port = {port}; tls = "none"; }} ); }} );
outbound = ( {{ name = "world"; domains = ["*"]; tls = "opportunistic"; detox = "none"; }} );
"""


def served_with(key, crt):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    return context


def at_port_25(**kw):
    """A hop of its own address, as MX names no port."""
    for _ in range(20):
        at = f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        try:
            hop = Hop(25, at, **kw)
        except OSError:
            continue
        hop.address = at
        return hop
    raise AssertionError("no port 25 can be had")


class DaneLab(mail_module.MailLab):
    """Hosts of mail, each with a port 25 of its own: `known` has a certificate of an authority that we
    trust, `unknown` an old one that only DNS can vouch for, `chained` one whose authority DNS vouches for, and
    `plain` has no TLS."""

    def __init__(self, build):
        self.dns_port = free_port()
        self.page_is_there = True
        super().__init__(build, mail="dane = true; cut_through_max = 30;",
                         upstream=f'nameservers = ["127.0.0.1:{self.dns_port}"]; dns_ttl_max = 1; dns_negative_ttl = 1;')
        self.write_routes(ROUTES.format(port=self.city.port))
        self.make_hosts()
        self.names = dns_peer.Names(self, self.dns_port)

    def make_hosts(self):
        other = self.dir / "other"
        other.mkdir()
        self.other_ca = Authority(other, "other-ca")
        known = self.origin_ca.leaf("known", "DNS:mx.known.signed.test,DNS:*.sts.test")
        unknown = self.other_ca.leaf("unknown", "DNS:elsewhere.test", days=0)
        leaf_key, leaf = self.other_ca.leaf("chained", "DNS:mx.chained.signed.test")
        chain = other / "chain.crt"
        chain.write_bytes(leaf.read_bytes() + self.other_ca.crt.read_bytes())
        self.known, self.unknown = (at_port_25(tls=served_with(*c)) for c in (known, unknown))
        self.chained = at_port_25(tls=served_with(leaf_key, chain))
        self.plain = at_port_25()
        self.known.says, self.unknown.says = tlsa(known[1]), tlsa(unknown[1])
        self.hops = [self.known, self.unknown, self.chained, self.plain]
        if ENCLOSED:
            self.public("add")
            self.hops.append(Hop(25, PUBLIC6))
            self.serve_policies()
        self.threads += self.hops

    def public(self, order):
        # nodad: it can be used at once
        for address in ([f"{PUBLIC}/32"], [f"{PUBLIC6}/128", "nodad"]):
            subprocess.run(["ip", "addr", order, *address, "dev", "lo"], check=order == "add")

    def stop(self):
        try:
            super().stop()
        finally:
            if ENCLOSED:
                self.public("del")

    def serve_policies(self):
        """The same one for all, at the one public address; its certificate does not name `unread`."""
        names = ",".join(f"DNS:mta-sts.{d}.sts.test" for d in STS)

        def say(s):
            read_head(s)
            text = "version: STSv1\nmode: enforce\nmx: *.sts.test\nmax_age: 86400\n"
            status = "200 OK" if self.page_is_there else "404 Not Found"
            s.sendall(f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        key, crt = self.origin_ca.leaf("policies", names)
        self.origin(say, tls=True, key=key, crt=crt, at=(PUBLIC, 443))

    def start(self):
        known, unknown, chained, plain = self.hops[:4]
        authority = tlsa(self.other_ca.crt, usage=2, selector=0)
        good, other, unusable = unknown.says, known.says, unknown.says.replace("3", "1", 1)
        self.names.zone("signed.test", "\n".join((
            domain("right", unknown, good),
            domain("renewed", unknown, other, good),
            domain("alias", unknown) + "_25._tcp.mx.alias CNAME _25._tcp.mx.right",
            domain("chained", chained, authority),
            domain("other-name", chained, authority),
            domain("wrong", unknown, other),
            domain("known", known, other),
            domain("bare", plain, good),
            domain("none", unknown),
            domain("none-bare", plain),
            domain("unusable", unknown, unusable),
            domain("unusable-bare", plain, unusable),
            # the domain is its own host
            f"itself A {plain.address}\n_25._tcp.itself TLSA {good}",
            # two hosts, of which the first is not who DNS says
            "two MX 10 mx.wrong\ntwo MX 20 mx.right",
            "far MX 10 mx.near.unsigned.test.")))
        self.names.zone("unsigned.test", "\n".join((
            domain("near", unknown, other), domain("near-bare", plain, good),
            "far MX 10 mx.bare.signed.test.")), signed=False)
        hosts = {"dane": (unknown, good), "wrong": (known, good), "none": (unknown,),
                 "unusable": (unknown, unusable), "fits": (known, unusable), "unread": (unknown,)}
        self.names.zone("sts.test", "\n".join(
            domain(name, *hosts[name]).replace(f"mx.{name}", f"mx-{name}") +
            f'_mta-sts.{name} TXT "v=STSv1; id=1;"\nmta-sts.{name} A {PUBLIC}' for name in hosts))
        self.spoil()
        self.names.start()
        return super().start()

    def spoil(self):
        """Zones whose signatures do not hold: of nothing, and of one record."""
        self.names.zone("expired.test", domain("all", self.plain), when=dns_peer.PAST)
        record = self.unknown.says.split()[-1]
        self.names.zone("changed.test", domain("tlsa", self.plain, self.unknown.says),
                        spoil=(record, "0" * len(record)))
        record = self.known.says.split()[-1]
        self.names.zone("six.test", domain("tlsa", self.plain, self.known.says).replace(
            f"A {self.plain.address}", f"AAAA {PUBLIC6}"), spoil=(record, "0" * len(record)))
        self.names.zone("moved.test", domain("address", self.plain, self.unknown.says),
                        spoil=(self.plain.address, self.unknown.address))

    def mend(self):
        self.names.zone("expired.test", domain("all", self.plain))
        self.names.zone("changed.test", domain("tlsa", self.unknown, self.unknown.says))

    def send(self, to):
        with self.talk(CITY, timeout=60) as t:
            name = to.encode()
            return t.send(mail_module.MAIL % name, "taro@city.test", [f"b@{to}"])[-1]

    def holding(self, to):
        """Who has that domain's mail."""
        mark = b"<" + to.encode() + b"@"
        return [h for h in self.hops if [c for *_, c in h.mails if mark in c]]

    def delivered(self, to, hop, tls, verified=False):
        answer = self.send(to)
        assert answer.startswith("250 2.0.0 delivered as "), (to, answer)
        assert self.holding(to) == [hop], to
        e = self.event(event="mail_recipient", recipient=f"b@{to}", result="delivered")
        assert e["peer"].endswith(f"[{hop.address}]:25"), e
        assert e.get("tls", "").startswith("TLSv1.") == tls and e.get("tls_verified", False) == verified, e

    def kept(self, to, *words):
        """Its number in the queue, which says why."""
        answer = self.send(to)
        assert answer.startswith("250 2.0.0 kept as "), (to, answer)
        number = answer.split()[-1]
        shown = self.ctl("queue", "show", number).stdout
        assert "waiting" in shown and all(w in shown for w in words), (to, shown)
        e = self.event(event="mail_recipient", recipient=f"b@{to}")
        assert e["result"] == "deferred" and e["code"] == 451, e
        assert self.holding(to) == [], to
        return number

    def kept_and_dropped(self, to, *words):
        self.ctl("queue", "drop", self.kept(to, *words))


def domain(name, hop, *records):
    """Of a domain with one host, at the hop's address."""
    return "".join((f"{name} MX 10 mx.{name}\nmx.{name} A {hop.address}\n",
                    *(f"_25._tcp.mx.{name} TLSA {r}\n" for r in records)))


def make(build):
    return DaneLab(build)


def test_who_dns_vouches_for_is_verified(lab):
    """Nobody that we trust knows those certificates, one is of another name and of the past."""
    for name in ("right", "renewed", "alias"):
        lab.delivered(f"{name}.signed.test", lab.unknown, tls=True, verified=True)
    lab.delivered("chained.signed.test", lab.chained, tls=True, verified=True)
    lab.delivered("known.signed.test", lab.known, tls=True, verified=True)


def test_who_is_not_whom_dns_vouches_for_gets_nothing(lab):
    """Not in clear either; who comes with an authority's certificate has the name, too."""
    before = len(lab.unknown.commands)
    lab.kept_and_dropped("wrong.signed.test", " 451 4.7.5 mx.wrong.signed.test[", "TLS: ", "DANE")
    assert {c[:4] for c in lab.unknown.commands[before:]} == {b"EHLO", b"STAR"}, lab.unknown.commands[before:]
    lab.kept_and_dropped("other-name.signed.test", " 451 4.7.5 ", "TLS: ", "mismatch")
    lab.kept_and_dropped("itself.signed.test", " 451 4.7.5 itself.signed.test[", "TLS is not offered")


def test_the_next_host_is_tried(lab):
    lab.delivered("two.signed.test", lab.unknown, tls=True, verified=True)
    e = lab.event(event="mail_recipient", recipient="b@two.signed.test")
    assert e["peer"].startswith("mx.right.signed.test["), e


def test_no_tls_where_dns_vouches_for_somebody(lab):
    lab.kept_and_dropped("bare.signed.test", " 451 4.7.5 mx.bare.signed.test[", "TLS is not offered")


def test_records_that_nobody_may_use_ask_for_tls(lab):
    lab.delivered("unusable.signed.test", lab.unknown, tls=True)
    lab.kept_and_dropped("unusable-bare.signed.test", " 451 4.7.5 ", "TLS is not offered")


def test_where_dns_says_that_there_is_none(lab):
    """TLS when it is offered, whoever it is with."""
    lab.delivered("none.signed.test", lab.unknown, tls=True)
    lab.delivered("none-bare.signed.test", lab.plain, tls=False)


def test_what_is_not_signed_is_not_believed(lab):
    """Neither a record of a zone that is not signed, nor which host a domain that is not signed has."""
    lab.delivered("near.unsigned.test", lab.unknown, tls=True)
    lab.delivered("near-bare.unsigned.test", lab.plain, tls=False)
    lab.delivered("far.signed.test", lab.unknown, tls=True)
    lab.delivered("far.unsigned.test", lab.plain, tls=False)


def test_signatures_that_do_not_hold_keep_mail(lab):
    """It goes when they are mended, by itself."""
    waiting = [lab.kept("all.expired.test", " 451 4.4.3 all.expired.test: no answer from the name server"),
               lab.kept("tlsa.changed.test", " 451 4.7.5 mx.tlsa.changed.test: its TLSA records cannot be had")]
    lab.kept_and_dropped("address.moved.test", " 451 ")
    lab.mend()
    lab.names.run_again()
    wait_until(lambda: not [n for n in waiting if n in lab.ctl("queue", "list").stdout], 60)
    assert lab.holding("all.expired.test") == [lab.plain] and lab.holding("tlsa.changed.test") == [lab.unknown]
    e = lab.event(event="mail_recipient", recipient="b@tlsa.changed.test", result="delivered")
    assert e["tls_verified"] is True, e


def test_a_host_without_ipv4_is_no_exception(lab):
    if ENCLOSED:
        lab.kept_and_dropped("tlsa.six.test", " 451 4.7.5 mx.tlsa.six.test: its TLSA records cannot be had")
    else:
        print("       LEFT OUT: no address of IPv6 can be had here")


def test_policies_and_records(lab):
    """Each is held to: records come before a policy's certificate, but for those that nobody may use."""
    if not ENCLOSED:
        print("       LEFT OUT: no public address can be had here")
        return
    lab.delivered("dane.sts.test", lab.unknown, tls=True, verified=True)
    lab.kept_and_dropped("wrong.sts.test", " 451 4.7.5 mx-wrong.sts.test[", "DANE")
    for name in ("none", "unusable"):
        lab.kept_and_dropped(f"{name}.sts.test", f" 451 4.7.5 mx-{name}.sts.test[", "TLS: ", "certificate")
    lab.delivered("fits.sts.test", lab.known, tls=True, verified=True)
    lab.delivered("unread.sts.test", lab.unknown, tls=True, verified=False)
    assert lab.event(event="mail_policy_missing")["text"].startswith("unread.sts.test: ")


def test_a_policy_outlives_the_process_that_read_it(lab):
    """Who keeps us from the page cannot make us forget what it said, by waiting for a reload either."""
    if not ENCLOSED:
        print("       LEFT OUT: no public address can be had here")
        return
    lab.ctl("queue", "drop", lab.send("none.sts.test").split()[-1])
    lab.page_is_there = False
    try:
        os.kill(lab.mail_pid(), signal.SIGKILL)
        lab.ctl("reload")
        lab.kept_and_dropped("none.sts.test", " 451 4.7.5 mx-none.sts.test[", "TLS: ", "certificate")
    finally:
        lab.page_is_there = True
