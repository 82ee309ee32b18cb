# SPDX-License-Identifier: Apache-2.0
"""lab: one sekishod with real origins on loopback, for the flow tests.

Every Lab has its own folder, ports, authorities, nginx and daemon, so that
several can run at once; stop() ends what it started and nothing else.
"""
import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

CITY = "127.0.1.10"        # 関所市, internet zone
CITY_LGWAN = "127.0.2.10"
CITY_MYNUMBER = "127.0.3.10"
TOWN = "127.0.4.10"        # 峠町, internet zone
BALANCER = "127.0.5.1"     # must send a PROXY header
FORWARDER = "127.0.6.1"    # its X-Forwarded-For is believed
STRANGER = "127.0.9.9"

SECURE = "proxy.lab.test"  # the proxy's name, of its listener with TLS

USERS = {"edge_user": 64801, "keysmith_user": 64802,
         "journal_user": 64803, "control_user": 64804, "detox_user": 64805,
         "mail_user": 64806, "store_user": 64807, "gate_user": 64808,
         "tripwire_user": 64809, "handover_user": 64811}


def wait_until(what, seconds=10, every=0.02):
    """What `what` gives once it is true; fails after that many seconds."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)


PORTS = range(10000, 32000)  # the kernel gives none of them to a client's end
PORTS_AT_ONCE = 50
leases, ports = [], []  # what this process holds, what it has not given yet


def lease_ports():
    """Some ports that no other process of these tests has in this namespace, until this one ends."""
    starts = list(PORTS[::PORTS_AT_ONCE])
    random.shuffle(starts)
    for start in starts:
        lease = socket.socket(socket.AF_UNIX)
        try:
            lease.bind(f"\0sekisho-flow-ports-{start}")
        except OSError:
            lease.close()
            continue
        leases.append(lease)
        ports.extend(range(start, start + PORTS_AT_ONCE))
        return
    raise AssertionError("all ports are taken by other tests")


def free_port():
    """Never the same twice, nor one of another process of these tests."""
    while True:
        if not ports:
            lease_ports()
        port = ports.pop()
        with socket.socket() as s:
            try:
                s.bind(("0.0.0.0", port))
                return port
            except OSError:
                pass


def openssl(*args, **kw):
    subprocess.run(["openssl", *map(str, args)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **kw)


class Authority:
    """A certificate authority in a folder, by the openssl command."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        self.key, self.crt = self.folder / f"{name}.key", self.folder / f"{name}.crt"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", 30,
                "-subj", f"/O=lab/CN={name}", "-keyout", self.key,
                "-out", self.crt, "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def leaf(self, name, sans, newkey=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
             days=20, usage="serverAuth", digest="sha256"):
        base = self.folder / name
        key, csr, crt, ext = (base.with_suffix(s) for s in (".key", ".csr", ".crt", ".ext"))
        openssl("req", "-newkey", *newkey, "-nodes", "-subj", "/CN=leaf",
                "-keyout", key, "-out", csr)
        ext.write_text(f"subjectAltName={sans}\nextendedKeyUsage={usage}\n"
                       "basicConstraints=CA:FALSE\n")
        if days > 0:
            openssl("x509", "-req", "-in", csr, "-CA", self.crt, "-CAkey",
                    self.key, "-CAcreateserial", "-days", days, f"-{digest}",
                    "-extfile", ext, "-out", crt)
        else:
            self._expired(csr, crt, ext)
        return key, crt

    def _expired(self, csr, crt, ext):
        db = self.folder / "db"
        db.mkdir(exist_ok=True)
        (db / "index").write_text("")
        (db / "serial").write_text("01\n")
        (db / "conf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={db}/index\nserial={db}/serial\n"
            f"new_certs_dir={db}\ndefault_md=sha256\npolicy=p\n[p]\nCN=supplied\n")
        openssl("ca", "-batch", "-config", db / "conf", "-in", csr, "-out", crt,
                "-cert", self.crt, "-keyfile", self.key, "-notext",
                "-extfile", ext, "-startdate", "20200101000000Z",
                "-enddate", "20200201000000Z")


labs = []  # that were made and not stopped yet


def stop_all():
    while labs:
        labs.pop().stop()


class Lab:
    def __init__(self, build, edges=2, settings="", policy=None, limits="",
                 upstream="", hosts=(), tls_origin="", policies=None, store=""):
        self.build = pathlib.Path(build).resolve()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-flow-"))
        os.chmod(self.dir, 0o755)
        self.port, self.tls_port, self.plain_port, self.secure_port = (
            free_port() for _ in range(4))
        self.edges, self.extra, self.limits = edges, settings, limits
        self.upstream, self.hosts, self.tls_origin = upstream, dict(hosts), tls_origin
        self.policy, self.store = policy, store
        self.daemon = self.nginx = None
        labs.append(self)
        self.beside = []  # other processes that end with this lab
        self.threads, self.listening = [], []
        self._make_files()
        self._start_nginx()
        self.write_settings()
        self.write_policy(policy)

    # files

    def _make_files(self):
        for sub in ("log", "empty", "www", "ca", "run"):
            (self.dir / sub).mkdir()
        os.chown(self.dir / "log", USERS["journal_user"], USERS["journal_user"])
        self.proxy_ca = Authority(self.dir / "ca", "proxy-ca")
        self.origin_ca = Authority(self.dir / "ca", "origin-ca")
        self.origin_key, self.origin_crt = self.origin_ca.leaf(
            "origin", "DNS:*.test,DNS:*.lab.test,IP:127.0.0.1")
        www = self.dir / "www"
        (www / "index.html").write_text("hello from the origin\n")
        (www / "1k").write_bytes(b"k" * 1024)
        (www / "10m").write_bytes(os.urandom(1 << 20) * 10)
        (www / "secret").mkdir()
        (www / "secret" / "plan").write_text("secret\n")

    def _start_nginx(self):
        run = self.dir / "run"
        conf = run / "nginx.conf"
        conf.write_text(f"""
daemon off; worker_processes 1; pid {run}/nginx.pid; user root;
error_log {run}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
  types {{ text/html html; text/css css; image/gif gif; }}
  access_log {run}/nginx-access.log;
  keepalive_timeout 60s; keepalive_requests 1000000; client_max_body_size 0;
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f;
  uwsgi_temp_path {run}/u; scgi_temp_path {run}/s;
  server {{
    listen 127.0.0.1:{self.tls_port} ssl http2; listen 127.0.0.1:{self.plain_port};
    server_name _; root {self.dir}/www;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {self.origin_crt}; ssl_certificate_key {self.origin_key};
    add_header Alt-Svc 'h3=":443"'; add_header X-Seen-Via $http_via always;
    add_header X-Seen-Host $http_host always; add_header X-Seen-Version $server_protocol always;
    add_header X-Seen-Forwarded "[$http_x_forwarded_for$http_proxy_authorization]" always;
    location /empty {{ return 204; }}
    location /moved {{ return 302 /elsewhere; }}
  }}
}}
""")
        self.nginx = subprocess.Popen(["nginx", "-p", run, "-c", conf],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self._answers(self.tls_port))

    @staticmethod
    def _answers(port, address="127.0.0.1"):
        with socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex((address, port)) == 0

    def write_settings(self, **change):
        self.__dict__.update(change)
        users = "".join(f'{k} = "{v}:{v}"; ' for k, v in USERS.items())
        hosts = {n: "127.0.0.1" for n in (
            "www.lab.test", "plain.lab.test", "bank.lab.test", "casino.lab.test",
            "lgwan-ok.lab.test", "sns.lab.test")}
        hosts.update(self.hosts)
        host_list = ", ".join(f'{{ name = "{n}"; addresses = ["{a}"]; }}'
                              for n, a in hosts.items())
        (self.dir / "sekisho.conf").write_text(f"""
prefecture = {{ code = "990001"; name_ja = "関所県"; name_en = "Sekisho Prefecture";
  contact = "情報政策課 000-0000-0000"; proxy = "127.0.0.1:{self.port}";
  proxy_tls = "{SECURE}:{self.secure_port}"; }};
processes = {{ edges = {self.edges}; root = "{self.dir}/empty"; {users} drain_max = 20; }};
listeners = ( {{ address = "127.0.0.1:{self.port}";
  proxy_protocol_from = ["127.0.5.0/24"]; forwarded_from = ["127.0.6.0/24"]; }},
  {{ address = "127.0.0.1:{self.secure_port}"; tls = true;
  proxy_protocol_from = ["127.0.5.0/24"]; forwarded_from = ["127.0.6.0/24"]; }} );
limits = {{ {self.limits} }};
tls_client = {{ ca_certificate = "ca/proxy-ca.crt"; ca_key = "ca/proxy-ca.key"; }};
tls_origin = {{ system_store = ""; trust_files = ["ca/origin-ca.crt"]; {self.tls_origin} }};
upstream = {{ hosts = ( {host_list} ); {self.upstream} }};
journal = {{ file = "log/journal.jsonl"; }};
control = {{ socket = "run/control.sock"; }};
store = {{ folder = "store"; {self.store} }};
zones = (
  {{ name = "internet"; kind = "internet"; permitted = ["127.0.0.0/8"];
     ports = [{self.tls_port}, {self.plain_port}, 80, 443 {"".join(f", {p}" for p in self.listening)}]; }},
  {{ name = "lgwan"; kind = "lgwan"; permitted = ["127.0.0.0/8"];
     ports = [{self.tls_port}, {self.plain_port}]; }},
  {{ name = "mynumber"; kind = "mynumber"; }} );
bodies = (
  {{ code = "990019"; name_ja = "関所市"; name_en = "Sekisho City"; contact = "情報システム課";
     segments = ( {{ prefix = "127.0.0.1/32"; zone = "internet"; }},
       {{ prefix = "127.0.1.0/24"; zone = "internet"; }},
       {{ prefix = "127.0.2.0/24"; zone = "lgwan"; }},
       {{ prefix = "127.0.3.0/24"; zone = "mynumber"; }} ); }},
  {{ code = "990027"; name_ja = "峠町"; name_en = "Toge Town"; contact = "総務課";
     segments = ( {{ prefix = "127.0.4.0/24"; zone = "internet"; }} ); }} );
policies = {{ national = ["national.conf"]; prefecture = ["policy.conf"]; }};
{self.extra}
""")

    def write_policy(self, text=None):
        (self.dir / "national.conf").write_text(
            'default = ( { name = "may-tunnel"; verdict = "may-tunnel"; reason_ja = "可"; } );\n')
        (self.dir / "gambling.domains").write_text("# test list\ncasino.lab.test\n")
        (self.dir / "policy.conf").write_text(text or f"""
lists = ( {{ category = "gambling"; file = "gambling.domains"; kind = "domains"; }} );
default = (
  {{ name = "no-gambling"; categories = ["gambling"]; verdict = "block";
     reason_ja = "賭け事の分類です。"; reason_en = "This is gambling."; }},
  {{ name = "bank"; zones = ["internet"]; destinations = ["bank.lab.test"];
     verdict = "tunnel"; tls_only = true; reason_ja = "金融"; reason_en = "finance"; }},
  {{ name = "raw"; zones = ["internet"]; destinations = ["raw.lab.test"];
     verdict = "tunnel"; reason_ja = "業務"; reason_en = "work"; }},
  {{ name = "secret"; urls = ["https://www.lab.test:{self.tls_port}/secret/"];
     verdict = "block"; reason_ja = "非公開"; reason_en = "not public"; }},
  {{ name = "lgwan-list"; zones = ["lgwan"]; destinations = ["lgwan-ok.lab.test"];
     verdict = "allow"; reason_ja = "許可一覧"; reason_en = "listed"; }},
  {{ name = "lab"; zones = ["internet"]; destinations = ["lab.test"];
     verdict = "allow"; reason_ja = "試験"; reason_en = "test"; }} );
""")

    # the daemon

    environment = {}

    def have_clock(self):
        """Before it starts: a clock of its own, which is set with set_clock."""
        shim = self.dir / "run" / "clock_shim.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim,
                        pathlib.Path(__file__).parent / "clock_shim.c"], check=True)
        self.environment = {"CLOCK_FILE": str(self.dir / "run" / "clock"), "LD_PRELOAD": str(shim)}
        self.set_clock(0)

    def set_clock(self, seconds):
        """So many seconds before or behind the machine's."""
        clock = self.dir / "run" / "clock"
        with open(clock, "r+b" if clock.exists() else "w+b") as f:
            f.write(seconds.to_bytes(8, "little", signed=True))

    def start(self):
        self.stderr = open(self.dir / "run" / "stderr", "w+b")
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        at = self.dir / "run" / "notify"
        at.unlink(missing_ok=True)
        notify.bind(str(at))
        notify.settimeout(0.1)
        self.daemon = subprocess.Popen(
            [self.build / "sekishod", "-c", self.dir / "sekisho.conf"],
            stderr=self.stderr, stdout=subprocess.DEVNULL,
            # the sanitizer's hoard of freed memory would hide ours
            env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1:verify_asan_link_order=0",
                 "NOTIFY_SOCKET": str(at), **self.environment})
        with notify:
            wait_until(lambda: self._is_ready(notify), 30)
        return self

    def _is_ready(self, notify):
        if self.daemon.poll() is not None:
            raise AssertionError("sekishod ended: " + self.errors())
        try:
            return b"READY=1" in notify.recv(4096)
        except TimeoutError:
            return False

    def errors(self):
        return (self.dir / "run" / "stderr").read_text(errors="replace")

    def run_beside(self, *command):
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        self.beside.append(p)
        return p

    def stop(self):
        if self in labs:
            labs.remove(self)
        for p in (self.daemon, self.nginx, *self.beside):
            if p is None or p.poll() is not None:
                continue
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        for s in self.threads:
            s.close()
        trouble = self._trouble() if self.daemon else []
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        assert not trouble, trouble

    def _trouble(self):
        """What a sanitizer or a `must` said, and who died of what no test did."""
        said = [line for line in self.errors().splitlines()
                if "ERROR: AddressSanitizer" in line or "runtime error" in line
                or "sekisho: bug" in line]
        return said + [e for e in self.journal() if e["event"] == "died"
                       and "killed by signal" in e.get("text", "")
                       and not e["text"].endswith("signal 9")]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def ctl(self, *args, check=True):
        done = subprocess.run(
            [self.build / "sekishoctl", "-s", self.dir / "run" / "control.sock", *args],
            capture_output=True, text=True, timeout=60,
            env={**os.environ, "LANG": "C.UTF-8"})
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def children(self):
        """name -> pid of the daemon's processes, the newest of each name."""
        found = {}
        pid = self.daemon.pid
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                comm = pathlib.Path(f"/proc/{child}/comm").read_text().strip()
            except OSError:
                continue
            found[comm.removeprefix("sekisho:")] = int(child)
        return found

    # the journal

    def journal(self):
        try:
            text = (self.dir / "log" / "journal.jsonl").read_text()
        except FileNotFoundError:
            return []
        lines = text.split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def event(self, seconds=5, **want):
        """The last line with these members, waited for."""
        def found():
            return [e for e in self.journal()
                    if all(e.get(k) == v for k, v in want.items())]
        return wait_until(found, seconds)[-1]

    # clients

    def connect(self, source=CITY, timeout=10, port=None):
        s = socket.socket()
        s.settimeout(timeout)
        s.bind((source, 0))
        s.connect(("127.0.0.1", port or self.port))
        return s

    def connect_tls(self, source=CITY, alpn=("http/1.1",), name=None, sock=None):
        """TLS to the proxy itself."""
        context = ssl.create_default_context(cafile=str(self.proxy_ca.crt))
        context.set_alpn_protocols(list(alpn))
        s = sock or self.connect(source, port=self.secure_port)
        return context.wrap_socket(s, server_hostname=name or SECURE)

    def tunnel(self, host, port=None, source=CITY, sock=None):
        """A socket after CONNECT, or the answer when it was refused."""
        s = sock or self.connect(source)
        to = f"{host}:{port or self.tls_port}"
        s.sendall(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
        answer = Answer(s)
        if answer.status != 200:
            s.close()
            raise Refused(answer)
        return s

    def tls(self, host, port=None, source=CITY, sni=None, ca=None, version=None):
        s = self.tunnel(host, port, source)
        context = ssl.create_default_context(cafile=str(ca or self.proxy_ca.crt))
        if version:
            context.maximum_version = version
        context.check_hostname = sni is None
        return context.wrap_socket(s, server_hostname=sni or host)

    def get(self, host, path="/", source=CITY, sock=None, port=None, headers=""):
        """One GET over intercepted TLS; an Answer."""
        s = sock or self.tls(host, port, source)
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port or self.tls_port}\r\n"
                  f"{headers}\r\n".encode())
        answer = Answer(s)
        answer.sock = s
        return answer

    def get_plain(self, url_host, path="/", source=CITY, headers="", port=None, sock=None):
        s = sock or self.connect(source)
        to = f"{url_host}:{port or self.plain_port}"
        s.sendall(f"GET http://{to}{path} HTTP/1.1\r\nHost: {to}\r\n{headers}\r\n".encode())
        answer = Answer(s)
        answer.sock = s
        return answer

    def send_raw(self, data, source=CITY):
        """What comes back to these bytes until the proxy closes or is idle."""
        with self.connect(source) as s:
            s.sendall(data)
            return Answer(s)

    # scripted origins, for what no real server does

    def origin(self, script, tls=False, key=None, crt=None, alpn=(), at=("127.0.0.1", 0)):
        """Listens; calls script(connection) for each; gives the port."""
        listener = socket.create_server(at, backlog=64)
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            # what is weak is for the proxy to refuse
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            if alpn:
                context.set_alpn_protocols(alpn)
            context.load_cert_chain(crt or self.origin_crt, key or self.origin_key)

        def serve():
            while True:
                try:
                    s, _ = listener.accept()
                except OSError:
                    return
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=one, args=(s,), daemon=True).start()

        def one(s):
            try:
                if context:
                    s = context.wrap_socket(s, server_side=True)
                script(s)
            except OSError:
                pass
            finally:
                s.close()

        threading.Thread(target=serve, daemon=True).start()
        self.threads.append(listener)
        port = listener.getsockname()[1]
        self.listening.append(port)
        return port


class Refused(Exception):
    def __init__(self, answer):
        super().__init__(f"{answer.status}")
        self.answer = answer


def accept_websocket(key):
    """The Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(
        key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(1)
        if not more:
            break
        data += more
    return data


class Cut(Exception):
    """The body ended before its time."""


class Answer:
    """One answer read from a socket, strictly."""

    def __init__(self, s, method="GET", body=True):
        self.raw = read_head(s)
        self.sock = s
        self.body = b""
        self.status = 0
        if not self.raw:
            return
        head, _, _ = self.raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = [tuple(f.split(": ", 1)) for f in lines[1:]]
        self.trailers = []
        if body and method != "HEAD" and self.status not in (204, 304, 101) \
                and self.status >= 200:
            self._read_body(s)

    def field(self, name, default=None):
        found = [v for n, v in self.fields if n.lower() == name.lower()]
        return found[0] if found else default

    def _exactly(self, s, n):
        data = b""
        while len(data) < n:
            try:
                more = s.recv(min(n - len(data), 65536))
            except (ConnectionResetError, ssl.SSLError) as e:
                raise Cut() from e
            if not more:
                raise Cut()
            data += more
        return data

    def _read_body(self, s):
        if self.field("transfer-encoding") == "chunked":
            while True:
                line = b""
                while not line.endswith(b"\r\n"):
                    line += self._exactly(s, 1)
                n = int(line.split(b";")[0], 16)
                if n == 0:
                    break
                self.body += self._exactly(s, n)
                assert self._exactly(s, 2) == b"\r\n"
            while True:
                line = b""
                while not line.endswith(b"\r\n"):
                    line += self._exactly(s, 1)
                if line == b"\r\n":
                    return
                self.trailers.append(tuple(line.decode().strip().split(": ", 1)))
        elif self.field("content-length") is not None:
            self.body = self._exactly(s, int(self.field("content-length")))
        elif self.field("connection") == "close":
            while True:
                try:
                    more = s.recv(65536)
                except (ConnectionResetError, ssl.SSLError) as e:
                    raise Cut() from e
                if not more:
                    return
                self.body += more
