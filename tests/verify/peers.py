# SPDX-License-Identifier: Apache-2.0
"""Whom an exporter may find at its endpoint when it was pointed at the wrong one: real sockets, each a context."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@contextmanager
def rude_port() -> Iterator[int]:
    """A port that takes connections and hangs up, whatever it hears."""

    class HangUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1)

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangUp)) as port:
        yield port


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    """The port of a server that runs in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def grpc_server() -> Iterator[int]:
    """A real gRPC server that takes every OTLP request, as a Collector does on port 4317."""
    import grpc

    def take(request: bytes, context: grpc.ServicerContext) -> bytes:
        return b""

    class Everything(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            return grpc.unary_unary_rpc_method_handler(take)

    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=(Everything(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def web_server(status: int, body: bytes = b"{}") -> Iterator[int]:
    """A web server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the base class names it so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield port
