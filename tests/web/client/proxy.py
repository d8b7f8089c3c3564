"""A line between browser and provider that loses what it carries, as a seed says."""

import contextlib
import random
import socket
import threading

PIECE = 65536


class Proxy:
    """Carries bytes both ways. While `losses` are left it may lose a request, or an answer, or the
    rest of an answer; `cut(what)` does so by rule instead of by chance."""

    def __init__(self, port):
        self.upstream = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.base = f"http://pay.localhost:{self.port}"
        self.dice = None
        self.losses = 0
        self.lose_answers_to = None
        self.down = False
        self.lost = []
        self._open = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def lossy(self, seed, losses):
        self.dice, self.losses = random.Random(seed), losses

    def heal(self):
        self.losses, self.lose_answers_to, self.down = 0, None, False

    def hang_up(self):
        """Cut every line there is."""
        with self._lock:
            lines, self._open = self._open, set()
        for line in lines:
            _end(line)

    def close(self):
        self.listener.close()
        self.hang_up()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.down:
                _end(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream))
            except OSError:
                _end(client)
                continue
            with self._lock:
                self._open |= {client, server}
            told = {"request": b""}
            for way, source, target in (("request", client, server), ("answer", server, client)):
                given = (way, source, target, told)
                threading.Thread(target=self._carry, args=given, daemon=True).start()

    def _carry(self, way, source, target, told):
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                # A request's body may come as a piece of its own.
                if way == "request" and piece.startswith((b"GET ", b"POST ", b"OPTIONS ")):
                    told["request"] = piece[:200]
                fate = self._fate(way, told["request"])
                if fate == "lost":
                    break
                if fate == "half":
                    target.sendall(piece[: len(piece) // 2])
                    break
                target.sendall(piece)
        _end(source)
        _end(target)
        with self._lock:
            self._open -= {source, target}

    def _fate(self, way, request):
        if self.down:
            return "lost"
        begins = self.lose_answers_to is not None and self.lose_answers_to in request
        if way == "answer" and begins and not request.startswith(b"OPTIONS"):
            self.lost.append(("answer", request[:60]))
            return "lost"
        # What only looks charges nothing: what is tried here are payments.
        if b" /web/payments" not in request or request.startswith(b"OPTIONS"):
            return "passed"
        with self._lock:
            if self.losses and self.dice.random() < 0.5:
                self.losses -= 1
                fate = self.dice.choice(["lost", "half"]) if way == "answer" else "lost"
                self.lost.append((way, fate, request[:60]))
                return fate
        return "passed"


def _end(line):
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
