# SPDX-License-Identifier: Apache-2.0
"""Categories from the file of URL lists, which is exchanged while it is used."""
import os
import subprocess
import time

from lab import CITY, Lab, wait_until

POLICY = """
lists = (
  { category = "phishing"; kind = "reputation"; at_least = 50; },
  { category = "gambling"; kind = "reputation"; },
  { category = "lookalike"; kind = "score"; at_least = 60; } );
default = (
  { name = "doubtful"; categories = ["lookalike"]; verdict = "block"; reason_ja = "紛らわしい名前"; },
  { name = "no-phishing"; categories = ["phishing"]; verdict = "block"; reason_ja = "詐欺"; },
  { name = "no-gambling"; categories = ["gambling"]; verdict = "block"; reason_ja = "賭け事"; },
  { name = "bank"; verdict = "tunnel"; zones = ["internet"]; destinations = ["bank.lab.test"];
    tls_only = true; reason_ja = "銀行"; },
  { name = "lab"; verdict = "allow"; zones = ["internet"]; destinations = ["lab.test"];
    reason_ja = "試験"; } );
"""


def make(build):
    lab = Lab(build, edges=2, settings='reputation = { file = "lists.db"; };'
              ' score = { own_names = ["www.city.sekimachi.lg.jp"]; };',
              hosts={n: "127.0.0.1" for n in ("bad.lab.test", "doubtful.lab.test", "late.lab.test")})
    lab.write_policy(POLICY)
    compile_lists(lab, phishing=["bad.lab.test"], gambling=["casino.lab.test"])
    return lab


def compile_lists(lab, weak=(), urls=(), **names):
    """Sources in a file, so that each has a confidence."""
    rows = []
    for category, entries in {**names, "weak": weak, "urls": urls}.items():
        (lab.dir / f"{category}.txt").write_text("".join(f"{e}\n" for e in entries))
        kind = "urls" if category == "urls" else "domains"
        of = "phishing" if category in ("weak", "urls") else category
        if entries:
            rows.append(f'{{ name = "{category}"; kind = "{kind}"; file = "{category}.txt"; category = "{of}";'
                        f' confidence = {10 if category == "weak" else 90}; protect = false; }}')
    (lab.dir / "sources.conf").write_text(f"sources = ( {', '.join(rows)} );\n")
    done = subprocess.run([lab.build / "sekishoctl", "lists", "compile", "-o", lab.dir / "lists.db",
                           lab.dir / "sources.conf"], capture_output=True, text=True)
    # 3: a source that lost more than a third keeps what it had
    assert done.returncode == 0, done.stderr


def blocked_by(lab, host, path="/1k", **kw):
    a = lab.get(host, path, **kw)
    return lab.event(event="exchange", host=host, path=path)["rule"] if a.status == 403 else None


def test_what_is_listed_is_in_its_category(lab):
    assert blocked_by(lab, "bad.lab.test") == "no-phishing"
    assert blocked_by(lab, "casino.lab.test") == "no-gambling"
    assert lab.event(event="exchange", host="casino.lab.test")["category"] == "gambling"
    assert blocked_by(lab, "www.lab.test") is None


def test_a_new_file_is_in_use_within_a_second_or_so(lab):
    kept = [lab.tls("late.lab.test") for _ in range(6)]
    for s in kept:
        assert lab.get("late.lab.test", "/1k", sock=s).status == 200
    compile_lists(lab, phishing=["bad.lab.test", "late.lab.test"], gambling=["casino.lab.test"],
                  weak=["doubtful.lab.test"], urls=["www.lab.test/secret/", "bank.lab.test/phish"])
    begun = time.monotonic()
    for s in kept:  # of either edge
        wait_until(lambda s=s: lab.get("late.lab.test", "/1k", sock=s).status == 403, 5)
    assert time.monotonic() - begun < 3
    assert "entries" in lab.event(event="lists_loaded")["text"]


def test_confidence_and_paths_count(lab):
    assert blocked_by(lab, "doubtful.lab.test") is None
    assert blocked_by(lab, "www.lab.test", "/secret/plan") == "no-phishing"
    for path in ("/a/../secret/plan", "//secret/plan", "/%73ecret/plan"):
        assert blocked_by(lab, "www.lab.test", path) == "no-phishing", path
    assert blocked_by(lab, "www.lab.test", "/1k") is None


def test_what_looks_like_a_body_is_in_a_category(lab):
    for host, rule in (("lg-jp.lab.test", "doubtful"), ("city.sekimachi.lg.jp.lab.test", "doubtful"),
                       ("www.lab.test", None)):
        assert blocked_by(lab, host) == rule, host
    assert lab.event(event="exchange", host="lg-jp.lab.test")["category"] == "lookalike"


def test_lists_without_the_file_are_refused(lab):
    conf = (lab.dir / "sekisho.conf").read_text()
    (lab.dir / "without.conf").write_text(conf.replace('file = "lists.db"', 'file = ""'))
    done = subprocess.run([lab.build / "sekishod", "-t", "-c", lab.dir / "without.conf"], capture_output=True,
                          text=True)
    assert done.returncode != 0 and "reputation.file is missing" in done.stderr, done.stderr


def test_where_a_path_is_listed_is_no_tunnel(lab):
    a = lab.get("bank.lab.test", "/phish/x")
    assert a.status == 403  # so it was decrypted
    assert lab.get("bank.lab.test", "/1k").status == 200


def test_who_asks_before_is_told_the_same(lab):
    for url, verdict in ((f"https://late.lab.test:{lab.tls_port}/", "block"),
                         (f"https://bank.lab.test:{lab.tls_port}/phish", "block"),
                         (f"https://www.lab.test:{lab.tls_port}/", "allow")):
        done = lab.ctl("explain", "-c", str(lab.dir / "sekisho.conf"), "--from", CITY, url, check=False)
        assert f"request: {verdict}" in done.stdout or f"CONNECT: {verdict}" in done.stdout, done.stdout


def test_a_broken_file_changes_nothing(lab):
    db = lab.dir / "lists.db"
    good = db.read_bytes()
    for name, bad in (("cut", good[:-100]), ("changed", good[:2000] + b"\xff" + good[2001:]),
                      ("empty", b""), ("other", b"no lists\n" * 1000)):
        lines = len([e for e in lab.journal() if e["event"] == "lists_refused"])
        (lab.dir / "new.db").write_bytes(bad)
        os.replace(lab.dir / "new.db", db)
        wait_until(lambda n=lines: len([e for e in lab.journal() if e["event"] == "lists_refused"]) > n, 5)
        assert blocked_by(lab, "bad.lab.test") == "no-phishing", name
    db.unlink()
    time.sleep(1.2)  # longer than the parent takes to look: nothing tells that nothing happened
    assert blocked_by(lab, "late.lab.test") == "no-phishing"
    (lab.dir / "new.db").write_bytes(good)
    os.replace(lab.dir / "new.db", db)


def test_a_reload_without_the_file_is_refused(lab):
    lab.write_settings(extra='reputation = { file = "nowhere.db"; };')
    done = lab.ctl("reload", check=False)
    assert done.returncode != 0 and "nowhere.db" in done.stdout + done.stderr
    assert blocked_by(lab, "bad.lab.test") == "no-phishing"
    lab.write_settings(extra='reputation = { file = "lists.db"; };')
    lab.ctl("reload")
    assert blocked_by(lab, "bad.lab.test") == "no-phishing"


def test_an_edge_that_is_started_anew_has_it(lab):
    os.kill(lab.children()["edge.0"], 9)
    os.kill(lab.children()["edge.1"], 9)
    wait_until(lambda: {"edge.0", "edge.1"} <= set(lab.children()))
    for _ in range(4):
        assert wait_until(lambda: try_blocked(lab), 10) == "no-phishing"


def try_blocked(lab):
    try:
        return blocked_by(lab, "bad.lab.test")
    except (OSError, ValueError, IndexError):
        return None
