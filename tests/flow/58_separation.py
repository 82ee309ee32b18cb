# SPDX-License-Identifier: Apache-2.0
"""Which systems are separated: statements, trips, suspensions that outlive all."""
import datetime
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from lab import CITY, Answer, free_port, openssl, wait_until  # noqa: E402

mail_module = importlib.import_module("41_mail")
JUKI, ZEI, NOBODY = "127.0.3.10", "127.0.3.20", "127.0.3.99"  # one segment; the last is no system's
FLOOD = 10000

MODEL = """
isolation = {{ auditor_keys = ["ca/auditor.pub"]; statements = "statements";
  suspensions = "run/suspensions"; crossings = "log/crossings.jsonl"; lgwan = ["127.0.7.0/24"];
  machine = ["127.0.0.1"]; kernel = false; }};
provision = ( {{ name = "chukan"; addresses = ["127.0.8.10"]; port = 8446; server_name = "chukan.test";
  certificate = "{digest}"; owner = "情報政策課"; }} );
systems = (
  {{ name = "juki"; body = "990019"; addresses = ["{juki}"]; certificate = "{juki_digest}";
     purposes = ["住民基本台帳"]; owner = "{owner}"; endpoints = ["chukan"]; probe_key = "none"; }},
  {{ name = "zei"; body = "990019"; addresses = ["{zei}"]; certificate = "{zei_digest}";
     purposes = ["地方税"]; owner = "税務課"; endpoints = ["chukan"]; probe_key = "{probe}"; }} );
"""


class SeparationLab(mail_module.MailLab):
    """Its processes are started anew within a second, however often they die."""
    owner, probe = "市民課", "none"
    provision = ""  # it stands in MODEL

    def write_settings(self, **change):
        super().write_settings(**change)
        key = self.dir / "ca" / "auditor.key"
        if not key.exists():
            openssl("genpkey", "-algorithm", "ED25519", "-out", key)
            openssl("pkey", "-in", key, "-pubout", "-out", key.with_suffix(".pub"))
            (self.dir / "statements").mkdir()
        conf = self.dir / "sekisho.conf"
        conf.write_text(
            conf.read_text().replace("processes = {", "processes = { restart_max = 1;")
            .replace('permitted = ["127.0.0.0/8"]', 'permitted = ["127.0.0.1"]')
            + MODEL.format(digest="c" * 64, juki_digest="a" * 64, zei_digest="b" * 64, juki=JUKI,
                           zei=ZEI, owner=self.owner, probe=self.probe))

    def separation(self, *words, who="hanako", check=True, lang="C.UTF-8"):
        environment = {k: v for k, v in os.environ.items() if k != "SUDO_USER"}
        done = subprocess.run(
            [self.build / "sekishoctl", "-s", self.dir / "run" / "control.sock", "-c",
             self.dir / "sekisho.conf", "separation", *words], capture_output=True, text=True,
            timeout=60, env={**environment, "LANG": lang, **({"SUDO_USER": who} if who else {})})
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def sign(self, system, file, key="ca/auditor.key"):
        """Into the folder; by the clock of now."""
        since, until = (time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400 * days))
                        for days in (-2, 30))
        text = self.separation("sign", "--key", str(self.dir / key), "--system", system,
                               "--verified-by", "監査室 関 花子", "--how", "経路表と配線を実地で確かめた",
                               "--from", since, "--until", until).stdout
        (self.dir / "statements" / file).write_text(text)
        return text

    def standings(self):
        return {s["system"]: s for s in self.listed()["systems"]}

    def listed(self):
        return json.loads(self.separation("list", "--json").stdout)

    def standing(self, name):
        return self.standings()[name]["standing"]

    def try_web(self, source, path="/", sock=None):
        answer = self.get_plain("www.lab.test", path, source=source, sock=sock)
        assert answer.status == 403, answer.raw
        return answer

    def restart(self, how):
        self.daemon.send_signal(how)
        self.daemon.wait(20)
        self.start()

    def restored(self, name, file):
        """Whatever was before, it is separated now."""
        if self.standing(name) != "suspended":
            return
        time.sleep(1.1)  # a statement's time is in seconds
        self.sign(name, file)
        self.separation("restore", name, "--statement", file, "--reason", "端末を交換し、経路を確かめた")
        assert self.standing(name) == "separated"


def make(build):
    lab = SeparationLab(build)
    lab.sign("juki", "juki.statement")
    lab.sign("zei", "zei.statement")
    return lab


def test_signed_systems_are_separated(lab):
    assert {s["standing"] for s in lab.standings().values()} == {"separated"}
    one = lab.standings()["juki"]
    assert one["statement"]["file"] == "juki.statement" and one["suspended"] is None
    text = lab.separation("list").stdout
    assert "juki (990019)  separated" in text and "監査室 関 花子" in text
    assert "juki (990019)  分離確認済み" in lab.separation("list", lang="ja_JP.UTF-8").stdout
    assert all(len(line.encode("euc-jp", "replace")) <= 80 for line in text.splitlines()), text
    assert "systems 2, separated 2, suspended 0; open incidents 0" in lab.ctl("status").stdout
    assert json.loads(lab.ctl("status", "--json").stdout)["separation"]["separated"] == 2


def test_files_that_do_not_count_change_nothing(lab):
    folder = lab.dir / "statements"
    good = (folder / "juki.statement").read_text()
    openssl("genpkey", "-algorithm", "ED25519", "-out", lab.dir / "ca" / "other.key")
    time.sleep(1.1)
    lab.sign("juki", "z-forged.statement", key="ca/other.key")
    (folder / "z-changed.statement").write_text(good.replace("until: 20", "until: 21"))
    (folder / "z-long.statement").write_text(good + "x" * 5000)
    (folder / "z-empty.statement").write_text("")
    (folder / "z-folder.statement").mkdir()
    (folder / "z-other.txt").write_text(good)
    lab.ctl("reload")
    assert lab.standing("juki") == "separated"
    for name in ("forged", "changed", "long", "empty", "folder"):
        assert any(e["text"].startswith(f"z-{name}.statement: ")
                   for e in lab.events("statement_refused")), name
        at = folder / f"z-{name}.statement"
        at.rmdir() if at.is_dir() else at.unlink()
    lab.ctl("reload")


def suspended_after(lab, source, begun):
    """Seconds from begun until the page says so."""
    wait_until(lambda: lab.standing(source) == "suspended", 3, 0.01)
    return time.monotonic() - begun


def test_a_request_suspends_the_system_at_once(lab):
    begun, sent = time.monotonic(), time.time()
    lab.try_web(JUKI, "/path?query=secret")
    took = suspended_after(lab, "juki", begun)
    # the journal is told behind the page and the disk
    told = datetime.datetime.fromisoformat(lab.event(event="incident")["time"]).timestamp() - sent
    print(f"       trip to suspension: journalled after {told * 1000:.1f} ms,"
          f" seen by sekishoctl after {took * 1000:.0f} ms")
    assert took < 1 and told < 1
    assert lab.standing("zei") == "separated"
    e = lab.event(event="incident")
    assert (e["where"], e["how"], e["from"], e["body"], e["level"]) == (
        "system juki", "web", JUKI, "990019", "ALERT")
    assert e["what"] == f"GET www.lab.test:{lab.plain_port}" and e["suspended"] == 1
    assert e["to"] == f"127.0.0.1:{lab.port}"
    s = lab.event(event="separation_suspended")
    assert s["system"] == "juki" and s["incident"] == e["number"]
    alerts = [x for x in lab.errors().splitlines() if x.startswith("<1>sekishod: incident")]
    assert len(alerts) == 1 and "system juki" in alerts[0] and "事案" in alerts[0]
    status = lab.ctl("status").stdout
    assert "suspended  juki" in status and f"incident {e['number']}  system juki" in status
    assert "secret" not in (lab.dir / "run" / "suspensions").read_text() + lab.errors()


def test_an_old_statement_does_not_restore(lab):
    def refuse(words, file="juki.statement", name="juki", reason="よし"):
        done = lab.separation("restore", name, "--statement", file, "--reason", reason, check=False)
        assert done.returncode == 1 and words in done.stderr, done
        assert lab.standing("juki") == "suspended"
    refuse("signed before the suspension")
    refuse("there is no such system", name="nobody")
    refuse("is not suspended", name="zei", file="zei.statement")
    refuse("reason", reason=" ")
    time.sleep(1.1)
    lab.sign("zei", "zei2.statement")
    refuse("of another system", file="zei2.statement")
    lab.sign("juki", "early.statement", key="ca/other.key")
    refuse("no auditor's key signed it", file="early.statement")
    refuse("cannot be read", file="none.statement")
    refuse("expected the name of a file", file="juki.txt")
    assert all(e["by"] == "hanako(sudo)" for e in lab.events("separation_refused"))
    lab.ctl("reload")  # nor does a new one alone
    lab.sign("juki", "juki2.statement")
    lab.ctl("reload")
    assert lab.standing("juki") == "suspended"
    (lab.dir / "statements" / "early.statement").unlink()


def test_a_new_statement_and_a_reason_restore(lab):
    lab.separation("restore", "juki", "--statement", str(lab.dir / "statements" / "juki2.statement"),
                   "--reason", "端末を交換し、経路を確かめた")
    assert lab.standing("juki") == "separated"
    e = lab.event(event="separation_restored")
    assert (e["system"], e["by"], e["statement"], e["text"]) == (
        "juki", "hanako(sudo)", "juki2.statement", "端末を交換し、経路を確かめた")
    over = lab.event(event="incident_over")
    assert over["why"] == "restored" and lab.listed()["incidents"] == []


def test_the_newest_statement_counts(lab):
    lab.separation("suspend", "juki", "--reason", "点検")
    time.sleep(1.1)
    lab.sign("juki", "juki3.statement")
    time.sleep(1.1)
    lab.sign("juki", "juki4.statement")
    done = lab.separation("restore", "juki", "--statement", "juki3.statement", "--reason", "よし", check=False)
    assert "juki4.statement was signed later" in done.stderr, done.stderr
    lab.separation("restore", "juki", "--statement", "juki4.statement", "--reason", "よし")
    e = lab.event(event="separation_suspended", text="点検")
    assert e["by"] == "hanako(sudo)" and "incident" not in e


def test_a_connection_that_says_nothing_is_a_trip(lab):
    with lab.connect(JUKI):
        wait_until(lambda: lab.standing("juki") == "suspended", 2)
    assert lab.event(event="incident", what="connection")["where"] == "system juki"
    lab.restored("juki", "juki5.statement")


def test_tls_to_the_proxy_is_a_trip(lab):
    with lab.connect_tls(JUKI, alpn=("h2", "http/1.1")):
        wait_until(lambda: lab.standing("juki") == "suspended", 2)
    assert lab.event(event="incident", to=f"127.0.0.1:{lab.secure_port}")["where"] == "system juki"
    lab.restored("juki", "juki55.statement")


def test_connect_and_transport_of_another_are_trips(lab):
    with lab.connect(JUKI) as s:
        s.sendall(b"CONNECT www.lab.test:443 HTTP/1.1\r\nHost: www.lab.test:443\r\n\r\n")
        assert Answer(s).status == 403
    wait_until(lambda: lab.standing("juki") == "suspended", 2)
    assert lab.event(event="incident", what="CONNECT www.lab.test:443")
    lab.restored("juki", "juki6.statement")
    # who a trusted forwarder asks for, and who a balancer brings
    with lab.connect("127.0.6.1") as s:
        s.sendall(f"GET http://www.lab.test/ HTTP/1.1\r\nHost: www.lab.test\r\nX-Forwarded-For: {JUKI}\r\n\r\n".encode())
        assert Answer(s).status == 403
    wait_until(lambda: lab.standing("juki") == "suspended", 2)
    lab.restored("juki", "juki7.statement")
    with lab.connect("127.0.5.1") as s:
        s.sendall(f"PROXY TCP4 {JUKI} 127.0.0.1 5555 8080\r\n".encode())
        wait_until(lambda: lab.standing("juki") == "suspended", 2)
    lab.restored("juki", "juki8.statement")


def test_mail_is_a_trip(lab):
    with lab.talk(JUKI) as t:
        assert not t.greeting.startswith("220"), t.greeting
    wait_until(lambda: lab.standing("juki") == "suspended", 2)
    e = lab.event(event="incident", how="mail")
    assert (e["from"], e["what"], e["to"]) == (JUKI, "SMTP", f"127.0.0.1:{lab.mail_port}")
    lab.restored("juki", "juki9.statement")


def test_an_unknown_address_suspends_its_segment(lab):
    lab.try_web(NOBODY)
    wait_until(lambda: {s["standing"] for s in lab.standings().values()} == {"suspended"}, 2)
    e = lab.event(event="incident", **{"from": NOBODY})
    assert e["where"] == "segment 127.0.3.0/24 of 990019" and e["suspended"] == 2
    lab.restored("juki", "juki10.statement")
    assert any(i["number"] == e["number"] for i in lab.listed()["incidents"])
    lab.restored("zei", "zei10.statement")
    assert lab.event(event="incident_over", number=e["number"])["why"] == "restored"


def test_others_are_no_trips(lab):
    before = len(lab.events("incident"))
    assert lab.get_plain("www.lab.test", source=CITY).status == 200
    for source in ("127.0.2.10", "127.0.9.9"):
        assert lab.get_plain("www.lab.test", source=source).status == 403
    time.sleep(0.5)
    assert len(lab.events("incident")) == before
    assert {s["standing"] for s in lab.standings().values()} == {"separated"}


def flood(lab, n):
    sock = lab.connect(JUKI, timeout=60)
    for _ in range(n):
        answer = lab.get_plain("www.lab.test", source=JUKI, sock=sock)
        assert answer.status == 403
        if answer.field("connection") == "close":
            sock.close()
            sock = lab.connect(JUKI, timeout=60)
    sock.close()


def test_a_flood_is_one_incident(lab):
    before = {e: len(lab.events(e)) for e in ("incident", "separation_suspended")}
    begun = time.monotonic()
    suspended = []
    watch = threading.Thread(
        target=lambda: suspended.append(suspended_after(lab, "juki", begun)))
    watch.start()
    threads = [threading.Thread(target=flood, args=(lab, FLOOD // 4)) for _ in range(4)]
    for t in threads:
        t.start()
    for t in (*threads, watch):
        t.join()
    print(f"       {FLOOD} requests in {time.monotonic() - begun:.1f} s; suspended after"
          f" {suspended[0] * 1000:.0f} ms")
    assert suspended[0] < 1
    only, = lab.listed()["incidents"]
    wait_until(lambda: lab.listed()["incidents"][0]["count"] >= FLOOD, 5)
    assert lab.listed()["incidents"][0]["count"] <= FLOOD * 1.1
    for e, n in before.items():
        assert len(lab.events(e)) == n + 1, e
    assert only["where"] == "system juki"
    alerts = [x for x in lab.errors().splitlines() if f"incident {only['number']} " in x]
    assert len(alerts) == 1


def test_suspensions_outlive_every_process(lab):
    number = lab.listed()["incidents"][0]["number"]
    for name, pid in lab.children().items():
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: lab.children().get(name, pid) != pid, 10)
    wait_until(lambda: lab.separation("list", check=False).returncode == 0, 10)
    assert lab.standing("juki") == "suspended"
    for how in (signal.SIGKILL, signal.SIGTERM):
        lab.restart(how)
        assert lab.standing("juki") == "suspended" and lab.standing("zei") == "separated"
        # one that goes on is no new one
        lab.try_web(JUKI)
        time.sleep(0.5)
        assert [i["number"] for i in lab.listed()["incidents"]] == [number]
    lab.ctl("reload")
    assert lab.standing("juki") == "suspended"
    # so does who restored it
    lab.restored("juki", "juki15.statement")
    lab.restart(signal.SIGKILL)
    assert lab.standing("juki") == "separated" and lab.listed()["incidents"] == []


def test_a_changed_entry_is_another_system(lab):
    lab.write_settings(owner="保険年金課")
    lab.ctl("reload")
    assert lab.standing("juki") == "unstated" and lab.standing("zei") == "separated"
    assert "of the system as it was before" in lab.separation("list").stdout
    lab.write_settings(owner="市民課")
    lab.ctl("reload")
    assert lab.standing("juki") == "separated"


def test_a_suspension_is_of_the_system_whatever_its_entry_says(lab):
    lab.write_settings(owner="保険年金課")
    lab.sign("juki", "juki20.statement")
    lab.ctl("reload")
    assert lab.standing("juki") == "separated"
    lab.separation("suspend", "juki", "--reason", "点検")
    # back to an entry that has a statement of before, which was in force
    lab.write_settings(owner="市民課")
    lab.ctl("reload")
    assert lab.standing("juki") == "suspended"
    assert lab.standings()["juki"]["suspended"]["why"] == "点検"
    lab.restart(signal.SIGKILL)
    assert lab.standing("juki") == "suspended" and lab.standing("zei") == "separated"
    # one that nobody knew, with a statement of after: a person restores it
    lab.write_settings(owner="窓口課")
    time.sleep(1.1)
    lab.sign("juki", "juki21.statement")
    lab.ctl("reload")
    assert lab.standing("juki") == "suspended"
    lab.separation("restore", "juki", "--statement", "juki21.statement", "--reason", "よし")
    assert lab.standing("juki") == "separated"
    # and what was signed before it counts no more, as it was or is
    lab.write_settings(owner="市民課")
    lab.ctl("reload")
    assert lab.standing("juki") == "unstated"
    lab.restart(signal.SIGKILL)
    assert lab.standing("juki") == "unstated"
    lab.sign("juki", "juki22.statement")
    lab.ctl("reload")
    assert lab.standing("juki") == "separated"


def test_a_clock_set_back_over_a_stop_is_seen(lab):
    ahead = int((time.time() + 86400 * 365 * 2) * 1000)
    lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(20)
    clock = lab.dir / "run" / "suspensions.clock"
    assert abs(int(clock.read_text().split()[0]) / 1000 - time.time()) < 60
    clock.write_text(f"{ahead}\n")
    lab.start()
    # what a statement says is judged by the latest time known
    assert {s["standing"] for s in lab.standings().values()} == {"expired"}
    e = lab.event(event="clock_set_back")
    assert abs(e["behind_s"] - 86400 * 365 * 2) < 600
    lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(20)
    assert int(clock.read_text().split()[0]) >= ahead
    # and over a start, until a person says that it was wrong
    lab.start()
    assert {s["standing"] for s in lab.standings().values()} == {"expired"}
    lab.separation("suspend", "juki", "--reason", "時計の点検")
    assert lab.separation("clock", check=False).returncode == 1
    lab.separation("clock", "--reason", "時計が二年進んでいた")
    e = lab.event(event="clock_taken")
    assert e["by"] == "hanako(sudo)" and abs(e["is_s"] - time.time()) < 60
    assert (lab.standing("juki"), lab.standing("zei")) == ("suspended", "separated")
    lab.restart(signal.SIGKILL)
    assert (lab.standing("juki"), lab.standing("zei")) == ("suspended", "separated")
    lab.restored("juki", "juki25.statement")


def test_a_probe_is_kept_over_a_restart(lab):
    lab.write_settings(probe="ca/auditor.pub")
    lab.sign("zei", "zei25.statement")
    lab.ctl("reload")
    assert lab.standings()["zei"]["probe"]["result"] == "none" and lab.standing("zei") == "unprobed"
    digest = re.search("digest: (.*)", (lab.dir / "statements" / "zei25.statement").read_text())[1]
    for age_s, standing in ((60, "separated"), (90001, "unprobed"), (-600, "unprobed")):
        lab.daemon.send_signal(signal.SIGKILL)
        lab.daemon.wait(20)
        at_ms = int((time.time() - age_s) * 1000)
        (lab.dir / "run" / "suspensions.probes").write_text(f"{digest} {at_ms}\n")
        lab.start()
        assert lab.standing("zei") == standing, age_s
    lab.write_settings(probe="none")
    lab.ctl("reload")
    assert lab.standing("zei") == "separated"


def test_a_damaged_register_suspends_all(lab):
    lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(20)
    register = lab.dir / "run" / "suspensions"
    text = register.read_text()
    register.write_text(re.sub('"kind":"suspended"', '"kind":"restored"', text, count=1))
    lab.start()
    assert {s["standing"] for s in lab.standings().values()} == {"suspended"}
    assert lab.event(event="register_damaged", level="ALERT")
    assert len(list((lab.dir / "run").glob("suspensions.damaged-*"))) == 1
    lab.restart(signal.SIGKILL)
    assert {s["standing"] for s in lab.standings().values()} == {"suspended"}
    lab.restored("juki", "juki30.statement")
    lab.restored("zei", "zei30.statement")


def test_a_register_that_was_cut_suspends_all(lab):
    register = lab.dir / "run" / "suspensions"
    for harm in (lambda: register.write_text("".join(register.read_text().splitlines(True)[:-1])),
                 lambda: register.write_text(""), register.unlink):
        lab.separation("suspend", "juki", "--reason", "点検")
        mark = register.read_text().splitlines()[-1].split()[0]
        wait_until(lambda: mark in (lab.dir / "run" / "suspensions.clock").read_text(), 3)
        lab.daemon.send_signal(signal.SIGKILL)
        lab.daemon.wait(20)
        harm()
        lab.start()
        assert {s["standing"] for s in lab.standings().values()} == {"suspended"}
        lab.restored("juki", f"juki-{time.monotonic_ns()}.statement")
        lab.restored("zei", f"zei-{time.monotonic_ns()}.statement")


def test_one_daemon_has_the_register(lab):
    conf = (lab.dir / "sekisho.conf").read_text().replace("run/control.sock", "run/other.sock")
    for port in (lab.port, lab.secure_port, lab.mail_port):
        conf = conf.replace(f":{port}", f":{free_port()}")
    other = lab.dir / "other.conf"
    other.write_text(conf)
    done = subprocess.run([lab.build / "sekishod", "-c", other], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "suspensions: another sekishod has it" in done.stderr, done.stderr


def test_orders_need_their_words(lab):
    for words in (("suspend", "juki"), ("restore", "juki", "--reason", "x"), ("list", "x"), ("sign",), ("x",),
                  ("suspend", "juki", "--reason", "a\tb"), ("suspend", "juki", "--reason", "x" * 256)):
        assert lab.separation(*words, check=False).returncode == 1, words
    assert {s["standing"] for s in lab.standings().values()} == {"separated"}
    lab.separation("suspend", "juki", "--reason", "x" * 255)
    assert lab.standings()["juki"]["suspended"]["why"] == "x" * 255
