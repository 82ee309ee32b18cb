# SPDX-License-Identifier: Apache-2.0
"""What administrators type about URL lists: compile, lookup, show, rollback."""
import json
import os
import pathlib
import subprocess
import tempfile

SOURCES = """
protected_names = [ "top.test" ];
score = { own_names = [ "city.example.lg.jp" ]; };
sources = (
  { name = "phish"; kind = "jpcert"; file = "feeds/*.csv"; category = "phishing";
    confidence = 90; lifetime = 30; },
  { name = "own"; kind = "domains"; file = "own"; category = "own"; protect = false; }
);
"""
CSV = """date,URL,description
2026/11/20 10:12:00,https://a.test/login/,x
2026/11/20 10:12:00,ttps://b.test/,x
2026/11/21 10:12:00,https://www.city.x.lg.jp/,x
2026/11/21 10:12:00,https://c.test/x?y=1,x
"""
NOW = "2026-11-24T09:00:00+0900"


class Folder:
    """What the daemon's Lab is to the other files, without a daemon."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.made = tempfile.TemporaryDirectory(prefix="sekisho-flow-")
        self.dir = pathlib.Path(self.made.name)

    def start(self):
        (self.dir / "feeds").mkdir()
        (self.dir / "feeds" / "202611.csv").write_text(CSV)
        (self.dir / "own").write_text("example.test\ntop.test\nwww.example.test\n")
        (self.dir / "sources.conf").write_text(SOURCES)
        return self

    def run(self, *args, language="C.UTF-8"):
        return subprocess.run(
            [self.build / "sekishoctl", "lists", *args], capture_output=True, text=True,
            timeout=60, cwd=self.dir, env={**os.environ, "LANG": language})

    def compile(self, *args):
        return self.run("compile", "-o", "db", "sources.conf", "--at", NOW, *args)

    def lookup(self, *urls, at=NOW):
        done = self.run("lookup", "db", "--json", "--at", at, *urls)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


make = Folder


def test_compile_reports_each_bad_and_protected_row(lab):
    done = lab.compile()
    assert done.returncode == 0, done
    assert "5 entries" in done.stdout, done.stdout
    for words in ("202611.csv:3: left out: the scheme is none of the web's",
                  "202611.csv:4: not taken: www.city.x.lg.jp is in a protected zone",
                  "202611.csv: 2 entries, 1 left out, 0 passed over, 1 protected"):
        assert words in done.stderr, (words, done.stderr)


def test_lookup_names_every_entry_and_its_line(lab):
    code, answers = lab.lookup("https://x.www.example.test/", "HTTPS://A.TEST:443/./login/%61",
                               "http://a.test/", "http://c.test/x?y=1", "http://c.test/x")
    assert code == 2
    assert [(m["source"], m["line"]) for m in answers[0]["matches"]] == [("own", 3), ("own", 1)]
    match = answers[1]["matches"][0]
    assert match["category"] == "phishing" and match["confidence"] == 90
    assert match["file"].endswith("feeds/202611.csv") and match["line"] == 2
    assert answers[1]["path"] == "/login/a"
    assert not answers[2]["matches"] and answers[3]["matches"] and not answers[4]["matches"]
    assert lab.lookup("http://nothing.test/")[0] == 0
    done = lab.run("lookup", "db", "--at", NOW, "http://example.test/")
    assert "own:1: example.test" in done.stdout and "source own" in done.stdout, done.stdout
    done = lab.run("lookup", "db", "--at", NOW, "http://example.test/", language="ja_JP.UTF-8")
    assert "配信元" in done.stdout, done.stdout


def test_lookup_judges_expiry_when_it_is_asked(lab):
    code, answers = lab.lookup("https://a.test/login/", at="2027-03-01T00:00:00+0900")
    assert code == 0 and answers[0]["matches"][0]["state"] == "expired"


def test_lookup_refuses_what_is_no_url(lab):
    done = lab.run("lookup", "db", "http://a..test/")
    assert done.returncode == 1 and "empty label" in done.stderr


def test_score_says_why(lab):
    done = lab.run("score", "--sources", "sources.conf", "https://city-example.evil.test:8443/")
    for words in ("own_name", "looks like city.example.lg.jp", "port 8443"):
        assert words in done.stdout, done.stdout


def test_a_feed_that_shrank_or_broke_is_held_back(lab):
    (lab.dir / "own").write_text("example.test\n")
    done = lab.compile()
    assert done.returncode == 3 and "own: held back: has 1 entries, and had 3" in done.stderr, done
    assert lab.lookup("http://top.test/")[0] == 2
    done = lab.compile("--accept", "own")
    assert done.returncode == 0, done
    assert lab.lookup("http://top.test/")[0] == 0
    (lab.dir / "own").write_text("example.test\nhalf.te")
    done = lab.compile()
    assert done.returncode == 3 and "not complete" in done.stderr, done
    assert lab.lookup("http://example.test/")[0] == 2


def test_rollback_brings_the_generation_before(lab):
    (lab.dir / "own").write_text("example.test\nlater.test\n")
    assert lab.compile().returncode == 0
    assert lab.lookup("http://later.test/")[0] == 2
    shown = lab.run("show", "db")
    assert shown.returncode == 0 and "db.1:" in shown.stdout and "phish: jpcert" in shown.stdout
    assert lab.run("rollback", "db").returncode == 0
    assert lab.lookup("http://later.test/")[0] == 0
    assert (lab.dir / "db.bad").exists()


def test_a_broken_file_is_refused_and_the_old_one_stays(lab):
    whole = (lab.dir / "db").read_bytes()
    for broken, words in ((whole[:-1], "truncated"), (whole[:100], "no list file"), (b"", "no list"),
                          (whole[:-1] + b"\xff", "checksum"), (b"x" * 5000, "no list file")):
        (lab.dir / "broken").write_bytes(broken)
        done = lab.run("lookup", "broken", "http://a.test/")
        assert done.returncode == 1 and words in done.stderr, (words, done)
    (lab.dir / "own").unlink()
    (lab.dir / "feeds" / "202611.csv").write_text("no,csv\n" * 50)
    assert lab.run("compile", "-o", "db", "domains:a:nowhere").returncode == 1
    assert (lab.dir / "db").read_bytes() == whole


def test_commands_need_their_arguments(lab):
    for args in (["compile"], ["compile", "-o", "x"], ["compile", "-o", "x", "nonsense"],
                 ["compile", "-o", "x", "nowhere.conf"], ["lookup", "db"], ["lookup"], ["score"],
                 ["show"], ["rollback"], ["rollback", "nowhere"], ["nonsense"], []):
        done = lab.run(*args)
        assert done.returncode == 1 and done.stdout + done.stderr, (args, done)
