# SPDX-License-Identifier: Apache-2.0
"""What administrators type: explain, policy test, -t; and its answers."""
import json
import os
import re
import socket
import subprocess

from lab import CITY, CITY_LGWAN, CITY_MYNUMBER, STRANGER, TOWN, USERS, wait_until

URLS = (
    (CITY, "https://www.lab.test:{tls}/", "allow"),
    (CITY, "https://www.lab.test:{tls}/secret/plan", "block"),
    (CITY, "https://WWW.lab.test:{tls}/a/..//secret/%70lan", "block"),
    (CITY, "https://www.lab.test:{tls}/a/../secret/%70lan", "block"),
    (CITY, "https://bank.lab.test:{tls}/", "tunnel"),
    (CITY, "https://casino.lab.test:{tls}/", "block"),
    (CITY, "http://plain.lab.test:{plain}/", "allow"),
    (CITY, "http://plain.lab.test:1/", "block"),
    (CITY_LGWAN, "https://www.lab.test:{tls}/", "block"),
    (CITY_LGWAN, "https://lgwan-ok.lab.test:{tls}/", "allow"),
    (STRANGER, "https://www.lab.test:{tls}/", "block"),
)


def run(lab, *args, language="C.UTF-8", config=None):
    return subprocess.run(
        [lab.build / "sekishoctl", "-c", config or lab.dir / "sekisho.conf", *args],
        capture_output=True, text=True, timeout=30, env={**os.environ, "LANG": language})


def test_explain_says_what_the_proxy_does(lab):
    for source, url, verdict in URLS:
        url = url.format(tls=lab.tls_port, plain=lab.plain_port)
        done = run(lab, "explain", "--json", "--from", source, url)
        steps = json.loads(done.stdout)["steps"]
        assert steps[-1]["verdict"] == verdict, (url, steps)
        assert done.returncode == (2 if verdict == "block" else 0)


def test_explain_leads_to_file_and_line(lab):
    done = run(lab, "explain", "--from", CITY, f"https://casino.lab.test:{lab.tls_port}/")
    rule = next(n for n, line in enumerate(
        (lab.dir / "policy.conf").read_text().splitlines(), 1) if "no-gambling" in line)
    assert f"policy.conf:{rule}" in done.stdout, done.stdout
    for word in ("block", "no-gambling", "990019", "internet", "gambling", "This is gambling.",
                 "layers:", "  prefecture default no-gambling: block", "  body       -"):
        assert word in done.stdout, word
    done = run(lab, "explain", "--from", CITY, f"https://casino.lab.test:{lab.tls_port}/",
               language="ja_JP.UTF-8")
    assert "理由" in done.stdout and "賭け事の分類です。" in done.stdout


def test_explain_needs_its_arguments(lab):
    for args, code in ((["explain", "https://a.test/"], 1),
                       (["explain", "--from", "nowhere", "https://a.test/"], 1),
                       (["explain", "--from", CITY, "ftp://a.test/"], 1),
                       (["explain", "--from", CITY, "--at", "noon", "https://a.test/"], 1),
                       (["nonsense"], 64), ([], 64), (["--nonsense"], 64)):
        done = run(lab, *args)
        assert done.returncode == code and done.stdout + done.stderr, (args, done)


def test_policy_test_tells_each_difference(lab):
    cases = lab.dir / "policy.cases"
    good = f"{CITY} GET https://casino.lab.test:{lab.tls_port}/ -> block no-gambling\n"
    cases.write_text(good)
    done = run(lab, "policy", "test")
    assert done.returncode == 0 and "1 passed, 0 failed" in done.stdout, done
    cases.write_text(good + good.replace("block", "allow"))
    done = run(lab, "policy", "test")
    assert done.returncode == 1 and "1 passed, 1 failed" in done.stdout, done
    assert "policy.cases:2:" in done.stdout, done.stdout
    cases.unlink()
    done = run(lab, "policy", "test", str(cases))
    assert done.returncode == 1 and "0 passed, 1 failed" in done.stdout, done
    assert "policy.cases" in done.stderr


def changed_policy(lab):
    """Settings with a policy that blocks plain.lab.test."""
    rules = (lab.dir / "policy.conf").read_text().replace("default = (", """default = (
  { name = "no-plain"; verdict = "block"; destinations = ["plain.lab.test"]; reason_ja = "試";  },""")
    (lab.dir / "next.conf").write_text(rules)
    conf = lab.dir / "next-settings.conf"
    conf.write_text((lab.dir / "sekisho.conf").read_text().replace(
        'prefecture = ["policy.conf"]', 'prefecture = ["next.conf"]'))
    return conf


def test_replay_tells_what_would_change(lab):
    for path in ("/1k", "/empty", "/1k"):
        assert lab.get_plain("plain.lab.test", path).status in (200, 204)
    lab.get("www.lab.test", "/1k")
    lab.event(event="exchange", host="www.lab.test", path="/1k")
    journal = lab.dir / "log" / "journal.jsonl"
    done = run(lab, "policy", "replay", "--log", str(journal))
    assert done.returncode == 0 and " 0 would change" in done.stdout, done
    done = run(lab, "policy", "replay", "--log", str(journal), config=changed_policy(lab))
    assert done.returncode == 1 and " 3 would change" in done.stdout, done
    assert "       3  allow lab -> block no-plain\n" in done.stdout, done.stdout
    assert f"GET http://plain.lab.test:{lab.plain_port}/1k" in done.stdout
    done = run(lab, "policy", "replay", "--log", str(lab.dir / "nothing"))
    assert done.returncode == 1 and "nothing" in done.stderr
    assert run(lab, "policy", "replay").returncode == 1


def test_diff_tells_policies_apart(lab):
    old = str(lab.dir / "sekisho.conf")
    done = run(lab, "policy", "diff", old)
    assert (done.returncode, done.stdout) == (0, ""), done
    done = run(lab, "policy", "diff", old, config=changed_policy(lab))
    assert done.returncode == 1 and re.fullmatch(r"\+ no-plain: block \(\S+:\d+\)\n", done.stdout), done


def test_the_daemon_is_asked_even_while_the_settings_are_broken(lab):
    broken = lab.dir / "broken.conf"
    text = (lab.dir / "sekisho.conf").read_text()
    broken.write_text(text.replace("bodies = (", "bodies = ( 1,"))
    done = run(lab, "status", config=broken)
    assert done.returncode == 0 and "edge.0" in done.stdout, done


def test_who_may_not_ask_is_told_so(lab):
    done = subprocess.run(
        ["setpriv", f"--reuid={USERS['edge_user']}", f"--regid={USERS['edge_user']}",
         "--clear-groups", lab.build / "sekishoctl", "-s", lab.dir / "run" / "control.sock",
         "status"], capture_output=True, text=True, env={**os.environ, "LANG": "C.UTF-8"})
    assert done.returncode == 1 and "not permitted" in done.stderr, done


BAD = (
    (r'code = "990001"', 'code = "990002"', "check digit"),
    (r'proxy = "[^"]*"', 'proxy = "no port"', "proxy"),
    (r'proxy_tls = "[^"]*"', 'proxy_tls = "no port"', "proxy_tls"),
    (r"edges = 2", "edges = -1", "edges is -1, expected 0 to 64"),
    (r"edges = 2", "edges = 99999999999L", "edges is"),
    (r"edges = 2", 'edges = "two"', "expected a number"),
    (r"edges = 2", "edges = 2; edges = 3", "duplicate"),
    (r"edges = 2", "egdes = 2", 'unknown key "egdes"'),
    (r"drain_max = 20", "drain_max = true", "expected a number"),
    (r"listeners = \([^)]*\);", "", "listeners"),
    (r"tls = true", 'tls = "yes"', "tls"),
    (r'zone = "lgwan"; }', 'zone = "lgwann"; }', 'zone "lgwann" is not in zones'),
    (r'kind = "mynumber";', 'kind = "mynumbr";', "expected internet, lgwan or mynumber"),
    (r'code = "990027"', 'code = "990019"', "is there twice"),
    (r'prefix = "127.0.4.0/24"', 'prefix = "127.0.3.0/24"', "is there twice"),
    (r'prefecture = \["policy.conf"\]', 'prefecture = ["nowhere.conf"]', "nowhere.conf"),
    (r'national = .*;', "national = []; };", "no policy file"),
    (r'prefecture = \["policy.conf"\]', 'bodies = ( { body = "990035"; } )', "990035"),
    (r'prefecture = \["policy.conf"\]',
     'bodies = ( { body = "990019"; sections = ( { name = "x"; files = ["policy.conf"]; } ); } )',
     'section "x" is named by no segment'),
    (r'"ca/origin-ca.crt"', '"ca/nowhere.crt"', "nowhere.crt"),
    (r'"ca/proxy-ca.crt"', '"ca/nowhere.crt"', "nowhere.crt"),
    (r"bodies = \(", "bodies = ( {", "expected libconfig syntax"),
    (r"journal = {", '@include "nowhere.conf"\njournal = {', "nowhere.conf: cannot be read"),
)


def test_who_gets_no_answer_is_told_so(lab):
    idle = []
    for _ in range(16):  # as many as it hears at once
        idle.append(socket.socket(socket.AF_UNIX))
        idle[-1].connect(str(lab.dir / "run" / "control.sock"))
    for words in (("status",), ("separation", "list")):
        done = lab.ctl(*words, check=False)
        assert done.returncode == 1 and "gave no answer" in done.stderr, done
    for s in idle:
        s.close()
    wait_until(lambda: lab.ctl("status", check=False).returncode == 0)


def test_bad_settings_are_named_with_their_line(lab):
    text = (lab.dir / "sekisho.conf").read_text()
    changed = lab.dir / "changed.conf"
    for pattern, to, words in BAD:
        bad, n = re.subn(pattern, to, text, count=1)
        assert n == 1, pattern
        changed.write_text(bad)
        done = subprocess.run([lab.build / "sekishod", "-t", "-c", changed],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 1, (to, done)
        assert words in done.stderr, (to, done.stderr)
        assert re.search(r"\.(conf|crt)\b", done.stderr), (to, done.stderr)


ROUTES = """inbound = (
  { name = "city"; body = "990019"; domains = ["city.test"]; side = "lgwan"; detox = "strict";
    next_hops = ( { host = "mx.city.test"; port = 2526; }, { host = "::1"; priority = 5; tls = "none"; } ); } );
outbound = ( { name = "world"; domains = ["*"]; } );
"""

MAILS = (
    (STRANGER, "a@partner.test", "b@city.test", "accepted accepted accepted", "city"),
    (STRANGER, "a@city.test", "b@city.test", "accepted refused accepted", "city"),
    (STRANGER, "", "b@partner.test", "accepted accepted refused", None),
    (CITY, "a@city.test", "b@partner.test", "accepted accepted accepted", "world"),
    (CITY_LGWAN, "<>", "<b@city.test>", "accepted accepted accepted", "city"),
    (TOWN, "a@city.test", "b@city.test", "accepted refused accepted", "city"),
    (CITY_MYNUMBER, "a@city.test", "b@city.test", "refused refused refused", None),
)


def mail_settings(lab):
    (lab.dir / "mail.conf").write_text(ROUTES)
    conf = lab.dir / "mail-settings.conf"
    conf.write_text('mail = { routes = "mail.conf"; };\n' + (lab.dir / "sekisho.conf").read_text())
    return conf


def test_explain_mail_says_where_a_mail_would_go(lab):
    conf = mail_settings(lab)
    for source, sender, recipient, verdicts, route in MAILS:
        done = run(lab, "explain", "mail", "--json", "--from", source, "--mail-from", sender,
                   "--rcpt-to", recipient, config=conf)
        answer = json.loads(done.stdout)
        assert " ".join(s["verdict"] for s in answer["steps"]) == verdicts, (sender, answer)
        assert (answer["route"] or {"name": None})["name"] == route, answer
        assert done.returncode == (2 if "refused" in verdicts else 0), done
    assert answer["body"] == "990019" and answer["zone"] == "mynumber"


def test_explain_mail_leads_to_file_and_line(lab):
    conf = mail_settings(lab)
    ask = ("explain", "mail", "--from", TOWN, "--helo", "mail.town.test",
           "--mail-from", "a@city.test", "--rcpt-to", "b@city.test")
    done = run(lab, *ask, config=conf)
    for words in ("client: accepted", "990027 Toge", "helo     mail.town.test",
                  "sender: refused", "rule     own domains", f"file     {lab.dir}/mail.conf:2",
                  "reply    550 5.7.1 <a@city.test>: this sender domain is not one of 990027's (own domains)",
                  "recipient: accepted", f"route    city ({lab.dir}/mail.conf:2)", "side     lgwan",
                  "next hop [::1]:25 priority 5, TLS none\n  next hop mx.city.test:2526 priority 10,"
                  " TLS required, name mx.city.test", "detox    strict"):
        assert words in done.stdout, (words, done.stdout)
    done = run(lab, *ask, config=conf, language="ja_JP.UTF-8")
    assert "渡す先" in done.stdout and "990027 峠町" in done.stdout, done.stdout


def test_explain_mail_needs_its_arguments(lab):
    conf = mail_settings(lab)
    good = ("--from", CITY, "--mail-from", "a@city.test", "--rcpt-to", "b@city.test")
    for args, words, config in (
            (good[:4], "expected --from", conf), (good[2:], "expected --from", conf),
            (("--from", "nowhere", *good[2:]), "expected an address", conf),
            ((*good[:4], "--rcpt-to", "b"), "without a domain", conf),
            ((*good[:4], "--rcpt-to", "<b@city.test> x"), "behind the address", conf),
            (good, "mail.routes", None)):
        done = run(lab, "explain", "mail", *args, config=config)
        assert done.returncode == 1 and words in done.stdout + done.stderr, (args, done)


BAD_MAIL = (
    ('routes = "r"; listeners = ( { address = "127.0.0.1:%(port)s"; } );', "is listened on for HTTP"),
    ('routes = "r"; listeners = ( { address = "0.0.0.0:%(port)s"; } );', "is listened on for HTTP"),
    ('certificate = "nowhere.crt"; key = "k";', "certificate: "),
    ('certificate = "log"; key = "k";', "certificate: "),
    ('size_max = 1;', "size_max is 1, expected 65536 to"),
)


def test_bad_mail_settings_are_named_with_their_line(lab):
    text = (lab.dir / "sekisho.conf").read_text()
    changed = lab.dir / "changed.conf"
    for keys, words in BAD_MAIL:
        changed.write_text("mail = {\n" + keys % {"port": lab.port} + " };\n" + text)
        done = subprocess.run([lab.build / "sekishod", "-t", "-c", changed],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 1, (keys, done)
        assert f"{changed}:2: " in done.stderr and words in done.stderr, (keys, done.stderr)


def test_all_errors_are_told_at_once(lab):
    text = (lab.dir / "sekisho.conf").read_text()
    conf, rules = lab.dir / "many.conf", lab.dir / "many-policy.conf"
    rules.write_text("""default = (
  { nme = "a"; verdict = "allow"; reason_ja = "a"; },
  { name = "b"; verdict = "alow"; reason_ja = "b"; },
  { name = "c"; verdict = "block"; reason_ja = "c"; ports = [0]; zones = ["dmz"]; } );
""")
    conf.write_text(text.replace("edges = 2", "egdes = 2").replace("drain_max = 20", "drain_max = -1")
                    .replace('prefecture = ["policy.conf"]', 'prefecture = ["many-policy.conf"]')
                    .replace("tls = true", "tls = 1"))
    done = subprocess.run([lab.build / "sekishod", "-t", "-c", conf], capture_output=True, text=True)
    assert done.returncode == 1 and not done.stdout, done
    lines = done.stderr.splitlines()
    for words in ('many.conf:', 'did you mean "edges"?', "drain_max is -1", "tls: expected true or false",
                  'policy.conf:2: unknown key "nme", did you mean "name"?', "policy.conf:2: name is missing",
                  'policy.conf:3: verdict is "alow"', "policy.conf:4: a port is 0",
                  'policy.conf:4: zone "dmz" is not in the settings'):
        assert sum(words in line for line in lines) >= 1, (words, done.stderr)
    assert len(lines) == 8 and all(re.match(r"\S+:\d+: ", line) for line in lines), done.stderr


def test_what_cannot_be_meant_is_a_warning(lab):
    rules = lab.dir / "shadow.conf"
    rules.write_text("""default = (
  { name = "all"; verdict = "allow"; reason_ja = "a"; zones = ["internet"]; },
  { name = "never"; verdict = "allow"; reason_ja = "b"; destinations = ["a.lab.test"];
    zones = ["internet"]; } );
""")
    conf = lab.dir / "shadow-settings.conf"
    conf.write_text((lab.dir / "sekisho.conf").read_text().replace(
        'prefecture = ["policy.conf"]', 'prefecture = ["shadow.conf"]'))
    done = subprocess.run([lab.build / "sekishod", "-t", "-c", conf], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (f'{rules}:3: warning: rule "never" never decides: it is said before by "all" ({rules}:2)'
            in done.stdout), done.stdout


def test_good_settings_pass(lab):
    done = subprocess.run([lab.build / "sekishod", "-t", "-c", lab.dir / "sekisho.conf"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "ok" in done.stdout, done
