# SPDX-License-Identifier: Apache-2.0
"""What layers of policy do to real requests: reading without writing, a warning
that asks for a reason, fields for tenants, patterns, sections."""
import re
import subprocess
import urllib.parse

import h2
from h2 import END_HEADERS, Connection
from lab import CITY, TOWN, Answer, Lab, read_head, wait_until

SCHOOL = "127.0.4.200"
TWIN = "127.0.0.8"  # of nginx, on the same ports
WARN = "/.well-known/sekisho/continue"
NATIONAL = """
must = (
  { name = "national-pattern"; verdict = "block"; reason_ja = "国";
    patterns = ["/(\\\\.git|\\\\.env)(/|$)"]; } );
default = ( { name = "may-tunnel"; verdict = "may-tunnel"; to = ["prefecture"];
  reason_ja = "可"; } );
"""
PREFECTURE = """
must = (
  { name = "tenant"; verdict = "allow"; destinations = ["login.lab.test"]; reason_ja = "統制";
    set_fields = ["Restrict-Access-To-Tenants: pref.example"];
    remove_fields = ["X-Private"]; },
  { name = "both-reads"; verdict = "read-only"; destinations = ["both.lab.test"]; zones = ["internet"]; reason_ja = "読"; } );
default = (
  { name = "safe"; verdict = "allow"; destinations = ["search.lab.test"]; zones = ["internet"];
    connect_to = "strict.lab.test"; reason_ja = "検索"; },
  { name = "forum"; verdict = "block"; destinations = ["forum.lab.test"]; reason_ja = "県では禁止"; },
  { name = "shop"; verdict = "warn"; destinations = ["shop.lab.test", "market.lab.test"];
    zones = ["internet"]; reason_ja = "通信販売です。"; reason_en = "A shop."; lasts = 60; },
  { name = "game"; verdict = "block"; destinations = ["game.lab.test"]; release = true; lasts = 60;
    zones = ["internet"]; reason_ja = "ゲームです。"; },
  { name = "toy"; verdict = "block"; destinations = ["toy.lab.test"]; release = true; approval = true; lasts = 60;
    zones = ["internet"]; reason_ja = "玩具"; reason_en = "A toy."; },
  { name = "closely"; verdict = "allow"; destinations = ["close.lab.test"]; zones = ["internet"]; log_detail = true;
    reason_ja = "詳しく"; },
  { name = "paths"; verdict = "warn"; patterns = ["^https://paths[.]lab[.]test:[0-9]+/1k"]; zones = ["internet"]; lasts = 60; reason_ja = "道"; },
  { name = "sends"; verdict = "warn"; methods = ["POST"]; patterns = ["^https://paths[.]lab[.]test"];
    zones = ["internet"]; lasts = 60; reason_ja = "送信"; },
  { name = "soft"; verdict = "block"; destinations = ["hard.lab.test"]; release = true; lasts = 60; reason_ja = "軟"; },
  { name = "hard"; verdict = "block"; patterns = ["^https://hard[.]lab[.]test:[0-9]+/1k"]; reason_ja = "硬"; },
  { name = "both"; verdict = "warn"; destinations = ["both.lab.test"]; zones = ["internet"]; lasts = 60; reason_ja = "両"; },
  { name = "big"; verdict = "block"; destinations = ["up.lab.test"]; larger_than = "1 KiB";
    reason_ja = "大きすぎる"; },
  { name = "zip"; verdict = "block"; destinations = ["up.lab.test"]; uploads = true;
    fields = ["Content-Type: ^application/(zip|x-zip)", "User-Agent: [Bb]ot"]; reason_ja = "圧縮"; },
  { name = "days"; verdict = "block"; destinations = ["days.lab.test"]; reason_ja = "時間帯";
    hours = ["workday,holiday 00:00-24:00", "mon-sun 00:00-24:00"]; },
  { name = "lab"; verdict = "allow"; zones = ["internet"]; destinations = ["lab.test"];
    reason_ja = "試験"; } );
"""
TOWN_LAYER = """
must = ( { name = "town-tenant"; verdict = "allow"; destinations = ["login.lab.test"]; reason_ja = "町";
  set_fields = ["Restrict-Access-To-Tenants: town.example"]; } );
default = ( { name = "town-login"; verdict = "allow"; zones = ["internet"]; destinations = ["login.lab.test"];
  reason_ja = "町"; remove_fields = ["restrict-access-to-tenants"]; set_fields = ["X-Private: town"]; },
  { name = "town-forum"; verdict = "read-only"; zones = ["internet"];
  destinations = ["forum.lab.test"]; reason_ja = "閲覧だけ"; } );
"""
SCHOOL_LAYER = """
must = ( { name = "school-forum"; verdict = "block"; destinations = ["forum.lab.test"];
  reason_ja = "学校では禁止"; } );
"""


def make(build):
    lab = Lab(build, edges=2, hosts={"strict.lab.test": TWIN, **{f"{n}.lab.test": "127.0.0.1" for n in (
        "forum", "shop", "market", "login", "days", "game", "up", "paths", "both", "hard", "search", "toy", "close")}})
    for port, tls in ((lab.tls_port, True), (lab.plain_port, False)):
        lab.origin(twin, tls=tls, at=(TWIN, port))
    lab.heads = []
    lab.login = lab.origin(lambda s: keep_heads(lab, s), tls=True)
    lab.write_settings()
    lab.write_policy(PREFECTURE)
    (lab.dir / "national.conf").write_text(NATIONAL)
    (lab.dir / "town.conf").write_text(TOWN_LAYER)
    (lab.dir / "school.conf").write_text(SCHOOL_LAYER)
    conf = lab.dir / "sekisho.conf"
    conf.write_text(conf.read_text()
                    .replace('prefecture = ["policy.conf"]; };', """prefecture = ["policy.conf"];
  bodies = ( { body = "990027"; files = ["town.conf"];
    sections = ( { name = "school"; files = ["school.conf"]; } ); } ); };""")
                    .replace('{ prefix = "127.0.4.0/24"; zone = "internet"; }',
                             '{ prefix = "127.0.4.0/24"; zone = "internet"; },'
                             ' { prefix = "127.0.4.128/25"; zone = "internet"; section = "school"; }'))
    return lab


def keep_heads(lab, s):
    while head := read_head(s):
        lab.heads.append(head)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def post(lab, host, path, body, source=CITY, kind="application/x-www-form-urlencoded"):
    s = lab.tls(host, source=source)
    s.sendall((f"POST {path} HTTP/1.1\r\nHost: {host}:{lab.tls_port}\r\nAccept-Language: en\r\n"
               f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
    return Answer(s)


def test_a_body_overrides_its_prefecture_and_a_section_its_body(lab):
    host = "forum.lab.test"
    assert lab.get(host, "/1k").status == 403
    assert lab.event(event="exchange", host=host)["rule"] == "forum"
    assert lab.get(host, "/1k", source=TOWN).status == 200
    assert lab.get(host, "/1k", source=SCHOOL).status == 403
    assert lab.event(event="exchange", host=host, client=SCHOOL)["rule"] == "school-forum"


def test_days_are_reckoned_in_the_sandbox(lab):
    assert lab.get("days.lab.test", "/1k").status == 403
    assert lab.event(event="exchange", host="days.lab.test")["rule"] == "days"


def test_what_a_request_brings_can_decide(lab):
    def send(body, kind="text/plain", more="", chunked=False):
        s = lab.tls("up.lab.test", port=lab.login)
        size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        data = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        s.sendall((f"POST /x HTTP/1.1\r\nHost: up.lab.test:{lab.login}\r\nContent-Type: {kind}\r\n"
                   f"{more}{size}\r\n\r\n").encode() + data)
        a = Answer(s)
        return a.status if a.status == 200 else re.search(rb"big|zip", a.body).group().decode()

    bot = "User-Agent: a\r\nUser-Agent: MyBot/1\r\n"
    assert send(b"x" * 1024) == 200
    assert send(b"x" * 1025) == "big"
    assert send(b"x", chunked=True) == "big"
    assert send(b"x", "application/zip") == send(b"", "application/zip", bot) == 200
    assert send(b"x", "application/zip; a=b", bot) == "zip"
    assert lab.get("up.lab.test", port=lab.login, headers=bot).status == 200


def test_read_only_reads(lab):
    host = "forum.lab.test"
    a = post(lab, host, "/1k", b"a=b", source=TOWN)
    assert a.status == 403 and "閲覧だけ" in a.body.decode() and b"town-forum" in a.body
    s = lab.tls(host, source=TOWN)
    s.sendall((f"GET /chat HTTP/1.1\r\nHost: {host}:{lab.tls_port}\r\nConnection: Upgrade\r\n"
               "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode())
    assert Answer(s).status == 403
    with Connection(lab, host, source=TOWN) as c:
        c.send(h2.frame(h2.HEADERS, END_HEADERS, 1, h2.block(
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
            (":authority", c.authority), (":path", "/"), ("sec-websocket-version", "13"))))
        assert b"town-forum" in c.body(1)


def test_patterns_of_the_nation_hold_everywhere(lab):
    for path in ("/.git/config", "/a/.env", "//.git/", "/%2egit/config"):
        assert lab.get("www.lab.test", path).status == 403, path
        assert lab.event(event="exchange", host="www.lab.test", path=path)["rule"] == "national-pattern"
    assert lab.get("www.lab.test", "/.github").status == 404


def test_fields_for_tenants_replace_the_clients(lab):
    sent = ("restrict-access-to-tenants: mine.example\r\nX-Private: 1\r\nX-Other: 2\r\n"
            "Restrict-Access-To-Tenants: two.example\r\n")
    lab.heads.clear()
    assert lab.get("login.lab.test", port=lab.login, headers=sent).body == b"ok"
    with Connection(lab, "login.lab.test", lab.login) as c:
        c.ask(1, more=[("restrict-access-to-tenants", "mine.example"), ("x-private", "1"),
                       ("x-other", "2")])
        assert c.body(1) == b"ok"
    chunked = (f"POST / HTTP/1.1\r\nHost: login.lab.test:{lab.login}\r\nTransfer-Encoding: chunked\r\n\r\n"
               "1\r\na\r\n0\r\nRestrict-Access-To-Tenants: mine.example\r\nX-Trailer: 1\r\n\r\n")
    s = lab.tls("login.lab.test", lab.login)
    s.sendall(chunked.encode())
    assert Answer(s).body == b"ok"
    wait_until(lambda: lab.heads[-1].startswith(b"1\r\n"))
    rest = lab.heads.pop().lower()
    assert b"mine" not in rest and b"x-trailer: 1" in rest, rest
    lab.heads.pop()
    # nor can a layer below undo what must hold
    assert lab.get("login.lab.test", port=lab.login, headers=sent, source=TOWN).body == b"ok"
    for head in lab.heads:
        head = head.decode().lower()
        assert head.count("restrict-access-to-tenants: pref.example\r\n") == 1, head
        assert "mine" not in head and "two" not in head and "private" not in head
        assert "x-other: 2" in head
    assert len(lab.heads) == 3


def test_a_search_is_led_to_its_strict_twin(lab):
    """By its address; name, Host and certificate stay those that were asked for."""
    for version in ("--http1.1", "--http2"):
        for scheme, port in (("https", lab.tls_port), ("http", lab.plain_port)):
            done = subprocess.run(
                ["curl", "-sS", version, "--interface", CITY, "-x", f"http://127.0.0.1:{lab.port}", "--cacert",
                 lab.proxy_ca.crt, f"{scheme}://search.lab.test:{port}/"], capture_output=True, text=True, check=True)
            assert done.stdout == f"strict twin of search.lab.test:{port}", (scheme, version, done.stdout)
    assert lab.get("www.lab.test", "/").body == b"hello from the origin\n"


def twin(s):
    head = read_head(s)
    body = b"strict twin of " + re.search(rb"[Hh]ost: ([^\r]+)", head)[1]
    s.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def warning(a):
    """What the page's form would send."""
    assert a.status == 403, a.raw
    page = a.body.decode()
    assert f'<form method="post" action="{WARN}">' in page
    return {n: v.replace("&amp;", "&") for n, v in
            re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)}


def go_on(lab, host, fields, **kw):
    return post(lab, host, WARN, urllib.parse.urlencode(fields).encode(), **kw)


def refreshed(a):
    """Where the page that answers the form leads: by a page, as browsers hold redirections against form-action."""
    assert a.status == 200, a.raw
    return a.field("refresh")


def test_who_says_why_may_go_on(lab):
    a = lab.get("shop.lab.test", "/1k?a=1&b=2")
    assert "通信販売です。" in a.body.decode() and b"shop" in a.body
    fields = warning(a)
    assert fields["to"] == "/1k?a=1&b=2"
    # no reason, a forged ticket, another host: back to where the page is
    for change in ({"reason": "  x "}, {"reason": ""}, {"reason": "work", "ticket": "0" * 32},
                   {"reason": "work", "rule": "game"}, {"reason": "work", "rule": "forum"},
                   {"reason": "work", "rule": "none"},
                   {"reason": "work", "to": "//other.test/"}, {"reason": "work", "to": "/a\r\nX: y"},
                   {"reason": "work", "to": "https://other.test/"}):
        to = "/" if "to" in change else "/1k?a=1&b=2"
        assert refreshed(go_on(lab, "shop.lab.test", {**fields, **change})) == "0; url=" + to
        assert lab.get("shop.lab.test", "/1k").status == 403, change
    a = go_on(lab, "shop.lab.test", {**fields, "reason": "消耗品の購入 <b>"})
    assert refreshed(a) == "0; url=/1k?a=1&b=2"
    assert a.field("location") is None and b"a=1" not in a.body
    e = lab.event(event="continued")
    assert (e["text"], e["rule"], e["client"], e["host"], e["seconds"]) == (
        "消耗品の購入 <b>", "shop", CITY, "shop.lab.test", 60), e
    # for the rule and this client, at either edge
    for _ in range(8):
        assert lab.get("shop.lab.test", "/1k").body == b"k" * 1024
    assert lab.get("market.lab.test", "/1k").status == 200
    assert lab.event(event="exchange", host="market.lab.test")["verdict"] == "allow"
    assert lab.get("shop.lab.test", "/1k", source=TOWN).status == 403
    # a ticket is its client's
    refreshed(go_on(lab, "shop.lab.test", {**fields, "reason": "work"}, source=TOWN))
    assert lab.get("shop.lab.test", "/1k", source=TOWN).status == 403


def test_a_rule_of_paths_and_methods_has_a_form_too(lab):
    """Its form comes back by a path and a method that the rule does not mean."""
    for host, path, sends in (("paths.lab.test", "/1k", False), ("paths.lab.test", "/up", True),
                              ("both.lab.test", "/1k", False)):
        a = post(lab, host, path, b"x") if sends else lab.get(host, path)
        fields = warning(a)
        assert refreshed(go_on(lab, host, {**fields, "reason": "work"})) == "0; url=" + path
        a = post(lab, host, path, b"x") if sends else lab.get(host, path)
        assert a.status not in (403, 502), (host, path, a.raw)
        assert lab.event(event="continued", host=host)["text"] == "work"
    # who may only read may go on reading, and no more
    assert post(lab, "both.lab.test", "/1k", b"x").status == 403


def test_scripts_get_no_form(lab):
    for dest, form in (("empty", False), ("iframe", False), ("document", True)):
        a = lab.get("shop.lab.test", "/1k", source=TOWN, headers=f"Sec-Fetch-Dest: {dest}\r\n")
        assert (b"<form" in a.body) == form and a.status == 403, dest
    assert "frame-ancestors 'none'" in a.field("content-security-policy")


def test_a_pass_outlives_a_reload(lab):
    lab.ctl("reload")
    assert lab.get("shop.lab.test", "/1k").status == 200
    assert lab.get("shop.lab.test", "/1k", source=TOWN).status == 403


def test_a_block_can_be_released_for_a_time(lab):
    a = lab.get("game.lab.test", "/1k")
    assert "ゲームです。" in a.body.decode() and "一時的に解除" in a.body.decode()
    fields = warning(a)
    a = go_on(lab, "game.lab.test", {**fields, "reason": "調査のため"})
    assert refreshed(a) == "0; url=/1k"
    e = lab.event(event="released")
    assert (e["rule"], e["text"], e["client"]) == ("game", "調査のため", CITY), e
    assert lab.get("game.lab.test", "/1k").status == 200
    assert lab.get("game.lab.test", "/1k", source=TOWN).status == 403
    # what else blocks is not released with it, nor does release permit
    assert lab.event(event="exchange", host="game.lab.test", status=200, method="GET")["rule"] == "lab"
    assert warning(lab.get("hard.lab.test", "/1k"))["rule"] == "soft"
    fields = warning(lab.get("hard.lab.test", "/1k"))
    refreshed(go_on(lab, "hard.lab.test", {**fields, "reason": "調査のため"}))
    assert lab.get("hard.lab.test", "/1k").status == 403
    assert lab.event(event="exchange", host="hard.lab.test", rule="hard")["path"] == "/1k"
    assert lab.get("game.lab.test", "/.git/x").status == 403
    assert lab.get("forum.lab.test", "/1k").status == 403
    assert b"<form" not in lab.get("forum.lab.test", "/1k").body


def test_a_release_may_need_approval(lab):
    fields = {**warning(lab.get("toy.lab.test", "/1k")), "reason": "for the festival"}
    a = go_on(lab, "toy.lab.test", fields)
    asked = lab.event(event="release_asked", rule="toy")
    assert a.status == 200 and a.field("refresh") is None and asked["id"].encode() in a.body
    assert asked["text"] == "for the festival" and asked["client"] == CITY
    assert lab.get("toy.lab.test", "/1k").status == 403
    conf = ("-c", lab.dir / "sekisho.conf")
    lab.ctl(*conf, "release", "--from", CITY, "toy")
    assert lab.get("toy.lab.test", "/1k").status == 200
    assert lab.get("toy.lab.test", "/1k", source=SCHOOL).status == 403
    assert lab.event(event="released", rule="toy", client=CITY)["seconds"] == 60
    for words in (("toy",), ("--from", CITY, "hard"), ("--from", CITY, "none"), ("--from", "x", "toy")):
        assert lab.ctl(*conf, "release", *words, check=False).returncode == 1


def test_detail_is_written_where_a_rule_asks_for_it(lab):
    number = "1234-5678-9018"
    for query, told in ((f"q=abc&n={number}&y=2026", "q=abc&n=****-****-****&y=2026"),
                        ("n=%31%32%33%34%35%36%37", "n=*******"), ("d=123456", "d=123456"),
                        ("n=%EF%BC%911234567", "n=********")):
        lab.get("close.lab.test", "/1k?" + query,
                headers=f"Referer: https://x.test/?{number}\r\nUser-Agent: tester\r\n")
        line = lab.event(event="exchange", host="close.lab.test", query=told)
        assert line["referer"] == "https://x.test/?****-****-****" and line["user_agent"] == "tester"
    assert "query" not in lab.event(event="exchange", host="www.lab.test")


def test_a_form_may_wait_to_be_asked_for(lab):
    """As curl does with a longer one: 100 comes from us, no origin ever sees it."""
    fields = {**warning(lab.get("market.lab.test", "/1k", source=SCHOOL)), "reason": "w" * 2000}
    done = subprocess.run(
        ["curl", "-sS", "--interface", SCHOOL, "-x", f"http://127.0.0.1:{lab.port}", "--cacert", lab.proxy_ca.crt,
         "-H", "Expect: 100-continue", "--expect100-timeout", "20", "-m", "10", "-o", lab.dir / "page", "-w",
         "%{http_code}", "--data-binary", urllib.parse.urlencode(fields),
         f"https://market.lab.test:{lab.tls_port}{WARN}"], capture_output=True, text=True)
    assert done.stdout == "200", done.stdout + done.stderr
    assert lab.get("market.lab.test", "/1k", source=SCHOOL).status == 200


def test_the_form_is_no_way_around(lab):
    """It opens nothing that did not ask, and no origin ever sees it."""
    assert refreshed(go_on(lab, "www.lab.test", {"reason": "work"})) == "0; url=/"
    assert go_on(lab, "forum.lab.test", {"reason": "work"}).status == 403
    assert lab.get("forum.lab.test", "/1k").status == 403
    s = lab.tls("shop.lab.test", source=TOWN)
    s.sendall(f"POST {WARN} HTTP/1.1\r\nHost: shop.lab.test:{lab.tls_port}\r\n"
              "Content-Length: 0\r\n\r\n".encode())
    assert refreshed(Answer(s)) == "0; url=/"
    assert lab.get("www.lab.test", WARN).status == 400
    a = post(lab, "shop.lab.test", WARN, b"reason=" + b"a" * 70000, source=TOWN)
    assert a.status == 400 and b"too many bytes" in a.body
    for body in (b"reason=%zz", b"&&&=", b"reason", b"\0" * 100, b"reason=work&reason=x"):
        assert refreshed(post(lab, "shop.lab.test", WARN, body, source=TOWN)) == "0; url=/"


def test_a_long_way_back_is_shortened(lab):
    a = lab.get("shop.lab.test", "/" + "'" * 5000, source=TOWN)
    assert warning(a)["to"] == "/"


def test_layers_are_explained(lab):
    done = lab.ctl("explain", "-c", str(lab.dir / "sekisho.conf"), "--from", SCHOOL,
                   f"https://forum.lab.test:{lab.tls_port}/", check=False)
    for line in ("CONNECT: block", "prefecture default forum: block",
                 "body       default town-forum: read-only", "section    must    school-forum: block"):
        assert line in done.stdout, done.stdout
