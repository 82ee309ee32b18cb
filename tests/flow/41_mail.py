# SPDX-License-Identifier: Apache-2.0
"""Mail: who may send what to whom, cut-through and spool, nothing lost."""
import os
import pathlib
import re
import signal
import time

from lab import CITY, CITY_LGWAN, CITY_MYNUMBER, STRANGER, TOWN, USERS, Lab, free_port, wait_until
from mail_peer import Hop, Talk

PROVISION = "127.0.8.10"
MAIL = (b"From: a@outside.test\r\nTo: taro@city.test\r\nSubject: hello\r\n"
        b"Message-ID: <%s@outside.test>\r\nDate: Fri, 27 Nov 2026 09:00:00 +0900\r\n\r\nhello\r\n")


class MailLab(Lab):
    """Its next hops are attributes: city, toge (raw), and partner, the outside."""
    provision = f"""provision = ( {{ name = "chukan"; addresses = ["{PROVISION}"]; owner = "o";
  certificate = "{"0" * 64}"; }} );"""

    def __init__(self, build, mail="", routes=None, mails=1, **kw):
        self.mail_port = free_port()
        self.city, self.toge, self.partner = Hop(), Hop(), Hop()
        self.mail_settings, self.mails = mail, mails
        super().__init__(build, settings=self._settings(), edges=1, **kw)
        self.threads += [self.city, self.toge, self.partner]
        spool = self.dir / "spool"
        spool.mkdir()
        os.chown(spool, USERS["mail_user"], USERS["mail_user"])
        self.write_routes(routes)

    def _settings(self):
        return f"""
mail = {{ name = "mx.pref.test"; routes = "mail.conf"; spool = "spool"; spool_free_min = 0;
  retry_min = 1; listeners = ( {{ address = "127.0.0.1:{self.mail_port}"; xclient_from = ["127.0.7.0/24"];
  proxy_protocol_from = ["127.0.5.0/24"]; }} ); {self.mail_settings} }};
{self.provision}
"""

    def write_settings(self, **change):
        super().write_settings(**change)
        conf = self.dir / "sekisho.conf"
        conf.write_text(conf.read_text().replace("processes = {",
                                                 f"processes = {{ mails = {self.mails};"))

    def write_routes(self, text=None):
        def hop(h):
            return f'next_hops = ( {{ host = "127.0.0.1"; port = {h.port}; tls = "none"; }} );'
        (self.dir / "mail.conf").write_text(text or f"""
inbound = ( {{ name = "city"; body = "990019"; domains = ["city.test"]; side = "lgwan"; detox = "none";
    verify_recipients = false; {hop(self.city)} }},
  {{ name = "toge"; body = "990027"; domains = ["toge.test"]; side = "internet"; detox = "none";
    verify_recipients = true; {hop(self.toge)} }} );
outbound = ( {{ name = "partner"; domains = ["partner.test"]; detox = "none"; {hop(self.partner)} }} );
""")

    def talk(self, source=STRANGER, **kw):
        return Talk(self.mail_port, source, **kw)

    def events(self, name):
        return [e for e in self.journal() if e["event"] == name]

    def mail_pid(self, n=0):
        return next(int(line.split()[1]) for line in self.ctl("status").stdout.splitlines()
                    if line.startswith(f"mail.{n}"))


def make(build):
    return MailLab(build)


def only(got):
    assert len(got) == 1, got
    return got[0]


def test_a_mail_goes_through_while_its_sender_waits(lab):
    with lab.talk() as t:
        assert t.greeting == "220 mx.pref.test ESMTP"
        got = t.send(MAIL % b"through")
    assert got[0].startswith("250-mx.pref.test") and "250-PIPELINING" in got[0].split("\r\n"), got[0]
    assert "CHUNKING" not in got[0] and "STARTTLS" not in got[0]
    assert got[-1].startswith("250 2.0.0 delivered as "), got
    sender, to, content = only(lab.city.mails)
    assert (sender, to) == ("a@outside.test", ["taro@city.test"])
    head, _, rest = content.partition(b"From: ")
    assert b"From: " + rest == MAIL % b"through"
    assert re.fullmatch(rb"Received: from client\.test \(\[127\.0\.9\.9\]\)\r\n\tby mx\.pref\.test with ESMTP id "
                        rb"[0-9A-Z-]+;\r\n\t\w\w\w, \d+ \w\w\w \d{4} \d\d:\d\d:\d\d \+0000\r\n", head), head
    assert lab.ctl("queue", "list").stdout == ""
    e = wait_until(lambda: lab.events("mail"))[-1]
    assert (e["result"], e["message_id"], e["sender"]) == (
        "delivered", "<through@outside.test>", "a@outside.test")
    r = lab.events("mail_recipient")[-1]
    assert (r["mail"], r["recipient"], r["route"], r["result"], r["code"]) == (
        e["id"], "taro@city.test", "city", "delivered", 250)
    traced = lab.ctl("mail", "trace", "through@outside.test", "--log", lab.dir / "log" / "journal.jsonl").stdout
    assert e["id"] in traced and "taro@city.test" in traced and "250 2.0.0 taken" in traced, traced


def test_nobody_sends_as_who_he_is_not(lab):
    for source, sender, to, want in (
            (STRANGER, "a@outside.test", "b@elsewhere.test", "550 5.7.1"),  # no open relay
            (STRANGER, "a@city.test", "taro@city.test", "550 5.7.1"),       # a body's domain, from outside
            (CITY, "a@outside.test", "b@partner.test", "550 5.7.1"),
            (CITY, "a@toge.test", "b@partner.test", "550 5.7.1"),
            (CITY, "a@city.test", "b@partner.test", "250"),
            (CITY_LGWAN, "a@city.test", "b@partner.test", "250"),
            (TOWN, "a@toge.test", "taro@city.test", "250"),
            (STRANGER, "", "taro@city.test", "250")):
        with lab.talk(source) as t:
            got = t.send(MAIL % b"who", sender, [to])
            assert next((g for g in got[1:] if g[0] == "5"), got[-1]).startswith(want), (source, sender, to, got)
    with lab.talk(CITY_MYNUMBER) as t:
        assert t.greeting.startswith("55"), t.greeting
        assert t.read() == ""
    e = wait_until(lambda: lab.events("mail_refused"))[0]
    assert e["stage"] == "policy" and e["client"] == STRANGER and e["recipient"] == "b@elsewhere.test", e


def test_a_refusal_of_the_next_hop_is_the_senders(lab):
    lab.city.on["end"] = ["554 5.6.0 I do not like it", "250 ok"]
    with lab.talk() as t:
        got = t.send(MAIL % b"no")
    assert got[-1] == "554 5.6.0 I do not like it", got
    lab.city.on.clear()
    lab.city.on["rcpt"] = lambda line: "550 5.1.1 who?" if "<x@" in line else "250 ok"
    with lab.talk() as t:
        assert t.send(MAIL % b"x", to=["x@city.test"])[-1] == "550 5.1.1 who?"
    assert lab.ctl("queue", "list").stdout == ""
    lab.city.on.clear()


def test_recipients_are_asked_before_the_content(lab):
    lab.toge.on["rcpt"] = lambda line: "550 5.1.1 nobody" if "<no@" in line else "250 ok"
    with lab.talk() as t:
        got = t.send(MAIL % b"ask", to=["no@toge.test", "hanako@toge.test"])
        assert got[2] == "550 5.1.1 nobody" and got[3][:3] == "250" and got[-1][:3] == "250", got
    before = len(lab.toge.commands)
    with lab.talk() as t:
        got = t.say("EHLO a\r\n"), t.say("MAIL FROM:<a@b.test>\r\n"), t.say("RCPT TO:<no@toge.test>\r\n")
        assert got[2] == "550 5.1.1 nobody", got
    assert len(lab.toge.commands) == before, "it is remembered"
    lab.toge.on.clear()


def test_a_slow_next_hop_makes_the_spool_answer(lab):
    lab.city.delay["end"] = 7
    begun = time.monotonic()
    with lab.talk() as t:
        got = t.send(MAIL % b"slow")
    took = time.monotonic() - begun
    assert got[-1].startswith("250 2.0.0 kept as ") and 4.5 < took < 6.5, (got, took)
    number = got[-1].split()[-1]
    assert number in lab.ctl("queue", "list").stdout
    wait_until(lambda: lab.ctl("queue", "list").stdout == "", 10)
    lab.city.delay.clear()
    assert [c for *_, c in lab.city.mails if b"slow@" in c], "and it was delivered, once"
    assert len([c for *_, c in lab.city.mails if b"slow@" in c]) == 1


def test_one_of_three_recipients_is_refused_late(lab):
    lab.city.on["rcpt"] = lambda line: "550 5.1.1 who?" if "<x@" in line else "250 ok"
    with lab.talk() as t:
        got = t.send(MAIL % b"three", to=["a@city.test", "x@city.test", "b@city.test"])
    assert got[-1].startswith("250 2.0.0 kept as "), got
    lab.city.on.clear()
    number = got[-1].split()[-1]
    assert only([to for _, to, c in lab.city.mails if b"three@" in c]) == ["a@city.test", "b@city.test"]
    shown = lab.ctl("queue", "show", number).stdout
    assert "held" in shown and "<x@city.test> 550 5.1.1 who?" in shown and "<a@city.test>" not in shown, shown
    # it stays so over a restart, and a person may try again
    os.kill(lab.mail_pid(), signal.SIGKILL)
    wait_until(lambda: "held" in lab.ctl("queue", "show", number, check=False).stdout)
    lab.ctl("queue", "retry", number)
    wait_until(lambda: [to for _, to, c in lab.city.mails if b"three@" in c][1:] == [["x@city.test"]])
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")
    assert lab.ctl("queue", "show", number, check=False).returncode != 0


def test_a_bodys_sender_is_told_of_what_failed(lab):
    lab.partner.on["rcpt"] = lambda line: "550 5.1.1 who?" if "<x@" in line else "250 ok"
    with lab.talk(CITY) as t:
        got = t.send(MAIL % b"bounce", "taro@city.test", ["a@partner.test", "x@partner.test"])
    assert got[-1].startswith("250 2.0.0 kept as "), got
    told = wait_until(lambda: [c for s, to, c in lab.city.mails if s == "" and to == ["taro@city.test"]
                               and b"multipart/report" in c])
    lab.partner.on.clear()
    import email
    import email.policy
    m = email.message_from_bytes(told[-1], policy=email.policy.default)
    parts = list(m.iter_parts())
    assert [p.get_content_type() for p in parts] == [
        "text/plain", "message/delivery-status", "text/rfc822-headers"]
    assert "届けられませんでした" in parts[0].get_content() and "x@partner.test" in parts[0].get_content()
    status = parts[1].get_payload()
    assert status[1]["Action"] == "failed" and status[1]["Status"] == "5.1.1" and \
        status[1]["Final-Recipient"] == "rfc822; x@partner.test", status[1].items()
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")


def test_a_next_hop_that_is_away_is_tried_again(lab):
    port = lab.city.port
    lab.city.close()
    with lab.talk() as t:
        got = t.send(MAIL % b"away")
    assert got[-1].startswith("250 2.0.0 kept as "), got
    assert "waiting" in lab.ctl("queue", "list").stdout
    lab.city = Hop(port)
    lab.threads.append(lab.city)
    wait_until(lambda: lab.city.mails, 15)
    assert b"away@" in only(lab.city.mails)[2]
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")


def test_a_clock_that_is_set_back_ends_no_mail(lab):
    two = MailLab(lab.build)
    two.have_clock()
    two.partner.on["rcpt"] = ["451 4.2.1 later"] * 2 + ["250 2.1.5 yes"]
    with two:
        with two.talk(CITY) as t:
            got = t.send(MAIL % b"back", sender="a@city.test", to=["b@partner.test"])
        assert got[-1].startswith("250 2.0.0 kept as "), got
        two.set_clock(-3600)
        wait_until(lambda: two.partner.mails, 15)
        wait_until(lambda: two.ctl("queue", "list").stdout == "")
        results = [(e["recipient"], e["result"]) for e in two.events("mail_recipient")]
        assert results == [("b@partner.test", "deferred")] * 2 + [("b@partner.test", "delivered")], results
        assert [e["age_s"] for e in two.events("mail_recipient")][1:] == [0, 0]
        assert two.city.mails == [], two.city.mails  # nobody is told of a delay


def test_a_next_hop_that_drops_after_the_content(lab):
    lab.city.on["end"] = [None, "250 2.0.0 taken"]
    with lab.talk() as t:
        got = t.send(MAIL % b"drops")
    assert got[-1].startswith("250 2.0.0 kept as "), got
    wait_until(lambda: [c for *_, c in lab.city.mails if b"drops@" in c], 15)
    lab.city.on.clear()
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")


def test_two_destinations_are_two_legs(lab):
    with lab.talk() as t:
        got = t.send(MAIL % b"two", to=["taro@city.test", "hanako@toge.test"])
    assert got[-1].startswith("250 2.0.0 kept as "), got
    wait_until(lambda: [c for *_, c in lab.city.mails if b"two@" in c] and
               [c for *_, c in lab.toge.mails if b"two@" in c])
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")


def test_early_talk_and_smuggling_are_refused(lab):
    with lab.talk(greet=False) as t:
        t.s.sendall(b"EHLO a\r\n")
        time.sleep(0.1)
    for bad in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r", b"\0"):
        with lab.talk() as t:
            got = t.send(MAIL % b"evil" + b"x" + bad +
                         b"MAIL FROM:<b@outside.test>\r\nRCPT TO:<taro@city.test>\r\nDATA\r\nsmuggled\r\n")
            assert got[-1].startswith("554 5.6.0 "), (bad, got)
            assert t.say("NOOP\r\n") == "250 2.0.0 ok"
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        assert t.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<taro@city.test>\r\nDATA\r\nsmuggled\r\n.\r\n",
                     3)[-1].startswith("521 5.5.1 ")
        assert t.read() == ""
    assert not [c for *_, c in lab.city.mails if b"evil@" in c or b"smuggled" in c]


def test_long_lines_are_refused_before_the_250(lab):
    with lab.talk() as t:
        got = t.send(MAIL % b"long" + b"y" * 999 + b"\r\n")
        assert got[-1].startswith("554 5.6.0 a line is longer"), got
    with lab.talk() as t:
        got = t.send(MAIL % b"fits" + b"y" * 998 + b"\r\n")
        assert got[-1].startswith("250"), got


def test_a_trusted_host_names_the_client(lab):
    with lab.talk("127.0.7.1") as t:
        assert "250-XCLIENT NAME ADDR PORT PROTO HELO" in t.say("EHLO relay\r\n").split("\r\n")
        assert t.say("XCLIENT ADDR=127.0.3.10 NAME=[UNAVAILABLE]\r\n").startswith("220 ")
        got = t.send(MAIL % b"xclient", "a@city.test")
        assert not got[-1].startswith("250"), "from the My Number zone nothing comes"
    with lab.talk("127.0.5.1", greet=False) as t:
        t.s.sendall(b"PROXY TCP4 127.0.1.10 127.0.0.1 5555 25\r\n")
        assert t.read().startswith("220 ")
        assert t.send(MAIL % b"proxied", "a@city.test", ["b@partner.test"])[-1].startswith("250"), "as the city"


def test_the_provision_network_sends_no_mail(lab):
    with lab.talk(PROVISION, greet=False) as t:
        assert t.read().startswith("550 5.7.1 "), "nothing begins there"
    with lab.talk("127.0.7.1") as t:
        t.say("EHLO relay\r\n")
        assert t.say(f"XCLIENT ADDR={PROVISION} NAME=[UNAVAILABLE]\r\n").startswith("550 5.7.1 ")
        assert t.say("XCLIENT ADDR=127.0.9.9 NAME=[UNAVAILABLE]\r\n").startswith("220 ")


def test_a_killed_process_loses_nothing(lab):
    port = lab.city.port
    lab.city.close()
    kept = set()
    for i in range(20):
        with lab.talk() as t:
            if t.send(MAIL % b"kill-%d" % i)[-1].startswith("250"):
                kept.add(i)
    assert len(kept) == 20, kept
    os.kill(lab.mail_pid(), signal.SIGKILL)
    lab.city = Hop(port)
    lab.threads.append(lab.city)
    wait_until(lambda: len(lab.city.mails) >= 20, 30)
    got = {int(re.search(rb"kill-(\d+)@", c)[1]) for *_, c in lab.city.mails}
    assert got == kept
    assert len(lab.city.mails) == 20, "each once"
    wait_until(lambda: lab.ctl("queue", "list").stdout == "", 15)


def test_a_reload_hands_the_spool_over(lab):
    port = lab.city.port
    lab.city.close()
    with lab.talk() as t:
        assert t.send(MAIL % b"reload")[-1].startswith("250")
    lab.ctl("reload")
    lab.city = Hop(port)
    lab.threads.append(lab.city)
    wait_until(lambda: lab.city.mails, 20)
    wait_until(lambda: lab.ctl("queue", "list").stdout == "", 15)


def test_hold_and_retry(lab):
    port = lab.city.port
    lab.city.close()
    with lab.talk() as t:
        number = t.send(MAIL % b"hold")[-1].split()[-1]
    lab.ctl("queue", "hold", number)
    lab.city = Hop(port)
    lab.threads.append(lab.city)
    time.sleep(3)
    assert not lab.city.mails
    assert "held" in lab.ctl("queue", "list").stdout
    lab.ctl("queue", "retry", number)
    wait_until(lambda: lab.city.mails, 5)
    assert wait_until(lambda: lab.events("mail_order"))[-1]["order"] == "retry"
