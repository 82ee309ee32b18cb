# SPDX-License-Identifier: Apache-2.0
"""Files that are made harmless on their way through the proxy."""
import email
import email.policy
import email.utils
import gzip
import hashlib
import io
import os
import re
import subprocess
import time
import zipfile

from browser import chromium, prepare
from lab import CITY, TOWN, Lab, read_head, wait_until

MEDIA = "application/vnd.ms-word.document.macroEnabled.12"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEXT = "関所町の工事の計画"

POLICY = """
detox = ( { name = "harmless"; profile = "standard"; types = ["documents", "archives", "png"];
  reason_ja = "受け取るファイルは無害化します。"; reason_en = "Files are made harmless."; } );
must = ( { name = "look"; verdict = "allow"; inspect = ["harmless"]; reason_ja = "無害化"; } );
default = ( { name = "lab"; verdict = "allow"; zones = ["internet"]; destinations = ["lab.test"];
  reason_ja = "試験"; } );
"""


def packed(*entries):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in entries:
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return b.getvalue()


def docm(text=None):
    r = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    return packed(
        ("[Content_Types].xml", f'<Types xmlns="{types}"><Default Extension="rels" ContentType='
         '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="bin"'
         ' ContentType="application/vnd.ms-office.vbaProject"/><Override PartName="/word/document.xml"'
         ' ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/></Types>'),
        ("_rels/.rels", f'<Relationships xmlns="{package}"><Relationship Id="r1" Type='
         f'"{r}/officeDocument" Target="word/document.xml"/></Relationships>'),
        ("word/document.xml", f'<w:document xmlns:w="{w}"><w:body><w:p><w:r><w:t>{text or TEXT}</w:t></w:r>'
         '</w:p></w:body></w:document>'),
        ("word/_rels/document.xml.rels", f'<Relationships xmlns="{package}"><Relationship Id="r1"'
         ' Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject"'
         ' Target="vbaProject.bin"/></Relationships>'),
        ("word/vbaProject.bin", b"Attribute VB_Name"))


def make(build):
    lab = Lab(build, edges=2, settings="detox = { progress = 1; };\n", hosts={"files.lab.test": "127.0.0.1"})
    lab.files, lab.asked, lab.slow, lab.uploads = {}, [], {}, []
    lab.origin_port = lab.origin(lambda s: serve(lab, s), tls=True, alpn=["http/1.1"])
    lab.write_settings()
    lab.write_policy(POLICY)
    prepare(lab)
    return lab


def serve(lab, s):
    head = read_head(s)
    if not head:
        return
    text = head.decode("latin-1") if isinstance(head, bytes) else head
    lab.asked.append(text)
    method, path = text.split(" ")[:2]
    if path.startswith("/up"):
        take(lab, s, text)
        return
    status, fields, body = lab.files[path.partition("?")[0]]
    tag = re.search(r"(?im)^if-none-match: *(.*?)\r?$", text)
    own = dict(f.split(": ", 1) for f in fields).get("ETag")
    if own and tag and own in tag[1]:
        s.sendall(f"HTTP/1.1 304 Not Modified\r\nETag: {own}\r\nConnection: close\r\n\r\n".encode())
        return
    lines = "".join(f"{f}\r\n" for f in fields)
    s.sendall(f"HTTP/1.1 {status} OK\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
    if method != "HEAD":
        middle = len(body) // 2
        s.sendall(body[:middle])
        if path in lab.slow:
            time.sleep(lab.slow[path])
        s.sendall(body[middle:])


def take(lab, s, head):
    """An upload: its head and its body, as the origin has them."""
    length = int(re.search(r"(?i)content-length: (\d+)", head)[1])
    body = b""
    while len(body) < length:
        body += s.recv(65536) or exit("ended")
    lab.uploads.append((head, body))
    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


def get(lab, path, *args, source=CITY, language="en"):
    """Status, fields in small letters, body."""
    done = subprocess.run(
        ["curl", "-sS", "-m", "60", "--interface", source, "-x", f"http://127.0.0.1:{lab.port}",
         "--suppress-connect-headers", "--cacert", lab.proxy_ca.crt, "-H", f"Accept-Language: {language}", "-i", *args,
         f"https://files.lab.test:{lab.origin_port}{path}"], capture_output=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    while head.split(b" ")[1:2] == [b"100"]:
        head, _, body = body.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert done.returncode == 0, (done, head)
    return int(first.split()[1]), {n.lower(): v for n, v in (x.split(": ", 1) for x in lines)}, body


VERSIONS = ("--http1.1", "--http2")


def check_docx(status, fields, body):
    assert status == 200, (status, fields, body[:2000])
    z = zipfile.ZipFile(io.BytesIO(body))
    assert TEXT in z.read("word/document.xml").decode()
    assert not any("vba" in n for n in z.namelist())
    assert int(fields["content-length"]) == len(body)
    assert fields["content-type"] == DOCX
    assert fields["sekisho-detox"] == 'sanitised; removed="macro:1"', fields
    assert "content-encoding" not in fields and "accept-ranges" not in fields


def test_a_document_with_macros_arrives_without_them(lab):
    lab.files["/plan.docm"] = (200, [f"Content-Type: {MEDIA}", 'ETag: "v1"', "Accept-Ranges: bytes",
                                     "Last-Modified: Mon, 02 Nov 2026 00:00:00 GMT",
                                     "Sekisho-Detox: unchanged", "Digest: sha-256=AAAA"], docm())
    for version in VERSIONS:
        status, fields, body = get(lab, "/plan.docm", version)
        check_docx(status, fields, body)
        assert fields["content-disposition"] == "inline; filename=\"plan.docx\"; filename*=UTF-8''plan.docx"
        assert "last-modified" not in fields and "digest" not in fields
    line = lab.event(event="detoxed", way="down", type="ooxml")
    assert line["result"] == "sanitised" and line["removed"] == "macro:1" and line["profile"] == "standard"
    assert line["in_sha256"] == hashlib.sha256(docm()).hexdigest()
    assert line["out_sha256"] == hashlib.sha256(body).hexdigest()
    assert lab.event(event="exchange", id=line["id"])["path"] == "/plan.docm"


def test_its_declared_name_is_kept(lab):
    lab.files["/get"] = (200, ["Content-Type: application/octet-stream", "Content-Disposition: attachment;"
                               " filename*=UTF-8''%E8%A8%88%E7%94%BB.docm"], docm())
    status, fields, body = get(lab, "/get")
    check_docx(status, fields, body)
    assert fields["content-disposition"] == \
        "attachment; filename=\"______.docx\"; filename*=UTF-8''%E8%A8%88%E7%94%BB.docx"


def test_a_coded_body_is_made_harmless_too(lab):
    lab.files["/coded.docm"] = (200, [f"Content-Type: {MEDIA}", "Content-Encoding: gzip"], gzip.compress(docm()))
    check_docx(*get(lab, "/coded.docm", "-H", "Accept-Encoding: gzip"))


def test_a_lie_about_the_type_does_not_pass(lab):
    for declared, name in (("text/html; charset=utf-8", "/page"), ("image/png", "/a.png"),
                           ("application/octet-stream", "/a.bin"), ("video/mp4", "/a.mp4")):
        lab.files[name] = (200, [f"Content-Type: {declared}"], docm())
        status, fields, body = get(lab, name)
        assert status == 200 and fields["sekisho-detox"].startswith("sanitised"), (declared, fields)
        assert not any("vba" in n for n in zipfile.ZipFile(io.BytesIO(body)).namelist())
        assert fields["content-type"] == DOCX
    # what calls itself a document, and is none
    for name, declared in (("/report.docx", "image/x-none"), ("/report", "application/pdf")):
        lab.files[name] = (200, [f"Content-Type: {declared}"], b"\x01\x02\x03 no document" * 500)
        assert get(lab, name)[0] == 403


def test_what_is_not_meant_passes_as_it_is(lab):
    page = b"<!DOCTYPE html><script>go()</script>" + b"x" * 100000
    for name, declared in (("/", "text/html"), ("/report.pdf", "text/html; charset=utf-8")):
        lab.files[name] = (200, [f"Content-Type: {declared}", 'ETag: "p"'], page)
        status, fields, body = get(lab, name)
        assert (status, body, fields["etag"]) == (200, page, '"p"') and "sekisho-detox" not in fields
    lab.files["/empty.pdf"] = (200, ["Content-Type: application/pdf"], b"")
    assert get(lab, "/empty.pdf")[::2] == (200, b"")


def test_what_cannot_be_made_harmless_is_a_page_that_says_why(lab):
    lab.files["/a.zip"] = (200, ["Content-Type: application/zip"], packed(("a.txt", b"x"), ("a.txt", b"y")))
    for version in VERSIONS:
        status, fields, body = get(lab, "/a.zip", version)
        text = body.decode()
        assert status == 403 and "cannot be made harmless" in text and "entries have the same name" in text, text
        assert "Files are made harmless." in text and ">harmless<" in text
    line = lab.event(event="detoxed", result="refused", refusal="duplicate")
    assert line["rule"] == "harmless" and lab.event(event="exchange", path="/a.zip")["verdict"] == "block"
    japanese = get(lab, "/a.zip", language="ja")[2].decode()
    assert "このファイルは無害化できません" in japanese and "項目が重複しています" in japanese


def test_ranges_and_conditions_are_of_what_was_made(lab):
    lab.files["/t.docm"] = (200, [f"Content-Type: {MEDIA}", 'ETag: "v1"'], docm())
    status, fields, body = get(lab, "/t.docm")
    tag = fields["etag"]
    assert re.fullmatch('"v1;sekisho-[0-9a-f]{8}"', tag), tag
    status, fields, again = get(lab, "/t.docm", "-H", "Range: bytes=0-9", "-H", f"If-Range: {tag}")
    assert status == 200 and again == body, "the whole: its parts are nobody's"
    assert "range" not in lab.asked[-1].lower().replace("accept-range", "")
    status, fields, _ = get(lab, "/t.docm", "-H", f'If-None-Match: "x", {tag}')
    assert (status, fields["etag"]) == (304, tag)
    assert '"v1"' in lab.asked[-1] and "sekisho-" not in lab.asked[-1].lower().split("via")[0]
    # made under another policy
    status, _, _ = get(lab, "/t.docm", "-H", 'If-None-Match: "v1;sekisho-00000000"',
                       "-H", "If-Modified-Since: " + email.utils.formatdate(usegmt=True))
    assert status == 200 and "if-modified-since" not in lab.asked[-1].lower()
    status, fields, _ = get(lab, "/t.docm", "-I")
    assert fields["etag"] == tag and "content-length" not in fields


def look_into_files(lab):
    """What the policy asks of uploads besides: no number leaves, however it is packed."""
    lab.write_policy("""
dlp = ( { name = "residents"; block = ["individual 1"]; warn = ["keyword 1"]; keywords = ["部外秘"]; lasts = 60;
  reason_ja = "番号"; reason_en = "A number."; } );
""" + POLICY.replace('["harmless"]; reason_ja = "無害化"', '["harmless", "residents"]; reason_ja = "無害化"'))
    lab.ctl("reload")


def test_files_that_leave_are_looked_into(lab):
    number = "個人番号 123456789018"  # the ministry's test vector
    look_into_files(lab)
    try:
        for name, content, status in (("list.docm", docm(number), 403), ("list.zip", packed(("a/list.docm", docm(number))), 403),
                                      ("secret.docm", docm("部外秘の文書"), 403), ("plan.docm", docm(), 200),
                                      ("plan.zip", packed(("plan.docm", docm())), 200)):
            f = lab.dir / name
            f.write_bytes(content)
            for version in VERSIONS:
                for args in (("-T", f), ("-F", f"x=1", "-F", f"file=@{f}")):
                    sent = len(lab.uploads)
                    got, _, body = get(lab, "/up/" if args[0] == "-T" else "/up", version, *args)
                    assert got == status, (name, args, got, body[-800:])
                    assert len(lab.uploads) == sent + (status == 200), (name, args)
                    assert b"123456789018" not in body
        e = lab.event(event="found", way="file", kind="individual", verdict="block")
        assert e["rule"] == "residents" and e["distinct"] == 1, e
        assert lab.event(event="found", way="file", kind="keyword", verdict="warn")
    finally:
        lab.write_policy(POLICY)
        lab.ctl("reload")


def test_too_large_is_refused_before_it_is_read(lab):
    lab.files["/huge.pdf"] = (200, ["Content-Type: application/pdf"], b"%PDF-1.7\n" + b"0" * (300 << 20))
    status, _, body = get(lab, "/huge.pdf")
    assert status in (403, 503), status
    assert b"too large" in body or status == 503


def parts(head, body):
    """Of a form: name, file's name, type, content of each."""
    boundary = re.search(r"boundary=(\S+)", head)[1]
    message = email.message_from_bytes(f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n".encode()
                                       + body, policy=email.policy.HTTP)
    return [(p.get_param("name", header="content-disposition"), p.get_filename(), p.get_content_type(),
             p.get_payload(decode=True)) for p in message.iter_parts()]


def files(lab):
    f = lab.dir / "plan.docm"
    f.write_bytes(docm())
    t = lab.dir / "note.bin"
    t.write_bytes(bytes(range(256)) * 100)
    return f, t


def test_files_of_a_form_are_made_harmless(lab):
    f, t = files(lab)
    for version in VERSIONS:
        status, _, body = get(lab, "/up", version, "-F", f"plan=@{f};type={MEDIA}", "-F", "memo=一行\r\n二行",
                              "-F", f"other=@{t}", "-F", "empty=@/dev/null;filename=e.pdf")
        assert (status, body) == (200, b"ok"), (status, body)
        got = parts(*lab.uploads[-1])
        assert [g[:3] for g in got[1:]] == [("memo", None, "text/plain"), ("other", "note.bin", "application/octet-stream"),
                                            ("empty", "e.pdf", got[3][2])]
        assert got[0][:3] == ("plan", "plan.docx", DOCX), got[0][:3]
        z = zipfile.ZipFile(io.BytesIO(got[0][3]))
        assert TEXT in z.read("word/document.xml").decode() and not any("vba" in n for n in z.namelist())
        assert got[1][3].decode() == "一行\r\n二行" and got[2][3] == t.read_bytes() and got[3][3] == b""
    line = lab.event(event="detoxed", way="up", type="ooxml")
    assert line["result"] == "sanitised" and line["in_sha256"] == hashlib.sha256(docm()).hexdigest()


def test_a_file_by_itself_is_made_harmless(lab):
    f, _ = files(lab)
    for args in (("-T", f), ("-T", f, "-H", "Transfer-Encoding: chunked"),
                 ("--data-binary", f"@{f}", "-H", "Content-Type: image/png")):
        status, _, body = get(lab, "/up/plan.docm", *args)
        assert (status, body) == (200, b"ok"), (status, body)
        head, body = lab.uploads[-1]
        assert not any("vba" in n for n in zipfile.ZipFile(io.BytesIO(body)).namelist())


def test_what_cannot_be_made_harmless_is_not_sent(lab):
    f, _ = files(lab)
    bad = lab.dir / "bad.zip"
    bad.write_bytes(b"PK\x03\x04" + b"x" * 5000)
    sent = len(lab.uploads)
    for args in (("-F", f"a=@{f}", "-F", f"b=@{bad}"), ("-T", bad)):
        status, _, body = get(lab, "/up", *args)
        assert status == 403 and b"cannot be made harmless" in body, (status, body)
    b = "Content-Type: multipart/form-data; boundary=x"
    part = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
    for form in (part, part + "--x-", part + "--x--\r\nmore", "preamble\r\n" + part + "--x--",
                 part.replace("name=a", "name=a\r\nContent-Type: multipart/mixed; boundary=y") + "--x--",
                 part.replace("Content-D", "Content-Transfer-Encoding: base64\r\nContent-D") + "--x--",
                 part.replace("\r\n\r\n", "\n\n") + "--x--"):
        (lab.dir / "form").write_bytes(form.encode())
        status, _, body = get(lab, "/up", "-H", b, "--data-binary", f"@{lab.dir / 'form'}")
        assert status == 400, (form, status, body[-600:])
    (lab.dir / "form").write_bytes((part + "--x--").encode())
    assert get(lab, "/up", "-H", b, "--data-binary", f"@{lab.dir / 'form'}")[0] == 200
    assert len(lab.uploads) == sent + 1


def test_a_form_is_the_same_to_every_server(lab):
    sent = len(lab.uploads)
    file = b"--x\r\nContent-Disposition: form-data; name=f; filename=a.docm\r\n\r\n" + docm()
    field = b"\r\nContent-Disposition: form-data; name=a\r\n\r\n"
    for kind, form in (("multipart/form-data, a; boundary=x", file + b"\r\n--x--\r\n"),
                       ("multipart/form-data a; boundary=x", file + b"\r\n--x--\r\n"),
                       ("multipart/form-data; boundary=y; boundary=x", b"--y" + field + file + b"\r\n--x--\r\n--y--"),
                       ("multipart/form-data; boundary*0=x; boundary=y", b"--y" + field + file + b"\r\n--x--\r\n--y--"),
                       ("multipart/form-data; boundary=y,z", b"--y,z" + field + b"1\r\n--y,z--"),
                       ('multipart/form-data; boundary="\\x"', b"--\\x" + field + b"1\r\n--\\x--"),
                       ("multipart/form-data; boundary=x", b"--x" + field + b"1\n" + file + b"\r\n--x--"),
                       ("multipart/form-data; boundary=x", b"--x" + field + b"1\r" + file + b"\r\n--x--"),
                       ("multipart/form-data; boundary=x", b"--x" + field + file + b"\r\n--x--")):
        (lab.dir / "form").write_bytes(form)
        status, _, body = get(lab, "/up", "-H", f"Content-Type: {kind}", "--data-binary", f"@{lab.dir / 'form'}")
        assert status == 400 and len(lab.uploads) == sent, (kind, status, body[-600:])


def test_a_file_in_a_conversation_is_cut_off(lab):
    f, _ = files(lab)
    sent = len(lab.uploads)
    for kind in ("text/event-stream", "application/grpc", "multipart/x-mixed-replace; boundary=x"):
        name = "Content-Disposition: attachment; filename=a.docm"
        lab.files["/talk"] = (200, [f"Content-Type: {kind}"], docm())
        lab.files["/saved"] = (200, [f"Content-Type: {kind}", name], docm())
        lab.files["/said"] = (200, [f"Content-Type: {kind}"], b"data: a\n\n" * 9000)
        for version in VERSIONS:
            done = subprocess.run(
                ["curl", "-s", "-m", "20", "-x", f"http://127.0.0.1:{lab.port}", "--cacert", lab.proxy_ca.crt, version,
                 "--interface", CITY, f"https://files.lab.test:{lab.origin_port}/talk"], capture_output=True)
            assert done.returncode not in (0, 28) and done.stdout == b"", done
            check_docx(*get(lab, "/saved", version))
            assert get(lab, "/said", version)[::2] == (200, b"data: a\n\n" * 9000)
    for version in VERSIONS:
        status, _, _ = get(lab, "/up", version, "--data-binary", f"@{f}", "-H", "Content-Type: application/grpc")
        assert status == 400, status
        time.sleep(0.5)
        assert len(lab.uploads) == sent


def test_a_query_is_no_file(lab):
    lab.files["/q"] = (200, ["Content-Type: text/plain"], b"hi")
    lab.write_policy(POLICY.replace('inspect = [', 'inspect = ["residents", ') +
                     'dlp = ( { name = "residents"; block = ["individual 1"]; reason_ja = "番号"; reason_en = "It"; } );')
    lab.ctl("reload")
    try:
        for version in VERSIONS:
            status, _, body = get(lab, "/q?%PDF-1.7", version, "-m", "9")
            assert (status, body) == (200, b"hi"), (status, body)
    finally:
        lab.write_policy(POLICY)
        lab.ctl("reload")


def test_bad_entries_are_told_by_line(lab):
    for right, wrong in (('profile = "standard"', 'profile = "standart"'), ('"documents"', '"document"'),
                         ('"png"', '"archives", "zip"'), ('profile = "standard"', 'profil = "standard"'),
                         ('inspect = ["harmless"]', 'inspect = ["harmles"]')):
        assert right in POLICY
        lab.write_policy(POLICY.replace(right, wrong, 1))
        done = subprocess.run([lab.build / "sekishod", "-t", "-c", lab.dir / "sekisho.conf"],
                              capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and re.search(r"policy\.conf:\d+: .*expected", said), (wrong, said)
    lab.write_policy(POLICY)
    explained = lab.ctl("explain", "-c", lab.dir / "sekisho.conf", "--from", CITY, "https://files.lab.test/")
    assert "harmless" in explained.stdout


BROWSER = ("-H", "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "-H", "Sec-Fetch-Mode: navigate",
           "-H", "Sec-Fetch-Dest: document")


def follow(lab, fields, *args, **kw):
    """What the page leads to, until it is no such page any more; and the last path."""
    for _ in range(30):
        seconds, _, path = fields["refresh"].partition("; url=")
        time.sleep(int(seconds))
        status, fields, body = get(lab, path, *args, **kw)
        if "refresh" not in fields:
            return status, fields, body, path
    raise AssertionError("no end")


def test_a_browser_that_waits_is_told_and_gets_its_file(lab):
    lab.files["/slow.docm"] = (200, [f"Content-Type: {MEDIA}", "Set-Cookie: a=b; Path=/"], docm())
    lab.slow["/slow.docm"] = 4
    for version in VERSIONS:
        begun = time.monotonic()
        status, fields, body = get(lab, "/slow.docm", version, *BROWSER, language="ja")
        assert status == 200 and "ファイルを無害化しています" in body.decode() and b"<script" not in body
        assert 0.9 < time.monotonic() - begun < 3 and fields["refresh"].startswith("2; url=/.well-known/sekisho/")
        assert fields["cache-control"] == "no-store"
        waiting = fields
        status, fields, body, path = follow(lab, fields, version)
        check_docx(status, fields, body)
        assert path.endswith("/f/slow.docx") and "set-cookie" in fields, (path, fields)
        assert get(lab, path, version)[2] == body, "once more"
        # nobody else's, and not by another name
        assert get(lab, path, source=TOWN)[0] == 404
    assert get(lab, waiting["refresh"].partition("=")[2][:-8] + "/w")[0] == 404
    # who is no browser waits
    begun = time.monotonic()
    check_docx(*get(lab, "/slow.docm"))
    assert time.monotonic() - begun > 3.5
    # by the name that its origin gave
    lab.files["/named"] = (200, [f"Content-Type: {MEDIA}", "Content-Disposition: attachment; filename=list.docm"], docm())
    lab.slow["/named"] = 3
    _, fields, _ = get(lab, "/named", *BROWSER)
    assert follow(lab, fields)[3].endswith("/f/list.docx")
    line = lab.event(event="exchange", path="/slow.docm", status=200)
    assert line["bytes_down"] > 0


def test_chromium_waits_and_has_its_file(lab):
    """By its page alone, without a click."""
    lab.files["/wait.docm"] = (200, [f"Content-Type: {MEDIA}"], docm())
    lab.slow["/wait.docm"] = 5
    downloads = lab.dir / "home" / "downloads"
    downloads.mkdir()
    url = f"https://files.lab.test:{lab.origin_port}/wait.docm"
    with chromium(lab, url, "--remote-debugging-port=0", downloads=downloads):
        file = downloads / "wait.docx"
        wait_until(file.exists, 60)
        wait_until(lambda: not list(downloads.glob("*.crdownload")), 10)
    assert TEXT in zipfile.ZipFile(file).read("word/document.xml").decode()
    assert lab.event(event="exchange", path="/wait.docm", client="127.0.0.1")["status"] == 200
    with chromium(lab, url, f"--screenshot={lab.dir / 'home' / 'wait.png'}", "--dump-dom") as browser:
        page = browser.communicate(timeout=60)[0]
    assert "ファイルを無害化しています" in page, page


def test_what_is_refused_while_a_browser_waits_is_told(lab):
    lab.files["/slow.pdf"] = (200, ["Content-Type: application/pdf"], b"\x01\x02 no document" * 500)
    lab.slow["/slow.pdf"] = 3
    status, fields, body = get(lab, "/slow.pdf", *BROWSER)
    assert status == 200 and "refresh" in fields
    status, fields, body, _ = follow(lab, fields)
    assert status == 403 and b"cannot be made harmless" in body
    # the origin breaks off
    lab.files["/cut.pdf"] = (200, ["Content-Type: application/pdf", "Content-Length: 99999"], b"%PDF-1.7\n" + b"0" * 9000)
    lab.slow["/cut.pdf"] = 3
    status, fields, body = get(lab, "/cut.pdf", *BROWSER)
    if status == 200:
        status, fields, body, _ = follow(lab, fields)
    assert status in (502, 404), status


def test_the_daemon_goes_on_when_the_zygote_dies(lab):
    lab.files["/z.docm"] = (200, [f"Content-Type: {MEDIA}"], docm())
    pid = int(next(line.split()[1] for line in lab.ctl("status").stdout.splitlines() if line.startswith("detox")))
    subprocess.run(["kill", "-9", str(pid)], check=True)
    for _ in range(50):
        status, fields, body = get(lab, "/z.docm")
        if status == 200:
            break
    check_docx(status, fields, body)
    lab.event(event="died", name="detox")


def cores(pid):
    return os.sched_getaffinity(pid)


def test_rebuilding_leaves_a_core(lab):
    """Pages are served on it; where there is one core alone, all share it."""
    before = lab.children()["detox"]
    all_cores = cores(lab.children()["edge.0"])
    assert cores(before) == (all_cores - {min(all_cores)} if len(all_cores) > 1 else all_cores)
    lab.write_settings(extra=lab.extra.replace("detox = {", "detox = { spare_cores = 0;"))
    lab.ctl("reload")
    wait_until(lambda: lab.children().get("detox") not in (None, before))
    assert cores(lab.children()["detox"]) == all_cores
