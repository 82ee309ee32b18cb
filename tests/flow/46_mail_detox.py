# SPDX-License-Identifier: Apache-2.0
"""Mail is made harmless on its way, in the sandbox, before its sender's answer."""
import email
import email.policy
import importlib
import os
import re
import signal
import sys
import time
from email.message import EmailMessage

sys.path.insert(0, os.path.dirname(__file__))
from lab import TOWN, wait_until  # noqa: E402
from mail_peer import Hop  # noqa: E402

mail_module = importlib.import_module("41_mail")
detox_module = importlib.import_module("36_detoxed")

ROUTES = """
inbound = ( {{ name = "city"; body = "990019"; domains = ["city.test"]; side = "lgwan"; detox = "strict";
    verify_recipients = false; next_hops = ( {{ host = "127.0.0.1"; port = {city}; tls = "none"; }} ); }},
  {{ name = "toge"; body = "990027"; domains = ["toge.test"]; side = "internet"; detox = "standard";
    verify_recipients = false; next_hops = ( {{ host = "127.0.0.1"; port = {toge}; tls = "none"; }} ); }} );
"""


def make(build):
    lab = mail_module.MailLab(build)
    lab.write_routes(ROUTES.format(city=lab.city.port, toge=lab.toge.port))
    return lab


def mail(subject="無害化", attachments=(), html=None, text="本文です。\n"):
    m = EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"], m["Subject"] = "送信者 <a@outside.test>", "hanako@toge.test", subject
    m["Message-ID"], m["Date"] = "<detox@outside.test>", "Fri, 27 Nov 2026 09:00:00 +0900"
    m.set_content(text)
    if html:
        m.add_alternative(html, subtype="html")
    for name, data in attachments:
        m.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return m.as_bytes()


def send(lab, content, to="hanako@toge.test"):
    with lab.talk() as t:
        return t.send(content, to=[to])[-1]


def delivered(hop, n=-1):
    return email.message_from_bytes(wait_until(lambda: hop.mails)[n][2], policy=email.policy.default)


def test_an_attachment_comes_without_its_macros(lab):
    document = detox_module.docm()
    answer = send(lab, mail(attachments=[("計画.docm", document)]))
    assert answer.startswith("250 2.0.0 delivered as "), answer
    m = delivered(lab.toge)
    part = next((p for p in m.walk() if p.get_filename()), None)
    assert part is not None, m.as_string()
    assert part.get_filename() == "計画.docx", part.get_filename()
    assert part.get_content()[:2] == b"PK" and b"vbaProject" not in part.get_content()
    assert "本文です。" in m.get_body(("plain",)).get_content()
    assert m["Subject"] == "無害化" and m["Message-ID"] == "<detox@outside.test>"
    assert re.match(r"sanitised; profile=standard; removed=.*macro:", m["Sekisho-Detox"]), m["Sekisho-Detox"]
    assert m["Sekisho-Order"] is None
    e = wait_until(lambda: lab.events("mail_detoxed"))[-1]
    assert e["result"] == "sanitised" and "macro:" in e["removed"] and e["route"] == "toge", e


def test_a_program_is_taken_out_and_said_so(lab):
    answer = send(lab, mail(attachments=[("請求書.exe", b"MZ" + bytes(500))]))
    assert answer.startswith("250 "), answer
    m = delivered(lab.toge)
    names = [p.get_filename() or "" for p in m.walk()]
    assert not [n for n in names if n.endswith(".exe")], names
    text = "".join(p.get_content() for p in m.walk() if p.get_content_type() == "text/plain")
    assert "請求書.exe" in text and "添付ファイルを取り除きました" in text, text
    # the reference with which the original is asked for
    assert answer.split()[-1] in text, text


def test_the_lgwan_side_gets_text(lab):
    answer = send(lab, mail(html='<p>本文<a href="https://example.test/">ここ</a></p>'
                            '<img src="http://tracker.test/a.gif">'), to="taro@city.test")
    assert answer.startswith("250 "), answer
    types = {p.get_content_type() for p in delivered(lab.city).walk() if not p.is_multipart()}
    assert types == {"text/plain"}, types


def test_what_cannot_be_made_harmless_is_refused_before_the_250(lab):
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 5000
    begun = time.monotonic()
    answer = send(lab, b"From: a@outside.test\r\nMIME-Version: 1.0\r\n" + nested + b"x\r\n")
    assert answer.startswith("554 5.7.1 the mail cannot be made harmless: "), answer
    assert time.monotonic() - begun < 3
    assert lab.ctl("queue", "list").stdout == ""


def japanese(text):
    return (b"From: a@outside.test\r\nTo: hanako@toge.test\r\nSubject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n"
            b"Content-Transfer-Encoding: 7bit\r\n\r\n" + text + b"\r\n")


def test_iso_2022_jp_stays_readable(lab):
    # what old mailers read stays as they read it
    assert send(lab, japanese(b"\x1b$B$4C4Ev<TMM\x1b(B")).startswith("250 ")
    m = delivered(lab.toge)
    assert m["Subject"] == "日本" and m.get_content_charset() == "iso-2022-jp"
    assert m.get_content().strip() == "ご担当者様"
    # what that charset has no sign for is UTF-8: NEC's row 13, half-width kana
    assert send(lab, japanese(b"\x1b$B-!-j4X=j\x1b(I6E\x1b(B")).startswith("250 ")
    m = delivered(lab.toge)
    assert m.get_content_charset() == "utf-8" and m.get_content().strip() == "①㈱関所ｶﾅ", m.get_content()


def test_a_detox_that_hangs_makes_the_spool_answer(lab):
    pid = lab.children()["detox"]
    os.kill(pid, signal.SIGSTOP)
    try:
        before = len(lab.toge.mails)
        answer = send(lab, mail(subject="hangs"))
        assert answer.startswith("250 2.0.0 kept as "), answer
        assert len(lab.toge.mails) == before
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: len(lab.toge.mails) > before, 10)
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")


def test_a_detox_that_dies_loses_nothing(lab):
    before = len(lab.toge.mails)
    pid = lab.children()["detox"]
    os.kill(pid, signal.SIGSTOP)
    with lab.talk() as t:
        t.say("EHLO a\r\n")
        t.say("MAIL FROM:<a@outside.test>\r\n")
        t.say("RCPT TO:<hanako@toge.test>\r\n")
        t.say("DATA\r\n")
        t.s.sendall(mail(subject="dies") + b".\r\n")
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        answer = t.read()
    assert answer.startswith("250 "), answer
    wait_until(lambda: len(lab.toge.mails) > before, 15)
    assert delivered(lab.toge)["Subject"] == "dies"


def test_between_bodies_it_is_made_harmless_too(lab):
    with lab.talk(TOWN) as t:
        answer = t.send(mail(attachments=[("a.exe", b"MZ" + bytes(100))]), "hanako@toge.test", ["taro@city.test"])[-1]
    assert answer.startswith("250 "), answer
    assert not [p for p in delivered(lab.city).walk() if (p.get_filename() or "").endswith(".exe")]
