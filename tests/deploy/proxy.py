"""Lies between the AWS CLI and moto and keeps every request; and says of a snapshot what EBS says.

moto calls a snapshot complete from its start on: here it is pending until CompleteSnapshot was asked for.
"""

import http.client
import http.server
import threading


class Recorder:
    """Serves on a port of its own until `stop`."""

    def __init__(self, peer_port):
        self.requests, self.refuse, self.completed = [], lambda request: False, False
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                recorder.pass_on(self, peer_port)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def pass_on(self, client, peer_port):
        length = int(client.headers.get("Content-Length") or 0)
        body = client.rfile.read(length)
        request = Request(client.command, client.path, dict(client.headers.items()), body)
        with self.lock:
            self.requests.append(request)
            refused = self.refuse(request)
        if refused:
            status, headers, content = 400, [("Content-Type", "application/json")], b'{"message":"refused by the test"}'
        else:
            status, headers, content = forward(request, peer_port)
            self.completed |= request.action == "CompleteSnapshot"
            if request.action == "DescribeSnapshots" and not self.completed:
                content = content.replace(b"<status>completed<", b"<status>pending<")
        client.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                client.send_header(name, value)
        client.send_header("Content-Length", str(len(content)))
        client.end_headers()
        client.wfile.write(content)


def forward(request, peer_port):
    connection = http.client.HTTPConnection("127.0.0.1", peer_port, timeout=60)
    connection.request(request.method, request.path, request.body, request.headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, response.getheaders(), content


class Request:
    """What was asked for. Names of header fields are in lower case."""

    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.fields = {name.lower(): value for name, value in headers.items()}

    @property
    def action(self):
        """EBS direct's actions by their paths; EC2's by their names."""
        path = self.path.split("?")[0]
        if path == "/snapshots":
            return "StartSnapshot"
        if path.startswith("/snapshots/completion/"):
            return "CompleteSnapshot"
        if "/blocks/" in path:
            return "PutSnapshotBlock"
        return self.body.decode().split("Action=")[-1].split("&")[0]
