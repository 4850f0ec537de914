"""The EC2 metadata service of the boot tests: version 2 alone, as AWS documents it."""

import datetime
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROLE = "sharer-role"
CREDENTIALS = "/latest/meta-data/iam/security-credentials/"


class Imds:
    """Serves on a free port of 127.0.0.1 until the process ends."""

    def __init__(self, region, keys):
        self.region, self.keys, self.user_data = region, keys, ""
        self.present, self.tokens, self.asked = True, set(), []
        handler = type("Handler", (_Handler,), {"imds": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, path):
        """What is at the path; None where nothing is."""
        answers = {
            "/latest/user-data": self.user_data,
            "/latest/meta-data/placement/region": self.region,
            CREDENTIALS: ROLE,
            CREDENTIALS + ROLE: self.credentials(),
        }
        return answers.get(path)

    def credentials(self):
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        return json.dumps(
            {
                "Code": "Success",
                "Type": "AWS-HMAC",
                "AccessKeyId": self.keys["id"],
                "SecretAccessKey": self.keys["secret"],
                "Token": self.keys["token"],
                "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        life = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not life.isdigit():
            return self.answer(400, "")
        token = uuid.uuid4().hex + "=="
        self.imds.tokens.add(token)
        self.answer(200, token, {"X-aws-ec2-metadata-token-ttl-seconds": life})

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") not in self.imds.tokens:
            return self.answer(401, "")
        body = self.imds.get(self.path)
        self.answer(404 if body is None else 200, body or "")

    def answer(self, status, body, headers=None):
        if not self.imds.present:
            self.close_connection = True
            return
        self.imds.asked.append((self.path, status))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass
