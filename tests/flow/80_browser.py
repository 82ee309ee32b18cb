# SPDX-License-Identifier: Apache-2.0
"""Chromium, as a municipality's staff use it, through the checkpoint."""
import base64
import re
import struct

from browser import chromium, prepare
from lab import SECURE, Lab, accept_websocket, read_head, wait_until

IMAGES = 40
PAGE = """<!doctype html><html lang="ja"><meta charset="utf-8"><title>page</title>
<link rel="stylesheet" href="/style.css"><p id="p">many resources</p>
%s<script>
const asks = { style: getComputedStyle(document.getElementById("p")).color };
const load = new Promise(done => addEventListener("load", done));
const socket = new Promise(done => {
  const w = new WebSocket("wss://echo.lab.test:%d/chat");
  w.onopen = () => w.send("関所".repeat(20000));
  w.onmessage = m => done(m.data.length);
  w.onerror = () => done("failed");
});
(async () => {
  await load;
  asks.images = [...document.images].filter(i => i.naturalWidth === 1).length;
  asks.download = (await (await fetch("/10m")).blob()).size;
  asks.blocked = (await fetch("/secret/plan")).status;
  asks.socket = await socket;
  fetch("/report?" + new URLSearchParams(asks));
})();
</script></html>
"""
DOT = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==")


def make(build):
    lab = Lab(build, hosts={"echo.lab.test": "127.0.0.1"}, limits="h2 = false;")
    lab.echo = lab.origin(echo, tls=True)
    www = lab.dir / "www"
    images = "".join(f'<img src="/dot{n}.gif" alt="">' for n in range(IMAGES))
    (www / "page.html").write_text(PAGE % (images, lab.echo))
    (www / "style.css").write_text("p { color: rgb(1, 2, 3) }")
    for n in range(IMAGES):
        (www / f"dot{n}.gif").write_bytes(DOT)
    prepare(lab)
    lab.write_settings()
    return lab


def echo(s):
    """RFC 6455: gives each message back in one frame."""
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", read_head(s)).group(1)
    s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket"
              b"\r\nSec-WebSocket-Accept: " + accept_websocket(key) + b"\r\n\r\n")
    message = b""
    while True:
        first, length = exactly(s, 2)
        n = length & 127
        if n > 125:
            n = int.from_bytes(exactly(s, 2 if n == 126 else 8), "big")
        mask = exactly(s, 4)
        data = exactly(s, n)
        message += bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        if first & 15 == 8:
            return
        if first & 128:
            s.sendall(b"\x81\x7f" + struct.pack("!Q", len(message)) + message)
            message = b""


def exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise OSError("ended")
        data += more
    return data


def visit(lab, *options, **kw):
    """The page with all that is on it, as the browser reports it."""
    log = lab.dir / "run" / "nginx-access.log"
    log.write_text("")
    with chromium(lab, f"https://www.lab.test:{lab.tls_port}/page.html",
                  "--remote-debugging-port=0", *options, **kw):
        report = wait_until(lambda: re.search(r"GET /report\?(\S+)", log.read_text()), 60)
    assert report.group(1) == (f"style=rgb%281%2C+2%2C+3%29&images={IMAGES}"
                               "&download=10485760&blocked=403&socket=40000"), report.group(1)
    assert lab.event(event="tunnel", path="/chat")["status"] == 101
    return lab.event(event="exchange", path="/page.html")["http_client"]


def test_a_page_with_many_resources_and_a_websocket(lab):
    assert visit(lab) == "HTTP/1.1"


def test_the_same_page_over_http2(lab):
    lab.write_settings(limits="h2 = true;")
    lab.ctl("reload")
    assert visit(lab) == "HTTP/2"


def test_the_same_page_over_tls_to_the_proxy(lab):
    """Its CONNECTs are streams of one connection."""
    assert visit(lab, f"--host-resolver-rules=MAP {SECURE} 127.0.0.1",
                 proxy=f"https://{SECURE}:{lab.secure_port}") == "HTTP/2"
    assert lab.event(event="tunnel", path="/chat")["client"] == "127.0.0.1"


def test_a_blocked_page_is_shown_in_japanese(lab):
    with chromium(lab, f"https://casino.lab.test:{lab.tls_port}/", "--dump-dom") as browser:
        page = browser.communicate(timeout=60)[0]
    e = lab.event(event="exchange", host="casino.lab.test", path="/")
    for word in ("賭け事の分類です。", "no-gambling", e["id"]):
        assert word in page, page
