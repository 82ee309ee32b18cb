# SPDX-License-Identifier: Apache-2.0
"""Mail from those who mean harm, and next hops that do what they may not:
smuggling, floods, silence, a full spool, death at every moment."""
import importlib
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from lab import CITY, STRANGER, USERS, free_port, wait_until
from mail_peer import Hop, Talk

MailLab = importlib.import_module("41_mail").MailLab
MAIL = (b"From: a@outside.test\r\nTo: taro@city.test\r\nSubject: %s\r\n"
        b"Message-ID: <%s@outside.test>\r\n\r\nhello\r\n")


def mail(name, body=b""):
    return MAIL % (name, name) + body


class AbuseLab(MailLab):
    def __init__(self, build):
        self.implicit_port = free_port()
        super().__init__(build, mail="command_timeout = 2; data_timeout = 2; size_max = 1048576; "
                         "messages_per_minute = 1000000; messages_per_minute_body = 1000000; "
                         "recipient_bad_ttl = 0; retry_max = 1; recipient_ok_ttl = 0; connect_timeout = 2; reply_timeout = 2;")

    def _settings(self):
        return super()._settings().replace("listeners = (", f"""
  certificate = "ca/mail.crt"; key = "ca/mail.key";
  listeners = ( {{ address = "127.0.0.1:{self.implicit_port}"; tls = "implicit"; }},""")

    def start(self):
        if self.daemon is None:
            self.origin_ca.leaf("mail", "DNS:mx.pref.test")
        return super().start()

    def begun(self, source=STRANGER, to="taro@city.test"):
        """A session behind its RCPT."""
        t = self.talk(source)
        t.say("EHLO a\r\n")
        t.say("MAIL FROM:<a@outside.test>\r\n")
        assert t.say(f"RCPT TO:<{to}>\r\n").startswith("250")
        return t

    def delivered(self, name):
        return [c for h in (self.city, self.toge, self.partner) for *_, c in h.mails
                if b"<" + name + b"@outside.test>" in c]

    def is_idle(self):
        return self.ctl("queue", "list").stdout == ""

    def sessions(self):
        rows = json.loads(self.ctl("status", "--json").stdout)["processes"]
        return sum(r["counters"]["mail_sessions"] for r in rows)


def make(build):
    return AbuseLab(build)


# a sender that does not hear our answer

def test_a_mail_whose_answer_was_lost_is_not_delivered_twice(lab):
    lab.city.delay["end"] = 1
    with lab.begun() as t:
        assert t.say("DATA\r\n").startswith("354")
        t.s.sendall(mail(b"unheard") + b".\r\n")
        time.sleep(0.3)
    wait_until(lambda: lab.delivered(b"unheard"))
    wait_until(lambda: [e for e in lab.events("mail") if e["message_id"] == "<unheard@outside.test>"])
    lab.city.delay.clear()
    with lab.begun() as t:
        t.say("DATA\r\n")
        got = t.say(mail(b"unheard") + b".\r\n")
        number = [e["id"] for e in lab.events("mail") if e["message_id"] == "<unheard@outside.test>"][0]
        assert got == f"250 2.0.0 delivered before as {number}", got
    with lab.begun() as t:
        t.say("DATA\r\n")
        assert t.say(mail(b"unheard", b"more\r\n") + b".\r\n").startswith("250 2.0.0 delivered as ")
    assert len(lab.delivered(b"unheard")) == 2, "another content is another mail"
    wait_until(lambda: [e["result"] for e in lab.events("mail")][-2:] == ["repeated", "delivered"])


def test_who_sends_by_a_pipe_is_heard(lab):
    """He closes his half behind all that he says, and reads; the same mail of his is another, each time."""
    def pipe(name, ending):
        with lab.begun() as t:
            assert t.say("DATA\r\n").startswith("354")
            t.s.sendall(mail(name) + b".\r\n" + ending)
            t.s.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: t.s.recv(4096), b"")).decode()
        wait_until(lambda: lab.sessions() == 0)
        return answer

    lab.city.delay["end"] = 0.3
    for name, ending in ((b"piped", b"QUIT\r\n"), (b"piped-rudely", b"")):
        for _ in range(2):
            got = pipe(name, ending)
            assert got.startswith("250 2.0.0 delivered as "), (name, got)
        assert len(lab.delivered(name)) == 2
    lab.city.delay.clear()


def test_a_mail_that_comes_again_to_another_process_is_known(lab):
    """Which of two takes a connection is chance; twenty times it is not the same."""
    with MailLab(lab.build, mail="messages_per_minute = 100000;", mails=2) as two:
        def say(name):
            with two.talk() as t:
                t.say("EHLO a\r\n")
                t.say("MAIL FROM:<a@outside.test>\r\nRCPT TO:<taro@city.test>\r\n", 2)
                t.say("DATA\r\n")
                if two.city.delay:
                    t.s.sendall(mail(name) + b".\r\n")
                    time.sleep(0.2)
                    return None
                return t.say(mail(name) + b".\r\n")

        two.city.delay["end"] = 0.5
        say(b"unheard")
        wait_until(lambda: two.events("mail"))
        two.city.delay.clear()
        assert {say(b"unheard")[:30] for _ in range(20)} == {"250 2.0.0 delivered before as "}
        assert len(two.city.mails) == 1


def test_a_mail_that_was_kept_for_nobody_is_not_delivered_twice(lab):
    lab.city.delay["end"] = 6
    with lab.begun() as t:
        t.say("DATA\r\n")
        t.s.sendall(mail(b"unheard-kept") + b".\r\n")
        time.sleep(0.3)
        t.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: [e for e in lab.events("mail") if e["result"] == "kept"])
    lab.city.delay.clear()
    with lab.begun() as t:
        t.say("DATA\r\n")
        assert t.say(mail(b"unheard-kept") + b".\r\n").startswith("250 2.0.0 delivered before as ")
    wait_until(lab.is_idle, 15)
    assert len(lab.delivered(b"unheard-kept")) == 1


# bytes

ENDS = [a + b"." + c for a in (b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\0\r\n", b"\r\n\0", b"\r\0\n")
        for c in (b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\0\r\n", b"\r\0\n")
        if b"\r\n.\r\n" not in a + b"." + c]
SMUGGLED = b"MAIL FROM:<b@outside.test>\r\nRCPT TO:<taro@city.test>\r\nDATA\r\nsmuggled\r\n.\r\n"


def test_nothing_else_ends_a_content(lab):
    """CVE-2023-51764, 51765, 51766 and their like: 54 ends that others take for
    one, at once and with every byte in a packet of its own."""
    for bad in ENDS:
        for piecewise in (False, True):
            with lab.begun() as t:
                t.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                t.say("DATA\r\n")
                t.s.sendall(mail(b"evil", b"x"))
                for i in range(len(bad)) if piecewise else ():
                    time.sleep(0.001)
                    t.s.sendall(bad[i:i + 1])
                t.s.sendall(b"" if piecewise else bad)
                t.s.sendall(SMUGGLED)
                # that content's own end is the only one there is
                got = t.read()
                assert got.startswith("554 5.6.0 "), (bad, got)
                assert t.say("NOOP\r\n") == "250 2.0.0 ok", bad
    assert not [m for m in lab.city.mails if b"smuggled" in m[2] or b"evil" in m[2]]


def test_a_content_of_nothing_is_a_mail(lab):
    """RFC 5321 forbids none; it goes through, by the sandbox and by the spool."""
    routes = (lab.dir / "mail.conf").read_text()
    for detox, delay, want in (("none", 0, "delivered as "), ("standard", 0, "delivered as "), ("none", 6, "kept as ")):
        (lab.dir / "mail.conf").write_text(routes.replace('detox = "none"', f'detox = "{detox}"'))
        lab.ctl("reload")
        lab.city.delay["end"] = delay
        before = len(lab.city.mails)
        with lab.begun() as t:
            t.say("DATA\r\n")
            got = t.say(b".\r\n")
            assert got.startswith("250 2.0.0 " + want), (detox, got)
        lab.city.delay.clear()
        wait_until(lambda: len(lab.city.mails) > before and lab.is_idle(), 15)
        assert lab.city.mails[-1][2].startswith(b"Received: from a "), lab.city.mails[-1]
    (lab.dir / "mail.conf").write_text(routes)
    lab.ctl("reload")
    assert not [e for e in lab.journal() if e["event"] == "died"]


def test_a_content_of_nothing_outlives_a_process(lab):
    lab.city.on["end"] = "451 4.3.0 later"
    before = len(lab.city.mails)
    with lab.begun() as t:
        t.say("DATA\r\n")
        assert t.say(b".\r\n").startswith("250 2.0.0 kept as ")
    os.kill(lab.mail_pid(), signal.SIGKILL)
    lab.city.on.clear()
    wait_until(lambda: len(lab.city.mails) > before and lab.is_idle(), 20)
    assert len(lab.city.mails) == before + 1 and lab.city.mails[-1][2].startswith(b"Received: from a ")


def test_a_command_line_has_one_form(lab):
    for bad in (b"NOOP\n", b"NO\0OP\r\n", b"NOOP\r\r\n", b"NOOP \rRSET\r\n", b"\x1b[2J\r\n", b"GET / HTTP/1.1\r\n",
                b"Subject: x\r\n"):
        with lab.talk() as t:
            t.say("EHLO a\r\n")
            assert t.say(bad).startswith("521 5.5.2 "), bad
            assert t.read() == "", bad
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        assert t.say(b"NOOP " + b"x" * 2043 + b"\r\n").startswith("500 5.5.2 the line is too long")
        assert t.say(b"NOOP " + b"x" * 2041 + b"\r\n").startswith("250")


def test_nothing_is_carried_over_a_command_that_ends_a_group(lab):
    for last in (b"EHLO b\r\n", b"NOOP\r\n", b"DATA\r\n", b"STARTTLS\r\n", b"VRFY a\r\n", b"QUIT\r\n"):
        with lab.begun() as t:
            if last[:4] in (b"EHLO", b"STAR"):
                t.say("RSET\r\n")
            assert t.say(last + b"RSET\r\n").startswith("521 5.5.1 "), last
            assert t.read() == "", last
    with lab.talk("127.0.7.1") as t:
        t.say("EHLO a\r\n")
        assert t.say("XCLIENT ADDR=127.0.1.10\r\nMAIL FROM:<a@city.test>\r\n").startswith("521 5.5.1 ")
    with lab.talk("127.0.5.1", greet=False) as t:
        t.s.sendall(b"PROXY TCP4 127.0.9.1 127.0.0.1 5555 25\r\nEHLO a\r\n")
        assert t.read().startswith("521 5.5.1 "), "early, behind a PROXY header"
    with lab.talk(greet=False) as t:
        t.s.sendall(b"PROXY TCP4 127.0.1.10 127.0.0.1 5555 25\r\n")
        assert t.read()[:3] in ("220", "521") and not t.read().startswith("2"), "of nobody who may say so"


def test_what_comes_with_starttls_is_not_heard(lab):
    context = __import__("ssl").create_default_context(cafile=str(lab.origin_ca.crt))
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        t.say("STARTTLS\r\n")
        t.s.sendall(b"MAIL FROM:<a@outside.test>\r\n")  # in clear, in a packet of its own
        try:
            assert b"250" not in t.f.read()
        except ConnectionResetError:
            pass
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        t.say("MAIL FROM:<a@outside.test>\r\n")
        assert t.say("STARTTLS\r\n").startswith("503")
        t.say("RSET\r\n")
        assert t.say("STARTTLS\r\n").startswith("220")
        t.s = context.wrap_socket(t.s, server_hostname="mx.pref.test")
        t.f = t.s.makefile("rb")
        assert t.say("MAIL FROM:<a@outside.test>\r\n").startswith("503"), "EHLO is to be said again"
        assert "STARTTLS" not in t.say("EHLO a\r\n")
        assert t.say("STARTTLS\r\n").startswith("503")


def test_a_claim_in_clear_does_not_hold_under_tls(lab):
    context = __import__("ssl").create_default_context(cafile=str(lab.origin_ca.crt))
    with lab.talk("127.0.7.1") as t:
        t.say("EHLO a\r\n")
        assert t.say("XCLIENT ADDR=127.0.1.10 HELO=forged\r\n").startswith("220")
        t.say("EHLO a\r\n")
        assert t.say("STARTTLS\r\n").startswith("220")
        t.s = context.wrap_socket(t.s, server_hostname="mx.pref.test")
        t.f = t.s.makefile("rb")
        t.say("EHLO a\r\n")
        assert t.say("MAIL FROM:<a@city.test>\r\n").startswith("550 5.7.1 ")
        assert t.say("XCLIENT ADDR=127.0.1.10\r\n").startswith("220")
        t.say("EHLO a\r\n")
        assert t.say("MAIL FROM:<a@city.test>\r\n").startswith("250")


def test_a_site_that_waits_for_early_talk_and_mends_lines(lab):
    with MailLab(lab.build, mail='greeting_delay = 1; bare = "normalise";') as other:
        for source in (STRANGER, "127.0.5.1"):
            with other.talk(source, greet=False) as t:
                if source != STRANGER:
                    t.s.sendall(b"PROXY TCP4 127.0.9.1 127.0.0.1 5555 25\r\n")
                time.sleep(0.3)
                t.s.sendall(b"EHLO a\r\n")
                assert t.read().startswith("521 5.5.1 you talk before the greeting"), source
        with other.talk() as t:
            got = t.send(mail(b"mended", b"a\n.\nb\r.\rc\n.\r\n\r\n..\r\nd\r\n"))
            assert got[-1].startswith("250 2.0.0 delivered"), got
            assert t.say(b"QUIT\r\n").startswith("221")
        # the hop has taken out the dots that were put before lines
        assert other.city.mails[-1][2].endswith(b"hello\r\na\r\n.\r\nb\r\n.\r\nc\r\n.\r\n\r\n.\r\nd\r\n")
        with other.talk() as t:
            assert t.send(mail(b"nul", b"a\0b\r\n"))[-1].startswith("554 5.6.0 ")


# time

def test_every_state_has_its_time(lab):
    """A byte now and then does not make a command take longer."""
    def slowly(t):
        for _ in range(20):
            if select.select([t.s], [], [], 0.3)[0]:
                return t.read()
            t.s.sendall(b"x")
        return "it is heard for ever"
    cases = {"fresh": lambda: lab.talk(), "begun": lab.begun, "silent": lab.begun, "data": lab.begun, "drops": lab.begun}
    got = {}

    def one(name):
        with cases[name]() as t:
            if name in ("data", "drops"):
                t.say("DATA\r\n")
            got[name] = t.read() if name in ("silent", "data") else slowly(t)
    threads = [threading.Thread(target=one, args=(n,)) for n in cases]
    for t in threads:
        t.start()
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", lab.implicit_port)) as s:  # no handshake: 30 s, not waited for
        for t in threads:
            t.join(15)
        assert s.fileno() > 0
    assert time.monotonic() - begun < 10
    assert all(g.startswith("421 4.4.2 ") for g in got.values()) and len(got) == 5, got


def test_a_client_that_does_not_read(lab):
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        end = time.monotonic() + 12
        try:
            while time.monotonic() < end:
                t.s.sendall(b"RSET\r\n" * 10000)
                time.sleep(0.05)
            assert False, "it is served for ever"
        except OSError:
            pass
    with lab.talk() as t:
        assert t.say("NOOP\r\n").startswith("250")


# floods

def test_recipients_over_the_limit_are_for_another_mail(lab):
    with lab.begun() as t:
        got = t.say("".join(f"RCPT TO:<u{i}@city.test>\r\n" for i in range(299)), 299)
        assert [g[:3] for g in got] == ["250"] * 99 + ["452"] * 200, got
        assert t.say("DATA\r\n").startswith("354")
        assert t.say(mail(b"hundred") + b".\r\n").startswith("250")
    assert [len(to) for _, to, c in lab.city.mails if b"<hundred@" in c] == [100]
    with lab.begun() as t:
        last = ""
        for _ in range(100):
            got = t.say("RCPT TO:<u@city.test>\r\n" * 100, 100)
            last = next((g for g in got if g[:3] == "421"), "")
            if last:
                break
        assert last.startswith("421 4.7.0 too many errors"), "it goes on for ever"


def test_commands_that_bring_no_mail_are_counted(lab):
    for command in ("NOOP\r\n", "RSET\r\n", "VRFY a\r\n", "HELP\r\n", "EHLO a\r\n"):
        with lab.talk() as t:
            t.say("EHLO a\r\n")
            for i in range(300):
                got = t.say(command)
                if not got.startswith("2"):
                    break
            assert got.startswith("421 4.7.0 "), (command, i, got)


def test_a_mail_that_is_too_large(lab):
    line = b"x" * 70 + b"\r\n"
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        assert t.say("MAIL FROM:<a@outside.test> SIZE=1048577\r\n").startswith("552 5.3.4 ")
        assert t.say("MAIL FROM:<a@outside.test> SIZE=99999999999999999999\r\n").startswith("501")
        assert t.say("MAIL FROM:<a@outside.test> SIZE=10\r\n").startswith("250")
        t.say("RCPT TO:<taro@city.test>\r\n")
        t.say("DATA\r\n")
        assert t.say(line * 200000 + b".\r\n").startswith("552 5.3.4 "), "undeclared"
        assert t.say("NOOP\r\n").startswith("250")


def test_headers_without_end_and_circles(lab):
    with lab.begun() as t:
        t.say("DATA\r\n")
        assert t.say(b"Received: from a by b; x\r\n" * 101 + mail(b"circle") + b".\r\n").startswith("554 5.4.6 ")
    with lab.begun() as t:
        t.say("DATA\r\n")
        assert t.say(b"X-Y: z\r\n" * 50000 + mail(b"heads") + b".\r\n").startswith("250")
    assert len(lab.delivered(b"heads")) == 1 and not lab.delivered(b"circle")


# next hops

def test_an_internationalized_recipient_is_asked_about_as_such(lab):
    lab.toge.on["rcpt"] = lambda line: "553 5.6.7 no" if "SMTPUTF8" not in lab.toge.commands[-2].decode() else "250 ok"
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        t.say("MAIL FROM:<a@outside.test> SMTPUTF8\r\n")
        assert t.say("RCPT TO:<関守@toge.test>\r\n").startswith("250")
    lab.toge.on.clear()


ANSWERS = ["", "garbage", "2500 x", "25", "250", "250-", "999 9.9.9 x", "354 more", "250 ok\r\n250 ok", "421 4.3.2 bye",
           "451 4.3.0 later", "x" * 5000, "250-a\r\n251 b", "\0\0", "250-" + "y" * 3000, "\r\n" * 50, None,
           "\r\n".join(["250-z"] * 200 + ["250 z"])]


def test_a_next_hop_that_says_anything(lab):
    """Whatever it says at whichever command: it is not taken for a delivery that
    was none, and afterwards all that was acknowledged arrives once."""
    rng, acked = random.Random(2), set()
    for n, (command, answer) in enumerate((c, a) for c in ("banner", "ehlo", "mail", "rcpt", "data", "end")
                                          for a in ANSWERS):
        lab.city.on = {command: answer}
        name = b"anything-%d" % n
        with lab.begun() as t:
            t.say("DATA\r\n")
            got = t.say(mail(name) + b".\r\n")
            assert got[:3] in ("250", "554", "550", "451", "452", "421", "552"), (command, answer, got)
            if got.startswith("250"):
                acked.add(name)
        assert rng
    lab.city.on = {}
    lab.ctl("queue", "retry", "all", check=False)
    wait_until(lambda: "waiting" not in lab.ctl("queue", "list").stdout, 30)
    held = {e["mail"]: e for e in lab.events("mail_recipient") if e["result"] in ("held", "failed")}
    lost = [n for n in acked if not lab.delivered(n) and not any(
        e["message_id"] == f"<{n.decode()}@outside.test>" for e in held.values())]
    assert not lost, lost
    for line in lab.ctl("queue", "list").stdout.splitlines():
        if not line.startswith(" "):
            lab.ctl("queue", "drop", line.split()[0])


def test_a_next_hop_that_is_slow_or_changes_its_mind(lab):
    lab.city.on = {"rcpt": ["451 4.2.1 full", "250 ok"], "data": ["452 4.3.1 full", "354 go"],
                   "end": ["451 4.3.0 later", None, "250 2.0.0 taken"]}
    with lab.begun() as t:
        t.say("DATA\r\n")
        assert t.say(mail(b"mind") + b".\r\n").startswith("250 2.0.0 kept as ")
    wait_until(lambda: lab.delivered(b"mind"), 30)
    wait_until(lab.is_idle)
    assert len(lab.delivered(b"mind")) == 1
    lab.city.on = {}


def test_thousands_of_recipients_that_are_refused_at_length(lab):
    with MailLab(lab.build, mail="recipients_max = 5000;") as large:
        large.city.on["rcpt"] = "451 4.2.1 " + "x" * 450
        pid = large.mail_pid()
        with large.talk(timeout=60) as t:
            t.say("EHLO a\r\n")
            t.say("MAIL FROM:<a@outside.test>\r\n")
            got = t.say("".join(f"RCPT TO:<u{i}@city.test>\r\n" for i in range(5000)), 5000)
            assert {g[:3] for g in got} == {"250"}
            t.say("DATA\r\n")
            assert t.say(mail(b"thousands") + b".\r\n").startswith("250 2.0.0 kept as ")
        assert large.mail_pid() == pid
        large.city.on.clear()
        large.ctl("queue", "retry", "all")
        wait_until(lambda: large.ctl("queue", "list").stdout == "", 30)
        assert sum(len(to) for _, to, _ in large.city.mails) == 5000


def test_a_body_that_writes_to_ever_new_domains(lab):
    """More than are remembered at once; each gets its answer."""
    port = free_port()
    with MailLab(lab.build, mail="messages_per_minute = 100000;",
                 upstream=f'nameservers = ["127.0.0.1:{port}"];') as wide:
        wide.run_beside("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                        "--user=root", f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--local=/test/")
        routes = wide.dir / "mail.conf"
        routes.write_text(routes.read_text().replace(
            "outbound = (", 'outbound = ( { name = "world"; domains = ["*"]; tls = "opportunistic"; detox = "none"; },'))
        wide.ctl("reload")
        with wide.talk(CITY) as t:
            t.say("EHLO a\r\n")
            for i in range(1100):
                if i % 900 == 899:
                    t.close()
                    t = wide.talk(CITY)
                    t.say("EHLO a\r\n")
                t.say(f"MAIL FROM:<a{i}@city.test>\r\nRCPT TO:<u@d{i}.test>\r\n", 2)
                t.say("DATA\r\n")
                got = t.say(mail(b"new-%d" % i) + b".\r\n")
                assert got.startswith("550 5.1.2 ") or got.startswith("250 2.0.0 kept as ") and i < 5, (i, got)


def test_what_a_sender_may_outlives_the_processes_that_count_it(lab):
    """Two count together; one that dies, or that new settings replace, takes nothing with it."""
    with MailLab(lab.build, mail="sender_recipients_per_hour = 6; messages_per_minute = 100000;", mails=2) as two:
        def send(name):
            with two.talk(CITY) as t:
                t.say("EHLO a\r\n")
                t.say("MAIL FROM:<many@city.test>\r\nRCPT TO:<b@partner.test>\r\n", 2)
                t.say("DATA\r\n")
                return t.say(mail(name) + b".\r\n")[:14]

        def restarted(old):
            return {two.mail_pid(0), two.mail_pid(1)}.isdisjoint(old) if two.ctl("status").stdout.count("mail.") == 2 else False

        for i in range(3):
            assert send(b"many-%d" % i) == "250 2.0.0 deli"
        old = {two.mail_pid(0), two.mail_pid(1)}
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: restarted(old), 20)
        assert send(b"many-3") == "250 2.0.0 deli"
        two.ctl("reload")
        assert [send(b"many-%d" % i) for i in (4, 5, 6)] == ["250 2.0.0 deli"] * 2 + ["250 2.0.0 kept"]
        assert two.event(event="mail_flood")["recipients"] == 7


def test_a_notice_from_outside_that_fails_late_is_held(lab):
    """It was acknowledged: its null sender is told nothing, but a person sees it."""
    lab.city.on["rcpt"] = lambda line: "550 5.1.1 who?" if "<x@" in line else "250 ok"
    with lab.talk() as t:
        got = t.send(mail(b"null"), "", ["taro@city.test", "x@city.test"])
    assert got[-1].startswith("250 2.0.0 kept as "), got
    number = got[-1].split()[-1]
    assert "<x@city.test> 550 5.1.1 who?" in lab.ctl("queue", "show", number).stdout
    lab.ctl("queue", "drop", number)
    lab.city.on.clear()


# the administrator

def test_a_held_mail_is_tried_again_behind_a_restart(lab):
    lab.city.on["rcpt"] = lambda line: "550 5.1.1 who?" if "<x@" in line else "250 ok"
    with lab.begun() as t:
        assert t.say("RCPT TO:<x@city.test>\r\n").startswith("250")
        t.say("DATA\r\n")
        number = t.say(mail(b"again") + b".\r\n").split()[-1]
    assert "held" in lab.ctl("queue", "show", number).stdout
    lab.city.on.clear()
    os.kill(lab.mail_pid(), signal.SIGKILL)
    wait_until(lambda: "held" in lab.ctl("queue", "show", number, check=False).stdout, 15)
    lab.ctl("queue", "retry", number)
    wait_until(lab.is_idle)
    assert [to for _, to, c in lab.city.mails if b"<again@" in c] == [["taro@city.test"], ["x@city.test"]]


# everything at once

WORDS = ["EHLO a", "HELO a", "MAIL FROM:<a@outside.test>", "MAIL FROM:<a@city.test>", "MAIL FROM:<a@outside.test> SIZE=9999999",
         "RCPT TO:<taro@city.test>", "RCPT TO:<b@elsewhere.test>", "DATA", "RSET", "NOOP", "VRFY a", "HELP", "STARTTLS x", "EXPN a",
         "BDAT 3 LAST", "AUTH PLAIN AA==", "XCLIENT ADDR=127.0.1.10", "FOO", "", "MAIL", "RCPT TO:", "DATA x", "RSET x"]
GOOD = ["EHLO a", "MAIL FROM:<a@outside.test>", "RCPT TO:<taro@city.test>", "DATA"]


class Model:
    """What may be answered to each command, from RFC 5321 alone."""

    def __init__(self):
        self.state = "fresh"

    def answer(self, word):
        verb, order = word.split(" ")[0], ("fresh", "greeted", "sender", "recipients")
        at = order.index(self.state)
        if verb in ("EHLO", "HELO"):
            self.state = "greeted"
            return "250"
        if word in ("RSET", "NOOP", "VRFY a", "HELP"):
            if word == "RSET" and at > 1:
                self.state = "greeted"
            return {"RSET": "250", "NOOP": "250", "VRFY a": "252", "HELP": "214"}[word]
        if word == "MAIL FROM:<a@outside.test>" and at == 1:
            self.state = "sender"
            return "250"
        if word == "RCPT TO:<taro@city.test>" and at > 1:
            self.state = "recipients"
            return "250"
        if word == "DATA" and at == 3:
            self.state = "greeted"
            return "354"
        return "5"


def test_commands_in_any_order(lab):
    """Random walks beside a model of what may be accepted."""
    rng, sent = random.Random(7), 0
    for walk in range(150):
        model, said = Model(), []
        with lab.talk() as t:
            for step in range(40):
                word = rng.choice(WORDS if step % 3 == 0 else GOOD)
                want = model.answer(word)
                got = t.say(word + "\r\n")
                said.append((word, got))
                if got.startswith("421 4.7.0"):
                    break
                assert got.startswith(want), said
                if got.startswith("354"):
                    sent += 1
                    assert t.say(mail(b"walk-%d" % sent) + b".\r\n").startswith("250 2.0.0 "), said
    assert sent > 10, sent
    for n in range(1, sent + 1):
        assert len(lab.delivered(b"walk-%d" % n)) == 1


def test_a_client_that_goes_at_every_byte(lab):
    """In order, and by a reset: nobody gets what has no end, and nothing of
    them is left."""
    whole = (b"EHLO a\r\n", b"MAIL FROM:<a@outside.test>\r\nRCPT TO:<taro@city.test>\r\n", b"DATA\r\n", mail(b"cut") + b".\r\n")
    steps, n = [], 0
    for part in whole:
        steps += [(n + i) for i in range(len(part))]
        n += len(part)
    for at in steps:
        s = socket.socket()
        s.bind((STRANGER, 0))
        s.connect(("127.0.0.1", lab.mail_port))
        if at % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.settimeout(5)
        s.recv(100)
        left = at
        for part in whole:
            s.sendall(part[:left])
            left -= len(part)
            if left < 0:
                break
            s.recv(1000)
        s.close()
    assert not lab.delivered(b"cut")
    with lab.talk() as t:
        assert t.say("NOOP\r\n").startswith("250")
    wait_until(lambda: len(os.listdir(f"/proc/{lab.mail_pid()}/fd")) < 60)


def test_a_hundred_recipients_in_a_hundred_domains(lab):
    routes = (lab.dir / "mail.conf").read_text()
    (lab.dir / "mail.conf").write_text(routes.replace(
        'domains = ["partner.test"]', 'domains = ["partner.test", "*.many.test"]'))
    lab.ctl("reload")
    to = [f"u@d{i}.many.test" for i in range(100)]
    with lab.talk(CITY) as t:
        got = t.send(mail(b"many"), "taro@city.test", to)
    assert got[-1].startswith("250"), got
    wait_until(lambda: lab.delivered(b"many"))
    assert [t for _, t, c in lab.partner.mails if b"<many@" in c] == [to], "by one next hop: one mail"
    wait_until(lab.is_idle)
    (lab.dir / "mail.conf").write_text(routes)
    lab.ctl("reload")


def test_many_sessions_at_once(lab):
    """More than may be: those that are one too many are told, the others stay,
    and afterwards there is room again."""
    open_, told = [], 0
    for i in range(1500):
        s = socket.socket()
        s.bind((f"127.9.{i // 200}.{i % 200 + 1}", 0))
        s.settimeout(10)
        s.connect(("127.0.0.1", lab.mail_port))
        open_.append(s)
    for s in open_:
        told += s.recv(100).startswith(b"421 4.7.0 too many connections")
    assert 490 <= told <= 510, told
    for s in open_:
        s.close()
    with lab.talk() as t:
        assert t.greeting.startswith("220")


# the spool

class SmallSpool(MailLab):
    """Its spool is a disk of eight megabytes."""

    def start(self):
        if self.daemon is None:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=8m,uid={USERS['mail_user']},mode=700", "spool",
                            self.dir / "spool"], check=True)
        return super().start()

    def stop(self):
        try:
            super().stop()
        finally:
            subprocess.run(["umount", self.dir / "spool"], check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(self.dir, ignore_errors=True)


def fill(small):
    """Mails until there is no room: (names that were acknowledged, how the last was refused)."""
    kept, line = [], b"z" * 70 + b"\r\n"
    for i in range(100):
        with small.talk() as t:
            t.say("EHLO a\r\n")
            got = [t.say("MAIL FROM:<a@outside.test> SIZE=370000\r\n"), t.say("RCPT TO:<taro@city.test>\r\n"), t.say("DATA\r\n")]
            if not got[0].startswith("250"):
                return kept, got[0]
            assert got[2].startswith("354"), got
            got = t.say(mail(b"full-%d" % i, line * 5000) + b".\r\n")
            assert got.startswith("250") or got.startswith("45"), got
            if got.startswith("250"):
                kept.append(b"full-%d" % i)
    raise AssertionError("it never fills")


def has_room(lab):
    with lab.talk() as t:
        return t.send(mail(b"room"))[-1].startswith("250")


def test_a_full_spool_is_told_before_the_content(lab):
    for make_one in (lambda: SmallSpool(lab.build, mail="size_max = 1048576; retry_max = 1;"),
                     lambda: MailLab(lab.build, mail="size_max = 1048576; spool_max = 4194304; retry_max = 1;")):
        with make_one() as small:
            port = small.city.port
            small.city.close()
            kept, got = fill(small)
            assert got.startswith("452 4.3.1 ") and len(kept) > 5, (got, len(kept))
            os.kill(small.mail_pid(), signal.SIGKILL)
            small.city = Hop(port)
            small.threads.append(small.city)
            wait_until(lambda: len(small.city.mails) >= len(kept), 30)
            wait_until(lambda: small.ctl("queue", "list", check=False).stdout == "", 15)
            arrived = [re.search(rb"<(full-\d+)@", c)[1] for *_, c in small.city.mails]
            assert sorted(arrived) == sorted(kept), "each once"
            assert all(c.count(b"z" * 70 + b"\r\n") == 5000 for *_, c in small.city.mails)
            # files whose mails have all ended go a moment later
            wait_until(lambda: has_room(small), 5, 0.2)
