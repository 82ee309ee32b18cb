# SPDX-License-Identifier: Apache-2.0
"""What the origin's certificate must be, what may excuse it, and for whom."""
import datetime
import ssl
import subprocess

from lab import Authority, Lab, free_port, openssl, read_head, wait_until

JAPAN = datetime.timezone(datetime.timedelta(hours=9))
NAMES = ("good", "revoked", "forged", "other", "excused", "lapsed", "weak-key",
         "sha1", "neighbour", "xn--wgv71a119e")


def make(build):
    lab = Lab(build, hosts={f"{n}.lab.test": "127.0.0.1" for n in NAMES})
    ca = lab.origin_ca
    lab.staple_port = free_port()
    staples(lab)
    lab.expired = {n: lab.origin(ok, True, *ca.leaf(n, f"DNS:{n}.lab.test", days=0))
                   for n in ("excused", "lapsed")}
    lab.bad = {
        "weak-key": lab.origin(ok, True, *ca.leaf("weak", "DNS:weak-key.lab.test",
                                                  newkey=("rsa:1024",))),
        "sha1": lab.origin(ok, True, *ca.leaf("sha1", "DNS:sha1.lab.test", digest="sha1")),
    }
    lab.idn = lab.origin(ok, True, *ca.leaf("idn", "DNS:xn--wgv71a119e.lab.test"))
    lab.address = lab.origin(ok, True, *ca.leaf("address", "IP:127.0.0.1"))
    lab.no_address = lab.origin(ok, True, *ca.leaf("noaddress", "DNS:127.0.0.1"))
    today = datetime.datetime.now(JAPAN).date()
    lab.write_settings(tls_origin=exceptions(today, today - datetime.timedelta(days=1)))
    return lab


def exceptions(last_day, past):
    one = ('{{ destination = "{}.lab.test"; checks = ["time"]; owner = "情報政策課";'
           ' reason = "更新待ち"; expires = "{}"; }}')
    return f'exceptions = ( {one.format("excused", last_day)}, {one.format("lapsed", past)} );'


def ok(s):
    while read_head(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def serial_of(crt):
    out = subprocess.run(["openssl", "x509", "-in", crt, "-noout", "-serial"],
                         capture_output=True, text=True, check=True).stdout
    return out.strip().split("=")[1]


def staple(lab, ca, name, crt, revoked, signer=None, days=("-ndays", "1")):
    """An OCSP response for crt, in a file that nginx staples."""
    index = lab.dir / "ca" / f"{name}.index"
    dates = ("R\t350101000000Z\t250101000000Z" if revoked else "V\t350101000000Z\t")
    index.write_text(f"{dates}\t{serial_of(crt)}\tunknown\t/CN=leaf\n")
    out = lab.dir / "ca" / f"{name}.ocsp"
    by = signer or ca
    openssl("ocsp", "-index", index, "-CA", ca.crt, "-rsigner", by.crt, "-rkey", by.key,
            "-issuer", ca.crt, "-cert", crt, "-respout", out, *days)
    return out


def staples(lab):
    ca, mallory = lab.origin_ca, Authority(lab.dir / "ca", "mallory")
    servers = ""
    for name, revoked, signer in (("good", False, None), ("revoked", True, None),
                                  ("forged", False, mallory)):
        key, crt = ca.leaf(name, f"DNS:{name}.lab.test")
        servers += server(lab, name, key, crt, staple(lab, ca, name, crt, revoked, signer))
    key, crt = ca.leaf("other", "DNS:other.lab.test")
    servers += server(lab, "other", key, crt, lab.dir / "ca" / "good.ocsp")
    run = lab.dir / "staple"
    run.mkdir()
    (run / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {run}/pid; user root; error_log {run}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {run}/b; proxy_temp_path {run}/p;
  fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u; scgi_temp_path {run}/s;
  {servers} }}""")
    lab.run_beside("nginx", "-p", run, "-c", run / "nginx.conf")
    wait_until(lambda: lab._answers(lab.staple_port))
    lab.listening.append(lab.staple_port)


def server(lab, name, key, crt, response):
    return (f"server {{ listen 127.0.0.1:{lab.staple_port} ssl; server_name {name}.lab.test;"
            f" ssl_certificate {crt}; ssl_certificate_key {key}; ssl_stapling on;"
            f" ssl_stapling_file {response}; return 200 'stapled'; }}\n")


def test_a_stapled_good_status_is_taken(lab):
    a = lab.get("good.lab.test", port=lab.staple_port)
    assert a.status == 200 and a.body == b"stapled"


def test_a_stapled_bad_status_is_refused(lab):
    for name in ("revoked", "forged", "other"):
        a = lab.get(f"{name}.lab.test", port=lab.staple_port, headers="Accept-Language: ja\r\n")
        assert a.status == 502, f"{name}: {a.raw}"
        assert "証明書が失効しています。" in a.body.decode(), name
        assert "revoked" in lab.event(event="exchange", host=f"{name}.lab.test")["why"]


def test_an_exception_holds_until_its_last_day(lab):
    assert lab.get("excused.lab.test", port=lab.expired["excused"]).body == b"ok"
    assert lab.event(event="exchange", host="excused.lab.test")["excused"] == "time"
    a = lab.get("lapsed.lab.test", port=lab.expired["lapsed"])
    assert a.status == 502 and "expired" in lab.event(host="lapsed.lab.test")["why"]


def test_an_exception_is_for_its_destination_alone(lab):
    a = lab.get("neighbour.lab.test", port=lab.expired["excused"])
    assert a.status == 502


def test_an_exception_without_its_owner_is_refused(lab):
    path = lab.dir / "sekisho.conf"
    whole = path.read_text()
    path.write_text(whole.replace('owner = "情報政策課";', "", 1))
    answer = lab.ctl("reload", check=False)
    assert answer.returncode == 1 and "owner" in answer.stderr, answer
    path.write_text(whole)


def test_weak_keys_and_digests_are_refused(lab):
    for name, port in lab.bad.items():
        a = lab.get(f"{name}.lab.test", port=port, headers="Accept-Language: ja\r\n")
        assert a.status == 502, name
        assert "弱すぎます" in a.body.decode(), f"{name}: {a.body.decode()}"


def test_a_japanese_name_is_the_same_in_either_spelling(lab):
    for host in ("xn--wgv71a119e.lab.test", "日本語.lab.test"):
        s = lab.connect()
        to = f"{host}:{lab.idn}"
        s.sendall(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
        context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
        head = read_head(s)
        if host.startswith("日"):
            # no byte beyond ASCII may stand in a target (RFC 9110 section 7.2)
            assert b" 400 " in head, head
            continue
        assert b" 200 " in head, head
        s = context.wrap_socket(s, server_hostname="xn--wgv71a119e.lab.test")
        assert lab.get(host, port=lab.idn, sock=s).body == b"ok"


def test_an_address_needs_a_certificate_for_the_address(lab):
    def get(port):
        s = lab.tunnel("127.0.0.1", port)
        context = ssl.create_default_context(cafile=str(lab.proxy_ca.crt))
        return lab.get("127.0.0.1", port=port, sock=context.wrap_socket(
            s, server_hostname="127.0.0.1"))

    lab.write_policy("""default = ( { name = "all"; zones = ["internet"];
        destinations = ["lab.test", "127.0.0.1"]; verdict = "allow";
        reason_ja = "試験"; reason_en = "test"; } );""")
    lab.ctl("reload")
    assert get(lab.address).body == b"ok"
    assert get(lab.no_address).status == 502


def test_clients_that_know_only_rsa_get_an_rsa_leaf_where_that_is_set(lab):
    def rsa_only():
        return subprocess.run(
            ["openssl", "s_client", "-proxy", f"127.0.0.1:{lab.port}", "-connect",
             f"www.lab.test:{lab.tls_port}", "-servername", "www.lab.test", "-tls1_2",
             "-sigalgs", "RSA+SHA256:RSA-PSS+SHA256", "-CAfile", lab.proxy_ca.crt,
             "-verify_return_error"],
            input="", capture_output=True, text=True, timeout=20)

    assert rsa_only().returncode != 0
    conf = lab.dir / "sekisho.conf"
    conf.write_text(conf.read_text().replace("tls_client = {", "tls_client = { rsa_leaf = true;"))
    lab.ctl("reload")
    done = rsa_only()
    assert done.returncode == 0 and "Peer signature type: RSA" in done.stdout, done.stdout
    assert lab.get("www.lab.test").status == 200


def test_a_ca_below_another_is_sent_with_its_leaves(lab):
    root = Authority(lab.dir / "ca", "root-ca")
    key, crt = lab.dir / "ca" / "below.key", lab.dir / "ca" / "below.crt"
    csr, ext = lab.dir / "ca" / "below.csr", lab.dir / "ca" / "below.ext"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/O=lab/CN=below", "-keyout", key, "-out", csr)
    ext.write_text("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n")
    openssl("x509", "-req", "-in", csr, "-CA", root.crt, "-CAkey", root.key, "-CAcreateserial",
            "-days", 10, "-extfile", ext, "-out", crt)
    conf = lab.dir / "sekisho.conf"
    conf.write_text(conf.read_text().replace("ca/proxy-ca.crt", "ca/below.crt")
                    .replace("ca/proxy-ca.key", "ca/below.key"))
    lab.ctl("reload")
    s = lab.tls("www.lab.test", ca=root.crt)
    assert lab.get("www.lab.test", sock=s).status == 200
