# SPDX-License-Identifier: Apache-2.0
"""What others say of a mail: a real rspamd, which asks a real name server, and
a real clamd; and what becomes of mail when they are away, slow or strange."""
import importlib
import os
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import rspamd_peer  # noqa: E402
from lab import CITY, free_port, wait_until  # noqa: E402
from mail_peer import Hop  # noqa: E402

mail_module = importlib.import_module("41_mail")
detox_module = importlib.import_module("12_detox")
store_module = importlib.import_module("44_quarantine")

THERE = "203.0.113.5"   # good.test's mail server
ELSEWHERE = "203.0.113.66"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
REAL = rspamd_peer.root() is not None
ROUTES = """
inbound = ( {{ name = "city"; body = "990019"; domains = ["city.test"]; side = "lgwan"; detox = "none";
    verify_recipients = false; next_hops = ( {{ host = "127.0.0.1"; port = {city}; tls = "none"; }} ); }},
  {{ name = "toge"; body = "990027"; domains = ["toge.test"]; side = "internet"; detox = "scanned";
    verify_recipients = false; next_hops = ( {{ host = "127.0.0.1"; port = {toge}; tls = "none"; }} ); }} );
"""


class Strange:
    """A peer that answers a question as it is told to; it reads all of it first."""

    def __init__(self):
        self.answer, self.asked = b"", []
        self.delay, self.now, self.most = 0, 0, 0  # questions at once
        self.lock = threading.Lock()
        self.listener = mail_module.Hop.__new__(mail_module.Hop)  # for its accept loop and close
        Hop.__init__(self.listener)
        self.listener._talk = self._talk
        self.port = self.listener.port

    def _count(self, n):
        with self.lock:
            self.now += n
            self.most = max(self.most, self.now)

    def _talk(self, s, f):
        self._count(1)
        try:
            self._read(f)
            time.sleep(self.delay)
        finally:
            self._count(-1)  # whoever has the answer may ask again
        s.sendall(self.answer)

    def _read(self, f):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += f.readline()
        self.asked.append((head, f.read(int(re.search(rb"Content-Length: (\d+)", head)[1]))))

    def says(self, action, more=""):
        body = f'{{"action":"{action}","score":3.5,"required_score":15{more}}}'
        self.answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    def close(self):
        self.listener.close()


class VerdictLab(mail_module.MailLab):
    def __init__(self, build):
        self.rspamd_port, self.dns_port = free_port(), free_port()
        self.rspamd_more = ""
        super().__init__(build)
        self.write_routes(ROUTES.format(city=self.city.port, toge=self.toge.port))
        self.signer = rspamd_peer.Signer(self.dir, "good.test")
        self._start_dns()
        self.clamd_port = detox_module.start_clamd(self) or self.clamd_port
        (self.dir / "detox.conf").write_text(f"""
scanners = ( {{ name = "clamd"; kind = "clamd"; address = "127.0.0.1:{self.clamd_port}"; }} );
profiles = ( {{ name = "standard"; }}, {{ name = "strict"; }}, {{ name = "scanned"; scan = ["clamd"]; }} );
""")
        self.rspamd = rspamd_peer.Rspamd(self.dir / "rspamd", self.dns_port, self.rspamd_port,
                                         dmarc='actions = { reject = "reject"; quarantine = "add_header"; }')
        self.threads.append(self.rspamd)
        if REAL:
            begun = time.monotonic()
            self.rspamd.start()
            print(f"       rspamd was ready after {time.monotonic() - begun:.1f} s")
        else:
            print("       LEFT OUT: no rspamd is here; see tests/flow/rspamd_get")

    def _settings(self):
        return super()._settings().replace(
            "retry_min = 1;", "retry_min = 1; cut_through_max = 2; rspamd = "
            f'{{ address = "127.0.0.1:{self.rspamd_port}"; timeout = 3; {self.rspamd_more} }};'
        ) + 'detox = { profiles = "detox.conf"; };\n'

    def _start_dns(self):
        name, strings = self.signer.record()
        txt = {"good.test": ["v=spf1 ip4:203.0.113.5 -all"], "_dmarc.good.test": ["v=DMARC1; p=reject"],
               "wary.test": ["v=spf1 -all"], "_dmarc.wary.test": ["v=DMARC1; p=quarantine"], name: strings}
        self.run_beside(
            "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
            "--pid-file=", f"--port={self.dns_port}", "--listen-address=127.0.0.1", "--bind-interfaces",
            "--local=/#/", "--host-record=mx.good.test,203.0.113.5", "--mx-host=good.test,mx.good.test",
            *(f"--txt-record={','.join([n, *t])}" for n, t in txt.items()))

    def with_rspamd(self, more="", port=None):
        """Other settings of mail.rspamd, in force."""
        self.rspamd_more, self.rspamd_port = more, port or self.rspamd.port
        self.write_settings(extra=self._settings())
        self.ctl("reload")

    def send(self, content, sender="a@plain.test", source=THERE, to="taro@city.test"):
        with self.talk("127.0.7.1") as t:
            t.say("EHLO relay\r\n")
            assert t.say(f"XCLIENT ADDR={source} NAME=[UNAVAILABLE]\r\n").startswith("220 ")
            return t.send(content, sender, [to], "mx.good.test")[-1]

    def line(self, name):
        """The newest line of the mail with that Message-ID."""
        return self.event(10, event="mail", message_id=f"<{name}@outside.test>")

    def arrived(self, name, hop=None, seconds=15):
        got = wait_until(lambda: [c for *_, c in (hop or self.city).mails if b"<%s@" % name.encode() in c], seconds)
        assert len(got) == 1, "once"
        return got[0].partition(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").decode().split("\r\n")


def make(build):
    return VerdictLab(build)


def mail(name, body=b"hello\r\n", sender="a@plain.test", head=b""):
    return head + (f"From: {sender}\r\nTo: taro@city.test\r\nSubject: hello\r\nMessage-ID: <{name}@outside.test>\r\n"
                   f"Date: Fri, 27 Nov 2026 09:00:00 +0900\r\n\r\n").encode() + body


def real(test):
    """Only with a real rspamd; the one of the laboratory is asked anew."""
    def run(lab):
        if REAL:
            test(lab)
    return run


@real
def test_spam_is_refused(lab):
    answer = lab.send(mail("gtube", GTUBE))
    assert re.fullmatch(r"554 5\.7\.1 refused as spam: Gtube pattern \([0-9A-Z-]+\)", answer), answer
    e = lab.line("gtube")
    assert (e["result"], e["action"], e["score"], e["required"], e["symbols"]) == (
        "refused", "reject", "15.00", "15.00", "GTUBE(0.00)"), e
    assert not lab.city.mails and lab.ctl("queue", "list").stdout == ""


@real
def test_who_is_who_he_says_passes(lab):
    signed = lab.signer.sign(mail("signed", sender="a@good.test"))
    answer = lab.send(signed, "a@good.test")
    assert answer.startswith("250 2.0.0 delivered as "), answer
    head = lab.arrived("signed")
    field = next(f for f in head if f.startswith("Authentication-Results: "))
    assert field.startswith("Authentication-Results: mx.pref.test; ") and not field.endswith(";"), field
    for part in ("spf=pass smtp.mailfrom=a@good.test", "dkim=pass header.d=good.test header.s=s1",
                 "dmarc=pass header.from=good.test", "arc=none"):
        assert part in field.split("; "), (part, field)
    assert not [f for f in head if f.startswith("Sekisho-Spam")]
    e = lab.line("signed")
    assert (e["action"], e["spf"], e["dkim"], e["dmarc"], e["arc"]) == ("no action", "pass", "pass", "pass", "none"), e
    assert "R_DKIM_ALLOW(-0.20)" in e["symbols"].split(), e
    traced = lab.ctl("mail", "trace", "signed@outside.test", "--log", lab.dir / "log" / "journal.jsonl").stdout
    assert "action=no action" in traced and "dmarc=pass" in traced and "R_DKIM_ALLOW(-0.20)" in traced, traced


@real
def test_who_is_not_is_refused_as_his_domain_asks(lab):
    answer = lab.send(mail("spoofed", sender="a@good.test"), "a@good.test", ELSEWHERE)
    assert answer.startswith("554 5.7.1 refused as spam"), answer
    e = lab.line("spoofed")
    assert (e["action"], e["spf"], e["dkim"], e["dmarc"]) == ("reject", "fail", "none", "fail"), e
    assert "DMARC_POLICY_REJECT(2.00)" in e["symbols"].split(), e
    changed = lab.signer.sign(mail("changed", sender="a@good.test")).replace(b"hello\r\n", b"hullo\r\n")
    assert lab.send(changed, "a@good.test", ELSEWHERE).startswith("554 5.7.1 "), "the signature does not hold"
    assert lab.line("changed")["dkim"] == "fail"


@real
def test_what_is_doubtful_is_marked(lab):
    answer = lab.send(mail("wary", sender="a@wary.test"), "a@wary.test")
    assert answer.startswith("250 "), answer
    head = lab.arrived("wary")
    assert [f for f in head if re.fullmatch(r"Sekisho-Spam: yes; score=\d+\.\d\d/15\.00", f)], head
    assert any("dmarc=fail header.from=wary.test" in f for f in head), head
    # rebuilt, its reader is warned too
    forged = b"Authentication-Results: mx.pref.test; spf=pass\r\nSekisho-Spam: no\r\n"
    lab.send(mail("wary2", sender="a@wary.test", head=forged), "a@wary.test", to="hanako@toge.test")
    head = lab.arrived("wary2", lab.toge)
    assert [f for f in head if f.startswith("Sekisho-Suspect: ") and "unverified" in f], head
    assert len([f for f in head if f.startswith(("Authentication-Results", "Sekisho-Spam"))]) == 2, head


@real
def test_nobody_writes_our_fields(lab):
    forged = (b"Authentication-Results: mx.pref.test;\r\n\tdkim=pass header.d=bank.test\r\n"
              b"authentication-results : \"m\\x.pref.test\"; spf=pass\r\n"
              b"Authentication-Results: other.test; spf=neutral\r\n"
              b"Sekisho-Spam: no; score=0.00/15.00\r\nSekisho-Detox: sanitised\r\n")
    assert lab.send(mail("forged", head=forged)).startswith("250 ")
    head = lab.arrived("forged")
    ours = [f for f in head if f.lower().startswith("authentication-results")]
    assert len(ours) == 2 and ours[1] == "Authentication-Results: other.test; spf=neutral", head
    assert "bank.test" not in ours[0] and "Sekisho-Detox: sanitised" not in head, head
    assert "Sekisho-Spam: no; score=0.00/15.00" not in head, head
    whole = [c for *_, c in lab.city.mails if b"<forged@" in c][0]
    assert whole.endswith(b"\r\n\r\nhello\r\n")


@real
def test_bodies_are_asked_about_by_setting_alone(lab):
    with lab.talk(CITY) as t:
        assert t.send(mail("own", GTUBE, "taro@city.test"), "taro@city.test", ["a@city.test"])[-1].startswith("250 ")
    assert "action" not in lab.line("own") and not [f for f in lab.arrived("own") if f.startswith("Authentication")]
    lab.with_rspamd("bodies = true;")
    with lab.talk(CITY) as t:
        got = t.send(mail("own2", GTUBE, "taro@city.test"), "taro@city.test", ["a@city.test"])
    assert got[-1].startswith("554 5.7.1 refused as spam"), got
    lab.with_rspamd()


@real
def test_a_slow_rspamd_makes_the_spool_answer(lab):
    lab.rspamd.signal(signal.SIGSTOP)
    begun = time.monotonic()
    answers = [lab.send(mail("slow")), lab.send(mail("slowspam", GTUBE))]
    assert all(a.startswith("250 2.0.0 kept as ") for a in answers) and time.monotonic() - begun < 6, answers
    time.sleep(2)  # past its time: what the spool has waits
    assert "451 4.7.1 not judged now" in lab.ctl("queue", "list").stdout, lab.ctl("queue", "list").stdout
    assert not [c for *_, c in lab.city.mails if b"<slow" in c]
    lab.rspamd.signal(signal.SIGCONT)
    assert any(f.startswith("Authentication-Results: mx.pref.test; ") for f in lab.arrived("slow"))
    assert lab.event(10, event="mail_verdict", message_id="<slow@outside.test>", result="passed")
    assert lab.event(10, event="mail_verdict", message_id="<slow@outside.test>", result="deferred")["why"] == \
        "no answer in its time"
    # what was acknowledged is not bounced but held; a person lets it go
    listed = wait_until(lambda: "held" in (said := lab.ctl("queue", "list").stdout) and said, 15)
    assert "554 5.7.1 refused as spam: Gtube pattern" in listed, listed
    number = answers[1].split()[-1]
    assert "verdict reject 15.00 of 15.00: GTUBE" in lab.ctl("queue", "show", number).stdout
    lab.ctl("queue", "retry", number)
    assert "Sekisho-Spam: yes; score=15.00/15.00" in lab.arrived("slowspam")
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")


@real
def test_a_restart_judges_what_was_not(lab):
    lab.rspamd.signal(signal.SIGSTOP)
    assert lab.send(mail("restart")).startswith("250 2.0.0 kept as ")
    os.kill(lab.mail_pid(), signal.SIGKILL)
    time.sleep(1)
    lab.rspamd.signal(signal.SIGCONT)
    assert any(f.startswith("Authentication-Results: ") for f in lab.arrived("restart", seconds=30))


@real
def test_a_verdict_is_kept_with_its_mail(lab):
    port = lab.city.port
    lab.city.close()
    assert lab.send(mail("kept", sender="a@wary.test"), "a@wary.test").startswith("250 2.0.0 kept as ")
    assert lab.line("kept")["action"] == "add header"
    lab.rspamd.close()
    os.kill(lab.mail_pid(), signal.SIGKILL)
    lab.city = Hop(port)
    lab.threads.append(lab.city)
    head = lab.arrived("kept", seconds=30)
    assert [f for f in head if f.startswith("Sekisho-Spam: yes; ")] and any("dmarc=fail" in f for f in head), head


def test_without_it_nothing_is_lost(lab):
    lab.rspamd.close()
    before = len(lab.city.mails)
    answer = lab.send(mail("down"))
    assert re.fullmatch(r"451 4\.7\.1 not judged now: come again \([0-9A-Z-]+\)", answer), answer
    assert lab.line("down")["why"] == "Connection refused"
    assert lab.ctl("queue", "list").stdout == "" and len(lab.city.mails) == before
    lab.with_rspamd('when_down = "accept";')
    assert lab.send(mail("accepted")).startswith("250 2.0.0 delivered as ")
    assert not [f for f in lab.arrived("accepted") if f.startswith("Authentication")]
    lab.with_rspamd('when_down = "hold";')
    answer = lab.send(mail("held"))
    assert answer.startswith("250 2.0.0 kept as "), answer
    assert "held      <taro@city.test> 554 5.7.1 not judged" in lab.ctl("queue", "list").stdout
    # a person decides, also behind a restart
    os.kill(lab.mail_pid(), signal.SIGKILL)
    number = answer.split()[-1]
    wait_until(lambda: number in lab.ctl("queue", "list", check=False).stdout)
    lab.ctl("queue", "retry", number)
    lab.arrived("held")
    lab.with_rspamd()
    if REAL:
        lab.rspamd.start()
        assert lab.send(mail("up")).startswith("250 2.0.0 delivered as ")


def test_strange_answers_are_none(lab):
    strange = Strange()
    lab.threads.append(strange)
    lab.with_rspamd(port=strange.port)
    for i, answer in enumerate((b"", b"EX_OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                                b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 600000)):
        strange.answer = answer
        assert lab.send(mail(f"strange{i}")).startswith("451 4.7.1 not judged now"), answer[:40]
    for action in ("soft reject", "greylist"):
        strange.says(action)
        assert lab.send(mail(action.replace(" ", ""))).startswith(f"451 4.7.1 not judged now: {action}")
    strange.says("no action")
    content = mail("fine", b".\r\n..\r\nb\r\n")
    assert lab.send(content.replace(b"\r\n.", b"\r\n.."), "", to="Taro@city.test").startswith("250 ")
    head, body = strange.asked[-1]
    assert body == content
    assert head.startswith(b"POST /checkv2 HTTP/1.1\r\n") and b"\r\nIP: 203.0.113.5\r\nHelo: mx.good.test\r\n" \
        b"From: <>\r\nRcpt: <Taro@city.test>\r\nQueue-Id: " in head and b"\r\nMTA-Name: mx.pref.test\r\n" in head, head
    lab.with_rspamd('reject = "hold"; size_max = 2000; mark_all = true;', strange.port)
    assert lab.send(mail("ham")).startswith("250 ")
    assert "Sekisho-Spam: no; score=3.50/15.00" in lab.arrived("ham")
    strange.says("reject")
    held = [lab.send(mail("holdme")), lab.send(mail("large", b"x\r\n" * 1000))]
    assert all(a.startswith("250 2.0.0 kept as ") for a in held), held
    listed = lab.ctl("queue", "list").stdout
    assert listed.count("held") == 2 and "too large to be judged" in listed, listed
    for a in held:
        lab.ctl("queue", "drop", a.split()[-1])
    # it goes before the answer comes
    lab.with_rspamd(port=strange.port)
    strange.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        t.say("MAIL FROM:<a@plain.test>\r\nRCPT TO:<taro@city.test>\r\n", 2)
        t.say("DATA\r\n")
        t.s.sendall(mail("gone") + b".\r\n")
        time.sleep(0.3)
    time.sleep(0.3)
    assert not [c for *_, c in lab.city.mails if b"<gone@" in c] and lab.ctl("queue", "list").stdout == ""


def test_so_many_are_asked_at_once(lab):
    strange = Strange()
    lab.threads.append(strange)
    strange.says("no action")
    strange.delay = 0.2
    lab.with_rspamd("connections_max = 2;", strange.port)
    answers = []
    threads = [threading.Thread(target=lambda i=i: answers.append(lab.send(mail(f"many{i}", b"x" * 70 + b"\r\n"))))
               for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == 8 and all(a.startswith("250 2.0.0 delivered as ") for a in answers), answers
    assert strange.most == 2, strange.most


def test_nobody_is_asked_about_what_persons_let_go(lab):
    strange = Strange()
    lab.threads.append(strange)
    strange.says("no action")
    lab.with_rspamd(port=strange.port)
    content = store_module.mail(attachments=[("請求書.exe", store_module.PROGRAM)])
    number = lab.send(content, to="hanako@toge.test").split()[-1]
    before = len(lab.toge.mails)
    strange.says("reject")
    asked = len(strange.asked)
    store_module.quarantine(lab, "release", number, who="hanako")
    store_module.quarantine(lab, "approve", number, who="taro")
    got = wait_until(lambda: lab.toge.mails[before:])[0][2]
    assert got.endswith(content) and len(strange.asked) == asked, (got[:400], strange.asked[asked:])


def test_a_virus_is_refused_before_the_answer(lab):
    strange = Strange()
    lab.threads.append(strange)
    strange.says("no action")
    lab.with_rspamd(port=strange.port)
    assert lab.send(mail("clean"), to="hanako@toge.test").startswith("250 2.0.0 delivered as ")
    head = lab.arrived("clean", lab.toge)
    assert [f for f in head if f.startswith("Sekisho-Detox: ")], head
    # its signature is of the whole object
    import base64
    virus = (b"From: a@plain.test\r\nTo: taro@city.test\r\nMessage-ID: <virus@outside.test>\r\nMIME-Version: 1.0\r\n"
             b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n'
             b'Content-Disposition: attachment; filename="a.com"\r\nContent-Transfer-Encoding: base64\r\n\r\n' +
             base64.b64encode(detox_module.EICAR) + b"\r\n--b--\r\n")
    answer = lab.send(virus, to="hanako@toge.test")
    assert answer.startswith("554 5.7.1 the mail cannot be made harmless: "), answer
    e = lab.event(10, event="mail_detoxed", message_id="<virus@outside.test>")
    assert e["refusal"] == "malware" and "clamd: Eicar-Test-Signature" in e["why"], e
    # clamd away: nothing passes, nothing is lost
    for p in lab.beside:
        if p.args[0] == "/usr/sbin/clamd":
            p.terminate()
            p.wait()
    assert lab.send(mail("unscanned"), to="hanako@toge.test").startswith("250 2.0.0 kept as ")
    assert not [c for *_, c in lab.toge.mails if b"<unscanned@" in c]
    lab.run_beside("/usr/sbin/clamd", "-c", lab.dir / "clamd.conf")
    lab.arrived("unscanned", lab.toge, 30)
