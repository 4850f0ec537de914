"""What an attack is made of: connections from chosen addresses, answers that are read strictly, and the
list that attacks register in. Which server is attacked, and how it fares, is left to server.py and run.py.
"""

import collections
import itertools
import socket
import time

ATTACKS = []

# Attackers come from these addresses; the good client has 127.0.0.1 to itself.
SOURCES = [f"127.0.0.{last}" for last in range(2, 21)]

# Longest wait for an answer, in seconds: what takes longer is a hang, and fails the attack.
PATIENCE = 20


class Failed(Exception):
    """Something did not hold."""


def attack(title, **traits):
    """Registers a function of a Context that attacks, and returns what the server answered."""
    def register(function):
        ATTACKS.append((title, function, traits))
        return function
    return register


def tally(outcomes):
    """`400 ×20, closed`."""
    counts = collections.Counter(outcomes)
    return ", ".join(f"{outcome} ×{count}" if count > 1 else outcome for outcome, count in sorted(counts.items()))


def hold(condition, message):
    """Fails the attack unless the condition holds."""
    if not condition:
        raise Failed(message)


class Answer:
    """One answer, read strictly; every one is checked for what all must have."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.head, self.body = head, body
        self.status = int(lines[0].split(" ")[1])
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
        hold(lines[0].startswith("HTTP/1.1 "), f"a status line of {lines[0]!r}")
        hold(all(len(header) == 2 for header in self.headers), f"a malformed header in {head!r}")
        hold(all(byte in b"\r\n" or 32 <= byte < 127 for byte in head), f"a control character in {head!r}")
        hold(self["Server"] is None, "the server names itself")
        if self.status >= 200:
            hold(self["X-Content-Type-Options"] == "nosniff", f"no nosniff in {head!r}")
            hold("default-src 'none'" in (self["Content-Security-Policy"] or ""), f"no CSP in {head!r}")
            hold(self["X-Request-Id"], f"no request id in {head!r}")
            hold(self["Transfer-Encoding"] is None, "an answer in chunks")
            hold(self.status in (204, 304) or self["Content-Length"], f"no length in {head!r}")

    def __getitem__(self, name):
        values = [value for header, value in self.headers if header.lower() == name.lower()]
        hold(len(values) < 2, f"{name} is there twice")
        return values[0] if values else None

    @property
    def closes(self):
        return self["Connection"] == "close"


class Link:
    """One connection to the server."""

    def __init__(self, address, source):
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        # The port is chosen at connect, so that a source is not short of ports.
        self.socket.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        self.socket.bind((source, 0))
        self.socket.connect(address)
        self.unread = b""

    def send(self, data):
        """Sends; says whether the server took it all."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def receive(self):
        """More bytes, or none at the end."""
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise Failed(f"no answer within {PATIENCE} s") from None
        except OSError:
            return b""
        self.unread += data
        return data

    def answer(self, method="GET"):
        """The next answer; None if the connection ends first."""
        while b"\r\n\r\n" not in self.unread:
            if not self.receive():
                hold(not self.unread, f"half an answer: {self.unread[:200]!r}")
                return None
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        answer = Answer(head, b"")
        bodiless = method == "HEAD" or answer.status in (100, 204, 304)
        length = 0 if bodiless else int(answer["Content-Length"])
        while len(self.unread) < length:
            if not self.receive():
                raise Failed(f"{len(self.unread)} bytes of a body of {length}")
        answer.body, self.unread = self.unread[:length], self.unread[length:]
        return answer

    def rest(self):
        """All further answers up to the end of the connection, as statuses."""
        statuses = []
        while True:
            answer = self.answer()
            if answer is None:
                return statuses
            statuses.append(str(answer.status))

    def reset(self):
        """Ends the connection by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self):
        self.socket.close()


class Context:
    """Where an attack goes, and how much of it is wanted."""

    def __init__(self, server, scale):
        self.server, self.scale = server, scale
        self.links, self.sources = [], itertools.cycle(SOURCES)
        self.quick = scale < 1

    def much(self, count):
        """So many in a full run, fewer in a quick one."""
        return max(1, round(count * self.scale))

    def link(self, source=None):
        link = Link(self.server.address, source or next(self.sources))
        self.links.append(link)
        return link

    def ask(self, payload, method="GET", source=None):
        """What one request on a connection of its own is answered; None if it is closed without a word."""
        link = self.link(source)
        link.send(payload)
        answer = link.answer(method)
        self.drop(link)
        return answer

    def drop(self, link):
        link.close()
        self.links.remove(link)

    def turns(self, most=200, seconds=2.0):
        """Goes on for so many turns, or so long, whichever ends first."""
        end = time.monotonic() + seconds * min(1, self.scale * 2)
        for turn in range(most):
            if turn and time.monotonic() > end:
                return
            yield turn

    def repeat(self, payload, allowed, half_close=False):
        """Sends the same bytes again and again, each on a new connection, and reads to its end. The outcome is
        all statuses in their order; `closed` if there are none.
        """
        outcomes = []
        for turn in self.turns():
            link = self.link()
            link.send(payload(turn) if callable(payload) else payload)
            if half_close:
                try:
                    link.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            outcomes.append(" ".join(link.rest()) or "closed")
            self.drop(link)
        self.expect(outcomes, allowed)
        return tally(outcomes)

    def expect(self, outcomes, allowed):
        wrong = set(outcomes) - set(allowed)
        hold(not wrong, f"answered {sorted(wrong)}, and not one of {sorted(allowed)}")

    def end(self):
        for link in self.links:
            link.close()
        self.links.clear()


def head(method, path, *lines, version="1.1"):
    """A request's head."""
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: share.example", *lines, "", ""]).encode("latin-1")


def put(body, *lines):
    """An upload of bare bytes."""
    return head("PUT", "/x", f"Content-Length: {len(body)}", *lines) + body


BOUNDARY = "xxATTACKxx"
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


def part(content, disposition='form-data; name="image"; filename="a.png"', *lines):
    """One part of a form, with its delimiter."""
    lines = "\r\n".join([f"Content-Disposition: {disposition}", *lines])
    return f"--{BOUNDARY}\r\n{lines}\r\n\r\n".encode("latin-1") + content + b"\r\n"


def form(*parts):
    """An upload of a form, on a connection that is to end."""
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return head("POST", "/", FORM, f"Content-Length: {len(body)}", "Connection: close") + body
