# SPDX-License-Identifier: Apache-2.0
"""knock: tries many connections at once and says which were answered.

Standard input is a list of [protocol, source, destination, port]; standard
output the list of those that were answered. With "serve" as the first word it
answers TCP and UDP on the addresses and ports of standard input, for ever.
"""
import json
import os
import selectors
import socket
import struct
import sys
import time

SECONDS = 1.5


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(wants):
    chooser = selectors.DefaultSelector()
    for address, port in wants:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            s = socket.socket(family(address), kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
            if kind == socket.SOCK_STREAM:
                s.listen(256)
            chooser.register(s, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in chooser.select():
            s = key.fileobj
            if s.type == socket.SOCK_DGRAM:
                _, who = s.recvfrom(2000)
                s.sendto(b"here", who)
            else:
                s.accept()[0].close()


def checksum(b):
    total = sum(struct.unpack(f"!{len(b) // 2}H", b))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def send(protocol, source, to, port):
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}.get(protocol, socket.SOCK_RAW)
    number = 0
    if kind == socket.SOCK_RAW:
        number = (socket.IPPROTO_ICMPV6 if ":" in to else socket.IPPROTO_ICMP) \
            if protocol == "icmp" else int(protocol)
    s = socket.socket(family(to), kind, number)
    s.setblocking(False)
    s.bind((source, 0))
    try:
        if protocol == "tcp":
            s.connect_ex((to, port))
        elif protocol == "icmp":
            kind = 128 if ":" in to else 8
            head = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xffff, port & 0xffff)
            if kind == 8:
                head = struct.pack("!BBHHH", 8, 0, checksum(head), os.getpid() & 0xffff,
                                   port & 0xffff)
            s.sendto(head, (to, 0))
        else:
            s.sendto(b"knock" * 4, (to, port if protocol == "udp" else 0))
    except OSError:
        pass
    return s


def answered(s, protocol, to):
    if protocol == "tcp":
        return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    try:
        data, who = s.recvfrom(2000)
    except OSError:
        return False
    if protocol != "icmp":
        return True
    # an answer, of that host
    kind = data[0] if ":" in to else data[20]
    return who[0] == to and kind in (0, 129)


def knock(wants):
    chooser = selectors.DefaultSelector()
    got = []
    for i, (protocol, source, to, port) in enumerate(wants):
        s = send(protocol, source, to, port)
        event = selectors.EVENT_WRITE if protocol == "tcp" else selectors.EVENT_READ
        chooser.register(s, event, (i, protocol, to))
    end = time.monotonic() + SECONDS
    while chooser.get_map() and time.monotonic() < end:
        for key, _ in chooser.select(max(0, end - time.monotonic())):
            i, protocol, to = key.data
            done = answered(key.fileobj, protocol, to)
            if done:
                got.append(i)
            if done or protocol == "tcp":
                chooser.unregister(key.fileobj)
                key.fileobj.close()
    return [wants[i] for i in sorted(got)]


if __name__ == "__main__":
    given = json.load(sys.stdin)
    if sys.argv[1:2] == ["serve"]:
        serve(given)
    if sys.argv[1:2] == ["as"]:
        os.setgroups([])
        os.setresgid(*[int(sys.argv[2])] * 3)
        os.setresuid(*[int(sys.argv[2])] * 3)
    print(json.dumps(knock(given)))
