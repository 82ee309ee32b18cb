# SPDX-License-Identifier: Apache-2.0
"""Where a name leads is judged again; a real name server is asked."""
import socket
import subprocess

from lab import Answer, Lab, free_port

SEALED = "127.0.3.10"    # of a My Number segment; zones permit 127.0.0.0/8
PROVISION = "127.0.8.10"
ENDPOINT = f'''provision = ( {{ name = "chukan"; addresses = ["{PROVISION}"]; owner = "o";
  certificate = "{'0' * 64}"; }} );'''
POLICY = """
default = ( { name = "lab"; zones = ["internet", "lgwan"]; destinations = ["lab.test"];
    verdict = "allow"; reason_ja = "試験"; },
  { name = "addresses"; zones = ["internet", "lgwan"]; addresses = ["127.0.0.0/8", "::/0"];
    verdict = "allow"; reason_ja = "試験"; } );
"""


def make(build):
    port = free_port()
    lab = Lab(build, settings=ENDPOINT, policy=POLICY, upstream=f'nameservers = ["127.0.0.1:{port}"]; resolve_timeout = 2; '
              'dns_ttl_min = 0; dns_negative_ttl = 1; refused = ["203.0.113.0/24"];')
    lab.run_beside(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
         "--no-hosts", "--user=root", "--pid-file=", f"--port={port}",
         "--listen-address=127.0.0.1", "--bind-interfaces",
         "--host-record=real.lab.test,127.0.0.1",
         "--host-record=inside.lab.test,10.1.2.3", "--host-record=meta.lab.test,169.254.169.254",
         "--host-record=mapped.lab.test,::ffff:10.0.0.1",
         "--host-record=lgwan.lab.test,203.0.113.5", f"--host-record=sealed.lab.test,{SEALED}",
         f"--host-record=provision.lab.test,{PROVISION}",
         f"--host-record=several.lab.test,{SEALED}", "--host-record=several.lab.test,127.0.0.1",
         f"--host-record=sealed6.lab.test,64:ff9b::{SEALED}", "--address=/gone.lab.test/")
    return lab


def test_a_name_by_dns_is_reached(lab):
    assert lab.get_plain("real.lab.test").status == 200
    assert lab.get("real.lab.test", "/1k").status == 200


def test_names_that_lead_inside_are_refused(lab):
    for name in ("inside", "meta", "mapped", "lgwan"):
        a = lab.get_plain(f"{name}.lab.test")
        assert a.status == 403, f"{name}: {a.raw}"
        assert lab.event(event="exchange", host=f"{name}.lab.test")["status"] == 403


def test_nothing_leads_into_a_separated_network(lab):
    """By name or address, plain or in a CONNECT, from any zone, whatever zones permit."""
    doors = []
    for address in (SEALED, PROVISION):
        for port in (lab.plain_port, lab.tls_port):
            doors.append(socket.create_server((address, port)))
            doors[-1].settimeout(0)
    for source in ("127.0.1.10", "127.0.2.10"):
        for host in ("sealed.lab.test", "provision.lab.test", "sealed6.lab.test", SEALED, PROVISION):
            a = lab.get_plain(host, source=source)
            assert a.status == 403, f"{source} {host}: {a.raw}"
            a = lab.get(host, source=source)
            assert a.status == 403, f"{source} {host} TLS: {a.raw}"
    # Of several addresses the others are tried.
    assert lab.get_plain("several.lab.test").status == 200
    for door in doors:
        try:
            raise AssertionError(f"{door.accept()} came")
        except BlockingIOError:
            door.close()


def refused(lab, **change):
    """What a check of other settings says."""
    was = {k: getattr(lab, k) for k in change}
    lab.write_settings(**change)
    done = subprocess.run([lab.build / "sekishod", "-t", "-c", lab.dir / "sekisho.conf"],
                          capture_output=True, text=True, check=False)
    lab.write_settings(**was)
    assert done.returncode != 0, done
    return done.stderr


def test_settings_name_nothing_in_a_separated_network(lab):
    for address, why in ((SEALED, "My Number segment's"), (PROVISION, "provision network's")):
        words = f"{address} is a {why} address, where this machine does not connect"
        assert f"nameservers: {address}:53 is a {why}" in refused(
            lab, upstream=f'nameservers = ["{address}:53"];')
        for form in ("10.0.0.53,{}", "{}%lo", " {}", "[{}]", "[{}]:53", "{}#a", "{}:0", "dns://{}", "name.test"):
            assert "is no address" in refused(lab, upstream=f'nameservers = ["{form.format(address)}"];'), form
        assert f'"x.lab.test" leads to a {why} address' in refused(lab, hosts={"x.lab.test": address})
        (lab.dir / "mail.conf").write_text(
            'inbound = ( { name = "c"; body = "990019"; domains = ["city.test"]; side = "lgwan";\n'
            f'  detox = "none"; next_hops = ( {{ host = "{address}"; tls = "none"; }} ); }} );\n')
        assert f"mail.conf:1: next hop {words}" in refused(
            lab, extra=ENDPOINT + 'mail = { routes = "mail.conf"; };')
        assert f"rspamd.address: {address}:11333 is a {why}" in refused(
            lab, extra=ENDPOINT + f'mail = {{ rspamd = {{ address = "{address}:11333"; }}; }};')
        (lab.dir / "detox.conf").write_text(
            'profiles = ( { name = "standard"; scan = ["av"]; } );\n'
            f'scanners = ( {{ name = "av"; kind = "clamd"; address = "{address}:3310"; }} );\n')
        assert f"scanners[].address: {address}:3310 is a {why}" in refused(
            lab, extra=ENDPOINT + 'detox = { profiles = "detox.conf"; };')


def test_a_name_that_is_not_there_is_told(lab):
    assert lab.get_plain("gone.lab.test").status == 502


def test_a_silent_name_server_holds_up_nobody(lab):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    lab.write_settings(upstream=f'nameservers = ["127.0.0.1:{port}"]; resolve_timeout = 1;')
    lab.ctl("reload")
    s = lab.connect()
    to = f"quiet.lab.test:{lab.plain_port}"
    s.sendall(f"GET http://{to}/ HTTP/1.1\r\nHost: {to}\r\n\r\n".encode())
    assert lab.get_plain("plain.lab.test").status == 200
    assert Answer(s).status == 502
    silent.close()
