# SPDX-License-Identifier: Apache-2.0
"""rspamd_peer: a real rspamd with settings of its own in a folder: no network,
no redis, the name server of the test; and a mail that is signed (RFC 6376)."""
import base64
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

from lab import free_port, openssl, wait_until

UNPACKED = pathlib.Path(__file__).parents[2] / "build" / "rspamd"  # by rspamd_get
OFF = ("fuzzy_check rbl surbl phishing asn greylist neural mx_check rspamd_update hfilter multimap once_received"
       " mime_types dkim_signing arc_signing bimi ratelimit history_redis reputation").split()


def root():
    """Where its files are: of the package, or unpacked; None: there is none."""
    for at in (pathlib.Path("/"), UNPACKED):
        if (at / "usr/bin/rspamd").exists():
            return at
    return None


class Rspamd:
    def __init__(self, folder, dns_port, port=0, **local):
        self.dir, self.port = pathlib.Path(folder), port or free_port()
        shutil.rmtree(self.dir, ignore_errors=True)
        (self.dir / "local.d").mkdir(parents=True)
        self.process = None
        # 9,600 names of the public suffix list took 77 s to compile
        (self.dir / "tld").write_text("test\n")
        self._local("options", f"""
disable_hyperscan = true; url_tld = "{self.dir}/tld"; local_addrs = []; hs_cache_dir = "{self.dir}";
pidfile = "{self.dir}/pid"; control_socket = "{self.dir}/control mode=0600"; tempdir = "{self.dir}";
dns {{ nameserver = ["127.0.0.1:{dns_port}"]; timeout = 1s; retransmits = 2; }}""")
        self._local("logging", 'type = "file"; filename = "%s/log"; level = "info";' % self.dir)
        self._local("worker-normal", f'bind_socket = "127.0.0.1:{self.port}"; count = 1;')
        for name in ("worker-proxy", "worker-controller", *OFF):
            self._local(name, "enabled = false;")
        for name, text in {"milter_headers": 'use = ["authentication-results"]; skip_local = false;'
                                             " skip_authenticated = false;", **local}.items():
            self._local(name, text)

    def _local(self, name, text):
        end = "inc" if name in ("options", "logging") or name.startswith("worker") else "conf"
        (self.dir / "local.d" / f"{name}.{end}").write_text(text + "\n")

    def start(self):
        at = root()
        share, etc = at / "usr/share/rspamd", at / "etc/rspamd"
        names = {"CONFDIR": etc, "LOCAL_CONFDIR": self.dir, "SHAREDIR": share, "PLUGINSDIR": share / "plugins",
                 "RULESDIR": share / "rules", "LUALIBDIR": share / "lualib", "DBDIR": self.dir,
                 "RUNDIR": self.dir, "LOGDIR": self.dir}
        libraries = ":".join(str(p) for p in (at / "usr/lib/rspamd", at / "usr/lib/x86_64-linux-gnu"))
        self.process = subprocess.Popen(
            [at / "usr/bin/rspamd", "-f", "-i", "-c", etc / "rspamd.conf",
             *(f"--var={k}={v}" for k, v in names.items())],
            env={**os.environ, "LD_LIBRARY_PATH": libraries}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, 60, 0.1)
        return self

    def answers(self):
        import socket
        with socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        return (self.dir / "log").read_text(errors="replace")

    def signal(self, number):
        """All of its processes, which are a session of their own."""
        os.killpg(self.process.pid, number)

    # as what Lab.threads holds

    def close(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.process = None


class Signer:
    """Signs mails relaxed/relaxed with an RSA key, as a selector of a domain."""

    def __init__(self, folder, domain, selector="s1"):
        self.key, self.domain, self.selector = pathlib.Path(folder) / f"{domain}.dkim", domain, selector
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.key)

    def record(self):
        """The name and the strings of its TXT record."""
        der = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        text = "v=DKIM1; k=rsa; p=" + base64.b64encode(der).decode()
        return f"{self.selector}._domainkey.{self.domain}", [text[i:i + 250] for i in range(0, len(text), 250)]

    def sign(self, mail):
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = head.split(b"\r\n")
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip() for line in body.split(b"\r\n")]
        while lines and not lines[-1]:
            lines.pop()
        digest = hashlib.sha256(b"".join(line + b"\r\n" for line in lines)).digest()
        own = (f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};"
               f" h=from:to:subject:message-id:date; bh={base64.b64encode(digest).decode()}; b=").encode()

        def relaxed(field):
            name, _, value = field.partition(b":")
            return name.lower() + b":" + re.sub(rb"[ \t]+", b" ", value).strip()
        names = (b"from", b"to", b"subject", b"message-id", b"date")
        chosen = [f for n in names for f in fields if f.lower().startswith(n + b":")]
        said = b"".join(relaxed(f) + b"\r\n" for f in chosen) + relaxed(own)
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=said, check=True,
                              capture_output=True).stdout
        return own + base64.b64encode(made) + b"\r\n" + mail
