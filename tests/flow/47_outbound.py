# SPDX-License-Identifier: Apache-2.0
"""What bodies send: signed, to whom, how much, when; and what stops it."""
import base64
import email
import email.policy
import importlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from email.message import EmailMessage

sys.path.insert(0, os.path.dirname(__file__))
from lab import CITY, STRANGER, TOWN, openssl, wait_until  # noqa: E402

mail_module = importlib.import_module("41_mail")
detox_module = importlib.import_module("36_detoxed")

ROUTES = """
inbound = ( {{ name = "city"; body = "990019"; domains = ["city.test", "*.city.test"]; side = "lgwan";
    detox = "none"; verify_recipients = false; {city} }},
  {{ name = "toge"; body = "990027"; domains = ["toge.test"]; side = "internet"; detox = "none";
    verify_recipients = false; {toge} }} );
outbound = ( {{ name = "partner"; domains = ["partner.test"]; detox = "none"; {partner} }},
  {{ name = "rebuilt"; domains = ["rebuilt.test"]; detox = "standard"; {partner} }},
  {{ name = "few"; domains = ["few.test"]; detox = "none"; external_max = 3; {partner} }},
  {{ name = "bcc"; domains = ["bcc.test"]; detox = "none"; external_max = 3; external_over = "bcc"; {partner} }},
  {{ name = "bcc-rebuilt"; domains = ["bcc-rebuilt.test"]; detox = "standard"; external_max = 3;
     external_over = "bcc"; {partner} }},
  {{ name = "ask"; domains = ["ask.test"]; detox = "none"; external_max = 3; external_over = "hold";
     {partner} }},
  {{ name = "later"; domains = ["later.test"]; detox = "none"; delay = 4; {partner} }},
  {{ name = "looked-into"; domains = ["looked.test"]; detox = "none"; inspect = ["residents"]; {partner} }},
  {{ name = "both"; domains = ["both.test"]; detox = "standard"; inspect = ["residents", "words"]; {partner} }} );
dkim = ( {{ body = "990019"; domain = "city.test"; selector = "rsa"; key = "city-rsa.pem"; }},
  {{ body = "990019"; domain = "city.test"; selector = "ed"; key = "city-ed.pem"; }},
  {{ body = "990019"; domain = "tax.city.test"; selector = "tax"; key = "city-ed.pem"; }} );
"""

MAIL = ("From: =?UTF-8?B?5biC?= <{sender}>\r\nTo: b@partner.test\r\nSubject:  two  blanks \r\n"
        "Message-ID: <{id}@city.test>\r\nDate: Fri, 27 Nov 2026 09:00:00 +0900\r\n\r\n"
        "hello \t world  \r\n.\r\n\r\n..\r\nend\r\n\r\n\r\n")


def many(mail_id, to, cc=""):
    return (f"From: taro@city.test\r\nTo: {to}\r\nSubject: many\r\n" + (f"Cc: {cc}\r\n" if cc else "") +
            f"Message-ID: <{mail_id}@city.test>\r\nDate: Fri, 27 Nov 2026 09:00:00 +0900\r\n\r\nhello\r\n")


POLICY = """
dlp = (
  { name = "residents"; block = ["individual 1"]; warn = ["pension 1"]; log = ["card 1"]; reason_ja = "番号"; },
  { name = "words"; block = ["keyword 1"]; keywords = ["部外秘"]; reason_ja = "部外秘"; } );
default = ( { name = "lab"; verdict = "allow"; zones = ["internet"]; destinations = ["lab.test"]; reason_ja = "試験"; } );
"""
NUMBERS = "123456789018", "621498320257", "983205673214"  # published test vectors


def letter(mail_id, subject="お知らせ", text="本文です。\n", html=None, files=(), charset="utf-8", cte=None):
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"], m["Subject"] = "taro@city.test", "b@partner.test", subject
    m["Message-ID"], m["Date"] = f"<{mail_id}@city.test>", "Fri, 27 Nov 2026 09:00:00 +0900"
    m.set_content(text, charset=charset, cte=cte)
    if html:
        m.add_alternative(html, subtype="html")
    for name, data in files:
        m.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return m.as_bytes()


def document(text):
    """A .docm whose text is that."""
    was, detox_module.TEXT = detox_module.TEXT, text
    try:
        return detox_module.docm()
    finally:
        detox_module.TEXT = was


def make(build):
    lab = mail_module.MailLab(build, mail="sender_distinct_per_hour = 70; sender_failed_per_hour = 5;")
    hops = {n: f'next_hops = ( {{ host = "127.0.0.1"; port = {getattr(lab, n).port}; tls = "none"; }} );'
            for n in ("city", "toge", "partner")}
    lab.write_routes(ROUTES.format(**hops))
    lab.write_policy(POLICY)
    lab.records = {}
    for name, how in (("rsa", ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")), ("ed", ("ED25519",))):
        key = lab.dir / f"city-{name}.pem"
        openssl("genpkey", "-algorithm", *how, "-out", key)
        der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        p = base64.b64encode(der if name == "rsa" else der[-32:])
        record = f"v=DKIM1; k={'rsa' if name == 'rsa' else 'ed25519'}; p={p.decode()}"
        lab.records[f"{name}._domainkey.city.test."] = record
        if name == "ed":
            lab.records["tax._domainkey.tax.city.test."] = record
    return lab


def send(lab, content, sender="taro@city.test", to=("b@partner.test",), source=CITY):
    with lab.talk(source) as t:
        content = content if isinstance(content, bytes) else content.encode()
        return t.send(re.sub(rb"(?m)^\.", b"..", content), sender, list(to))[-1]


def arrived(hop, what, seconds=10):
    """The mails at a hop that have these bytes, waited for."""
    return wait_until(lambda: [c for *_, c in hop.mails if what in c], seconds)


def signatures(lab, content):
    """Domain, selector and whether it holds, of each."""
    done = subprocess.run(["/usr/bin/python3", pathlib.Path(__file__).parent / "dkim_peer.py"],
                          input=json.dumps({"mail": content.decode("latin-1"), "records": lab.records}),
                          capture_output=True, text=True, check=True)
    return [tuple(s) for s in json.loads(done.stdout)]


def verified(lab, content):
    """Domains and selectors of its signatures, all of which must hold."""
    found = signatures(lab, content)
    assert all(good for *_, good in found), (found, content)
    return [(domain, selector) for domain, selector, _ in found]


def test_a_bodys_mail_is_signed_as_it_is_sent(lab):
    answer = send(lab, MAIL.format(sender="taro@city.test", id="signed"))
    assert answer.startswith("250 2.0.0 delivered as "), answer
    got = arrived(lab.partner, b"signed@")[0]
    assert got.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"), got
    assert verified(lab, got) == [("city.test", "rsa"), ("city.test", "ed")]
    for change in ((b"hello", b"hallo"), (b"two", b"2"), (b"b@partner.test\r\n", b"c@partner.test\r\n"),
                   (b"From: ", b"From: evil@city.test\r\nFrom: ")):
        assert not any(good for *_, good in signatures(lab, got.replace(*change, 1))), change
    assert lab.event(event="mail_recipient", route="partner")["dkim"] == "city.test"


def test_a_rebuilt_mail_is_signed_as_it_was_rebuilt(lab):
    answer = send(lab, MAIL.format(sender="taro@city.test", id="anew"), to=["b@rebuilt.test"])
    assert answer.startswith("250 2.0.0 delivered as "), answer
    got = arrived(lab.partner, b"anew@")[0]
    assert b"Sekisho-Detox: " in got
    assert verified(lab, got) == [("city.test", "rsa"), ("city.test", "ed")]


def test_the_longest_domain_signs(lab):
    for i, (author, want) in enumerate((("x@tax.city.test", [("tax.city.test", "tax")]),
                                        ("x@a.tax.city.test", [("tax.city.test", "tax")]),
                                        ("x@school.city.test", [("city.test", "rsa"), ("city.test", "ed")]))):
        assert send(lab, MAIL.format(sender=author, id=f"long-{i}")).startswith("250")
        assert verified(lab, arrived(lab.partner, b"long-%d@" % i)[0]) == want, author


def test_what_is_not_the_bodys_is_not_signed(lab):
    two = MAIL.replace("To:", "From: b@city.test\r\nTo:")
    for i, (mail, author, sender, source) in enumerate((
            (MAIL, "x@toge.test", "taro@city.test", CITY),       # another body's From
            (MAIL, "x@partner.test", "taro@city.test", CITY),    # a stranger's
            (MAIL, "x@mycity.test", "taro@city.test", CITY),
            (MAIL, "x@city.test, y@city.test", "taro@city.test", CITY),
            (two, "x@city.test", "taro@city.test", CITY),
            (MAIL, "x@city.test", "hanako@toge.test", TOWN))):   # another body's mail
        assert send(lab, mail.format(sender=author, id=f"not-{i}"), sender, source=source).startswith("250")
        assert b"DKIM-Signature" not in arrived(lab.partner, b"not-%d@" % i)[0], author
    assert send(lab, MAIL.format(sender="x@city.test", id="outside"), "a@outside.test", ["t@city.test"],
                STRANGER).startswith("250")
    assert b"DKIM-Signature" not in arrived(lab.city, b"outside@")[0]


def test_a_key_that_cannot_be_read_stops_the_start(lab):
    key = lab.dir / "city-ed.pem"
    good = key.read_text()
    conf = lab.dir / "mail.conf"
    routes = conf.read_text()
    check = [lab.build / "sekishod", "-t", "-c", lab.dir / "sekisho.conf"]
    for change, want in (
            (('domain = "tax.city.test"', 'domain = "toge.test"'), 'domain "toge.test" is not one of 990019\'s'),
            (('selector = "ed"', 'selector = "rsa"'), 'selector "rsa" of "city.test" is given twice'),
            (('selector = "ed"', 'selector = "e d"'), 'selector is "e d", expected')):
        conf.write_text(routes.replace(*change))
        done = subprocess.run(check, capture_output=True, text=True)
        assert done.returncode == 1 and want in done.stderr + done.stdout, done
    conf.write_text(routes)
    key.write_text("no key")
    lab.ctl("reload", check=False)
    e = wait_until(lambda: [e for e in lab.journal() if "holds no private key" in e.get("text", "")])
    assert "mail.conf:" in e[-1]["text"], e
    key.write_text(good)
    assert send(lab, MAIL.format(sender="taro@city.test", id="still")).startswith("250"), "the old one goes on"


def test_many_that_see_each_other_are_refused(lab):
    four = "a@x.test, \"b@q.test, \" <b@x.test>,\r\n c@x.test"
    for i, (to, cc, want) in enumerate((
            ("a@few.test, b@x.test", "c@few.test, t@city.test, h@toge.test", "250"),  # three, and two of ours
            ("a@few.test, A@FEW.test, a@few.test", "b@x.test (again), c@x.test", "250"),
            (four, "d@few.test", "554 5.7.1 more than 3 addresses outside"),
            ("t@city.test", "g: " + four + ", d@x.test;", "554 5.7.1 "),
            ("a@few.test, <b@x.test", "c@x.test, ,", "250"),
            ("a@few.test, nobody, no body", "c@x.test", "554 5.7.1 "))):
        answer = send(lab, many(f"few-{i}", to, cc), to=["d@few.test", "t@city.test"])
        assert answer.startswith(want), (to, cc, answer)
    assert "Bcc ni shite kudasai" in send(lab, many("few-x", four, "d@x.test"), to=["d@few.test"])
    wait_until(lambda: [c for *_, c in lab.city.mails if b"few-1@" in c])
    assert not [c for *_, c in lab.city.mails + lab.partner.mails if b"few-2@" in c or b"few-5@" in c], \
        "neither of the two went"
    e = lab.event(event="mail_refused", stage="outbound")
    assert (e["rule"], e["body"]) == ("external_max", "990019") and e["file"].endswith("mail.conf"), e
    # who is hidden already is no matter, nor is who writes to the bodies
    assert send(lab, many("few-bcc", "undisclosed-recipients:;"), to=[f"{i}@few.test" for i in range(9)])[:3] == "250"
    assert send(lab, many("few-in", four, four + ", z@x.test"), to=["t@city.test"])[:3] == "250"


def test_many_that_see_each_other_are_hidden(lab):
    to = ", ".join(f"p{i}@bcc.test" for i in range(4))
    for name in ("bcc", "bcc-rebuilt"):
        answer = send(lab, many(name, to, "taro@city.test"), to=[f"p0@{name}.test", f"p1@{name}.test"])
        assert answer.startswith("250 2.0.0 delivered"), answer
        got = arrived(lab.partner, b"<" + name.encode() + b"@")[0]
        head = got.partition(b"\r\n\r\n")[0]
        assert head.count(b"\r\nTo: undisclosed-recipients:;") == 1 and b"\r\nCc:" not in head, got
        assert b"p0@bcc" not in got and b"Subject: many\r\n" in got and b"hello" in got, got
        assert verified(lab, got) == [("city.test", "rsa"), ("city.test", "ed")]
    assert send(lab, many("bcc-few", "p1@bcc.test"), to=["p1@bcc.test"]).startswith("250")
    assert b"To: p1@bcc.test\r\n" in arrived(lab.partner, b"bcc-few@")[0]


def test_many_that_see_each_other_wait_for_a_person(lab):
    to = ", ".join(f"p{i}@ask.test" for i in range(4))
    answer = send(lab, many("ask", to), to=["p0@ask.test", "h@toge.test"])
    assert answer.startswith("250 2.0.0 kept as "), answer
    number = answer.split()[-1]
    arrived(lab.toge, b"ask@")  # who is none of them has it
    shown = lab.ctl("queue", "show", number).stdout
    assert "held" in shown and "<p0@ask.test> 450 4.7.1 held for a supervisor" in shown, shown
    assert lab.event(event="mail_recipient", result="held")["recipient"] == "p0@ask.test"
    lab.ctl("reload")  # it is still held, and can still be let go, by the next process
    wait_until(lambda: number in lab.ctl("queue", "list").stdout)
    assert not [c for *_, c in lab.partner.mails if b"<ask@" in c]
    lab.ctl("queue", "retry", number)
    got = arrived(lab.partner, b"<ask@")[0]
    assert b"p3@ask.test" in got
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")


def test_a_taken_over_mailbox_is_held(lab):
    """Limits are low for this one sender alone, as each counts for itself."""
    mail = MAIL.format(sender="spam@city.test", id="flood-{}")
    answers = [send(lab, mail.format(i), "spam@city.test", [f"r{i}-{k}@partner.test" for k in range(20)])
               for i in range(4)]
    assert [a[:14] for a in answers] == ["250 2.0.0 deli"] * 3 + ["250 2.0.0 kept"], answers
    number = answers[-1].split()[-1]
    shown = lab.ctl("queue", "show", number).stdout
    assert shown.count("held      <") == 20 and "(sender_distinct_per_hour)" in shown, shown
    assert send(lab, mail.format("x"), "SPAM@city.test")[:14] == "250 2.0.0 kept"
    e = lab.event(event="mail_flood")
    assert (e["sender"], e["body"], e["limit"], e["recipients"]) == (
        "spam@city.test", "990019", "sender_distinct_per_hour", 80), e
    time.sleep(0.3)
    assert len(lab.events("mail_flood")) == 1, "it is told once"
    assert send(lab, MAIL.format(sender="taro@city.test", id="calm"))[:14] == "250 2.0.0 deli"
    assert not [c for *_, c in lab.partner.mails if b"flood-3@" in c]
    lab.ctl("queue", "retry", number)
    arrived(lab.partner, b"flood-3@")
    lab.ctl("queue", "drop", lab.ctl("queue", "list").stdout.split()[0])
    assert lab.ctl("queue", "list").stdout == ""


def test_a_mailbox_that_writes_to_nobody_is_held(lab):
    """Names that are guessed: no route, or no such recipient at a next hop."""
    lab.partner.on["rcpt"] = lambda line: "550 5.1.1 who?" if "<guess" in line else "250 ok"
    with lab.talk(CITY) as t:
        t.say("EHLO a\r\n")
        t.say("MAIL FROM:<guess@city.test>\r\n")
        for i in range(4):
            assert t.say(f"RCPT TO:<a{i}@nowhere.test>\r\n")[:3] == "550"
    def guess(to):
        return send(lab, MAIL.format(sender="guess@city.test", id=to), "guess@city.test", [f"{to}@partner.test"])
    assert guess("guess1")[:3] == "550"
    assert guess("known1")[:14] == "250 2.0.0 deli", "five are no more than five"
    assert guess("guess2")[:3] == "550"
    answer = guess("known2")
    assert answer[:14] == "250 2.0.0 kept", answer
    lab.partner.on.clear()
    e = lab.event(event="mail_flood", sender="guess@city.test")
    assert (e["limit"], e["failed"]) == ("sender_failed_per_hour", 6), e
    lab.ctl("queue", "drop", answer.split()[-1])


def test_a_mail_can_be_undone_for_a_while(lab):
    def later(mail_id, to=("b@later.test",)):
        begun = time.monotonic()
        answer = send(lab, MAIL.format(sender="taro@city.test", id=mail_id), to=to)
        assert answer.startswith("250 2.0.0 kept as "), answer
        return answer.split()[-1], begun

    number, begun = later("later", ["b@later.test", "h@toge.test"])
    arrived(lab.toge, b"later@")  # who does not wait has it
    undone, _ = later("undone")
    hurried, _ = later("hurried")
    shown = lab.ctl("queue", "show", number).stdout
    assert re.search(r"waiting +<b@later.test> 450 4.7.1 waits [345] s, and can be dropped \(delay of later\)",
                     shown) and re.search("next in [1-4] s", shown), shown
    lab.ctl("queue", "drop", undone)
    lab.ctl("queue", "retry", hurried)
    arrived(lab.partner, b"hurried@", 2)
    assert time.monotonic() - begun < 3 and not [c for *_, c in lab.partner.mails if b"later@" in c]
    arrived(lab.partner, b"later@")
    assert time.monotonic() - begun >= 4
    # the seconds go on while no process runs
    number, begun = later("killed")
    os.kill(lab.mail_pid(), signal.SIGKILL)
    time.sleep(0.5)
    assert number in wait_until(lambda: lab.ctl("queue", "list", check=False).stdout)
    assert not [c for *_, c in lab.partner.mails if b"killed@" in c]
    arrived(lab.partner, b"killed@")
    assert 4 <= time.monotonic() - begun < 9, time.monotonic() - begun
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")
    assert not [c for *_, c in lab.partner.mails if b"undone@" in c]


def test_individual_numbers_are_held(lab):
    a, b, c = NUMBERS
    wide = a.translate({ord("0") + i: chr(0xff10 + i) for i in range(10)})
    held = {
        "subject": dict(subject=f"マイナンバー {a}"),
        "apart": dict(subject="個人番号について", text=f"{b}\n"),
        "wide": dict(text=f"個人番号は{wide}です。\n"),
        "groups": dict(text=f"個人番号: {b[:4]} {b[4:8]} {b[8:]}\n", cte="quoted-printable"),
        "jis": dict(text=f"個人番号は {c} です。\n", charset="iso-2022-jp"),
        "html": dict(html=f"<p>個人<b>番号</b>: {c[:5]}<i>{c[5:]}</i></p>"),
        "table": dict(files=[("名簿.csv", f"氏名,個人番号\r\n関所太郎,{c}\r\n".encode("cp932"))]),
        "word": dict(files=[("申請書.docm", document(f"個人番号 {b} 関所花子"))]),
        "mail": dict(files=[("転送.eml", letter("inner", text=f"個人番号 {a}\n"))]),
        "name": dict(text="マイナンバー\n", files=[(f"個人番号{a}.txt", b"hello")]),
        "pension": dict(text="基礎年金番号 1234-567890\n"),
    }
    numbers = {}
    for name, what in held.items():
        answer = send(lab, letter(name, **what), to=["b@looked.test"])
        assert answer.startswith("250 2.0.0 kept as "), (name, answer)
        numbers[name] = answer.split()[-1]
        shown = lab.ctl("queue", "show", numbers[name]).stdout
        assert "held      <b@looked.test> 450 4.7.1 held for a supervisor: it has what must not leave" in shown, shown
    e = lab.event(event="found", mail=numbers["wide"])
    assert (e["way"], e["rule"], e["kind"], e["verdict"], e["distinct"], e["sender"], e["body"]) == (
        "mail", "residents", "individual", "block", 1, "taro@city.test", "990019"), e
    assert re.fullmatch("[0-9a-f]{32}", e["hashes"]) and "context" not in e, e
    assert e["hashes"] == lab.event(event="found", mail=numbers["subject"])["hashes"], "it is the same number"
    log = (lab.dir / "log" / "journal.jsonl").read_text() + lab.ctl("queue", "list").stdout
    assert not [n for n in (*NUMBERS, wide, "567890") if n in log]
    assert not [c for *_, c in lab.partner.mails if b"<wide@" in c or b"<word@" in c]
    lab.ctl("reload")
    wait_until(lambda: numbers["wide"] in lab.ctl("queue", "list").stdout)
    lab.ctl("queue", "retry", numbers["wide"])
    arrived(lab.partner, b"<wide@")
    for name, number in numbers.items():
        if name != "wide":
            lab.ctl("queue", "drop", number)
    assert lab.ctl("queue", "list").stdout == ""


def test_other_mail_goes_on(lab):
    a, b, c = NUMBERS
    for name, what, to in (("plain", {}, "looked"), ("digits", dict(text=f"受付番号 {a}\n"), "looked"),
                           ("card", dict(text="カード番号 4012888888881881\n"), "looked"),
                           ("secret", dict(text="部外秘\n"), "looked"),
                           ("known", dict(files=[("計画.docm", document("計画です"))]), "both"),
                           ("any", dict(text=f"個人番号 {a}\n"), "partner")):
        answer = send(lab, letter(name, **what), to=[f"b@{to}.test"])
        assert answer.startswith("250 2.0.0 delivered as "), (name, answer)
        got = arrived(lab.partner, b"<" + name.encode() + b"@")[0]
        assert verified(lab, got) == [("city.test", "rsa"), ("city.test", "ed")]
    assert lab.event(event="found", kind="card")["verdict"] == "log"
    answer = send(lab, letter("words", files=[("計画.docm", document("部外秘"))]), to=["b@both.test"])
    assert answer.startswith("250 2.0.0 kept as "), answer
    assert lab.event(event="found", kind="keyword")["rule"] == "words"
    lab.ctl("queue", "retry", answer.split()[-1])
    assert b"Sekisho-Detox: " in arrived(lab.partner, b"<words@")[0]


def test_what_cannot_be_looked_into_now_waits(lab):
    deep = letter("deep")
    for i in range(12):
        deep = letter(f"deep-{i}", files=[("m.eml", deep)])
    answer = send(lab, deep, to=["b@looked.test"])
    assert answer.startswith("250 2.0.0 "), answer
    os.kill(lab.children()["detox"], signal.SIGKILL)
    answer = send(lab, letter("no-sandbox"), to=["b@looked.test"])
    assert answer[:3] == "250", answer
    arrived(lab.partner, b"<no-sandbox@", 20)
