# SPDX-License-Identifier: Apache-2.0
"""browser: Chromium that trusts a lab's CA, as a municipality's staff use it."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile


def prepare(lab):
    """Once a lab: a home whose browsers trust its CA."""
    store = lab.dir / "home" / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for args in (["-N", "--empty-password"],
                 ["-A", "-t", "C,,", "-n", "lab", "-i", lab.proxy_ca.crt]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *args], check=True)


@contextlib.contextmanager
def chromium(lab, url, *options, proxy=None, downloads=None):
    """A browser that ends, with all its processes, where this block does."""
    profile = pathlib.Path(tempfile.mkdtemp(dir=lab.dir / "home"))
    if downloads:
        (profile / "Default").mkdir()
        (profile / "Default" / "Preferences").write_text(json.dumps({
            "download": {"default_directory": str(downloads), "prompt_for_download": False}}))
    browser = subprocess.Popen(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--accept-lang=ja",
         "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
         f"--user-data-dir={profile}",
         f"--proxy-server={proxy or f'127.0.0.1:{lab.port}'}", *options, url],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "HOME": str(lab.dir / "home")}, start_new_session=True)
    try:
        yield browser
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


class Driver:
    """Chromium's own protocol over a pipe: what a user does at a page."""

    def __init__(self, read, write):
        self.read, self.write, self.n, self.rest = read, write, 0, b""
        self.session = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]

    def call(self, method, **params):
        self.n += 1
        order = {"id": self.n, "method": method, "params": params}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.write, json.dumps(order).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                got = os.read(self.read, 1 << 16)
                assert got, "the browser ended"
                self.rest += got
            said, self.rest = self.rest.split(b"\0", 1)
            said = json.loads(said)
            if said.get("id") == self.n:
                return said.get("result", {})

    def run(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True).get("result", {}).get("value")

    def type(self, text):
        self.call("Input.insertText", text=text)


@contextlib.contextmanager
def driven(lab, url):
    orders, answers = os.pipe(), os.pipe()

    def as_three_and_four():
        os.dup2(orders[0], 13)
        os.dup2(answers[1], 14)
        os.dup2(13, 3)
        os.dup2(14, 4)

    profile = tempfile.mkdtemp(dir=lab.dir / "home")
    browser = subprocess.Popen(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--accept-lang=ja", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", f"--user-data-dir={profile}",
         f"--proxy-server=127.0.0.1:{lab.port}", "--remote-debugging-pipe", url],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=as_three_and_four,
        env={**os.environ, "HOME": str(lab.dir / "home")}, start_new_session=True)
    try:
        yield Driver(answers[0], orders[1])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
        for fd in (*orders, *answers):
            os.close(fd)
