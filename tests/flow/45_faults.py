# SPDX-License-Identifier: Apache-2.0
"""What breaks around the checkpoint is named clearly, and nothing else stops."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from lab import Lab, free_port, wait_until


def make(build):
    lab = Lab(build)
    # a disk of its own, small enough to be filled
    lab.has_disk = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", lab.dir / "log"],
        stderr=subprocess.DEVNULL).returncode == 0
    os.chown(lab.dir / "log", 64803, 64803)
    stop = lab.stop

    def unmount_and_stop():
        try:
            stop()
        finally:
            subprocess.run(["umount", "-l", lab.dir / "log"], check=False,
                           stderr=subprocess.DEVNULL)
            shutil.rmtree(lab.dir, ignore_errors=True)

    lab.stop = unmount_and_stop
    return lab


def start_fails(lab, edit, *words):
    """A second daemon with changed settings: ends with 1 and says why."""
    text = (lab.dir / "sekisho.conf").read_text()
    changed = lab.dir / "changed.conf"
    changed.write_text(edit(text.replace("log/journal.jsonl", "log/other.jsonl"))
                       .replace("control.sock", "other.sock")
                       .replace(f":{lab.secure_port}", f":{free_port()}"))
    done = subprocess.run([lab.build / "sekishod", "-c", changed],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1, done
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_missing_ca_key_is_named(lab):
    start_fails(lab, lambda t: t.replace("proxy-ca.key", "nowhere.key")
                .replace(f"127.0.0.1:{lab.port}", "127.0.0.1:1"),
                "nowhere.key", "No such file")


def test_a_ca_key_of_another_certificate_is_named(lab):
    start_fails(lab, lambda t: t.replace("ca/proxy-ca.key", "ca/origin-ca.key")
                .replace(f"127.0.0.1:{lab.port}", "127.0.0.1:1"), "origin-ca.key")


def test_a_port_in_use_is_named(lab):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        start_fails(lab, lambda t: t.replace(
            f'{{ address = "127.0.0.1:{lab.port}"', f'{{ address = "127.0.0.1:{port}"'),
            str(port), "in use")
    start_fails(lab, lambda t: t, str(lab.port), "in use")
    assert lab.get_plain("plain.lab.test").status == 200


def test_a_half_written_list_changes_nothing(lab):
    path = lab.dir / "gambling.domains"
    whole = path.read_bytes()
    path.write_bytes(whole + b"new-casino.lab.te\xff")
    done = lab.ctl("reload", check=False)
    assert done.returncode == 1 and "gambling.domains:3" in done.stdout + done.stderr
    path.unlink()
    done = lab.ctl("reload", check=False)
    assert done.returncode == 1 and "gambling.domains" in done.stdout + done.stderr
    assert lab.get("casino.lab.test").status == 403
    path.write_bytes(whole)
    lab.ctl("reload")


def test_a_full_disk_stops_no_request_and_breaks_no_line(lab):
    if not lab.has_disk:
        print("not run: no disk can be mounted here")
        return
    filler = lab.dir / "log" / "filler"
    with open(filler, "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass
    for n in range(50):
        assert lab.get_plain("plain.lab.test", f"/full-{n}").status == 404
    wait_until(lambda: "No space left" in lab.errors())
    assert not [e for e in lab.journal() if e.get("path") == "/full-49"]
    filler.unlink()
    lab.event(path="/full-49", seconds=10)
    told = [e["path"] for e in lab.journal() if str(e.get("path")).startswith("/full-")]
    assert sorted(told) == sorted(f"/full-{n}" for n in range(50)), told
    assert "No space left" in lab.event(event="failure", process="journal")["text"]
    for line in (lab.dir / "log" / "journal.jsonl").read_bytes().split(b"\n")[:-1]:
        json.loads(line)


def test_a_journal_folder_that_is_gone_is_named(lab):
    start_fails(lab, lambda t: t.replace("log/other.jsonl", "nolog/other.jsonl")
                .replace(f"127.0.0.1:{lab.port}", "127.0.0.1:1"), "nolog")


def test_a_journal_that_another_daemon_writes_is_named(lab):
    start_fails(lab, lambda t: t.replace("log/other.jsonl", "log/journal.jsonl")
                .replace(f"127.0.0.1:{lab.port}", f"127.0.0.1:{free_port()}"),
                "journal.jsonl", "another sekishod")


def test_a_stop_while_it_starts_ends_it(lab):
    conf = lab.dir / "changed.conf"
    conf.write_text((lab.dir / "sekisho.conf").read_text().replace("control.sock", "other.sock")
                    .replace("log/journal.jsonl", "log/other.jsonl")
                    .replace(f'{{ address = "127.0.0.1:{lab.port}"',
                             f'{{ address = "127.0.0.1:{free_port()}"')
                    .replace(f":{lab.secure_port}", f":{free_port()}"))
    for ms in (10, 30, 50, 70, 100, 150):
        p = subprocess.Popen([lab.build / "sekishod", "-c", conf], stderr=subprocess.DEVNULL)
        time.sleep(ms / 1000)
        p.terminate()
        # -SIGTERM: before it had begun anything
        assert p.wait(8) in (0, -signal.SIGTERM), ms


def clumsy(lab, name):
    path = lab.dir / name
    if name == "a-pipe":
        os.mkfifo(path)
    elif name == "a-long-line":
        path.write_bytes(b"# " + b"x" * 30_000_000 + b"\n")
    elif name == "itself":
        path.write_text('@include "itself"\n')
    else:
        path.mkdir()
    return name


def test_what_is_no_file_of_settings_is_refused_at_once(lab):
    """A folder ended the parent, a pipe or an endless line held it for ever."""
    conf = lab.dir / "sekisho.conf"
    good = conf.read_text()
    places = (lambda n: good + f'@include "{n}"\n',
              lambda n: good.replace('prefecture = ["policy.conf"]', f'prefecture = ["{n}"]'),
              lambda n: good.replace("ca/proxy-ca.key", n),
              lambda n: good.replace("ca/proxy-ca.crt", n),
              lambda n: good.replace("ca/origin-ca.crt", n))
    for name in (clumsy(lab, n) for n in ("a-pipe", "a-folder", "a-long-line", "itself")):
        for place in places:
            conf.write_text(place(name))
            begun = time.monotonic()
            done = lab.ctl("reload", check=False)
            assert done.returncode == 1 and name in done.stderr, (name, done)
            assert time.monotonic() - begun < 5, (name, done)
            assert lab.daemon.poll() is None
    (lab.dir / "policy.conf").write_text("")
    conf.write_text(good)
    lab.write_policy()
    lab.ctl("reload")
    assert lab.get_plain("plain.lab.test").status == 200
