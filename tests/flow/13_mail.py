# SPDX-License-Identifier: Apache-2.0
"""Mails through sekishoctl detox; Python's email reads what came out, by each of its two ways."""
import email
import email.header
import email.policy
import hashlib
import importlib
import pathlib
import struct
import subprocess
from email.message import EmailMessage

detox = importlib.import_module("12_detox")
make = detox.make

MAIL = ("--declared", "message/rfc822", "--json")
PROGRAM = detox.PROGRAM
PROGRAMS = set("exe scr com bat cmd js vbs lnk hta ps1 msi pif cpl jar dll url".split())
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060"
                    "0000000400015c27a3340000000049454e44ae426082")


def name_of(part):
    name = part.get_filename()
    return name and str(email.header.make_header(email.header.decode_header(name)))


def parts(raw, policy):
    return [(p.get_content_type(), name_of(p), None if p.is_multipart() else
             hashlib.sha256(p.get_payload(decode=True)).hexdigest())
            for p in email.message_from_bytes(raw, policy=policy).walk()]


def check(raw):
    """What holds of every mail that comes out."""
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert max(map(len, raw.split(b"\r\n"))) <= 998 and max(raw) < 0x7f and 0 not in raw
    modern = parts(raw, email.policy.default)
    assert modern == parts(raw, email.policy.compat32)
    for part in email.message_from_bytes(raw, policy=email.policy.default).walk():
        assert not part.defects, part.defects
        assert (name_of(part) or "").rsplit(".", 1)[-1].lower() not in PROGRAMS
    return modern


def run(place, raw, *more):
    status, report, out = place.detox(raw, "mail", *MAIL, *more)
    assert status == 0 and report["format"] == "mail", (report, place.said)
    check(out)
    return report, email.message_from_bytes(out, policy=email.policy.default)


def letter():
    m = EmailMessage()
    m["From"] = "山田 太郎 <yamada@city.test>"
    m["To"] = "a@b.test"
    m["Subject"] = "①見積書の件㈱"
    m["Date"] = "Mon, 3 Feb 2025 10:00:00 +0900"
    return m


def test_a_mail_comes_out_whole(place):
    m = letter()
    m.set_content("本文です。\n")
    m.add_alternative('<p>本文 <img src="cid:a"><img src="http://t.test/p.gif"><script>x</script></p>', subtype="html")
    m.get_payload()[1].add_related(PNG, "image", "png", cid="<a>")
    m.add_attachment(detox.docm(), maintype="application", subtype="octet-stream", filename="計画.docm")
    m.add_attachment(PROGRAM, maintype="application", subtype="pdf", filename="請求書.pdf")
    report, out = run(place, m.as_bytes(policy=email.policy.SMTP))
    assert out["Subject"] == m["Subject"] and out["From"] == m["From"]
    text = out.get_body(("plain",)).get_content()
    assert text.startswith("本文です。\r\n") or text.startswith("本文です。\n")
    assert "除いたもの" in text and "macro x1" in text
    page = out.get_body(("html",)).get_content()
    assert "cid:a" in page and "t.test" not in page and "<script" not in page and "除いたもの" in page
    named = [p for p in out.walk() if name_of(p) and p.get_content_maintype() != "image"]
    assert [name_of(p) for p in named] == ["計画.docx", "removed-1.txt"]
    note = named[1].get_content()
    assert "請求書.pdf" in note and hashlib.sha256(PROGRAM).hexdigest() in note
    assert {"what": "program", "where": "請求書.pdf", "count": 1,
            "sha256": hashlib.sha256(PROGRAM).hexdigest()} in report["removals"]
    again = place.detox(m.as_bytes(policy=email.policy.SMTP), "mail", *MAIL)[1]
    assert again["output"] == report["output"]


TEXTS = "日本語の本文。①㈱、ｶﾅ、〜～－−‖∥¢£¬。髙﨑"


def test_japanese_texts_stay_readable(place):
    for charset, text in (("iso-2022-jp", "日本語の本文。"), ("iso-2022-jp", "〜−‖"), ("cp932", TEXTS.replace("¬", "")),
                          ("euc_jp", "日本語の本文。"), ("utf-8", TEXTS), ("utf-16", TEXTS)):
        name = {"cp932": "Shift_JIS", "euc_jp": "EUC-JP"}.get(charset, charset)
        body = text.encode(charset, "replace")
        head = b"From: a@b.test\r\nContent-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: " % name.encode()
        _, out = run(place, head + b"base64\r\n\r\n" + email.base64mime.body_encode(body).encode())
        fold = str.maketrans("～－∥〜−‖￠￡￢", "〜−‖〜−‖¢£¬")
        wanted = text.encode(charset, "replace").decode(charset).translate(fold)
        assert out.get_content().strip().translate(fold) == wanted, (charset, out.get_content())
        if charset == "iso-2022-jp":
            assert out.get_content_charset() == "iso-2022-jp"
    body = b"\x1b$B-!-j\x1b(B\x1b(I12\x1b(B"
    _, out = run(place, b"From: a@b.test\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + body)
    assert out.get_content().strip() == "①㈱ｱｲ"


HOSTILE = [
    b"Content-Type: multipart/mixed; boundary=A; boundary=B\n\n--A\n\nx\n--B\n%s\n--B--\n--A--\n",
    b"Content-Type: multipart/mixed; boundary=\"A\nContent-Type: text/plain\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed; boundary*0=A; boundary*1=B\n\n--AB\n%s\n--AB--\n",
    b"Content-Type: multipart/mixed; boundary*=utf-8''%%41\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed;\n boundary=A (B)\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed; boundary=A \n\n--A \t\n%s\n--A-- \n",
    b"Content-Type : multipart/mixed; boundary=A\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed boundary=A\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed; boundary=A\n\n--A\r%s\r--A--\r",
    b"Content-Type: multipart/mixed; boundary=A\n\n--A\n%s",
    b"Content-Type: multipart/mixed; boundary=A\n\n--A--\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed; boundary=AB\n\n--A\n%s\n--AB\n%s\n--AB--\n",
    b"Content-Type: multipart/mixed; boundary=A\nContent-Transfer-Encoding: base64\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed; boundary=\n\n--\n%s\n----\n",
    b"Content-Type: MULTIPART/MIXED; BOUNDARY=A\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/mixed; boundary=A\n\n%s\n--A\n\nx\n--A--\n%s",
    b"Content-Type: multipart/mixed; boundary=A\n X: y\n\n--A\n%s\n--A--\n",
    b"X: y\nno field\nContent-Type: multipart/mixed; boundary=A\n\n--A\n%s\n--A--\n",
    b"Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=A\n\n--A\n%s\n--A--\n",
    b"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=A\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/unheard-of; boundary=A\n\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/related; boundary=A; start=\"<b>\"\n\n--A\nContent-ID: <a>\n\nx\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/signed; boundary=A\n\n--A\n%s\n--A\n%s\n--A--\n",
    b"Content-Type: multipart/form-data; boundary=A\n\n--A\n%s\n--A--\n",
    b"\xef\xbb\xbfContent-Type: multipart/mixed; boundary=A\n\n--A\n%s\n--A--\n",
    b"\nContent-Type: multipart/mixed; boundary=A\n\n--A\n%s\n--A--\n",
]

ATTACHED = [
    b"Content-Disposition: attachment; filename=a.exe\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAAEAAAA\n",
    b"Content-Type: text/plain; name=\"a.txt\"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAAEAAAA\n",
    b"Content-Type: image/png\nContent-Transfer-Encoding: BASE64 (x)\n\nT V q Q = A A M AAAAEAAAA\n",
    b"Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 a.exe\n/35J0  ,    $    __\\  \n`\nend\n",
    b"\nbegin 644 a.exe\n/35J0  ,    $    __\\  \n`\nend\n",
    b"Content-Type: application/ms-tnef; name=winmail.dat\n\nx\n",
    b"Content-Transfer-Encoding: quoted-printable\nContent-Type: a/b; name=\"a.e=78e\"\n\n=4D=5A=90=00=03=00=00=00\n",
]


def test_no_program_is_hidden_in_any_structure(place):
    """However it stands there, no reader finds it in what comes out."""
    for i, structure in enumerate(HOSTILE):
        for attached in (ATTACHED * 2)[i % len(ATTACHED):][:3]:
            raw = b"From: a@b.test\n" + structure.replace(b"%%", b"%").replace(b"%s", attached)
            status, report, out = place.detox(raw, "mail", *MAIL)
            assert status == 0, (raw, report)
            check(out)
            for part in email.message_from_bytes(out, policy=email.policy.compat32).walk():
                if not part.is_multipart():
                    content = part.get_payload(decode=True)
                    assert not content.startswith(b"MZ") and b"\nbegin 644" not in content, (raw, out)


def named(kind, name, value):
    return struct.pack("<HH", kind, name) + value


def counted(b):
    return struct.pack("<II", 1, len(b)) + b + bytes(-len(b) % 4)


def attribute(level, number, value):
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) & 0xffff)


def tnef():
    utf16 = lambda s: counted((s + "\0").encode("utf-16-le"))
    page = '<p>頁<script>x</script></p>'.encode()
    properties = struct.pack("<I", 2) + named(0x1f, 0x37, utf16("件名")) + named(0x102, 0x1013, counted(page))
    files = b""
    for name, content in (("計画.csv", b"a,b\r\n"), ("tool.exe", PROGRAM)):
        files += attribute(2, 0x69002, bytes(14)) + attribute(2, 0x6800f, content) + attribute(
            2, 0x69005, struct.pack("<I", 1) + named(0x1f, 0x3707, utf16(name)))
    return b"\x78\x9f\x3e\x22\0\0" + attribute(1, 0x69007, struct.pack("<II", 932, 0)) + attribute(
        1, 0x69003, properties) + files


def test_winmail_dat_may_have_names_of_any_length(place):
    for n in (1, 56, 57, 58, 114, 400):
        name = "a" * n
        utf16 = lambda s: counted((s + "\0").encode("utf-16-le"))
        properties = struct.pack("<I", 2) + named(0x1f, 0xc1a, utf16(name)) + named(0x1f, 0xc1f, utf16("a@b.test"))
        mail = b"\x78\x9f\x3e\x22\0\0" + attribute(1, 0x69003, properties)
        status, report, out = place.detox(mail, "winmail.dat", "--json")
        assert status == 0, (n, report)
        said = email.message_from_bytes(out)["From"]
        assert name[:200] in str(email.header.make_header(email.header.decode_header(said))), (n, out)


def test_winmail_dat_gives_what_is_in_it(place):
    m = letter()
    m.set_content("本文\n")
    m.add_attachment(tnef(), maintype="application", subtype="ms-tnef", filename="winmail.dat")
    _, out = run(place, m.as_bytes(policy=email.policy.SMTP))
    assert [name_of(p) for p in out.walk() if name_of(p)] == ["計画.csv", "removed-1.txt"]
    pages = [p.get_content() for p in out.walk() if p.get_content_type() == "text/html"]
    assert len(pages) == 1 and "頁" in pages[0] and "script>" not in pages[0]
    status, report, out = place.detox(tnef(), "winmail.dat", "--json")
    assert status == 0 and report["format"] == "tnef" and report["extension"] == "eml", report
    check(out)
    assert email.message_from_bytes(out, policy=email.policy.default)["Subject"] == "件名"
    assert place.detox(tnef()[:200], "winmail.dat", "--json")[0] == 0


def test_what_is_signed_comes_without_its_signature(place):
    key, cert, source = (str(place.dir / n) for n in ("key.pem", "cert.pem", "in.txt"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", cert, "-subj", "/CN=a"], check=True, capture_output=True)
    pathlib.Path(source).write_bytes(b"Content-Type: text/plain\r\n\r\nhello\r\n")
    for how in (["smime", "-sign", "-nodetach", "-signer", cert, "-inkey", key], ["smime", "-sign", "-signer", cert, "-inkey", key],
                ["cms", "-sign", "-nodetach", "-stream", "-signer", cert, "-inkey", key]):
        raw = subprocess.run(["openssl", *how, "-in", source], check=True, capture_output=True).stdout
        report, out = run(place, raw)
        assert out.get_content_type() == "text/plain" and out.get_content().strip() == "hello", out
        assert [r for r in report["removals"] if r["what"] == "signature"], report
    raw = subprocess.run(["openssl", "cms", "-encrypt", "-in", source, cert], check=True, capture_output=True).stdout
    status, report, _ = place.detox(raw, "mail", *MAIL)
    assert status == 2 and report["refusal"]["reason"] == "encrypted"


def test_a_strict_profile_lets_no_page_pass(place):
    m = letter()
    m.set_content("<p>頁 <a href='http://a.test/'>link</a></p>", subtype="html")
    _, out = run(place, m.as_bytes(policy=email.policy.SMTP), "--profile", "strict")
    assert out.get_content_type() == "text/plain" and "頁 link" in out.get_content()
    _, out = run(place, m.as_bytes(policy=email.policy.SMTP))
    assert out.get_content_type() == "text/html"


def test_charsets_that_the_c_library_would_open_files_for(place):
    for charset in ("EUC-TW", "ISO-2022-KR", "EBCDIC-JP-E", "UTF-7", "x-unknown", "cp50221"):
        raw = (f"From: =?{charset}?B?gqA=?= <a@b.test>\r\nSubject: =?{charset}?Q?=82=a0?=\r\n"
               f"Content-Type: text/plain; charset={charset}; name*={charset}''%82%a0.txt\r\n\r\n\x82\xa0\r\n")
        run(place, raw.encode("latin-1"))


def test_a_flood_is_refused(place):
    for raw, why in ((b"Content-Type: message/rfc822\n\n" * 50000, "depth"),
                     (b"X: y\n" * 100000, "entries"),
                     (b"Content-Type: multipart/mixed; boundary=B\n\n" + b"--B\n\n" * 100000, "entries")):
        status, report, _ = place.detox(raw, "mail", *MAIL)
        assert status == 2 and report["refusal"]["reason"] == why, report
        assert report["us"] < 2000000
