# SPDX-License-Identifier: Apache-2.0
"""The proof of the isolation: its certificate, and settings that it refuses."""
import json
import os
import subprocess
import unicodedata

from lab import openssl

EXTRA = """
isolation = { lgwan = ["127.0.7.0/24"]; machine = ["127.0.0.1"]; };
provision = ( { name = "chukan"; addresses = ["127.0.8.10"]; port = 8446; owner = "o";
  certificate = "%s"; } );
communications = ( { name = "window"; from = ["127.0.2.32/28"]; to = ["127.0.3.20"];
  protocol = "tcp"; port = 8443; purpose = "p"; owner = "o"; approval = "a";
  expires = "%s"; } );
"""


def settings(lab, *changes):
    """The lab's settings with an isolation, in a file of their own beside them."""
    day = subprocess.run(["date", "-d", "+1 year", "+%F"], capture_output=True, text=True,
                         check=True).stdout.strip()
    text = (lab.dir / "sekisho.conf").read_text() + EXTRA % ("0" * 64, day)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = lab.dir / "isolated.conf"
    path.write_text(text)
    return path


def run(lab, path, *args, language="C.UTF-8"):
    return subprocess.run([lab.build / "sekishoctl", "-c", path, "isolation", "prove", *args],
                          capture_output=True, text=True, timeout=120,
                          env={**os.environ, "LANG": language, "LC_ALL": language})


def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_the_certificate_is_readable(lab):
    path = settings(lab)
    for language, words in (("C.UTF-8", ("it holds", "What can reach what", "national.conf",
                                         "verified")),
                            ("ja_JP.UTF-8", ("成り立つ", "何が何に届くか", "policy.conf", "再検査"))):
        done = run(lab, path, "--verify", language=language)
        assert done.returncode == 0, done
        for word in words:
            assert word in done.stdout, (word, done.stdout)
        wide = [line for line in done.stdout.splitlines()
                if width(line) > 80 and str(lab.dir) not in line]
        assert not wide, wide


def test_the_json_has_every_cell(lab):
    done = run(lab, settings(lab), "--json", "--verify")
    assert done.returncode == 0, done
    said = json.loads(done.stdout)
    assert said["holds"] and said["schema"] == 1 and not said["counterexamples"]
    assert len(said["cells"]) == said["cells_n"] and said["verified_points"] > 0
    (forward,) = [c for c in said["cells"] if c["carrier"] == "forward"]
    assert forward["from"] == ["127.0.2.32", "127.0.2.47"] and forward["protocol"] == 6
    assert forward["to"] == ["127.0.3.20"] * 2 and forward["ports"] == [8443, 8443]
    assert forward["entries"][0]["what"] == 'communication "window"'
    for pair in said["matrix"]:
        assert pair["from"] != "mynumber" and pair["to"] != "provision", pair
        assert pair["to"] != "mynumber" or pair["carrier"] == "forward", pair
    assert len(said["policies"]) == 2 and len(said["policies"][0]["sha256"]) == 64
    places = said["places"]
    assert places[0]["addresses"][0] == "::"
    assert places[-1]["addresses"][1] == ":".join(["ffff"] * 8)


def test_the_digest_is_of_what_is_said(lab):
    digest = json.loads(run(lab, settings(lab), "--json").stdout)["model_sha256"]
    moved = settings(lab, ("zones = (", "\n\n# moved\nzones = ("))
    assert json.loads(run(lab, moved, "--json").stdout)["model_sha256"] == digest
    for name in ("auditor", "other"):
        openssl("genpkey", "-algorithm", "ED25519", "-out", lab.dir / "ca" / f"{name}.key")
        openssl("pkey", "-in", lab.dir / "ca" / f"{name}.key", "-pubout", "-out", lab.dir / "ca" / f"{name}.pub")
    seen = {digest}
    for old, new in (("port = 8443;", "port = 8444;"),
                     ("isolation = {", 'isolation = { auditor_keys = ["ca/auditor.pub"];'),
                     ("isolation = {", 'isolation = { auditor_keys = ["ca/other.pub"];'),
                     ("isolation = {", f'isolation = {{ contractor_certificates = ["{"1" * 64}"];'),
                     ("isolation = {", 'isolation = { contractor_oid = "1.2.3.4";'),
                     ('name_en = "Toge Town";', 'name_en = "Toge Town"; model = "beta";')):
        seen.add(json.loads(run(lab, settings(lab, (old, new)), "--json").stdout)["model_sha256"])
    assert len(seen) == 7


def test_what_does_not_hold_is_refused_with_a_packet(lab):
    path = settings(lab, ('forwarded_from = ["127.0.6.0/24"]', 'forwarded_from = ["127.0.3.0/24"]'))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1)
                if text.startswith("listeners"))
    words = (f"isolated.conf:{line}: forwarded_from of listener 127.0.0.1:{lab.port} lets"
             " 127.0.3.0 (mynumber) reach")
    checked = subprocess.run([lab.build / "sekishod", "-t", "-c", path], capture_output=True,
                             text=True, timeout=60, check=False)
    assert checked.returncode == 1 and words in checked.stderr, checked
    done = run(lab, path, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 1 and not said["holds"] and said["counterexamples_n"] > 0
    told = [c for c in said["counterexamples"] if words in c["text"]]
    assert told and all(c["from_place"] == "mynumber" for c in told), said["counterexamples"]
    done = run(lab, path)
    assert done.returncode == 1 and "does NOT hold" in done.stdout, done
    done = run(lab, path, language="ja_JP.UTF-8")
    assert done.returncode == 1 and "成り立たない" in done.stdout and "反例" in done.stdout, done


def test_the_gate_is_no_other_listener(lab):
    for at in ("127.0.0.1", "0.0.0.0"):
        path = settings(lab, ('isolation = {', f'isolation = {{ gate = "127.0.0.1:{lab.port}";'
                              ' gate_certificate = "ca/proxy-ca.crt"; gate_key = "ca/proxy-ca.key";'),
                        (f'( {{ address = "127.0.0.1:{lab.port}"', f'( {{ address = "{at}:{lab.port}"'))
        done = run(lab, path)
        line = next(n for n, text in enumerate(path.read_text().splitlines(), 1)
                    if text.startswith("isolation"))
        assert done.returncode == 1, done
        assert f"isolated.conf:{line}: gate is 127.0.0.1:{lab.port}, where a listener" in done.stderr, done
