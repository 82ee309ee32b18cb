# SPDX-License-Identifier: Apache-2.0
"""Mail with real peers: Postfix before us, behind us and as both, swaks as a
client that can be told what to say. What none of them can be made to do is in
41_mail.py."""
import email
import email.policy
import importlib
import os
import pathlib
import pwd
import signal
import subprocess
import time

from lab import CITY, STRANGER, Authority, Lab, free_port, wait_until

MailLab = importlib.import_module("41_mail").MailLab


class Postfix:
    """A private instance: takes mail on its port, keeps what is for `domain`
    in mailboxes, gives the rest to `relay`."""

    MASTER = """
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 1 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

    def __init__(self, folder, name, domain, relay=None, source="127.0.0.1", **more):
        self.dir, self.domain = pathlib.Path(folder) / name, domain
        self.port, self.relay_port = free_port(), relay
        user = pwd.getpwnam("postfix")
        for sub in ("conf", "queue", "data", "log", "boxes"):
            (self.dir / sub).mkdir(parents=True)
        for sub in ("data", "log", "boxes"):
            os.chown(self.dir / sub, user.pw_uid, user.pw_gid)
        settings = {
            "compatibility_level": "3.6", "queue_directory": self.dir / "queue",
            "data_directory": self.dir / "data", "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin", "meta_directory": "/etc/postfix",
            "shlib_directory": "/usr/lib/postfix", "mail_owner": "postfix",
            "setgid_group": "postdrop", "myhostname": f"{name}.test", "mydestination": "",
            "alias_maps": "", "alias_database": "", "local_recipient_maps": "",
            "virtual_mailbox_domains": domain, "virtual_mailbox_base": self.dir / "boxes",
            "virtual_mailbox_maps": "static:all/", "virtual_mailbox_limit": 0,
            "virtual_uid_maps": f"static:{user.pw_uid}", "virtual_gid_maps": f"static:{user.pw_gid}",
            "virtual_minimum_uid": 1, "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8", "smtp_bind_address": source,
            "relayhost": f"[127.0.0.1]:{relay}" if relay else "",
            "smtp_dns_support_level": "disabled", "smtpd_peername_lookup": "no",
            "message_size_limit": 104857600, "mailbox_size_limit": 0,
            "maillog_file": self.dir / "log/mail.log", "maillog_file_prefixes": self.dir / "log",
            "smtpd_client_connection_count_limit": 0, "smtp_tls_security_level": "none",
            "append_dot_mydomain": "no", "biff": "no", "minimal_backoff_time": "1s",
            "maximal_backoff_time": "2s", "queue_run_delay": "1s", "smtputf8_enable": "yes",
            "default_destination_concurrency_limit": 50, "initial_destination_concurrency": 50,
            "transport_retry_time": "1s", **more}
        (self.dir / "conf/main.cf").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
        (self.dir / "conf/master.cf").write_text(f"127.0.0.1:{self.port} inet n - n - - smtpd\n" + self.MASTER)
        self.start()

    def _run(self, *args, **kw):
        return subprocess.run(args, capture_output=True, text=True, timeout=60, **kw)

    def start(self):
        self._run("postfix", "-c", self.dir / "conf", "check")
        done = self._run("postfix", "-c", self.dir / "conf", "start")
        assert done.returncode == 0, done.stdout + done.stderr
        wait_until(lambda: Lab._answers(self.port))

    def close(self):  # as a lab ends its threads
        self._run("postfix", "-c", self.dir / "conf", "abort")

    def send(self, content, sender, to, *options):
        """As a user of this server does; it must not matter what becomes of it."""
        done = subprocess.run(
            ["sendmail", "-C", self.dir / "conf", "-i", "-f", sender, *options, *to],
            input=content.replace(b"\r\n", b"\n"), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def queue(self):
        return self._run("postqueue", "-c", self.dir / "conf", "-p").stdout

    def is_empty(self):
        return "Mail queue is empty" in self.queue()

    def log(self):
        return (self.dir / "log/mail.log").read_text()

    def mails(self, having=b""):
        """What was delivered, as the wire had it."""
        found = [p.read_bytes().replace(b"\n", b"\r\n") for p in (self.dir / "boxes/all/new").glob("*")]
        return [m for m in found if having in m]


MAIL = """From: <%s>
To: <%s>
Subject: %s
Message-ID: <%s@peers.test>
Date: Fri, 27 Nov 2026 09:00:00 +0900
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

""".replace("\n", "\r\n")


def mail(sender, to, name, body="本文\r\n.\r\n..x\r\n.y\r\n"):
    return (MAIL % (sender, to, name, name) + body).encode()


class PeerLab(MailLab):
    """`city` is the city's Postfix, `outside` the partner's; both send and
    receive through us. `bad` has a certificate of an unknown authority."""

    def __init__(self, build):
        self.implicit_port = free_port()
        super().__init__(build)

    def _settings(self):
        return super()._settings().replace("listeners = (", f"""
  certificate = "ca/mail.crt"; key = "ca/mail.key"; retry_max = 1; messages_per_minute = 100000;
  listeners = ( {{ address = "127.0.0.1:{self.implicit_port}"; tls = "implicit"; }},""")

    def start(self):
        self.origin_ca.leaf("mail", "DNS:mx.pref.test")
        key, crt = self.origin_ca.leaf("hop", "DNS:mx.city.test")
        other = self.dir / "other"
        other.mkdir()
        bad_key, bad_crt = Authority(other, "other-ca").leaf("bad", "DNS:mx.city.test")
        tls = {"smtpd_tls_security_level": "may"}
        self.city = Postfix(self.dir, "city", "city.test, tls.test, wrong.test", self.mail_port, CITY,
                            smtpd_tls_cert_file=crt, smtpd_tls_key_file=key, **tls)
        self.outside = Postfix(self.dir, "outside", "partner.test", self.mail_port, STRANGER,
                               smtp_tls_security_level="encrypt")
        self.bad = Postfix(self.dir, "bad", "bad.test", smtpd_tls_cert_file=bad_crt,
                           smtpd_tls_key_file=bad_key, **tls)
        self.threads += [self.city, self.outside, self.bad]
        self.write_routes()
        return self.start_daemon()

    def start_daemon(self):
        return super().start()

    def write_routes(self, text=None):
        if not isinstance(self.city, Postfix):
            return

        def route(name, port, tls="none", more="", body="990019"):
            return (f'{{ name = "{name}"; body = "{body}"; domains = ["{name}.test"]; side = "lgwan"; '
                    f'detox = "none"; next_hops = ( {{ host = "127.0.0.1"; port = {port}; tls = "{tls}"; {more} }} ); }}')
        (self.dir / "mail.conf").write_text(f"""
inbound = ( {route("city", self.city.port)},
  {route("tls", self.city.port, "required", 'name = "mx.city.test";')},
  {route("wrong", self.city.port, "required", 'name = "mx.other.test";')},
  {route("bad", self.bad.port, "required", 'name = "mx.city.test";')} );
outbound = ( {{ name = "partner"; domains = ["partner.test"]; detox = "none";
  next_hops = ( {{ host = "127.0.0.1"; port = {self.outside.port}; tls = "none"; }} ); }} );
""")

    def swaks(self, *args, port=None, source=STRANGER, check=True):
        done = subprocess.run(
            ["swaks", "--server", "127.0.0.1", "--port", str(port or self.mail_port), "--local-interface", source,
             "--ehlo", "client.test", "--timeout", "20", *args],
            capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def queued(self):
        return self.ctl("queue", "list").stdout


def make(build):
    return PeerLab(build)


def arrived(postfix, name, seconds=20, copies=1):
    def found():
        got = postfix.mails(f"{name}@peers.test".encode())
        return got if len(got) >= copies else None
    got = wait_until(found, seconds, 0.1)
    assert len(got) == copies, f"{len(got)} of {name}"
    return got[0]


def test_postfix_sends_to_the_city_and_back(lab):
    inward, outward = mail("a@partner.test", "taro@city.test", "in"), mail("taro@city.test", "a@partner.test", "out")
    lab.outside.send(inward, "a@partner.test", ["taro@city.test"])
    lab.city.send(outward, "taro@city.test", ["a@partner.test"])
    got = arrived(lab.city, "in")
    assert got.endswith(inward), got
    assert b"by mx.pref.test with ESMTPS id " in got, "TLS, which that Postfix wants"
    got = arrived(lab.outside, "out")
    assert got.endswith(outward), got
    assert b"by mx.pref.test with ESMTP id " in got
    wait_until(lambda: lab.outside.is_empty() and lab.city.is_empty())
    assert lab.queued() == ""


def test_swaks_with_tls(lab):
    verify = ("--tls-verify", "--tls-ca-path", str(lab.origin_ca.crt))
    for name, port, more in (("starttls", lab.mail_port, "--tls"), ("implicit", lab.implicit_port, "--tls-on-connect")):
        content = mail("a@out.test", "taro@city.test", name)
        path = lab.dir / name
        path.write_bytes(content)
        done = lab.swaks("--from", "a@out.test", "--to", "taro@city.test,hanako@city.test", "--data", f"@{path}",
                         more, *verify, port=port)
        assert "<~  250 2.0.0 delivered as " in done.stdout, done.stdout
        # `.` ends what swaks sends, and it puts an end of line before it
        assert arrived(lab.city, name, copies=2).rstrip().endswith(content.rstrip())
    assert "STARTTLS" not in lab.swaks("--tls-on-connect", "--quit-after", "EHLO", port=lab.implicit_port).stdout


def test_swaks_with_tls_and_everything_in_one_go(lab):
    done = lab.swaks("--from", "a@out.test", "--to", ",".join(f"u{i}@city.test" for i in range(40)), "--tls",
                     "--pipeline", "--body", "pipelined", "--header", "Message-ID: <pipelined@peers.test>")
    assert done.stdout.count("250 2.1.5 recipient ok") == 40, done.stdout
    assert b"pipelined" in arrived(lab.city, "pipelined", copies=40)


def test_tls_to_the_next_hop_with_a_good_certificate(lab):
    content = mail("a@partner.test", "taro@tls.test", "good")
    lab.outside.send(content, "a@partner.test", ["taro@tls.test"])
    assert arrived(lab.city, "good").endswith(content)
    e = [e for e in lab.events("mail_recipient") if e["recipient"] == "taro@tls.test"][-1]
    assert e["tls"].startswith("TLSv1.") and e["tls_verified"] is True, e


def test_tls_to_the_next_hop_with_a_bad_certificate(lab):
    for name, postfix in (("wrong", lab.city), ("bad", lab.bad)):
        done = lab.swaks("--from", "a@out.test", "--to", f"taro@{name}.test",
                         "--header", f"Message-ID: <{name}@peers.test>")
        assert "<-  250 2.0.0 kept as " in done.stdout, done.stdout
    time.sleep(3)
    assert lab.queued().count("waiting") == 2, lab.queued()
    assert "certificate" in lab.queued(), lab.queued()
    for name, postfix in (("wrong", lab.city), ("bad", lab.bad)):
        assert not postfix.mails(f"{name}@peers.test".encode())
    for line in lab.queued().splitlines():
        if not line.startswith(" "):
            lab.ctl("queue", "drop", line.split()[0])
    assert lab.queued() == ""


def test_smtputf8_both_ways(lab):
    inward = mail("関守@partner.test", "太郎@city.test", "utf8-in").replace(b"Subject: utf8-in", "Subject: 件名".encode())
    outward = mail("太郎@city.test", "関守@partner.test", "utf8-out")
    lab.outside.send(inward, "関守@partner.test", ["太郎@city.test"])
    lab.city.send(outward, "太郎@city.test", ["関守@partner.test"])
    assert arrived(lab.city, "utf8-in").endswith(inward)
    assert arrived(lab.outside, "utf8-out").endswith(outward)


def test_a_notice_of_success_comes_back(lab):
    lab.city.send(mail("taro@city.test", "a@partner.test", "dsn"), "taro@city.test", ["a@partner.test"],
                  "-N", "success", "-V", "envelope-1")
    arrived(lab.outside, "dsn")
    told = wait_until(lambda: lab.city.mails(b"multipart/report"), 20)[0]
    parts = list(email.message_from_bytes(told, policy=email.policy.default).iter_parts())
    status = parts[1].get_payload()
    assert status[0]["Reporting-MTA"] == "dns; outside.test", "the last server tells, not we"
    assert status[0]["Original-Envelope-Id"] == "envelope-1"
    assert (status[1]["Action"], status[1]["Original-Recipient"]) == ("delivered", "rfc822;a@partner.test")


def test_a_mail_of_20_mib(lab):
    line = os.urandom(36).hex() + "\r\n"
    content = mail("a@partner.test", "taro@city.test", "large", line * (20 * 1048576 // len(line)))
    lab.outside.send(content, "a@partner.test", ["taro@city.test"])
    assert arrived(lab.city, "large", 60).endswith(content)


def test_fifty_sessions_at_once(lab):
    for i in range(200):
        lab.outside.send(mail("a@partner.test", "taro@city.test", f"many-{i}"), "a@partner.test", ["taro@city.test"])
    wait_until(lambda: len(lab.city.mails(b"Subject: many-")) == 200, 60, 0.2)
    wait_until(lab.outside.is_empty, 20, 0.2)
    got = {m.partition(b"Subject: ")[2].split()[0] for m in lab.city.mails(b"Subject: many-")}
    assert len(got) == 200


def test_postfix_waits_while_we_are_away(lab):
    lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(20)
    for i in range(5):
        lab.outside.send(mail("a@partner.test", "taro@city.test", f"away-{i}"), "a@partner.test", ["taro@city.test"])
    wait_until(lambda: "onnection refused" in lab.outside.queue())
    lab.start_daemon()
    for i in range(5):
        arrived(lab.city, f"away-{i}", 30)
    wait_until(lab.outside.is_empty)


def test_the_citys_server_is_away(lab):
    lab.city.close()
    lab.outside.send(mail("a@partner.test", "taro@city.test", "hop-away"), "a@partner.test", ["taro@city.test"])
    wait_until(lambda: "waiting" in lab.queued(), 20)
    assert lab.outside.is_empty(), "we took it"
    lab.city.start()
    arrived(lab.city, "hop-away", 30)
    wait_until(lambda: lab.queued() == "")
