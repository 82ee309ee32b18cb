# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 with real clients and origins: nghttp, h2load, curl, gRPC; nginx, nghttpd, Apache."""
import hashlib
import os
import pathlib
import re
import socket
import subprocess
import threading

from lab import CITY, Lab, free_port, wait_until

PYTHON = "/usr/bin/python3"  # whose packages Build-Depends names
here = pathlib.Path(__file__).parent


def make(build):
    lab = Lab(build, edges=1, hosts={f"{n}.lab.test": "127.0.0.1" for n in ("ng", "apache", "grpc")})
    lab.body = lab.dir / "www" / "random"
    lab.body.write_bytes(os.urandom(3 << 20))
    lab.ng, lab.echo, lab.apache, lab.grpc = (free_port() for _ in range(4))
    lab.run_beside("nghttpd", "-d", lab.dir / "www", "--trailer", "x-sum: 7", "-a", "127.0.0.1",
                   str(lab.ng), lab.origin_key, lab.origin_crt)
    lab.run_beside("nghttpd", "--echo-upload", "-a", "127.0.0.1", str(lab.echo), lab.origin_key, lab.origin_crt)
    start_apache(lab)
    lab.run_beside(PYTHON, here / "grpc_peer.py", "serve", str(lab.grpc), lab.origin_key, lab.origin_crt)
    for port in (lab.ng, lab.echo, lab.apache, lab.grpc):
        wait_until(lambda port=port: lab._answers(port))
        lab.listening.append(port)
    lab.write_settings()
    return lab


def start_apache(lab):
    put = lab.dir / "www" / "put"
    put.mkdir()
    os.chmod(put, 0o777)
    run = lab.dir / "run" / "apache"
    run.mkdir()
    os.chmod(run, 0o777)
    modules = ("mpm_event", "authz_core", "ssl", "http2", "dav", "dav_fs", "setenvif", "env")
    conf = run / "apache.conf"
    conf.write_text("".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in modules) + f"""
ServerName apache.lab.test
ServerRoot {run}
DefaultRuntimeDir {run}
PidFile {run}/pid
ErrorLog {run}/error.log
User nobody
Group nogroup
Listen 127.0.0.1:{lab.apache}
Protocols h2
DocumentRoot {lab.dir}/www
SSLEngine on
SSLCertificateFile {lab.origin_crt}
SSLCertificateKeyFile {lab.origin_key}
DavLockDB {run}/lock
<Directory {lab.dir}/www>
  Require all granted
</Directory>
<Directory {put}>
  Dav on
</Directory>
""")
    lab.run_beside("apache2", "-DFOREGROUND", "-f", conf)


def relay(lab, to):
    """For clients that know of no proxy: a port of which each connection is a tunnel to there."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    lab.threads.append(listener)

    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def one(s):
        host, port = to.split(":")
        t = lab.tunnel(host, int(port))
        for end in (s, t):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=copy, args=(t, s), daemon=True).start()
        copy(s, t)

    def serve():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(s,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def run(lab, *command, **env):
    done = subprocess.run([str(c) for c in command], capture_output=True, timeout=60,
                          env={**os.environ, "SSL_CERT_FILE": str(lab.proxy_ca.crt), **env})
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def curl(lab, *options):
    return run(lab, "curl", "-sS", "--http2", "--cacert", lab.proxy_ca.crt, "--interface", CITY, "-x",
               f"http://127.0.0.1:{lab.port}", *options)


def origins(lab):
    return (f"www.lab.test:{lab.tls_port}", f"ng.lab.test:{lab.ng}", f"apache.lab.test:{lab.apache}")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def test_curl_gets_what_each_origin_has(lab):
    want = lab.body.read_bytes()
    for to in origins(lab):
        assert digest(curl(lab, f"https://{to}/random")) == digest(want), to
        lab.event(host=to.split(":")[0], http_client="HTTP/2", http_origin="HTTP/2", path="/random")


def test_curl_sends_what_each_origin_takes(lab):
    want = lab.body.read_bytes()
    assert digest(curl(lab, "--data-binary", f"@{lab.body}", f"https://ng.lab.test:{lab.echo}/")) == digest(want)
    curl(lab, "-T", lab.body, f"https://apache.lab.test:{lab.apache}/put/curl")
    assert digest((lab.dir / "www" / "put" / "curl").read_bytes()) == digest(want)


def test_nghttp_asks_for_many_at_once(lab):
    for to in origins(lab):
        uri = f"https://127.0.0.1:{relay(lab, to)}"
        out = run(lab, "nghttp", "-H", f":authority: {to}", f"{uri}/random")
        assert digest(out) == digest(lab.body.read_bytes()), to
        # twenty streams that depend on one another, with weights
        out = run(lab, "nghttp", "-v", "-n", "-m", "20", "-p", "7", "-H", f":authority: {to}", f"{uri}/1k")
        ends = re.findall(rb"recv DATA frame <length=\d+, flags=0x01", out)
        ends += re.findall(rb"recv HEADERS frame <length=\d+, flags=0x05", out)  # trailers
        assert len(ends) == 20 and out.count(b":status: 200") == 20, (to, len(ends))
        assert (b"x-sum: 7" in out) == to.startswith("ng."), "nghttpd has trailers"
        assert b"GOAWAY" not in out.replace(b"send GOAWAY", b""), to


def test_nghttp_sends_what_each_origin_takes(lab):
    uri = f"https://127.0.0.1:{relay(lab, f'ng.lab.test:{lab.echo}')}"
    out = run(lab, "nghttp", "-H", f":authority: ng.lab.test:{lab.echo}", "-d", lab.body, f"{uri}/")
    assert digest(out) == digest(lab.body.read_bytes())
    uri = f"https://127.0.0.1:{relay(lab, f'apache.lab.test:{lab.apache}')}"
    run(lab, "nghttp", "-H", f":authority: apache.lab.test:{lab.apache}", "-H", ":method: PUT", "-d", lab.body,
        f"{uri}/put/nghttp")
    assert digest((lab.dir / "www" / "put" / "nghttp").read_bytes()) == digest(lab.body.read_bytes())


def h2load(lab, to, path, *options):
    port = relay(lab, to)
    out = run(lab, "h2load", "-n", "2000", "-c", "10", "-m", "10", "--connect-to", f"127.0.0.1:{port}", *options,
              f"https://{to}{path}").decode()
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in out and "2000 2xx" in out, out


def test_h2load_fails_at_nothing(lab):
    for to in origins(lab):
        h2load(lab, to, "/1k")
    small = lab.dir / "run" / "small"
    small.write_bytes(os.urandom(20000))
    h2load(lab, f"ng.lab.test:{lab.echo}", "/", "-d", small)


def test_grpc_by_its_own_library(lab):
    """Unary and both ways, with statuses in trailers, and nothing held up."""
    out = run(lab, PYTHON, here / "grpc_peer.py", "ask", f"grpc.lab.test:{lab.grpc}", lab.proxy_ca.crt,
              http_proxy=f"http://127.0.0.1:{lab.port}")
    assert out == b"all of it\n"
    lab.event(host="grpc.lab.test", path="/lab.Echo/Talk", http_client="HTTP/2", http_origin="HTTP/2")
