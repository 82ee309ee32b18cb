# SPDX-License-Identifier: Apache-2.0
"""The journal: every line whole, none lost, whatever is killed."""
import json
import os
import pathlib
import signal
import subprocess
import time

from lab import CITY, Lab, wait_until


def lines_are_whole(lab):
    for path in sorted((lab.dir / "log").iterdir()):
        data = path.read_bytes()
        assert data == b"" or data.endswith(b"\n"), path
        for line in data.decode().splitlines():
            e = json.loads(line)
            assert e["time"].endswith("Z") and e["id"] and e["event"], line


def all_paths(lab):
    found = []
    for path in (lab.dir / "log").iterdir():
        # whole lines: one may be on its way
        for line in path.read_bytes().decode(errors="replace").split("\n")[:-1]:
            found.append(json.loads(line).get("path"))
    return found


def test_odd_bytes_cannot_break_or_forge_a_line(lab):
    for path in ("/%22%7d%0a", "/\"}{\"event\":\"forged\"", "/\\u0022", "/\u202e", "/" + "a" * 5000):
        lab.get_plain("plain.lab.test", path.encode("utf-8").decode("latin-1"))
    wait_until(lambda: sum(1 for e in lab.journal() if e["event"] == "exchange") >= 4)
    lines_are_whole(lab)
    assert not any(e["event"] == "forged" for e in lab.journal())


def test_nothing_is_lost_when_journal_or_edge_die(lab):
    sent = []
    for i in range(200):
        if i in (60, 140):
            os.kill(lab.children()["journal"], signal.SIGKILL)
        try:
            a = lab.get_plain("plain.lab.test", f"/1k?{i}", headers=f"X: {i}\r\n")
        except OSError:
            continue
        if a.status == 200:
            sent.append(i)
    assert len(sent) == 200
    wait_until(lambda: all_paths(lab).count("/1k") >= 200, 10)
    lines_are_whole(lab)
    ids = [e["id"] for e in lab.journal() if e.get("path") == "/1k"]
    assert len(set(ids)) == len(ids), "a line was written twice"


def test_rotation_by_signal_loses_nothing(lab):
    journal = lab.dir / "log" / "journal.jsonl"
    before = all_paths(lab).count("/10m")
    for i in range(5):
        lab.get_plain("plain.lab.test", "/10m")
        journal.rename(lab.dir / "log" / f"journal.{i}")
        lab.daemon.send_signal(signal.SIGUSR1)
        wait_until(journal.exists)
    wait_until(lambda: all_paths(lab).count("/10m") == before + 5)
    lines_are_whole(lab)


def test_blocked_and_odd_requests_have_lines_too(lab):
    lab.send_raw(b"GET / HTTP/9.9\r\n\r\n")
    e = lab.event(event="exchange", status=505)
    assert e["client"] == CITY and e["body"] == "990019" and e["why"]


def test_what_was_said_before_the_parent_died_is_written(lab):
    pids = lab.children()
    for n in range(30):
        lab.get_plain("plain.lab.test", f"/last-{n}")
    os.kill(lab.daemon.pid, signal.SIGKILL)
    lab.daemon.wait()
    wait_until(lambda: not any(os.path.exists(f"/proc/{p}") for p in pids.values()), 5)
    told = {e.get("path") for e in lab.journal()}
    assert all(f"/last-{n}" in told for n in range(30))
    lab.start()


def test_event_numbers_are_never_given_twice(lab):
    for n in range(6):
        for _ in range(3):
            lab.get_plain("plain.lab.test", f"/number-{n}")
        edge = lab.children()["edge.0"]
        os.kill(edge, signal.SIGKILL)
        wait_until(lambda: lab.children().get("edge.0") not in (None, edge), 10)
    lab.event(path="/number-5")
    ids = [e["id"] for e in lab.journal()]
    assert len(ids) == len(set(ids))
