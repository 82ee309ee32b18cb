#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""prefecture_host NAME ADDRESS,... PORT...: a host of the prefecture, in a namespace of its own.

Answers its name on those ports over TCP and UDP, at those addresses, and takes
orders on standard input, a line of JSON each: tries to reach others, and says for each
whether somebody answered; or says who has connected since it was asked last. Over UDP it
is a name server, too.
"""
import json
import os
import resource
import selectors
import socket
import struct
import sys
import threading
import time

NAME = sys.argv[1]
ADDRESSES = [a for a in sys.argv[2].split(",") if a]
PORTS = [int(p) for p in sys.argv[3:]]
seen = []  # who connected: from, to, port
WAIT = 1.0  # s; what has not answered by then does not


def serve_tcp(s):
    while True:
        c, peer = s.accept()
        seen.append([peer[0], s.getsockname()[0], s.getsockname()[1]])
        try:
            c.sendall(NAME.encode() + b"\n")
            c.close()
        except OSError:
            pass


def resolve(question):
    """192-0-2-1.rebind.test leads to 192.0.2.1, as whoever owns a name can say."""
    end = question.index(b"\0", 12) + 5
    first = question[13:13 + question[12]].decode()
    is_a = question[end - 4:end - 2] == b"\0\1"
    try:
        data = socket.inet_aton(first.replace("-", ".")) if is_a and first.count("-") == 3 else b""
    except OSError:
        data = b""
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + data if data else b""
    return question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if data else 0, 0, 0) + question[12:end] + record


def serve_udp(s):
    while True:
        try:
            data, peer = s.recvfrom(2048)
            s.sendto(resolve(data) if len(data) > 16 else NAME.encode() + b"\n", peer)
        except (OSError, ValueError, IndexError):
            pass


def serve():
    for port in PORTS:
        for address in ADDRESSES:
            for kind, loop in ((socket.SOCK_STREAM, serve_tcp), (socket.SOCK_DGRAM, serve_udp)):
                s = socket.socket(family_of(address), kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    s.listen(256)
                threading.Thread(target=loop, args=(s,), daemon=True).start()


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Try:
    """One attempt: tcp, udp or icmp from `source` to `to`; or "via PROXY:PORT", a CONNECT
    there to `to`, which may be a name."""

    def __init__(self, number, what):
        self.protocol, self.source, self.to, self.port = what
        self.number, self.answer = number & 0xFFFF, ""
        self.at, self.events = (self.to, self.port), selectors.EVENT_READ
        if self.protocol.startswith("via "):
            address, _, port = self.protocol[4:].rpartition(":")
            self.at = (address, int(port))
        family = family_of(self.at[0])
        icmp = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        self.echo = (128, 129) if family == socket.AF_INET6 else (8, 0)
        kind = {"udp": socket.SOCK_DGRAM, "icmp": socket.SOCK_RAW}.get(self.protocol, socket.SOCK_STREAM)
        self.socket = socket.socket(family, kind, icmp if kind == socket.SOCK_RAW else 0)
        self.socket.setblocking(False)
        self.got = b""

    def begin(self):
        self.socket.bind((self.source, 0))
        if self.protocol == "icmp":
            head = struct.pack("!BBHHH", self.echo[0], 0, 0, self.number, 1)
            head = struct.pack("!BBHHH", self.echo[0], 0, checksum(head), self.number, 1)
            self.socket.sendto(head, (self.to, 0))
            return
        self.socket.connect_ex(self.at)
        if self.protocol == "udp":
            self.socket.send(b"?")
        else:
            self.events = selectors.EVENT_WRITE

    def connected(self):
        """True: it is over; a packet came there and back, whoever was there."""
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.answer = f"!{os.strerror(error)}"
            return True
        self.answer = "open"
        if self.protocol == "tcp":
            return True
        to = f"[{self.to}]" if ":" in self.to else self.to
        self.socket.send(f"CONNECT {to}:{self.port} HTTP/1.1\r\nHost: {to}:{self.port}\r\n\r\n".encode())
        self.events = selectors.EVENT_READ
        return False

    def hear_proxy(self):
        more = self.socket.recv(4096)
        self.got += more
        head, empty, rest = self.got.partition(b"\r\n\r\n")
        if empty and head.split(b" ")[1] != b"200":
            self.answer = head.split(b" ")[1].decode()
        elif rest.endswith(b"\n"):
            self.answer = rest.decode("latin-1").strip()
        elif more:
            return False
        return True

    def hear(self):
        """True: it is over."""
        try:
            if self.events == selectors.EVENT_WRITE:
                return self.connected()
            if self.protocol == "udp":
                self.answer = self.socket.recv(256).decode().strip()
                return True
            if self.protocol != "icmp":
                return self.hear_proxy()
            data, peer = self.socket.recvfrom(2048)
            if ":" not in self.to:
                data = data[(data[0] & 15) * 4:]
            if data[0] == self.echo[1] and struct.unpack("!H", data[4:6])[0] == self.number and peer[0] == self.to:
                self.answer = "echo"
                return True
            return False
        except BlockingIOError:
            return False
        except OSError as e:
            self.answer = f"!{e.strerror}"
            return True


def attempt(tries):
    """For each: who answered; "" for nobody, "!why" for an error."""
    selector = selectors.DefaultSelector()
    all_tries = []
    for i, what in enumerate(tries):
        t = Try(os.getpid() * 37 + i, what)
        all_tries.append(t)
        try:
            t.begin()
        except OSError as e:
            t.answer = f"!{e.strerror}"
            continue
        selector.register(t.socket, t.events, t)
    end = time.monotonic() + WAIT
    while selector.get_map() and time.monotonic() < end:
        for key, _ in selector.select(end - time.monotonic()):
            if key.data.hear():
                selector.unregister(key.fileobj)
            elif key.events != key.data.events:
                selector.modify(key.fileobj, key.data.events, key.data)
    selector.close()
    for t in all_tries:
        t.socket.close()
    return [t.answer for t in all_tries]


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    serve()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if order == "seen":
            answer = list(seen)
            seen.clear()
        else:
            answer = attempt(order)
        print(json.dumps(answer), flush=True)


main()
