# SPDX-License-Identifier: Apache-2.0
"""Mail from those who mean harm, and next hops that do what they may not:
smuggling, floods, silence, a full spool, death at every moment."""
import importlib
import os
import random
import re
import signal
import socket
import struct
import threading
import time

from lab import CITY, STRANGER, free_port, wait_until
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
                         "recipient_bad_ttl = 0; recipient_ok_ttl = 0; connect_timeout = 2; reply_timeout = 2;")

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


