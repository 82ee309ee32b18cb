# SPDX-License-Identifier: Apache-2.0
"""Mail from who pretends to be of here: reasons, points, a warning to see."""
import importlib
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from lab import TOWN, wait_until  # noqa: E402

detox_module = importlib.import_module("46_mail_detox")


def make(build):
    # Who writes for the first time is told of apart.
    lab = detox_module.make(build)
    lab.extra = lab.extra.replace("mail = {", "mail = { first_contact_days = 0;")
    lab.write_settings()
    return lab


WARNS = "差出人の表示名は、庁内の名前に似せてあります。"


def send(lab, head, source="127.0.9.9", sender="a@evil.test"):
    content = (head + "To: hanako@toge.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n本文\r\n").encode()
    with lab.talk(source) as t:
        answer = t.send(content, sender, ["hanako@toge.test"])[-1]
    assert answer.startswith("250 2.0.0 delivered as "), answer
    m = detox_module.delivered(lab.toge)
    e = wait_until(lambda: [e for e in lab.events("mail_recipient") if e["mail"] == answer.split()[-1]])[0]
    return m, m.get_body(("plain",)).get_content(), e


def test_a_mail_that_imitates_a_body_warns(lab):
    m, text, e = send(lab, 'From: "Sekisho City Hall" <a@evil.test>\r\n')
    assert WARNS in text and "imitates a name of this office" in text and "本文" in text, text
    assert m["Sekisho-Suspect"] == "imitates; points=40", m.items()
    assert (e["suspect"], e["suspect_points"]) == ("imitates", 40), e


def test_a_mail_that_uses_a_bodys_domain_in_its_header_warns(lab):
    m, text, e = send(lab, "From: <mayor@toge.test>\r\nReply-To: <m@free.test>\r\n")
    assert WARNS in text and "返信先は差出人のアドレスと異なります。" in text, text
    assert e["suspect"] == "forges,reply_to", e


def test_few_points_are_told_to_the_journal_alone(lab):
    m, text, e = send(lab, "From: <a@evil.test>\r\nReply-To: <m@free.test>\r\n")
    assert "返信先" not in text, text
    assert e["suspect"] == "reply_to" and m["Sekisho-Suspect"] == "reply_to; points=20", e


def test_usual_mail_and_bodies_are_not_judged(lab):
    m, text, e = send(lab, "From: <a@partner.test>\r\n")
    assert m["Sekisho-Suspect"] is None and "suspect" not in e, e
    m, text, e = send(lab, 'From: "峠町" <b@toge.test>\r\n', TOWN, "b@toge.test")
    assert m["Sekisho-Suspect"] is None and text.strip() == "本文", text


def test_what_the_sender_writes_of_itself_is_not_kept(lab):
    m, text, e = send(lab, "Sekisho-Suspect: none\r\nSekisho-Order: ref=x\r\nSekisho-Detox: unchanged\r\n"
                      'From: "Sekisho City" <a@evil.test>\r\n')
    assert m.get_all("Sekisho-Suspect") == ["imitates; points=40"] and len(m.get_all("Sekisho-Detox")) == 1
    assert m["Sekisho-Order"] is None and WARNS in text


def test_a_first_mail_is_told_apart(lab):
    lab.extra = lab.extra.replace("first_contact_days = 0;", "first_contact_days = 90; banner_score = 10;")
    lab.write_settings()
    lab.ctl("reload")
    who = "From: <new@partner.test>\r\n"
    m, text, e = send(lab, who)
    assert "この差出人からのメールは初めてです。" in text and "first mail from this sender" in text, text
    assert (e["suspect"], e["suspect_points"]) == ("first_contact", 10), e
    # now he is known, after a reload and the death of who knows it, too
    os.kill(lab.children()["store"], signal.SIGKILL)
    lab.ctl("reload")
    wait_until(lambda: "store" in lab.children())
    m, text, e = send(lab, who)
    assert text.strip() == "本文" and "suspect" not in e and m["Sekisho-Suspect"] is None, (text, e)
    m, text, e = send(lab, "From: <other@partner.test>\r\n")
    assert e["suspect"] == "first_contact", e
    assert b"new@partner.test" not in b"".join(p.read_bytes() for p in (lab.dir / "store").iterdir())
