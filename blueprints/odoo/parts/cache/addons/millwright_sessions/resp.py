"""A client for Redis in the old protocol (RESP2), as much of it as sessions need. It depends on nothing but Python's own library."""

import os
import socket

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 0.5


class RedisError(Exception):
    """Redis answered with an error: the command is wrong or not allowed, and trying again is no use."""


class Connection:
    def __init__(self, host, port, user, password):
        self.pid = os.getpid()
        self._socket = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        try:
            self._socket.settimeout(ANSWER_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = self._socket.makefile("rb")
            self.run([("AUTH", user, password)])
        except BaseException:
            self._socket.close()
            raise

    def run(self, commands):
        """Sends all commands in one go and returns their answers; raises the first error among them after reading all."""
        self._socket.sendall(b"".join(map(encode, commands)))
        answers = [self._answer() for _ in commands]
        for answer in answers:
            if isinstance(answer, RedisError):
                raise answer
        return answers

    def close(self):
        self._socket.close()

    def _answer(self):
        line = self._reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return RedisError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._bytes(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self._answer() for _ in range(int(rest))]
        raise ConnectionError("Redis sent something that is not RESP2")

    def _bytes(self, length):
        data = self._reader.read(length + 2)
        if len(data) != length + 2:
            raise ConnectionError("Redis closed the connection")
        return data[:-2]


def encode(command):
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class Client:
    """Keeps connections for the next call. One is never used by two calls at once, and never by a process that did not open it."""

    def __init__(self, host, port, user, read_password):
        self._open = lambda: Connection(host, port, user, read_password())
        self._idle = []

    def run(self, *commands):
        """One round trip; tried once more on a new connection if this one fails. Every command that sessions use can be repeated."""
        try:
            return self._run_once(commands)
        except OSError:
            # After a restart of Redis all that were idle are dead.
            self._idle.clear()
            return self._run_once(commands)

    def _run_once(self, commands):
        connection = self._take()
        try:
            answers = connection.run(commands)
        except RedisError:
            self._idle.append(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answers

    def _take(self):
        while self._idle:
            connection = self._idle.pop()
            if connection.pid == os.getpid():
                return connection
        return self._open()
