# SPDX-License-Identifier: Apache-2.0
"""What was laid among separated data is known wherever it is seen: in what leaves and what comes by the web, in
mail and in files that are handed over. An incident of the highest degree tells so, and nothing of the canary."""
import gzip
import hashlib
import importlib
import json
import os
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(__file__))
from lab import CITY, STRANGER, TOWN, accept_websocket, read_head, wait_until  # noqa: E402

handover = importlib.import_module("92_handover").HandoverLab
inspections = importlib.import_module("34_inspections")
mail_module = importlib.import_module("41_mail")
outbound = importlib.import_module("47_outbound")
detoxed = importlib.import_module("36_detoxed")

NUMBER = "123456789018"      # the ministry's test vector
OTHER = "621498320257"       # another one, which nobody registered
WRONG = "983205673210"       # a third with a wrong check digit: nobody's for sure
MARKER = "霞が関 花子"
MAILBOX = "hanako+bait@lab.test"
PAIR = "fuku&co=z"
BAIT = b"%PDF-1.7 as it were\n" + bytes(range(256)) * 40
BODY_MAX = 8 << 20           # kept back of a body until it is judged

SETTINGS = """
isolation = {{ crossings = "log/crossings.jsonl"; suspensions = "run/suspensions"; lgwan = ["10.9.0.0/16"]; }};
systems = ( {{ name = "city-juki"; body = "990019"; addresses = ["127.0.3.10"]; certificate = "{one}";
    purposes = ["住民基本台帳に関する事務"]; owner = "市民課"; endpoints = ["chukan"]; probe_key = "none"; }},
  {{ name = "city-zei"; body = "990019"; addresses = ["127.0.3.11"]; certificate = "{two}";
    purposes = ["税"]; owner = "税務課"; endpoints = ["chukan"]; probe_key = "none"; }} );
leak_canaries = ( {{ name = "juki-1"; numbers = ["{number}"]; system = "city-juki"; owner = "監査"; }},
  {{ name = "nobody"; numbers = ["{wrong}"]; markers = ["{marker}", "{mailbox}", "{pair}"]; owner = "監査"; }},
  {{ name = "bait-file"; files = ["bait.pdf"]; owner = "監査"; }} );
handover = {{ folder = "handover"; ways = (
  {{ name = "to-lgwan"; title_ja = "LGWAN 接続系へ"; from = "internet"; to = "lgwan"; profile = "standard";
    approval = "none"; }} ); }};
"""
POLICY = """
default = ( { name = "lab"; zones = ["internet"]; destinations = ["lab.test"]; verdict = "allow"; reason_ja = "可"; } );
"""


class CanaryLab(mail_module.MailLab):
    page, ticket, give = handover.page, handover.ticket, handover.give

    def __init__(self, build):
        super().__init__(build, mail="", hosts={"up.lab.test": "127.0.0.1", "down.lab.test": "127.0.0.1"},
                         policy=POLICY)
        self.received, self.answer, self.heads, self.heard = [], b"", [], []
        self.up = self.origin(lambda s: inspections.keep(self, s), tls=True, alpn=["http/1.1"])
        self.down = self.origin(lambda s: inspections.answer(self, s), tls=True, alpn=["http/1.1"])
        self.talks = self.origin(lambda s: inspections.websocket(self, s), tls=True, alpn=["http/1.1"])
        (self.dir / "bait.pdf").write_bytes(BAIT)
        self.extra += SETTINGS.format(one="1" * 64, two="2" * 64, number=NUMBER, wrong=WRONG, marker=MARKER,
                                      mailbox=MAILBOX, pair=PAIR)
        self.write_settings()

    def count(self):
        return len(self.events("canary_seen"))

    def incident(self, where):
        e = self.event(event="incident", where=where)
        assert e["degree"] == "highest" and e["how"] == "canary", e
        return e

    def standing(self, system):
        rows = json.loads(self.ctl("separation", "list", "--json").stdout)["systems"]
        return next(r["standing"] for r in rows if r["system"] == system)


def make(build):
    return CanaryLab(build)


def curl(lab, *args, **kw):
    return inspections.curl(lab, *args, **kw)


def test_it_does_not_leave_by_the_web(lab):
    packed = lab.dir / "packed"
    packed.write_bytes(gzip.compress(f'{{"a": "{WRONG}"}}'.encode()))
    bait = lab.dir / "bait.pdf"
    form = urllib.parse.urlencode({"x": MARKER})
    for canary, way, args, path in (
            ("nobody", "up", ("-d", f"n=9832-0567-3210"), "/"),
            ("nobody", "up", ("-d", form), "/"),
            ("nobody", "up", ("-H", "Content-Type: application/json", "-d", json.dumps({"n": MARKER})), "/"),
            ("nobody", "up", ("-H", "Content-Type: application/json", "-H", "Content-Encoding: gzip",
                              "--data-binary", f"@{packed}"), "/"),
            ("bait-file", "up", ("-F", f"file=@{bait}"), "/"),
            ("bait-file", "up", ("-T", bait), "/x"),
            ("nobody", "head", (), f"/p/{WRONG}/x"),
            ("nobody", "head", (), f"/?q={WRONG}"),
            ("nobody", "head", (), f"/?q={urllib.parse.quote(MARKER)}"),
            ("nobody", "head", ("-H", f"Cookie: id={WRONG}"), "/"),
            ("nobody", "head", ("-H", f"X-Any: {WRONG}"), "/"),
            ("nobody", "head", (), f"/{MAILBOX}"),
            ("nobody", "head", (), f"/?q={urllib.parse.quote(MAILBOX, safe='')}"),
            ("nobody", "head", ("-H", f"Cookie: who={MAILBOX}"), "/"),
            ("nobody", "head", ("-H", f"X-Any: {PAIR}"), "/"),
            ("nobody", "head", (), f"/?q={urllib.parse.quote(PAIR, safe='')}")):
        for version in inspections.VERSIONS:
            inspections.forget(lab)
            before = lab.count()
            status, body = curl(lab, version, *args, path=path)
            assert status == 403, (way, args, path, status, body)
            assert b"must not leave" in body and b"canar" not in body.lower() and WRONG.encode() not in body.replace(path.encode(), b""), body
            assert not any(lab.received), (args, path, "the origin was asked")
            wait_until(lambda: lab.count() == before + 1)
            e = lab.events("canary_seen")[-1]
            assert (e["canary"], e["way"], e["body"], e["host"], e["client"], e["level"]) == (
                canary, way, "990019", "up.lab.test", CITY, "ALERT"), e


def test_it_does_not_leave_behind_a_body(lab):
    """A field behind the last chunk is one of the request, too (RFC 9110 section 6.5)."""
    for kind in ("text/plain", "application/grpc"):
        for body in (b"", b"2\r\nab\r\n"):
            inspections.forget(lab)
            before = lab.count()
            with lab.tls("up.lab.test", port=lab.up) as s:
                s.sendall(f"POST / HTTP/1.1\r\nHost: up.lab.test:{lab.up}\r\nContent-Type: {kind}\r\n"
                          "Transfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n".encode() + body +
                          f"0\r\nX-End: {WRONG}\r\n\r\n".encode())
                assert b" 403 " in read_head(s), (kind, body)
            wait_until(lambda: lab.count() == before + 1)
            assert not inspections.sent_to_origin(lab, WRONG.encode())


def test_it_does_not_leave_in_a_name(lab):
    """Of an HTTPS request the name goes to name servers and to the origin before there is a request."""
    for name in (f"{WRONG}.lab.test", f"a.{WRONG[:6]}.{WRONG[6:]}.lab.test"):
        for version in inspections.VERSIONS:
            before = lab.count()
            status, body = curl(lab, version, host=name)
            assert status == 403 and b"must not leave" in body, (name, status, body)
            wait_until(lambda: lab.count() == before + 1)
            assert lab.events("canary_seen")[-1]["way"] == "head"
            assert not [e for e in lab.events("exchange") if e.get("host") == name and e.get("answer") == "unreachable"]


def test_what_is_not_one_leaves(lab):
    for args, path in ((("-d", f"n={OTHER}"), "/"), (("-d", f"n={WRONG[:11]}1"), "/"), ((), f"/p/{WRONG[:11]}"),
                       (("-d", "霞が関"), "/")):
        before = lab.count()
        assert curl(lab, *args, path=path)[0] == 200, (args, path)
        assert lab.count() == before


def test_a_longer_body_is_cut(lab):
    """The origin has its beginning, and never the canary."""
    part = lab.dir / "long"
    part.write_bytes(b"x\n" * (BODY_MAX // 2) + WRONG.encode() + b"\n" + b"y\n" * 100000)
    inspections.forget(lab)
    before = lab.count()
    curl(lab, "-H", "Content-Type: text/plain", "--data-binary", f"@{part}")
    wait_until(lambda: lab.count() == before + 1)
    assert not inspections.sent_to_origin(lab, WRONG.encode())


def test_what_comes_passes_and_is_told(lab):
    """It has left somewhere else; who reads it is warned by nothing."""
    for canary, kind, body in (("nobody", b"text/html", f"<p>{MARKER}</p>".encode()),
                               ("nobody", b"application/json", json.dumps({"n": WRONG}).encode()),
                               ("bait-file", b"application/pdf", BAIT)):
        for coding in (b"", b"Content-Encoding: gzip\r\n"):
            sent = gzip.compress(body) if coding else body
            lab.answer = (b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n" + coding +
                          b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(sent) + sent)
            before = lab.count()
            status, got = curl(lab, "--compressed", host="down.lab.test", port=lab.down)
            assert (status, got) == (200, body), (canary, status)
            wait_until(lambda: lab.count() == before + 1)
            e = lab.events("canary_seen")[-1]
            assert (e["canary"], e["way"], e["host"]) == (canary, "down", "down.lab.test"), e


def test_an_incident_of_the_highest_degree_tells(lab):
    e = lab.incident(f"canary nobody, address {CITY}")
    assert e["from"] == CITY and e["suspended"] == 0 and "nobody, web" in e["what"], e
    assert lab.standing("city-juki") == lab.standing("city-zei") == "unstated"
    curl(lab, "-d", f"n={WRONG}", source=TOWN)
    assert lab.incident(f"canary nobody, address {TOWN}")["number"] != e["number"]
    status = lab.ctl("status").stdout
    assert "canary nobody" in status, status


def test_the_system_it_was_laid_in_is_suspended_within_a_second(lab):
    assert lab.standing("city-juki") == "unstated"
    begun = time.monotonic()
    curl(lab, "-d", f"n={NUMBER}")
    wait_until(lambda: lab.standing("city-juki") == "suspended", 1)
    assert time.monotonic() - begun < 2
    assert lab.standing("city-zei") == "unstated"
    e = lab.incident(f"canary juki-1, address {CITY}")
    assert e["suspended"] == 1
    s = lab.event(event="separation_suspended", system="city-juki", incident=e["number"])
    assert "juki-1" in s["text"], s


def test_a_flood_is_one_incident(lab):
    before = len(lab.events("incident"))
    for _ in range(40):
        curl(lab, "-d", f"n={NUMBER}")
    time.sleep(1.5)
    assert len(lab.events("incident")) == before
    got = json.loads(lab.ctl("separation", "list", "--json").stdout)
    counts = [i["count"] for i in got["incidents"] if i["where"] == f"canary juki-1, address {CITY}"]
    assert counts and counts[0] >= 41, got["incidents"]


def test_websockets_are_looked_into(lab):
    before = lab.count()
    with lab.tls("up.lab.test", port=lab.talks) as s:
        s.sendall(f"GET /chat HTTP/1.1\r\nHost: up.lab.test:{lab.talks}\r\nConnection: Upgrade\r\n"
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        head = read_head(s)
        assert b" 101 " in head, head
        data = f"id {WRONG} ".encode()
        mask = b"\x01\x02\x03\x04"
        s.sendall(bytes([0x81, 0x80 | len(data)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))
        got = s.recv(100)
        assert got[:1] == b"\x88" and int.from_bytes(got[2:4], "big") == 1008, got
    wait_until(lambda: lab.count() == before + 1)
    assert lab.events("canary_seen")[-1]["way"] == "websocket"


def test_mail_out_is_held(lab):
    for n, more in enumerate(({"text": f"番号は {WRONG} です\n"}, {"subject": MARKER}, {"html": f"<p>{MARKER}</p>"},
                              {"files": [("a.bin", BAIT)]}, {"files": [("a.docm", outbound.document(MARKER))]},
                              {"text": f"番号は {WRONG} です\n", "charset": "iso-2022-jp"})):
        before = lab.count()
        reply = outbound.send(lab, outbound.letter(f"out{n}", **more))
        assert reply.startswith("250 "), (more, reply)
        wait_until(lambda: lab.count() == before + 1)
        e = lab.events("canary_seen")[-1]
        assert (e["way"], e["route"], e["body"]) == ("mail", "partner", "990019"), e
        assert e["canary"] == ("bait-file" if n == 3 else "nobody"), e
        lab.event(event="mail_recipient", mail=e["mail"], result="held")
    assert not lab.partner.mails
    assert outbound.send(lab, outbound.letter("fine", text=f"番号は {OTHER} です\n")).startswith("250 ")
    outbound.arrived(lab.partner, b"fine@")


def test_mail_out_is_looked_at_as_it_is(lab):
    """Where nobody reads a text: other fields, what surrounds parts, links; a name with a dot."""
    plain = outbound.letter("raw").split(b"\r\n\r\n")[0].decode()
    for n, mail in enumerate((f"X-Any: {WRONG}\r\n{plain}\r\n\r\na\r\n",
                              f"Comments: {WRONG}\r\n{plain}\r\n\r\na\r\n",
                              plain.replace("text/plain", "text/html")
                              + f'\r\n\r\n<a href="http://x.test/{WRONG}">a</a>\r\n',
                              outbound.letter("raw", files=[(f"{MAILBOX}.txt", b"x")]))):
        before, had = lab.count(), len(lab.partner.mails)
        assert outbound.send(lab, mail).startswith("250 ")
        wait_until(lambda: lab.count() == before + 1)
        lab.event(event="mail_recipient", mail=lab.events("canary_seen")[-1]["mail"], result="held")
        assert len(lab.partner.mails) == had, n


def test_mail_out_that_cannot_be_looked_into_is_held(lab):
    """What makes all of it unreadable (here: more attachments than are opened) hides nothing."""
    many = [(f"{n}.txt", b"x") for n in range(600)]
    reply = outbound.send(lab, outbound.letter("hidden", text=f"番号は {WRONG} です\n", files=many))
    assert reply.startswith("250 "), reply
    e = lab.event(event="mail_recipient", result="held", mail=reply.split()[-1])
    assert "cannot be looked into" in str(e), e
    assert not any(b"hidden@" in m[-1] for m in lab.partner.mails)
    with lab.talk(STRANGER) as t:
        content = outbound.letter("in2", text="本文\n", files=many)
        assert t.send(content, "a@outside.test", ["taro@city.test"])[-1].startswith("250 ")
    outbound.arrived(lab.city, b"in2@")


def test_mail_in_passes_and_is_told(lab):
    before = lab.count()
    content = outbound.letter("in1", text=f"漏れています {WRONG}\n")
    with lab.talk(STRANGER) as t:
        assert t.send(content, "a@outside.test", ["taro@city.test"])[-1].startswith("250 ")
    outbound.arrived(lab.city, b"in1@")
    wait_until(lambda: lab.count() == before + 1)
    e = lab.events("canary_seen")[-1]
    assert (e["canary"], e["way"], e["client"]) == ("nobody", "mail", STRANGER), e
    lab.incident(f"canary nobody, address {STRANGER}")


def test_it_is_not_handed_over(lab):
    for name, content, canary in (("a.txt", f"{MARKER}\n".encode(), "nobody"), ("b.txt", f"x {WRONG}\n".encode(), "nobody"),
                                  ("c.docm", outbound.document(MARKER), "nobody"),
                                  (f"{MAILBOX}.txt", b"fine\n", "nobody")):
        before = lab.count()
        answer = lab.give((name, content))
        assert answer.status != 200 or "must not leave" in answer.body.decode(), (name, answer.body.decode())
        wait_until(lambda: lab.count() == before + 1)
        e = lab.events("canary_seen")[-1]
        assert (e["canary"], e["way"], e["client"]) == (canary, "to-lgwan", CITY), e
    answer = lab.give(("d.txt", b"fine\n"))
    assert answer.status == 200 and "must not leave" not in answer.body.decode()


def test_nothing_of_it_is_told(lab):
    digest = hashlib.sha256(BAIT).hexdigest()
    text = (lab.dir / "log" / "journal.jsonl").read_text() + lab.ctl("separation", "list").stdout
    for said in (f"n={NUMBER}", NUMBER, WRONG, "9832-0567-3210", MARKER):
        # but for what the journal says of every request: its path
        lines = [t for t in text.splitlines() if said in t and '"event":"exchange"' not in t]
        assert not lines, lines
    assert digest not in text


def test_wrong_settings_leave_the_old_in_force(lab):
    conf = lab.dir / "sekisho.conf"
    good = conf.read_text()
    conf.write_text(good.replace(f'numbers = ["{WRONG}"]', 'numbers = ["1"]'))
    done = lab.ctl("reload", check=False)
    assert done.returncode != 0 and "numbers has what is no number" in done.stdout + done.stderr, done
    conf.write_text(good)
    assert curl(lab, "-d", f"n={WRONG}")[0] == 403


def test_without_them_nothing_is_looked_for(lab):
    conf = lab.dir / "sekisho.conf"
    text = conf.read_text()
    begin = text.index("leak_canaries = (")
    conf.write_text(text[:begin] + text[text.index("handover = {", begin):])
    lab.ctl("reload")
    wait_until(lambda: curl(lab, "-d", f"n={WRONG}")[0] == 200)
    explained = subprocess.run([lab.build / "sekishoctl", "explain", "-c", conf, "--from", CITY,
                                "https://up.lab.test/"], capture_output=True, text=True)
    assert "leak" not in explained.stdout, explained.stdout
