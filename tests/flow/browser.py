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
