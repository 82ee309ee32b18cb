# SPDX-License-Identifier: Apache-2.0
"""Originals of mails that were changed: kept encrypted, shown, released by two."""
import hashlib
import importlib
import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from lab import USERS, wait_until  # noqa: E402
from mail_peer import Hop  # noqa: E402

mail_module = importlib.import_module("41_mail")
detox_module = importlib.import_module("46_mail_detox")
mail, send = detox_module.mail, detox_module.send
PROGRAM = b"MZ" + bytes(range(256)) * 8


class StoreLab(mail_module.MailLab):
    """Its processes are started anew within a second, however often they die."""

    def write_settings(self, **change):
        super().write_settings(**change)
        conf = self.dir / "sekisho.conf"
        conf.write_text(conf.read_text().replace("processes = {", "processes = { restart_max = 1;"))


def make(build):
    lab = StoreLab(build)
    lab.write_routes(detox_module.ROUTES.format(city=lab.city.port, toge=lab.toge.port))
    return lab


def quarantine(lab, *words, who=None, check=True):
    """As root, who became it from that user by sudo, or nobody in particular."""
    environment = {k: v for k, v in os.environ.items() if k != "SUDO_USER"}
    if who:
        environment["SUDO_USER"] = who
    done = subprocess.run(
        [lab.build / "sekishoctl", "-s", lab.dir / "run" / "control.sock", "quarantine", *words],
        capture_output=True, text=True, timeout=60, env={**environment, "LANG": "C.UTF-8"})
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def originals(lab):
    return json.loads(quarantine(lab, "list", "--json").stdout)


def keep(lab, content=None, to="hanako@toge.test"):
    """A mail with something that is taken out; its number."""
    content = content or mail(attachments=[("請求書.exe", PROGRAM)])
    answer = send(lab, content, to)
    assert answer.startswith("250 2.0.0 "), answer
    return answer.split()[-1], content


def store_pid(lab):
    return lab.children()["store"]


def forget(lab):
    for o in originals(lab):
        quarantine(lab, "delete", o["id"], who="hanako")


def of(lab, event, original):
    return wait_until(lambda: [e for e in lab.events(event) if e["original"] == original])[-1]


def test_what_was_changed_is_kept(lab):
    number, content = keep(lab)
    o = mail_module.only(originals(lab))
    assert (o["id"], o["mail"], o["state"], o["route"], o["profile"], o["result"]) == (
        number, number, "kept", "toge", "standard", "sanitised"), o
    assert o["recipients"] == ["hanako@toge.test"] and o["sender"] == "a@outside.test"
    assert o["sha256"] == hashlib.sha256(content).hexdigest() and o["bytes"] == len(content)
    assert "program:1" in o["removed"], o
    e = of(lab, "mail_original_kept", number)
    assert (e["mail"], e["message_id"], e["sha256"]) == (number, "<detox@outside.test>", o["sha256"]), e
    assert e["process"] == "store"
    text = quarantine(lab, "list").stdout
    assert number in text and "hanako@toge.test" in text and "program:1" in text, text
    traced = lab.ctl("mail", "trace", number, "--log", lab.dir / "log" / "journal.jsonl").stdout
    assert "mail_original_kept" in traced, traced
    forget(lab)


def test_what_was_not_changed_is_not(lab):
    assert send(lab, mail()).startswith("250 "), "only its header is made anew"
    assert originals(lab) == []


def test_a_refused_mail_is_kept_before_the_answer(lab):
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 5000
    content = b"From: a@outside.test\r\nMIME-Version: 1.0\r\n" + nested + b"x\r\n"
    assert send(lab, content).startswith("554 5.7.1 ")
    o = mail_module.only(originals(lab))
    assert o["result"] == "refused" and "cannot be made harmless" in o["removed"], o
    assert o["sha256"] == hashlib.sha256(content).hexdigest()
    forget(lab)


def test_nothing_of_it_lies_open(lab):
    keep(lab)
    folder = lab.dir / "store"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and folder.stat().st_uid == USERS["store_user"]
    key = lab.dir / "store.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and key.stat().st_uid == 0
    for f in folder.iterdir():
        assert stat.S_IMODE(f.stat().st_mode) == 0o600, f
        held = f.read_bytes()
        assert PROGRAM[:64] not in held and "本文です".encode() not in held and key.read_bytes() not in held, f
    forget(lab)


def test_show_tells_its_head(lab):
    number, _ = keep(lab, mail(subject="\x1b[2Jx", attachments=[("a.exe", PROGRAM)])
                       .replace(b"Subject: ", b"X-Bad: \x1b[2J\xc2\x9b\r\nSubject: "))
    shown = quarantine(lab, "show", number, who="hanako").stdout
    assert "  | From: " in shown and "a@outside.test" in shown and "expires" in shown, shown
    assert "\x1b" not in shown and "\x9b" not in shown and "X-Bad: ?[2J?" in shown, shown
    assert of(lab, "mail_original_shown", number)["by"] == "hanako(sudo)"
    assert quarantine(lab, "show", "no-such", check=False).returncode == 1
    forget(lab)


def test_a_release_needs_a_second_person(lab):
    number, content = keep(lab)
    before = len(lab.toge.mails)
    refused = quarantine(lab, "release", number, check=False)
    assert refused.returncode == 1 and "root alone" in refused.stderr, refused
    assert "nobody asks" in quarantine(lab, "approve", number, who="taro", check=False).stderr
    assert "waits for another person" in quarantine(lab, "release", number, who="hanako").stdout
    refused = quarantine(lab, "approve", number, who="hanako", check=False)
    assert refused.returncode == 1 and "expected another person" in refused.stderr, refused
    assert "hanako(sudo)" in quarantine(lab, "release", number, who="taro", check=False).stderr
    assert mail_module.only(originals(lab))["state"] == "asked"
    assert len(lab.toge.mails) == before
    said = quarantine(lab, "approve", number, who="taro").stdout
    sender, to, got = wait_until(lambda: lab.toge.mails[before:])[-1]
    assert (sender, to) == ("a@outside.test", ["hanako@toge.test"])
    head, _, rest = got.partition("From: ".encode())
    assert "From: ".encode() + rest == content, "byte for byte"
    assert f"Sekisho-Released: {number} by hanako(sudo) approved by taro(sudo)\r\n".encode() in head, head
    assert b"Sekisho-Detox" not in head and head.startswith(b"Received: from client.test "), head
    o = mail_module.only(originals(lab))
    assert o["state"] == "released" and said == f"{number} is released as {o['released_as']}\n", (o, said)
    e = of(lab, "mail_original_released", number)
    assert (e["by"], e["approved_by"], e["released_as"]) == ("hanako(sudo)", "taro(sudo)", o["released_as"])
    assert of(lab, "mail_original_asked", number)["by"] == "hanako(sudo)"
    assert of(lab, "mail_original_approved", number)["approved_by"] == "taro(sudo)"
    assert [e["by"] for e in lab.events("mail_original_refused")] == ["root", "hanako(sudo)"]
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")
    forget(lab)
    assert of(lab, "mail_original_deleted", number)["by"] == "hanako(sudo)"


def test_each_leg_has_its_own(lab):
    content = mail(attachments=[("a.exe", PROGRAM)])
    with lab.talk() as t:
        got = t.send(content, to=["taro@city.test", "hanako@toge.test", "jiro@city.test"])
    number = got[-1].split()[-1]
    found = wait_until(lambda: len(originals(lab)) == 2 and originals(lab))
    assert {o["id"] for o in found} == {number, number + ".2"}, found
    assert {tuple(o["recipients"]) for o in found} == {("taro@city.test", "jiro@city.test"), ("hanako@toge.test",)}
    forget(lab)


def test_a_release_waits_for_its_next_hop(lab):
    number, content = keep(lab)
    port = lab.toge.port
    lab.toge.close()
    quarantine(lab, "release", number, who="hanako")
    quarantine(lab, "approve", number, who="taro")
    released = mail_module.only(originals(lab))["released_as"]
    assert released in lab.ctl("queue", "list").stdout
    os.kill(lab.mail_pid(), signal.SIGKILL)  # the spool has it, and what is written before it
    lab.toge = Hop(port)
    lab.threads.append(lab.toge)
    got = wait_until(lambda: lab.toge.mails, 15)[0][2]
    assert got.endswith(content) and b"Sekisho-Released: " in got
    wait_until(lambda: lab.ctl("queue", "list").stdout == "")
    forget(lab)


def test_a_killed_store_loses_no_answer(lab):
    """Each mail that was delivered changed has its original, whenever the store dies."""
    done = threading.Event()

    def kill():
        while not done.is_set():
            try:
                os.kill(store_pid(lab), signal.SIGKILL)
            except (KeyError, OSError):
                pass
            time.sleep(random.uniform(0.01, 0.3))

    threading.Thread(target=kill, daemon=True).start()
    numbers = []
    try:
        for _ in range(12):
            numbers.append(keep(lab, mail(attachments=[("a.exe", PROGRAM * 200)]))[0])
    finally:
        done.set()
    time.sleep(0.3)

    def listed():
        done = quarantine(lab, "list", "--json", check=False)
        return done.returncode == 0 and json.loads(done.stdout)
    found = {o["id"] for o in wait_until(listed, 60)}
    assert set(numbers) <= found, set(numbers) - found
    wait_until(lambda: lab.ctl("queue", "list").stdout == "", 60)
    for number in numbers:
        quarantine(lab, "show", number, who="hanako")
    assert not [e for e in lab.journal() if e["event"] == "failure" and "store:" in e.get("text", "")]
    forget(lab)


def test_a_reload_loses_no_order(lab):
    number, content = keep(lab)
    quarantine(lab, "release", number, who="hanako")
    pid, before = store_pid(lab), len(lab.toge.mails)
    lab.ctl("reload")
    assert store_pid(lab) == pid
    quarantine(lab, "approve", number, who="taro")
    assert wait_until(lambda: lab.toge.mails[before:])[-1][2].endswith(content)
    number, _ = keep(lab)
    assert number in {o["id"] for o in originals(lab)}, "the new mail processes reach it"
    lab.write_settings(store="bytes_max = 1048576; required = false;")
    lab.ctl("reload")
    big = mail(attachments=[("a.exe", PROGRAM * 500)])
    answer = send(lab, big)
    assert answer.startswith("250 "), "it goes on"
    lost = wait_until(lambda: lab.events("mail_original_lost"))[-1]
    assert "full" in lost["why"] and lost["mail"] == answer.split()[-1], lost
    lab.write_settings(store="bytes_max = 1048576;")
    lab.ctl("reload")
    answer = send(lab, big)
    assert answer.startswith("250 2.0.0 kept as "), "it waits in the spool"
    assert "its original cannot be kept now" in lab.ctl("queue", "list").stdout
    lab.write_settings(store="")
    lab.ctl("reload")
    number = answer.split()[-1]
    wait_until(lambda: number in {o["id"] for o in originals(lab)}, 15)
    wait_until(lambda: lab.ctl("queue", "list").stdout == "", 15)
    lab.write_settings(store='key_file = "other.key";')
    assert "store.key_file changed" in lab.ctl("reload", check=False).stderr
    lab.write_settings(store="")
    forget(lab)


def restart(lab, between=lambda: None):
    lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(20)
    between()
    lab.start()


def test_they_outlive_a_restart_until_their_time(lab):
    old, _ = keep(lab)
    new, _ = keep(lab)
    asked = quarantine(lab, "release", new, who="hanako").stdout
    assert new in asked

    def age():
        with sqlite3.connect(lab.dir / "store" / "originals.db") as db:
            assert db.execute("UPDATE originals SET kept = kept - 31 * 86400 WHERE id = ?", [old]).rowcount == 1
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
        os.chown(lab.dir / "store" / "originals.db", USERS["store_user"], USERS["store_user"])
    restart(lab, age)
    assert of(lab, "mail_original_expired", old)["event"]
    o = mail_module.only(originals(lab))
    assert (o["id"], o["state"], o["asked_by"]) == (new, "asked", "hanako(sudo)")
    before = len(lab.toge.mails)
    quarantine(lab, "approve", new, who="taro")
    wait_until(lambda: lab.toge.mails[before:])
    forget(lab)


def test_what_was_changed_on_the_disk_does_not_open(lab):
    one, _ = keep(lab)
    two, _ = keep(lab)

    def swap():
        with sqlite3.connect(lab.dir / "store" / "originals.db") as db:
            (about,) = db.execute("SELECT about FROM originals WHERE id = ?", [one]).fetchone()
            db.execute("UPDATE originals SET about = ? WHERE id = ?",
                       [about.replace(b"hanako@", b"mallory@"), one])
            db.execute("UPDATE pieces SET data = zeroblob(length(data)) WHERE number >> 16 ="
                       " (SELECT number FROM originals WHERE id = ?)", [two])
        db.close()
    restart(lab, swap)
    assert "changed on the disk: its key" in quarantine(lab, "show", one, who="hanako", check=False).stderr
    assert "changed on the disk: its content" in quarantine(lab, "show", two, who="hanako", check=False).stderr
    before = len(lab.toge.mails)
    quarantine(lab, "release", one, who="hanako")
    assert "cannot be released" in quarantine(lab, "approve", one, who="taro").stdout
    assert {o["state"] for o in originals(lab)} == {"kept"} and len(lab.toge.mails) == before
    forget(lab)


def test_another_key_does_not_start(lab):
    keep(lab)
    kept = (lab.dir / "store.key").read_bytes()

    def begin():
        done = subprocess.run([lab.build / "sekishod", "-c", lab.dir / "sekisho.conf"],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 1, done
        return done.stderr

    def wrong():
        (lab.dir / "store.key").write_bytes(bytes(32))
        assert "not the key of the originals" in begin()
        (lab.dir / "store.key").unlink()
        assert "expected the key of the originals in" in begin()
        (lab.dir / "store.key").write_bytes(kept)
        assert "has mode 644, expected 600" in begin()
        os.chmod(lab.dir / "store.key", 0o600)
    restart(lab, wrong)
    assert len(originals(lab)) == 1
    forget(lab)
