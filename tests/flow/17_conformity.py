# SPDX-License-Identifier: Apache-2.0
"""Whether bodies are as the models ask that they declare: `sekishoctl isolation conformity`."""
import json
import os
import subprocess

LGWAN = 'isolation = { lgwan = ["127.0.7.0/24"]; };\n'
COMMUNICATION = """communications = ( {{ name = "files"; from = ["{0}"]; to = ["{1}"]; protocol = "tcp";
  port = 445; purpose = "p"; owner = "o"; approval = "a"; expires = "{2}"; }} );
"""


def report(lab, language="C", arguments=("--json",), models=("alpha-prime", "beta"), more="", rule=None):
    """Status and what is printed of the lab's settings with such models, and another rule for LGWAN."""
    text = (lab.dir / "sekisho.conf").read_text()
    for contact, model in zip(("情報システム課", "総務課"), models):
        if model:
            text = text.replace(f'contact = "{contact}";', f'contact = "{contact}"; model = "{model}";')
    policy = (lab.dir / "policy.conf").read_text()
    if rule is not None:
        policy = policy.replace('destinations = ["lgwan-ok.lab.test"]', rule)
    (lab.dir / "other.policy").write_text(policy)
    (lab.dir / "other.conf").write_text(text.replace('"policy.conf"', '"other.policy"') + more)
    done = subprocess.run([lab.build / "sekishoctl", "-c", lab.dir / "other.conf", "isolation", "conformity",
                           *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": language})
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def results(lab, body="990019", **kw):
    """Of one body: check -> results; and whether all conforms."""
    status, text = report(lab, **kw)
    all_of_it = json.loads(text)
    assert (status == 0) == all_of_it["conforms"], text
    checks = {}
    for b in all_of_it["bodies"]:
        if b["body"] == body:
            for c in b["checks"]:
                checks.setdefault(c["check"], []).append(c)
    return checks, all_of_it["conforms"]


def result(lab, check, **kw):
    checks, _ = results(lab, **kw)
    return [c["result"] for c in checks[check]]


def test_bodies_that_conform(lab):
    checks, conforms = results(lab)
    assert conforms
    assert checks["terminals"][0]["result"] == "fits"
    way = checks["lgwan-web"][0]
    assert way["result"] == "fits" and way["file"].endswith("other.policy") and way["line"] > 1, way
    assert "lgwan-ok.lab.test" in way["words_en"] and "lgwan-ok.lab.test" in way["words_ja"]
    assert checks["organisation"][0]["result"] == "unchecked"
    assert result(lab, "moved-systems", body="990027") == ["unchecked"]


def test_a_model_asks_for_the_zone_of_its_terminals(lab):
    assert result(lab, "terminals", body="990027", models=("alpha-prime", None)) == ["unfit"]
    assert not results(lab, models=("alpha-prime", None))[1]
    for model in ("beta", "beta-prime"):
        assert result(lab, "terminals", models=(model, "beta")) == ["fits"]


def test_alpha_has_no_way_out_of_the_lgwan_zone(lab):
    models = ("alpha", "beta")
    assert result(lab, "lgwan-web", models=models) == ["unfit"]
    for rule, want in (
            ('addresses = ["127.0.7.0/25"]', "fits"),
            ('addresses = ["127.0.7.0/25", "127.0.2.0/24"]', "fits"),
            ('addresses = ["127.0.6.0/23"]', "unfit"),
            ('urls = ["http://127.0.7.8/"]', "fits"),
            ('urls = ["https://www.lab.test/"]', "unfit")):  # at 127.0.0.1
        assert result(lab, "lgwan-web", models=models, more=LGWAN, rule=rule) == [want], rule
    # A rule for another body is none.
    rule = 'destinations = ["lgwan-ok.lab.test"]; bodies = ["990027"]'
    assert result(lab, "lgwan-web", models=models, rule=rule) == ["fits"]


def test_alpha_prime_names_its_services(lab):
    for rule, want in (
            ('destinations = ["jp"]', "unfit"),
            ('destinations = ["co.jp"]', "unfit"),
            ('destinations = ["www.lab.test", "city.kawasaki.jp"]', "fits"),
            ('destinations = ["www.lab.test", "x.kawasaki.jp"]', "unfit"),  # a suffix of the list
            ('destinations = ["com"]; urls = ["https://www.lab.test/"]', "fits"),
            ('addresses = ["0.0.0.0/0"]', "unfit"),
            ('addresses = ["198.50.0.0/15"]', "unfit"),
            ('addresses = ["198.51.0.0/16"]', "fits"),
            ('addresses = ["2001:db8::/31"]', "unfit"),
            ('addresses = ["2001:db8::/32"]', "fits")):
        assert result(lab, "lgwan-web", rule=rule) == [want], rule
    # β and β′: nobody here knows.
    assert result(lab, "lgwan-web", models=("beta", "beta")) == ["unchecked"]
    assert result(lab, "lgwan-web", models=("beta-prime", "beta"), rule='destinations = ["jp"]') == ["unfit"]


def test_communications_between_zones_are_told(lab):
    assert result(lab, "zones-apart") == ["fits"]
    day = subprocess.run(["date", "-d", "+1 month", "+%F"], capture_output=True, text=True,
                         check=True).stdout.strip()
    for ends in (("127.0.1.9", "127.0.2.9"), ("127.0.2.9", "127.0.1.9"), ("127.0.2.9", "127.0.4.9")):
        checks, conforms = results(lab, more=COMMUNICATION.format(*ends, day))
        told = checks["zones-apart"]
        assert [c["result"] for c in told] == ["unchecked"] and conforms, (ends, told)
        assert told[0]["file"].endswith("other.conf"), told
    more = COMMUNICATION.format("127.0.3.9", "127.0.2.9", day)
    assert result(lab, "zones-apart", more=more) == ["fits"]
    assert results(lab, more=more)[0]["mynumber"][0]["words_en"].endswith(": 1")


def test_mail_to_the_lgwan_side_is_made_harmless(lab):
    for side, detox, want in (("lgwan", "none", "unfit"), ("lgwan", "standard", "fits"),
                              ("internet", "none", "unchecked")):
        (lab.dir / "mail.conf").write_text(
            f'inbound = ( {{ name = "c"; body = "990019"; domains = ["city.test"]; side = "{side}"; '
            f'detox = "{detox}"; next_hops = ( {{ host = "127.0.0.1"; tls = "none"; }} ); }} );\n')
        assert result(lab, "mail", more='mail = { routes = "mail.conf"; };\n') == [want], (side, detox)


def test_people_read_it_in_their_language(lab):
    status, text = report(lab, arguments=(), models=("alpha", "beta"))
    assert status == 1
    assert "990019 Sekisho City: alpha\n" in text and "  [UNFIT] web from the LGWAN zone: rule" in text, text
    assert text.endswith("1 checks do not hold\n"), text
    status, text = report(lab, language="ja_JP.UTF-8", arguments=())
    assert status == 0
    assert "990019 関所市: α′ モデル\n" in text and "  [適合] 業務端末: " in text, text
    assert text.endswith("不適合 0 件\n"), text
