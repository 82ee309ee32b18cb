# SPDX-License-Identifier: Apache-2.0
"""Files go from zone to zone of a body, and no other way."""
import hashlib
import importlib
import io
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import zipfile

sys.path.insert(0, os.path.dirname(__file__))
from lab import CITY, CITY_LGWAN, CITY_MYNUMBER, SECURE, TOWN, USERS, Lab, wait_until  # noqa: E402

detoxed = importlib.import_module("36_detoxed")
TOWN_LGWAN = "127.0.44.10"
PROGRAM = b"MZ" + bytes(range(256)) * 8
DIRTY = "個人番号 123456789018 の写し\n".encode()

WAYS = """
isolation = {{ crossings = "log/crossings.jsonl"; machine = ["127.0.0.99"]; }};
communications = (
  {{ name = "to-office"; from = ["127.0.3.0/24"]; to = ["127.0.2.0/24"]; protocol = "tcp"; port = 445;
     purpose = "帳票の引き渡し"; owner = "情報システム課"; approval = "承認 1 号"; expires = "{expires}"; }} );
handover = {{ folder = "handover"; {handover}
  ways = (
    {{ name = "to-lgwan"; title_ja = "LGWAN 接続系へ"; title_en = "To the LGWAN zone";
       from = "internet"; to = "lgwan"; profile = "strict"; approval = "none"; size_max = "256 KiB"; files_max = 3; }},
    {{ name = "to-lgwan-checked"; title_ja = "LGWAN 接続系へ（承認あり）"; from = "internet"; to = "lgwan";
       bodies = ["990019"]; approvers = ["127.0.1.50"]; drop = "{dir}/drop/internet-in"; }},
    {{ name = "to-mynumber"; title_ja = "マイナンバー利用事務系へ"; from = "lgwan"; to = "mynumber";
       bodies = ["990019"]; approvers = ["127.0.2.50"]; drop = "{dir}/drop/lgwan-in"; out = "{dir}/drop/mynumber-out"; }},
    {{ name = "from-mynumber"; from = "mynumber"; to = "lgwan"; bodies = ["990019"]; approval = "none";
       profile = "none"; dlp = ["residents"]; communication = "to-office";
       drop = "{dir}/drop/mynumber-in"; out = "{dir}/drop/lgwan-out"; }} ); }};
"""

POLICY = """
dlp = ( {{ name = "residents"; block = ["individual 1"]; reason_ja = "番号"; reason_en = "A number."; }} );
default = ( {{ name = "lab"; zones = ["internet"]; destinations = ["lab.test"]; verdict = "allow"; reason_ja = "試験"; }} );
""".replace("{{", "{").replace("}}", "}")


class HandoverLab(Lab):
    """Its processes are started anew within a second, however often they die."""

    handover = ""

    def write_settings(self, **change):
        self.__dict__.update(change)
        drop = self.dir / "drop"
        for name in ("internet-in", "lgwan-in", "mynumber-out", "mynumber-in", "lgwan-out"):
            (drop / name).mkdir(parents=True, exist_ok=True)
            os.chown(drop / name, USERS["handover_user"], USERS["handover_user"])
        expires = time.strftime("%Y-%m-%d", time.localtime(time.time() + 86400 * 300))
        self.extra = WAYS.format(dir=self.dir, handover=self.handover, expires=expires)
        super().write_settings()
        conf = self.dir / "sekisho.conf"
        conf.write_text(conf.read_text().replace("processes = {", "processes = { restart_max = 1;").replace(
            '{ prefix = "127.0.4.0/24"; zone = "internet"; }',
            '{ prefix = "127.0.4.0/24"; zone = "internet"; }, { prefix = "127.0.44.0/24"; zone = "lgwan"; }'))

    def page(self, path="/handover/", source=CITY, language="en", method="GET", body=b"", headers=()):
        request = (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept-Language: {language}\r\n"
                   + "".join(h + "\r\n" for h in headers)
                   + (f"Content-Length: {len(body)}\r\n" if body else "") + "\r\n").encode() + body
        return self.send_raw(request, source=source)

    def ticket(self, source=CITY):
        return re.search(r'name="ticket" value="([0-9a-f]+)"', self.page(source=source).body.decode())[1]

    def give(self, *files, way="to-lgwan", giver="総務課 山田", note="", source=CITY, ticket=None, boundary="xyzzy",
             language="en"):
        """What the form sends; files: (name, bytes)."""
        parts = [("ticket", ticket or self.ticket(source)), ("way", way), ("giver", giver), ("note", note)]
        body = b"".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
                        for k, v in parts)
        for name, content in files:
            body += (f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
                     "Content-Type: application/octet-stream\r\n\r\n").encode() + content + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        return self.page(method="POST", body=body, source=source, language=language,
                         headers=[f"Content-Type: multipart/form-data; boundary={boundary}"])

    def given(self, *files, **more):
        """Of what was taken: its number, and its address's path."""
        answer = self.give(*files, **more)
        page = answer.body.decode()
        assert answer.status == 200, page
        number = re.search(r"\d{5}-\d{5}", page)[0]
        path = re.search(r"https?://[^/<]+(/handover/a/[0-9a-f]{32})", page)
        return number, path and path[1]

    def order(self, *words, who=None, check=True):
        environment = {k: v for k, v in os.environ.items() if k not in ("SUDO_USER", "SUDO_UID")}
        if who:
            environment.update(SUDO_USER=who[0], SUDO_UID=str(who[1]))
        done = subprocess.run([self.build / "sekishoctl", "-s", self.dir / "run" / "control.sock", "handover", *words],
                              capture_output=True, text=True, timeout=60, env={**environment, "LANG": "C.UTF-8"})
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def record(self):
        """The file of this year."""
        return sorted((self.dir / "log").glob("crossings-*.jsonl"))[-1]

    def crossings(self, number=None):
        lines = [json.loads(t) for t in self.record().read_text().splitlines()]
        return [e for e in lines if number in (None, e.get("number"))]

    def drop(self, folder, name, content, uid=1001):
        """As programs do that write whole files: beside its place, then renamed."""
        at = self.dir / "drop" / folder
        (at / ".writing").write_bytes(content)
        os.chown(at / ".writing", uid, USERS["handover_user"])
        os.chmod(at / ".writing", 0o660)
        (at / ".writing").rename(at / name)
        return at / name


def make(build):
    lab = HandoverLab(build, policy=POLICY)
    return lab


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_a_macro_stays_in_the_internet_zone(lab):
    docm = detoxed.docm()
    number, path = lab.given(("計画.docm", docm), note="よろしく")
    page = lab.page(path, source=CITY_LGWAN).body.decode()
    assert "計画.docx" in page and "macro × 1" in page and "よろしく" in page and number in page, page
    got = lab.page(path + "/0", source=CITY_LGWAN)
    assert got.status == 200 and "wordprocessingml.document" in got.field("content-type"), got.fields
    assert "filename*=UTF-8''%E8%A8%88%E7%94%BB.docx" in got.field("content-disposition")
    assert got.field("content-disposition").startswith("attachment"), got.fields
    names = zipfile.ZipFile(io.BytesIO(got.body)).namelist()
    assert "word/document.xml" in names and not any("vba" in n.lower() for n in names), names
    # by its number, too, with whatever keyboard
    for text in (number, number.replace("-", ""), number.translate(str.maketrans("0123456789-", "０１２３４５６７８９－"))):
        page = lab.page("/handover/find?number=" + urllib.parse.quote(text), source=CITY_LGWAN)
        assert page.status == 200 and "計画.docx" in page.body.decode(), text
    assert lab.page(f"/handover/n/{number}/0", source=CITY_LGWAN).body == got.body
    lines = lab.crossings(number)
    assert [e["event"] for e in lines] == ["handover_given", "handover_passed", "handover_passed"], lines
    for e in lines:
        assert (e["in_sha256"], e["out_sha256"]) == (sha256(docm), sha256(got.body)), e
        assert "macro:1" in e["removed"] and e["way"] == "to-lgwan" and e["body"] == "990019"
        assert "計画" not in json.dumps(e, ensure_ascii=False)
    assert lines[1]["by"] == CITY_LGWAN and lines[0]["giver"] == "総務課 山田"
    journal = (lab.dir / "log" / "journal.jsonl").read_text()
    assert path.split("/")[-1] not in journal and "計画" not in journal


def test_nobody_else_fetches_it(lab):
    number, path = lab.given(("a.txt", b"hello\n"))
    others = [path, path + "/0", f"/handover/n/{number}/0", f"/handover/find?number={number}"]
    for source in (TOWN, TOWN_LGWAN):  # of another body
        assert [lab.page(p, source=source).status for p in others] == [404] * 4, source
    # who gave it sees how it stands, by its address, and has no file of it
    page = lab.page(path)
    assert page.status == 200 and "ready to be fetched" in page.body.decode() and path + "/0" not in page.body.decode()
    assert lab.page(path + "/0").status == 404 and lab.page(f"/handover/find?number={number}").status == 404
    wrong = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert lab.page(wrong, source=CITY_LGWAN).status == 404
    assert lab.page(path + "/1", source=CITY_LGWAN).status == 404
    assert lab.page(path + "/x", source=CITY_LGWAN).status == 404
    assert [e["event"] for e in lab.crossings(number)] == ["handover_given"]
    assert lab.page(path + "/0", source=CITY_LGWAN).body == b"hello\n"
    assert "was fetched" in lab.page(path).body.decode()
    # a My Number client has no page at all
    assert lab.page(path, source=CITY_MYNUMBER).status == 403
    assert lab.page("/handover/", source=CITY_MYNUMBER).status == 403


def test_pages_show_what_the_zone_may_do(lab):
    home = lab.page().body.decode()
    assert 'value="to-lgwan"' in home and 'value="to-lgwan-checked"' in home and "find" not in home, home
    assert "script" not in home and "to-mynumber" not in home
    lgwan = lab.page(source=CITY_LGWAN, language="ja").body.decode()
    assert 'value="to-mynumber"' in lgwan and 'action="/handover/find"' in lgwan and "from-mynumber" not in lgwan
    assert "受付番号（10 桁）" in lgwan and "承認が必要です" in lgwan, lgwan
    town = lab.page(source=TOWN).body.decode()
    assert 'value="to-lgwan"' in town and "to-lgwan-checked" not in town
    answer = lab.page()
    assert "frame-ancestors 'none'" in answer.field("content-security-policy")
    assert lab.page("/handover").status == 200 and lab.page("/handover/nothing").status == 404


def test_guesses_end(lab):
    source = "127.0.2.77"
    said = [lab.page(f"/handover/find?number={n:010}", source=source).status for n in range(25)]
    assert said[0] == 404 and said[-1] == 429 and said.index(429) == 20, said
    assert lab.page("/handover/find?number=1", source=CITY_LGWAN).status == 404


def test_what_is_not_harmless_is_told(lab):
    answer = lab.give(("ok.txt", b"fine\n"), ("道具.exe", PROGRAM))
    page = answer.body.decode()
    assert answer.status == 403 and "道具.exe" in page and "program" in page and "ok.txt" not in page, page
    assert lab.event(event="handover_refused")["refusal"] == "program"
    assert not any(e.get("in_sha256") == sha256(b"fine\n") for e in lab.crossings())
    page = lab.give(("道具.exe", PROGRAM), language="ja").body.decode()
    assert "渡せないファイルがあります" in page and "プログラムです" in page, page


def test_forms_are_read_strictly(lab):
    ok = ("a.txt", b"hello\n")
    assert lab.give(ok, ticket="0" * 32).status == 400
    assert lab.give(ok, ticket=lab.ticket("127.0.1.99")).status == 400  # of another client
    for want in ({"way": "to-mynumber"}, {"way": "nowhere"}, {"way": "from-mynumber"}, {"giver": " "}):
        assert lab.give(ok, **want).status == 400, want
    assert lab.give(ok, way="to-lgwan-checked", source=TOWN).status == 400
    assert lab.give().status == 400 and lab.give(("", b"")).status == 400
    # limits, at and one past
    assert lab.give(*[(f"{i}.txt", b"x\n") for i in range(3)]).status == 200
    assert lab.give(*[(f"{i}.txt", b"x\n") for i in range(4)]).status == 400
    full = b"a" * (256 * 1024 - 1) + b"\n"
    assert lab.give(("full.txt", full)).status == 200
    assert lab.give(("over.txt", b"b" + full)).status == 400
    before = len(lab.crossings())
    head = [f"Content-Length: {66 << 20}", "Content-Type: multipart/form-data; boundary=x"]
    assert lab.page(method="POST", headers=head).status == 400
    assert lab.page(method="POST", body=b"nothing", headers=["Content-Type: text/plain"]).status == 400
    assert lab.page(method="POST", body=b"--x\r\nContent-Disposition: form-data\r\n\r\nno end",
                    headers=["Content-Type: multipart/form-data; boundary=x"]).status == 400
    assert lab.page(method="PUT", body=b"x").status == 400
    assert len(lab.crossings()) == before


def test_names_harm_nobody(lab):
    for name, want in (("../../etc/passwd.txt", "passwd.txt"), ("C:\\\\Temp\\\\a.txt", "a.txt"), (".htaccess.txt", "_.htaccess.txt"),
                       ("con.txt", "_con.txt"), ("a\u202etxt.exe.txt", "a_txt.exe.txt"), ("<b>&.txt", "_b_&.txt"),
                       ("x" * 300 + ".txt", "x" * 196 + ".txt"), ("a.txt. .", "a.txt")):
        number, path = lab.given((name, b"plain text\n"))
        files = json.loads(lab.order("show", number).stdout)["files"]
        assert files[0]["name"] == want, (name, files)
        page = lab.page(path, source=CITY_LGWAN).body.decode()
        assert "<b>" not in page and "\u202e" not in page
        assert lab.page(path + "/0", source=CITY_LGWAN).body == b"plain text\n"
    number, path = lab.given(("a.txt", b"x\n"), giver="<script>alert(1)</script>", note="一行目\r\n二行目")
    page = lab.page(path, source=CITY_LGWAN).body.decode()
    assert "<script" not in page and "&lt;script&gt;" in page and "一行目  二行目" in page, page


def test_a_second_person_approves(lab):
    number, path = lab.given(("plan.txt", b"a plan\n"), way="to-lgwan-checked")
    page = lab.page(path, source=CITY_LGWAN).body.decode()
    assert "waits for the approval" in page and path + "/0" not in page, page
    assert b"a plan" not in lab.page(path + "/0", source=CITY_LGWAN).body
    assert number in lab.order("list").stdout and "waits" in lab.order("list").stdout
    done = lab.order("approve", number, check=False)
    assert done.returncode and "root alone" in done.stderr
    assert "nothing of that number" in lab.order("approve", "00000-00000", who=("hanako", 1002), check=False).stderr
    lab.order("approve", number, who=("hanako", 1002))
    assert lab.page(path + "/0", source=CITY_LGWAN).body == b"a plan\n"
    lines = lab.crossings(number)
    assert [e["event"] for e in lines] == ["handover_given", "handover_approved", "handover_passed"]
    assert lines[1]["by"] == "hanako:1002(sudo)" == lines[2]["approved_by"], lines
    assert "waits for nobody" in lab.order("approve", number, who=("hanako", 1002), check=False).stderr
    number, path = lab.given(("plan.txt", b"another plan\n"), way="to-lgwan-checked")
    lab.order("refuse", number, who=("hanako", 1002))
    assert lab.page(path, source=CITY_LGWAN).status == 404
    number, path = lab.given(("plan.txt", b"a third plan\n"))
    lab.order("delete", number)
    assert lab.page(path, source=CITY_LGWAN).status == 404
    assert [e["event"] for e in lab.crossings(number)] == ["handover_given", "handover_deleted"]


CHIEF, OTHER_CHIEF = "127.0.1.50", "127.0.2.50"


def decide(lab, number, verdict="approve", name="課長 佐藤", source=CHIEF, ticket=None):
    form = urllib.parse.urlencode({"ticket": ticket or lab.ticket(source), "number": number, "name": name,
                                   "verdict": verdict}).encode()
    return lab.page("/handover/approve", source=source, method="POST", body=form,
                    headers=["Content-Type: application/x-www-form-urlencoded"])


def test_a_second_person_approves_by_a_page(lab):
    number, path = lab.given(("plan.docm", detoxed.docm()), way="to-lgwan-checked", note="急ぎます")
    assert number not in lab.page().body.decode() and "Waits for your approval" not in lab.page().body.decode()
    page = lab.page(source=CHIEF).body.decode()
    assert "Waits for your approval" in page and number in page and "macro × 1" in page and "急ぎます" in page, page
    assert number not in lab.page(source=OTHER_CHIEF).body.decode()  # of another way
    assert decide(lab, number, source=CITY).status == 404 and decide(lab, number, source=OTHER_CHIEF).status == 404
    assert decide(lab, number, name=" ").status == 400 and decide(lab, number, ticket="0" * 32).status == 400
    assert decide(lab, number, verdict="x").status == 400 and decide(lab, "00000-00000").status == 404
    assert "waits" in lab.page(path, source=CITY_LGWAN).body.decode()
    assert decide(lab, number).status == 200
    assert decide(lab, number).status == 404  # once
    assert lab.page(path + "/0", source=CITY_LGWAN).status == 200
    assert lab.crossings(number)[1]["by"] == "課長 佐藤(127.0.1.50)"
    # not what he handed over himself
    own, path = lab.given(("own.txt", b"own\n"), way="to-lgwan-checked", source=CHIEF)
    assert own not in lab.page(source=CHIEF).body.decode() and decide(lab, own).status == 404
    lab.order("delete", own)
    number, path = lab.given(("no.txt", b"no\n"), way="to-lgwan-checked")
    assert decide(lab, number, verdict="decline").status == 200 and lab.page(path, source=CITY_LGWAN).status == 404
    assert [e["event"] for e in lab.crossings(number)] == ["handover_given", "handover_declined"]
    # into the My Number zone, from a folder
    lab.drop("lgwan-in", "届け.txt", b"to deliver\n")
    lot = wait_until(lambda: waiting(lab, way="to-mynumber", state="waits"), 15)[-1]
    assert "届け.txt" in lab.page(source=OTHER_CHIEF, language="ja").body.decode()
    assert decide(lab, lot["number"], source=OTHER_CHIEF).status == 200
    got = lab.dir / "drop" / "mynumber-out" / "届け.txt"
    wait_until(got.exists)
    got.unlink()


def test_curl_hands_over_and_fetches(lab):
    for version in ("--http1.1", "--http2"):
        at = ["curl", "-sS", version, "--cacert", lab.proxy_ca.crt, "--resolve",
              f"{SECURE}:{lab.secure_port}:127.0.0.1"]
        url = f"https://{SECURE}:{lab.secure_port}/handover/"

        def curl(source, *words):
            done = subprocess.run([*at, "--interface", source, *words], capture_output=True, timeout=30)
            assert done.returncode == 0, done.stderr
            return done.stdout
        ticket = re.search(rb'name="ticket" value="([0-9a-f]+)"', curl(CITY, url))[1].decode()
        name = lab.dir / "会議 資料.txt"
        name.write_bytes(b"for the meeting\n" * 4000)
        page = curl(CITY, "-F", f"ticket={ticket}", "-F", "way=to-lgwan", "-F", "giver=総務課", "-F", f"files=@{name}", url)
        address = re.search(rb"https://[^<]+/handover/a/[0-9a-f]{32}", page)[0].decode()
        assert curl(CITY_LGWAN, address + "/0") == name.read_bytes(), version
        head = curl(CITY_LGWAN, "-I", address + "/0").decode().lower()
        assert "text/html" in head and "content-disposition" not in head, head  # HEAD fetches nothing
        name.unlink()


def restart(lab, between):
    lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(20)
    between()
    lab.start()


def test_they_outlive_a_restart_until_their_time(lab):
    old, gone = lab.given(("old.txt", b"old\n"))
    new, path = lab.given(("new.txt", b"new\n"))
    waits, other = lab.given(("waits.txt", b"waits\n"), way="to-lgwan-checked")

    def age():
        at = lab.dir / "handover" / "handover.db"
        with sqlite3.connect(at) as db:
            assert db.execute("UPDATE originals SET kept = 1 WHERE id = ?", [old]).rowcount == 1
            # what is said of files is bound to them
            (about,) = db.execute("SELECT about FROM originals WHERE id = ?", [waits]).fetchone()
            db.execute("UPDATE originals SET about = ? WHERE id = ?",
                       [about.replace(b"approval 1", b"approval 0").replace(b"to-lgwan-checked", b"to-lgwan"), waits])
        db.close()
        os.chown(at, USERS["handover_user"], USERS["handover_user"])
    restart(lab, age)
    assert lab.event(event="handover_expired")["number"] == old
    assert lab.page(gone, source=CITY_LGWAN).status == 404
    assert lab.page(path + "/0", source=CITY_LGWAN).body == b"new\n"
    assert lab.page(other + "/0", source=CITY_LGWAN).status == 404
    assert "changed on the disk" in lab.event(event="failure", process="handover")["text"]
    lab.order("delete", waits)


def waiting(lab, **want):
    """What waits, as administrators see it."""
    return [e for e in json.loads(lab.order("list", "--json").stdout) if all(e[k] == v for k, v in want.items())]


def test_into_mynumber_only_when_approved(lab):
    out = lab.dir / "drop" / "mynumber-out"
    at = lab.drop("lgwan-in", "台帳.docm", detoxed.docm())
    lot = wait_until(lambda: waiting(lab, way="to-mynumber", state="waits"), 15)[-1]
    wait_until(lambda: not at.exists())
    assert lot["state"] == "waits" and lot["giver"] == "uid:1001" and lot["files"][0]["name"] == "台帳.docx", lot
    time.sleep(1.5)
    assert not list(out.iterdir())
    # not by who put it there, however they became root
    done = lab.order("approve", lot["number"], who=("taro", 1001), check=False)
    assert done.returncode and "another person" in done.stderr
    lab.order("approve", lot["number"], who=("hanako", 1002))
    got = wait_until(lambda: (out / "台帳.docx").exists() and (out / "台帳.docx"))
    assert [p.name for p in out.iterdir()] == ["台帳.docx"]
    assert not any("vba" in n.lower() for n in zipfile.ZipFile(got).namelist())
    assert got.stat().st_mode & 0o777 == 0o660
    lines = lab.crossings(lot["number"])
    assert [e["event"] for e in lines] == ["handover_given", "handover_approved", "handover_passed"]
    assert lines[-1]["by"] == "out" and lines[-1]["out_sha256"] == sha256(got.read_bytes())
    # by a page of the LGWAN zone too; never to a page
    number, path = lab.given(("a.txt", b"one\n"), ("台帳.docx", detoxed.docm()), way="to-mynumber", source=CITY_LGWAN)
    lab.order("approve", number, who=("hanako", 1002))
    wait_until(lambda: (out / "台帳 (2).docx").exists())
    assert (out / "a.txt").read_bytes() == b"one\n"
    for p in out.iterdir():
        p.unlink()


def test_out_of_mynumber_only_what_dlp_lets_pass(lab):
    folder, out = lab.dir / "drop" / "mynumber-in", lab.dir / "drop" / "lgwan-out"
    lab.drop("mynumber-in", "統計.txt", "男 12 人、女 15 人\n".encode())
    lab.drop("mynumber-in", "名簿.txt", DIRTY)
    lab.drop("mynumber-in", "台帳.docx", docx("個人番号 123456789018 の方"))
    lab.drop("mynumber-in", "画像.bin", b"\x00\x01\x02" * 100)
    wait_until(lambda: (out / "統計.txt").exists(), 20)
    for name in ("名簿.txt", "台帳.docx", "画像.bin"):
        told = wait_until(lambda: (folder / f"{name}.refused.txt").exists() and (folder / f"{name}.refused.txt"), 20)
        assert (folder / name).exists(), name
    assert "外へ出してはならない情報" in (folder / "名簿.txt.refused.txt").read_text()
    assert "must not leave" in (folder / "台帳.docx.refused.txt").read_text()
    assert [p.name for p in out.iterdir()] == ["統計.txt"]
    found = lab.event(event="found", way="from-mynumber")
    assert found["individual"] == 1 and "123456789018" not in (lab.dir / "log" / "journal.jsonl").read_text()
    assert lab.crossings()[-1]["communication"] == "to-office"
    # tried again when somebody says so, once it is another file
    lab.drop("mynumber-in", "名簿.txt", "直しました\n".encode())
    wait_until(lambda: (out / "名簿.txt").exists(), 20)
    wait_until(lambda: not (folder / "名簿.txt.refused.txt").exists())
    for p in list(out.iterdir()) + list(folder.iterdir()):
        p.unlink()


def docx(text):
    """The same document with another text and no macro."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(detoxed.docm())) as z, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as to:
        for n in z.namelist():
            data = z.read(n).decode("latin-1" if "bin" in n else "utf-8")
            if "vba" in n.lower() or n.endswith("document.xml.rels"):
                continue
            data = data.replace(detoxed.TEXT, text).replace(
                "application/vnd.ms-word.document.macroEnabled.main+xml",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml")
            to.writestr(n, data)
    return out.getvalue()


def test_folders_take_files_and_nothing_else(lab):
    folder = lab.dir / "drop" / "internet-in"
    secret = lab.dir / "secret.txt"
    secret.write_text("secret\n")
    (folder / "link.txt").symlink_to(secret)
    os.link(secret, folder / "hard.txt")
    os.mkfifo(folder / "pipe.txt")
    (folder / "sub").mkdir()
    (folder / "large.txt").write_bytes(b"x" * ((64 << 20) + 1))
    (folder / ".hidden").write_bytes(b"x")
    (folder / "half.part").write_bytes(b"x")
    for name in ("link.txt", "hard.txt", "pipe.txt", "sub", "large.txt"):
        told = folder / f"{name}.refused.txt"
        wait_until(told.exists, 20)
        assert os.path.lexists(folder / name) and "\n" in told.read_text()
    os.chown(folder / "half.part", 0, 0)
    lab.drop("internet-in", "evil\nname\t<.txt", b"named badly\n")
    lot = wait_until(lambda: waiting(lab, way="to-lgwan-checked", state="waits"), 20)[-1]
    assert lot["files"][0]["name"] == "evil_name__.txt", lot
    assert (folder / ".hidden").exists() and (folder / "half.part").exists()
    assert not any(e.get("in_sha256") == sha256(b"secret\n") for e in lab.crossings())
    lab.order("refuse", lot["number"], who=("hanako", 1002))
    assert "承認されませんでした" in (folder / "evil_name__.txt.refused.txt").read_text()
    for p in folder.iterdir():
        p.rmdir() if p.is_dir() and not p.is_symlink() else p.unlink()


def test_a_full_folder_is_taken_all_the_same(lab):
    folder = lab.dir / "drop" / "internet-in"
    for i in range(1100):  # more than are looked at, at once
        lab.drop("internet-in", f"{i}.txt", b"%d\n" % i)
    wait_until(lambda: waiting(lab, way="to-lgwan-checked", state="waits"), 15)
    for p in folder.iterdir():
        p.unlink(missing_ok=True)
    time.sleep(1.5)  # one that was being looked at
    for lot in waiting(lab, way="to-lgwan-checked", state="waits"):
        lab.order("delete", lot["number"])


def test_nothing_in_a_folder_holds_up_a_start(lab):
    folder = lab.dir / "drop" / "internet-in"
    giant = folder / f".sekisho-taking-{'0' * 64}"
    giant.touch()
    os.truncate(giant, 4 << 40)  # no byte of it is there
    os.mkfifo(folder / f".sekisho-taking-{'1' * 64}")
    pid = lab.children()["handove"]
    lab.ctl("reload")
    keeper_again(lab, pid)
    wait_until(lambda: lab.order("list", check=False).returncode == 0, 10)
    for p in folder.iterdir():
        p.unlink()


def test_a_file_that_grows_is_waited_for(lab):
    at = lab.dir / "drop" / "internet-in" / "slow.txt"
    with open(at, "wb") as f:
        for i in range(8):
            f.write(b"line %d\n" % i)
            f.flush()
            time.sleep(0.5)
    lot = wait_until(lambda: waiting(lab, way="to-lgwan-checked", state="waits"), 20)[-1]
    assert lot["files"][0]["in_bytes"] == 8 * 7, lot
    lab.order("delete", lot["number"])


def test_a_kill_loses_nothing_and_passes_nothing_twice(lab):
    out = lab.dir / "drop" / "mynumber-out"
    number, path = lab.given(("kept.txt", b"kept\n"))
    names = [f"f{i}.txt" for i in range(6)]
    for n in names:
        lab.drop("lgwan-in", n, f"content of {n}\n".encode())
    end = time.monotonic() + 90
    seen, approved = {}, set()
    kills = 0
    while len(seen) < len(names) and time.monotonic() < end:
        pid = lab.children().get("handove")  # as much as the kernel keeps
        if pid and kills < 12:
            os.kill(pid, signal.SIGKILL)
            kills += 1
        try:
            for lot in json.loads(lab.order("list", "--json").stdout):
                if lot["way"] == "to-mynumber" and lot["state"] == "waits":
                    lab.order("approve", lot["number"], who=("hanako", 1002), check=False)
        except (AssertionError, json.JSONDecodeError):
            pass
        for p in out.iterdir():  # who takes it away
            if not p.name.startswith("."):
                seen.setdefault(p.name, []).append(p.read_bytes())
                p.unlink()
        time.sleep(0.3)
    time.sleep(3)
    for p in out.iterdir():
        if not p.name.startswith("."):
            seen.setdefault(p.name, []).append(p.read_bytes())
    assert seen == {n: [f"content of {n}\n".encode()] for n in names}, (seen, kills)
    assert kills >= 3 and not [p for p in (lab.dir / "drop" / "lgwan-in").iterdir()]
    wait_until(lambda: lab.page(path + "/0", source=CITY_LGWAN).body == b"kept\n", 10)
    # an edge in between: nothing is half there, and the keeper asks another
    for n in range(2):
        os.kill(lab.children()[f"edge.{n}"], signal.SIGKILL)
    wait_until(lambda: lab.page(path, source=CITY_LGWAN).status == 200, 15)
    assert lab.page(path + "/0", source=CITY_LGWAN).body == b"kept\n"


def killed_at(lab, call, nth, during):
    """The keeper dies of its nth call of that kind from here on; whether it did."""
    pid = lab.children()["handove"]
    strace = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={nth}",
         "-o", "/dev/null"], stderr=subprocess.PIPE)
    assert b"attached" in strace.stderr.readline()
    during()
    try:
        strace.wait(1.5)
        return True
    except subprocess.TimeoutExpired:
        strace.terminate()
        strace.wait()
        return False


def keeper_again(lab, pid):
    wait_until(lambda: lab.children().get("handove") not in (None, pid), 10)
    wait_until(lambda: lab.order("list", check=False).returncode == 0, 10)


def test_whatever_step_it_dies_at(lab):
    out = lab.dir / "drop" / "mynumber-out"
    died = 0
    for call, nth in (("openat", 1), ("fsync", 1), ("fsync", 2), ("fsync", 3), ("fdatasync", 1), ("fdatasync", 3),
                      ("renameat2", 1)):
        name = f"{call}-{nth}.txt"
        number, _ = lab.given((name, name.encode() + b"\n"), way="to-mynumber", source=CITY_LGWAN)
        pid = lab.children()["handove"]
        if killed_at(lab, call, nth, lambda: lab.order("approve", number, who=("hanako", 1002), check=False)):
            died += 1
            keeper_again(lab, pid)
        arrived = list(out.glob("[!.]*"))
        for p in arrived:
            p.unlink()  # who takes it is quick
        if waiting(lab, number=number, state="waits"):  # the approval was lost, and may be given again
            lab.order("approve", number, who=("hanako", 1002))
        wait_until(lambda: waiting(lab, number=number, state="fetched"), 10)
        time.sleep(0.2)
        arrived += list(out.glob("[!.]*"))
        assert [p.name for p in arrived] == [name], (call, nth, arrived)
        for p in out.glob("*"):
            p.unlink()
        assert not list(out.iterdir())
    assert died >= 6, died


def test_the_record_is_a_chain(lab):
    lines = lab.record().read_bytes().splitlines(keepends=True)
    before = "0" * 64
    for line in lines:
        e = json.loads(line)
        assert e["prev"] == before
        before = sha256(line)
    assert len(lines) > 20
    lab.ctl("log", "verify", lab.record())


def test_without_a_record_nothing_crosses(lab):
    number, path = lab.given(("kept.txt", b"kept\n"))
    at = lab.record()
    kept = at.read_bytes()
    with open(at, "r+b") as f:  # somebody cuts it
        f.truncate(10)
    try:
        assert lab.page(path + "/0", source=CITY_LGWAN).status == 404
        assert lab.give(("b.txt", b"b\n")).status == 503
    finally:
        at.write_bytes(kept)
    lab.ctl("reload")
    wait_until(lambda: lab.page(path + "/0", source=CITY_LGWAN).body == b"kept\n", 10)


def test_what_is_kept_is_encrypted(lab):
    secret = os.urandom(64).hex().encode()
    number, path = lab.given(("geheim.txt", secret + b"\n"))
    for at in (lab.dir / "handover").iterdir():
        data = at.read_bytes()
        assert secret not in data and path.split("/")[-1].encode() not in data, at
    assert (lab.dir / "handover").stat().st_mode & 0o777 == 0o700


def test_a_way_that_is_gone_is_closed(lab):
    number, path = lab.given(("a.txt", b"a\n"))
    conf = lab.dir / "sekisho.conf"
    old = conf.read_text()
    conf.write_text(old.replace('name = "to-lgwan";', 'name = "other-way";'))
    lab.ctl("reload")
    wait_until(lambda: lab.page(path + "/0", source=CITY_LGWAN).status == 404, 10)
    conf.write_text(old)
    lab.ctl("reload")
    wait_until(lambda: lab.page(path + "/0", source=CITY_LGWAN).body == b"a\n", 10)


def test_a_way_that_may_not_be_is_refused_at_load(lab):
    conf = lab.dir / "sekisho.conf"
    old = conf.read_text()
    (lab.dir / "drop" / "alias").symlink_to("mynumber-out")
    for was, now, words in (
            ('to = "lgwan"; profile = "strict"', 'to = "lgwan"; profile = "none"', "nothing goes from"),
            ('from = "lgwan"; to = "mynumber";', 'from = "lgwan"; to = "mynumber"; approval = "none";', "without a second person"),
            ('communication = "to-office";', "", "communication is missing"),
            ('dlp = ["residents"];', "", "dlp is missing"),
            ('from = "mynumber"; to = "lgwan"', 'from = "mynumber"; to = "internet"', "the way leads from"),
            ('from = "internet"; to = "lgwan"; profile', 'from = "lgwan"; to = "internet"; profile', "the way leads from"),
            ('/drop/lgwan-out"', '/drop/lgwan-in"', "stands twice"),
            ('/drop/lgwan-out"', '/drop/alias"', "is one of another name"),
            ('/drop/lgwan-out"', '/drop/../drop//lgwan-in"', "is one of another name"),
            ('/drop/lgwan-out"', '/handover"', "is one of another name"),
            ('/drop/lgwan-out"', '/drop/not-there"', "cannot be opened")):
        assert was in old, was
        conf.write_text(old.replace(was, now, 1))
        done = lab.ctl("reload", check=False)
        assert done.returncode and words in done.stderr and "sekisho.conf:" in done.stderr, (was, done.stderr)
    conf.write_text(old)
    lab.ctl("reload")
