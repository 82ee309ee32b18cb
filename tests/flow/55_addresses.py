# SPDX-License-Identifier: Apache-2.0
"""Where a name leads is judged again; a real name server is asked."""
import socket

from lab import Answer, Lab, free_port


def make(build):
    port = free_port()
    lab = Lab(build, upstream=f'nameservers = ["127.0.0.1:{port}"]; resolve_timeout = 2; '
              'dns_ttl_min = 0; dns_negative_ttl = 1; refused = ["203.0.113.0/24"];')
    lab.run_beside(
        "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
         "--no-hosts", "--user=root", "--pid-file=", f"--port={port}",
         "--listen-address=127.0.0.1", "--bind-interfaces",
         "--host-record=real.lab.test,127.0.0.1",
         "--host-record=inside.lab.test,10.1.2.3", "--host-record=meta.lab.test,169.254.169.254",
         "--host-record=mapped.lab.test,::ffff:10.0.0.1",
         "--host-record=lgwan.lab.test,203.0.113.5", "--address=/gone.lab.test/")
    return lab


def test_a_name_by_dns_is_reached(lab):
    assert lab.get_plain("real.lab.test").status == 200
    assert lab.get("real.lab.test", "/1k").status == 200


def test_names_that_lead_inside_are_refused(lab):
    for name in ("inside", "meta", "mapped", "lgwan"):
        a = lab.get_plain(f"{name}.lab.test")
        assert a.status == 403, f"{name}: {a.raw}"
        assert lab.event(event="exchange", host=f"{name}.lab.test")["status"] == 403


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
