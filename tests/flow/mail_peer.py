# SPDX-License-Identifier: Apache-2.0
"""mail_peer: a next hop that does what a test wants, and a client that sends
bytes as they are. Real mail servers are in 42_mail_peers.py; what none of them
can be made to do is here."""
import socket
import ssl
import threading
import time


class Hop:
    """A next hop on loopback. `on` maps the head of a command to an answer: a
    line, a list of lines for each time in turn (the last stays), or a function
    of the command. With tls, an SSLContext, STARTTLS is offered."""

    def __init__(self, port=0, address="127.0.0.1", extensions=("PIPELINING", "8BITMIME", "SMTPUTF8",
                                                               "SIZE 100000000"), tls=None, **on):
        self.on, self.extensions, self.tls = on, extensions, tls
        self.mails, self.commands, self.sessions = [], [], 0
        self.delay = {}
        self.listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.sessions += 1
            self.open.append(s)
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def close(self):
        for s in (self.listener, *self.open):
            try:
                s.shutdown(socket.SHUT_RDWR)  # a thread may wait in it
            except OSError:
                pass
            s.close()

    def _answer(self, name, line, usual):
        time.sleep(self.delay.get(name, 0))
        said = self.on.get(name, usual)
        if callable(said):
            return said(line)
        if isinstance(said, list):
            return said.pop(0) if len(said) > 1 else said[0]
        return said

    def _serve(self, s):
        try:
            self._talk(s, s.makefile("rb"))
        except (OSError, ConnectionError):
            pass
        finally:
            s.close()

    def _talk(self, s, f):
        def say(text):
            if text is None:
                raise ConnectionError
            s.sendall(text.encode() + b"\r\n")

        say(self._answer("banner", "", "220 hop.test ESMTP"))
        sender, to, was = None, [], []
        while True:
            line = f.readline()
            if not line:
                return
            self.commands.append(line)
            text = line.decode("utf-8", "replace").strip()
            verb = text[:4].lower()
            if verb == "ehlo":
                said = self._answer("ehlo", text, None)
                more = ["250-STARTTLS"] if self.tls and not isinstance(s, ssl.SSLSocket) else []
                say(said or "\r\n".join(["250-hop.test", *more, *(f"250-{e}" for e in self.extensions[:-1]),
                                         f"250 {self.extensions[-1]}"]))
            elif verb == "star" and self.tls:
                say("220 2.0.0 go")
                s = self.tls.wrap_socket(s, server_side=True)
                self.open.append(s)
                f = s.makefile("rb")
            elif verb == "mail":
                said = self._answer("mail", text, "250 2.1.0 ok")
                sender, to = text[10:].split(">")[0].lstrip("<"), []
                say(said)
            elif verb == "rcpt":
                said = self._answer("rcpt", text, "250 2.1.5 ok")
                if said and said[0] == "2":
                    to.append(text[8:].split(">")[0].lstrip("<"))
                say(said)
            elif verb == "data":
                if not to:
                    say("503 5.5.1 no recipients")
                    continue
                said = self._answer("data", text, "354 go")
                say(said)
                if said[0] != "3":
                    continue
                lines = []
                while (line := f.readline()) != b".\r\n":
                    if not line:
                        was.append((sender, to, b"".join(lines)))
                        return
                    lines.append(line[1:] if line.startswith(b".") else line)
                said = self._answer("end", text, "250 2.0.0 taken")
                if said and said[0] == "2":
                    self.mails.append((sender, to, b"".join(lines)))
                say(said)
            elif verb == "quit":
                say("221 2.0.0 bye")
                return
            else:
                say("250 2.0.0 ok")


class Talk:
    """A client that says bytes and reads answers."""

    def __init__(self, port, source="127.0.9.9", to="127.0.0.1", greet=True, timeout=20):
        self.s = socket.socket()
        self.s.bind((source, 0))
        self.s.settimeout(timeout)
        self.s.connect((to, port))
        self.f = self.s.makefile("rb")
        if greet:
            self.greeting = self.read()

    def read(self):
        """One answer, its lines together; "" at the end."""
        lines = []
        while True:
            line = self.f.readline().decode()
            lines.append(line)
            if not line or line[3:4] != "-":
                return "".join(lines).rstrip("\r\n")

    def say(self, data, answers=1):
        self.s.sendall(data if isinstance(data, bytes) else data.encode())
        got = [self.read() for _ in range(answers)]
        return got[0] if answers == 1 else got

    def send(self, content, sender="a@outside.test", to=("taro@city.test",), ehlo="client.test"):
        """A mail with its answers: to EHLO, MAIL, each RCPT, DATA, the end."""
        got = [self.say(f"EHLO {ehlo}\r\n"), self.say(f"MAIL FROM:<{sender}>\r\n")]
        got += [self.say(f"RCPT TO:<{t}>\r\n") for t in to]
        got.append(self.say("DATA\r\n"))
        if got[-1].startswith("354"):
            got.append(self.say(content + b".\r\n"))
        return got

    def close(self):
        self.f.close()
        self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
