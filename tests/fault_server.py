"""A raw server of faults below and above HTTP, for any source that reads over HTTP.

``FAULTS`` names them. A test runs ``FaultServer("hang")`` and points a source at ``server.url``; with ``after=n`` the first
n requests are answered by ``reply`` (bytes of a whole HTTP answer by path), so that faults strike midway; with ``where`` all
those are that it does not hold of, whatever their order.
"""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

FAULTS = ("hang", "slow-loris", "slow-body", "reset", "500", "429 for an hour", "login page", "half JSON", "1 GB body")
"""Hang, one byte now and then (head and body), a reset, and answers no API should give."""

Reply = Callable[[str], bytes]
"""Gives a whole HTTP answer for a request's first line and body."""


def answer(body, *, status="200 OK", kind="application/json", more=""):
    """Give a whole HTTP answer."""
    body = body if isinstance(body, bytes) else body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


LOGIN = answer("<html><form>Log in</form></html>", kind="text/html; charset=utf-8")
HALF = answer('{"status":"success","data":{"result":[{"metric":{')


class FaultServer:
    """Answers every request on the loopback with one fault; counts requests and stops with the test."""

    def __init__(self, fault, *, after=0, reply=None, where=lambda _request: True):
        self.fault = fault
        self.requests = []
        self._after = after
        self._where = where
        self._reply = reply or (lambda _request: answer("{}"))
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = []

    def __enter__(self):
        """Begin to listen."""
        self._spawn(self._accept)
        return self

    def __exit__(self, *_error):
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:  # also those that the first one began while it ended
            thread.join(5)

    def _spawn(self, what, *arguments):
        thread = threading.Thread(target=what, args=arguments, name="fault server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._spawn(self._serve, connection)

    def _serve(self, connection):
        with connection, suppress(OSError):
            connection.settimeout(20)
            while not self._over.is_set() and (request := _request(connection)):
                self.requests.append(request)
                if len(self.requests) <= self._after or self.fault is None or not self._where(request):
                    connection.sendall(self._reply(request))
                elif not self._strike(connection):
                    return

    def _strike(self, connection):
        """Commit the fault; tell whether the connection goes on."""
        if self.fault == "hang":
            self._over.wait(60)
        elif self.fault in {"slow-loris", "slow-body"}:
            self._trickle(connection)
        elif self.fault == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self.fault == "1 GB body":
            self._flood(connection)
        else:
            connection.sendall(WHOLE[self.fault])
            return True
        return False

    def _trickle(self, connection):
        begun = b"HTTP/1.1 200 OK\r\n"
        if self.fault == "slow-body":
            begun += b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        connection.sendall(begun)
        while not self._over.wait(0.05):
            connection.sendall(b"X" if self.fault == "slow-loris" else b" ")

    def _flood(self, connection):
        size = 1024**3
        connection.sendall(
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        chunk = b" " * 1024 * 1024
        for _ in range(1024):
            if self._over.is_set():
                return
            connection.sendall(chunk)


WHOLE = {
    "500": answer('{"message":"no"}', status="500 Internal Server Error"),
    "429 for an hour": answer("slow down", status="429 Too Many Requests", kind="text/plain", more="Retry-After: 3600\r\n"),
    "401": answer('{"message":"who?"}', status="401 Unauthorized"),
    "login page": LOGIN,
    "half JSON": HALF,
}  # fmt: skip


def _request(connection):
    """Read one request, body and all; give its first line and body, empty where the peer has gone."""
    told = b""
    while b"\r\n\r\n" not in told:
        part = connection.recv(65536)
        if not part:
            return ""
        told += part
    head, _, body = told.partition(b"\r\n\r\n")
    length = next((int(each[15:]) for each in head.lower().split(b"\r\n") if each.startswith(b"content-length:")), 0)
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            return ""
        body += part
    return head.split(b"\r\n")[0].decode("latin-1") + "\n" + body.decode("utf-8", "replace")
