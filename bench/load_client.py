"""A load client: a process of its own that keeps some connections busy and does nothing else.

Reads a plan from its standard input and writes what it has measured to its standard output, both JSON.  One thread,
sockets and nothing of Odoo's: the server is to have the cores for itself.

The plan: ``host``, ``port``, ``connections``, ``rounds``, ``seconds`` (how long a target is asked in a round) and
``targets``, each with ``name``, ``status`` (the answer expected), ``etag`` (send back the ETag that the first answer
carried) and ``asks``: ``path``, ``cookie`` and ``marker``, a text which the answer must hold.
"""

import contextlib
import json
import resource
import selectors
import socket
import sys
import time

#: answers are read in pieces of this size
_PIECE = 1 << 18
#: a target that says nothing for so many seconds is broken
_PATIENCE = 60


class Ask:
    """A request of one person, ready to be sent."""

    def __init__(self, plan, target, path, cookie, marker):
        self.status = target["status"]
        self.wants_etag = target["etag"]
        self.marker = marker.encode()
        self.head = (
            f"GET {path} HTTP/1.1\r\nHost: {plan['host']}:{plan['port']}\r\nCookie: {cookie}\r\n"
            "User-Agent: bench\r\nAccept: */*\r\nConnection: keep-alive\r\n"
        ).encode()
        self.request = self.head + b"\r\n"

    def remember(self, etag):
        """Ask from now on whether there is anything new; there is not."""
        self.request = self.head + b"If-None-Match: " + etag + b"\r\n\r\n"
        self.status, self.marker = 304, b""


class Answer:
    """An answer as it comes in."""

    def __init__(self):
        self.data = bytearray()
        self.body = None  # where it begins
        self.length = None
        self.status = 0
        self.keeps = False
        self.headers = {}

    def feed(self, piece):
        """Take in a piece; True when the answer is complete."""
        self.data += piece
        if self.body is None and (end := self.data.find(b"\r\n\r\n")) >= 0:
            self._read_head(bytes(self.data[:end]), end + 4)
        return self.body is not None and self.length is not None and len(self.data) - self.body >= self.length

    def _read_head(self, head, body):
        lines = head.split(b"\r\n")
        self.body = body
        self.status = int(lines[0].split()[1])
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            self.headers[name.strip().lower()] = value.strip()
        if self.status == 304:
            self.length = 0
        elif b"content-length" in self.headers:
            self.length = int(self.headers[b"content-length"])
        connection = self.headers.get(b"connection", b"").lower()
        self.keeps = self.length is not None and (
            connection != b"close" if lines[0].startswith(b"HTTP/1.1") else connection == b"keep-alive"
        )


class Connection:
    """One of those who ask: sends a request, waits for the answer, sends the next."""

    def __init__(self, client):
        self.client = client
        self.socket = None
        self.ask = None

    def begin(self, ask):
        self.ask = ask
        # As it is now: another answer to the same person may come before this one.
        self.status, self.marker = ask.status, ask.marker
        self.answer = Answer()
        self.started = time.perf_counter()
        if self.socket is None:
            self._connect()
        self.socket.send(ask.request)

    def _connect(self):
        """To a server on this machine: answered at once, so there is nothing to wait for."""
        self.socket = socket.create_connection((self.client.plan["host"], self.client.plan["port"]), _PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.connects += 1
        self.client.selector.register(self.socket, selectors.EVENT_READ, self)

    def read(self):
        """Read what has come; True when the answer is complete."""
        try:
            piece = self.socket.recv(_PIECE)
        except OSError:
            piece = b""
        done = self.answer.feed(piece) if piece else True
        if not piece or (done and not self.answer.keeps):
            self.close()
        return done

    def close(self):
        if self.socket is not None:
            self.client.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None


class Client:
    def __init__(self, plan):
        self.plan = plan
        self.selector = selectors.DefaultSelector()
        self.connections = [Connection(self) for _number in range(plan["connections"])]
        self.connects = 0
        self.targets = [
            {**target, "asks": [Ask(plan, target, *ask) for ask in target["asks"]], "next": 0, "complaint": ""}
            for target in plan["targets"]
        ]

    def run(self):
        """Warm up, then measure every target in each round."""
        for target in self.targets:
            self._warm_up(target)
        self.connects = 0
        rounds = {target["name"]: [] for target in self.targets}
        cpu, start = _cpu_seconds(), time.perf_counter()
        for number in range(self.plan["rounds"]):
            # Whoever comes first finds other caches: take turns.
            for target in self.targets if number % 2 else reversed(self.targets):
                rounds[target["name"]].append(self._measure(target, seconds=self.plan["seconds"]))
        share = (_cpu_seconds() - cpu) / (time.perf_counter() - start)
        return {
            "cpu_share": share,
            "connects": self.connects,
            "targets": [
                {"name": target["name"], "complaint": target["complaint"], "rounds": rounds[target["name"]]}
                for target in self.targets
            ],
        }

    def _warm_up(self, target):
        """Everybody once, so that whoever comes for the first time is behind us; each worker several times."""
        self._measure(target, count=max(len(target["asks"]), 6 * len(self.connections)))

    def _measure(self, target, seconds=None, count=None):
        """Keep all connections busy for so long, or with so many requests."""
        times, errors, size, begun = [], 0, 0, 0
        start = time.perf_counter()
        end = start + seconds if seconds else None

        def begin(connection):
            nonlocal begun
            if begun >= count if count else time.perf_counter() >= end:
                return 0
            ask = target["asks"][target["next"] % len(target["asks"])]
            target["next"] += 1
            begun += 1
            connection.begin(ask)
            return 1

        busy = sum(map(begin, self.connections))
        while busy:
            events = self.selector.select(_PATIENCE)
            if not events:
                raise TimeoutError(f"{target['name']}: no answer for {_PATIENCE} s")
            for key, _mask in events:
                connection = key.data
                if not connection.read():
                    continue
                busy -= 1
                times.append(time.perf_counter() - connection.started)
                size = len(connection.answer.data)
                if complaint := self._check(connection):
                    errors += 1
                    target["complaint"] = complaint
                busy += begin(connection)
        took = time.perf_counter() - start
        return {"times": [round(value, 6) for value in times], "seconds": took, "errors": errors, "bytes": size}

    def _check(self, connection):
        """What is wrong with an answer, in words."""
        ask, answer = connection.ask, connection.answer
        if answer.status != connection.status:
            return f"answered {answer.status} instead of {connection.status}"
        if connection.marker and connection.marker not in answer.data[answer.body :]:
            return f"does not hold {connection.marker.decode()}"
        if ask.wants_etag and answer.status == 200:
            if b"etag" not in answer.headers:
                return "has no ETag"
            ask.remember(answer.headers[b"etag"])
        return ""

    def close(self):
        for connection in self.connections:
            connection.close()
        self.selector.close()


def _cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    with contextlib.closing(Client(json.load(sys.stdin))) as client:
        json.dump(client.run(), sys.stdout)
