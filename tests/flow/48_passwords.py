# SPDX-License-Identifier: Apache-2.0
"""Mail whose attachment needs a password waits for it, on a page of the proxy."""
import email
import email.policy
import importlib
import io
import os
import pathlib
import re
import signal
import sys
import time
import urllib.parse
import zipfile
from email.message import EmailMessage

sys.path.insert(0, os.path.dirname(__file__))
from browser import driven, prepare  # noqa: E402
from lab import CITY, TOWN, wait_until  # noqa: E402

mail_module = importlib.import_module("41_mail")
detoxed = importlib.import_module("46_mail_detox")

DATA = pathlib.Path(__file__).parent.parent / "data" / "detox_locked"


def make(build):
    # of several mail processes one has the mail
    lab = mail_module.MailLab(build, mails=2)
    lab.write_routes(detoxed.ROUTES.format(city=lab.city.port, toge=lab.toge.port))
    return lab


def at_page(lab, url, password=None, source=TOWN):
    """The page as its client sees it: status and text."""
    path = "/" + url.split("/", 3)[3]
    if password is None:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\nAccept-Language: en\r\n\r\n"
    else:
        form = "password=" + urllib.parse.quote_plus(password)
        request = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\nAccept-Language: en\r\n"
                   f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}")
    answer = lab.send_raw(request.encode(), source=source)
    return answer.status, answer.body.decode()


def locked_mail(name, data, subject="見積書", text="本文です。\n"):
    return detoxed.mail(subject=subject, attachments=[(name, data)], text=text)


def zip_of(kind):
    return (DATA / f"{kind}.zip").read_bytes()


def notices(lab):
    return [m for _, _, m in lab.toge.mails if b"Auto-Submitted: auto-generated" in m]


def send_and_be_told(lab, content):
    """The address of the page that the recipient was told."""
    before = len(notices(lab))
    answer = detoxed.send(lab, content)
    assert answer.startswith("250 2.0.0 kept as "), answer
    wait_until(lambda: len(notices(lab)) > before)
    m = email.message_from_bytes(notices(lab)[-1], policy=email.policy.default)
    text = m.get_content()
    assert "postmaster@mx.pref.test" in m["From"] and m["Subject"].startswith("パスワード付きの添付"), m["Subject"]
    return re.search(r"https?://\S+/\.well-known/sekisho/mail/[0-9a-f]{32}", text)[0], text


def got(lab, subject):
    for _, _, m in lab.toge.mails:
        m = email.message_from_bytes(m, policy=email.policy.default)
        if m["Subject"] == subject:
            return m
    return None


def files(m):
    return {p.get_filename(): p.get_content() for p in m.iter_attachments()}


def test_a_mail_waits_for_the_password_of_its_attachment(lab):
    url, text = send_and_be_told(lab, locked_mail("見積.zip", zip_of("aes256"), "AES の見積"))
    assert "AES の見積" in text and "見積.zip" in text and "<a@outside.test>" in text, text
    assert got(lab, "AES の見積") is None
    assert "locked" in lab.ctl("queue", "list").stdout
    status, page = at_page(lab, url)
    assert status == 200 and "AES の見積" in page and "見積.zip" in page and "type=\"password\"" in page, page
    assert "script" not in page
    status, page = at_page(lab, url, "pass12345")
    assert status == 200 and "That was not the password" in page and "<dd>4</dd>" in page, page
    # the next one has to wait a moment
    status, page = at_page(lab, url, "pass1234")
    assert status == 503 and "Please wait" in page, page
    time.sleep(1.1)
    status, page = at_page(lab, url, "pass1234")
    assert status == 200 and "The mail is delivered" in page, page
    m = wait_until(lambda: got(lab, "AES の見積"))
    z = zipfile.ZipFile(io.BytesIO(files(m)["見積.zip"]))
    assert z.read("kept.txt").split() == [b"kept", b"text"] and not z.infolist()[0].flag_bits & 1
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")
    assert at_page(lab, url)[0] == 404
    tried = [e["result"] for e in lab.events("mail_unlock")]
    assert tried[-2:] == ["wrong", "opened"], tried
    journal = (lab.dir / "log" / "journal.jsonl").read_text()
    assert "pass1234" not in journal and url.split("/")[-1] not in journal


def test_each_kind_of_file_is_opened(lab):
    kana = "パス表"
    for name, data, password in (("a.zip", zip_of("zipcrypto_7z"), "pass1234"), ("b.zip", zip_of("cp932"), kana),
                                 ("c.docx", (DATA / "agile.docx").read_bytes(), kana),
                                 ("d.pdf", (DATA / "r6.pdf").read_bytes(), "pass1234"),
                                 ("e.xls", (DATA / "rc4.xls").read_bytes(), "pass1234"),
                                 ("f.doc", (DATA / "rc4.doc").read_bytes(), kana),
                                 ("g.ppt", (DATA / "api40.ppt").read_bytes(), "pass1234"),
                                 ("h.odt", (DATA / "aes.odt").read_bytes(), "pass1234")):
        url, _ = send_and_be_told(lab, locked_mail(name, data, name))
        assert "The mail is delivered" in at_page(lab, url, password)[1]
        m = wait_until(lambda: got(lab, name))
        assert name in files(m) and b"EncryptedPackage" not in files(m)[name], files(m).keys()
        if name.endswith((".xls", ".doc", ".ppt")):
            assert "kept".encode("utf-16-le") in files(m)[name], name


def test_nobody_else_opens_it(lab):
    url, _ = send_and_be_told(lab, locked_mail("a.zip", zip_of("zipcrypto"), "他人"))
    assert at_page(lab, url, "pass1234", source=CITY)[0] == 404  # of another body
    assert at_page(lab, url[:-1] + ("0" if url[-1] != "0" else "1"), "pass1234")[0] == 404
    assert at_page(lab, url[:-3])[0] == 404
    assert got(lab, "他人") is None
    assert "The mail is delivered" in at_page(lab, url, "pass1234")[1]


def test_a_killed_process_forgets_passwords_but_no_mail(lab):
    url, _ = send_and_be_told(lab, locked_mail("a.zip", zip_of("zipcrypto"), "再起動"))
    assert "That was not" in at_page(lab, url, "wrong")[1]
    for n in range(lab.mails):
        os.kill(lab.mail_pid(n), signal.SIGKILL)
    # its tries are those that were left
    page = wait_until(lambda: (p := at_page(lab, url))[0] == 200 and p[1], 15)
    assert "<dd>4</dd>" in page, page
    assert "The mail is delivered" in at_page(lab, url, "pass1234")[1]
    wait_until(lambda: got(lab, "再起動"))


def test_a_route_may_refuse_or_remove(lab):
    routes = lab.dir / "mail.conf"
    old = routes.read_text()
    for word, answer in (("refuse", "554 5.7.1 an attachment needs a password"), ("remove", "250 2.0.0 delivered")):
        routes.write_text(old.replace('side = "internet";', f'side = "internet"; encrypted = "{word}";'))
        lab.ctl("reload")
        said = detoxed.send(lab, locked_mail("a.zip", zip_of("zipcrypto"), word))
        assert said.startswith(answer), said
    m = got(lab, "remove")
    assert "removed-1.txt" in [p.get_filename() for p in m.walk()]
    routes.write_text(old)
    lab.ctl("reload")


def hasty(build, mail="password_life = 8; password_tries = 2;"):
    lab = mail_module.MailLab(build, mail=mail)
    lab.write_routes(detoxed.ROUTES.format(city=lab.city.port, toge=lab.toge.port))
    return lab


def test_who_guesses_is_stopped_and_who_waits_too_long_too(lab):
    with hasty(lab.build) as two:
        url, _ = send_and_be_told(two, locked_mail("a.zip", zip_of("zipcrypto"), "推測"))
        assert "That was not" in at_page(two, url, "one")[1]
        time.sleep(1.1)
        status, page = at_page(two, url, "two")
        assert status == 403 and "No more passwords" in page, page
        assert at_page(two, url, "pass1234")[0] == 403
        assert "held" in two.ctl("queue", "list").stdout
        # a person gives new tries: by a new address
        number = two.ctl("queue", "list").stdout.split()[0]
        before = len(notices(two))
        two.ctl("queue", "retry", number)
        wait_until(lambda: len(notices(two)) > before)
        assert at_page(two, url)[0] == 404
        new = re.search(rb"https?://\S+/\.well-known/\S+", notices(two)[-1])[0].decode()
        assert "The mail is delivered" in at_page(two, new, "pass1234")[1]
        url, _ = send_and_be_told(two, locked_mail("a.zip", zip_of("zipcrypto"), "期限"))
        status, page = wait_until(lambda: (p := at_page(two, url))[0] == 410 and p, 20)
        assert "Its time is over" in page, page
        assert at_page(two, url, "pass1234")[0] == 410
        wait_until(lambda: [e["result"] for e in two.events("mail_unlock")][-1] == "expired")


def test_the_wait_for_a_password_is_no_try_to_deliver(lab):
    with hasty(lab.build, "expire = 3; retry_max = 2; delay_notice = 0;") as two:
        url, _ = send_and_be_told(two, locked_mail("a.zip", zip_of("zipcrypto"), "遅い"))
        time.sleep(3.5)
        two.toge.on["end"] = ["451 4.3.0 later", "250 2.0.0 taken"]
        assert "The mail is delivered" in at_page(two, url, "pass1234")[1]
        wait_until(lambda: got(two, "遅い"))


def password_mail(text, subject="パスワードのお知らせ"):
    return detoxed.mail(subject=subject, text=text)


def test_the_password_may_come_in_a_following_mail(lab):
    url, _ = send_and_be_told(lab, locked_mail("a.zip", zip_of("zipcrypto"), "追送"))
    # of another sender it is none
    with lab.talk() as t:
        t.send(password_mail("パスワード：pass1234\n", "別の人"), sender="b@outside.test", to=["hanako@toge.test"])
    wait_until(lambda: got(lab, "別の人"))
    time.sleep(0.5)
    assert got(lab, "追送") is None
    answer = detoxed.send(lab, password_mail("先ほどのファイルのパスワードをお送りします。\n\n  pass1234\n\n以上\n"))
    assert answer.startswith("250 "), answer
    m = wait_until(lambda: got(lab, "追送"))
    assert "a.zip" in files(m)
    assert got(lab, "パスワードのお知らせ") is not None
    wait_until(lambda: [e["result"] for e in lab.events("mail_unlock")][-1] == "guessed")
    assert "pass1234" not in (lab.dir / "log" / "journal.jsonl").read_text()
    wait_until(lambda: at_page(lab, url)[0] == 404)


def test_the_password_may_come_first(lab):
    told = len(notices(lab))
    answer = detoxed.send(lab, password_mail("解凍パスワードは「pass1234」です。\n", "先に送る"))
    assert answer.startswith("250 "), answer
    wait_until(lambda: got(lab, "先に送る"))
    answer = detoxed.send(lab, locked_mail("a.zip", zip_of("aes256"), "後から送る"))
    assert answer.startswith("250 "), answer
    m = wait_until(lambda: got(lab, "後から送る"))
    assert "a.zip" in files(m) and len(notices(lab)) == told


def test_a_wrong_guess_costs_no_try(lab):
    url, _ = send_and_be_told(lab, locked_mail("a.zip", zip_of("utf8"), "推測"))
    for n in range(3):
        detoxed.send(lab, password_mail(f"PW: wrong-{n}\n"))
    wait_until(lambda: [e["result"] for e in lab.events("mail_unlock")][-3:] == ["not guessed"] * 3)
    page = wait_until(lambda: (p := at_page(lab, url))[0] == 200 and p[1])
    assert "<dd>5</dd>" in page, page
    assert "The mail is delivered" in at_page(lab, url, "パス表")[1]


def test_a_browser_shows_the_page_and_sends_the_password(lab):
    """Chromium is of the city's body."""
    prepare(lab)
    answer = detoxed.send(lab, locked_mail("a.zip", zip_of("utf8"), "ブラウザー"), to="taro@city.test")
    assert answer.startswith("250 2.0.0 kept as "), answer
    wait_until(lambda: lab.city.mails)
    path = re.search(rb"/.well-known/sekisho/mail/[0-9a-f]+", lab.city.mails[-1][2])[0].decode()

    def submit(browser, password):
        browser.run("document.querySelector('input[type=password]').focus()")
        browser.type(password)
        browser.run("document.querySelector('button').click()")

    with driven(lab, f"http://127.0.0.1:{lab.port}{path}") as browser:
        def shows(text):
            wait_until(lambda: text in (browser.run("document.body.innerText") or ""), 30)
        shows("添付ファイルのパスワードを入力してください")
        shows("ブラウザー")
        submit(browser, "まちがい")
        shows("パスワードが違います")
        time.sleep(1.1)
        submit(browser, "パス表")
        shows("メールを届けます")
    wait_until(lambda: len(lab.city.mails) == 2)
    assert b"a.zip" in lab.city.mails[-1][2]
