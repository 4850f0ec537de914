"""Runs one S3 and SQS peer (ministack or moto) for the integration tests, and acts on it as its administrator.

    peer.py ministack|moto PORT

Serves on 127.0.0.1:PORT. Reads commands from stdin, one JSON object a line, and answers each with one
line on stdout: {"ok": …} or {"error": …}. Ends when stdin ends: no peer outlives the tests that
started it, however they end. The server's own log goes to stderr.
"""

import datetime
import hashlib
import json
import os
import shutil
import socket
import sys
import tempfile
import threading
import time

KIND, PORT = sys.argv[1], sys.argv[2]
ENDPOINT = f"http://127.0.0.1:{PORT}"
REGION = "eu-central-1"
ROOT = {"AWS_ACCESS_KEY_ID": "AKROOT", "AWS_SECRET_ACCESS_KEY": "rootsecret"}

# What the programs may do, and nothing else: ministack evaluates it.
RIGHTS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"],
            "Resource": "arn:aws:s3:::sharer-*/*",
        },
        # Without the right to list, a missing key answers 403 and not 404.
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::sharer-*"},
        {
            "Effect": "Allow",
            "Action": [
                "sqs:SendMessage",
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                # AWS takes the action's own right for its batch; ministack asks for these.
                "sqs:SendMessageBatch",
                "sqs:DeleteMessageBatch",
                "sqs:ChangeMessageVisibilityBatch",
                "sqs:GetQueueUrl",
                "sqs:GetQueueAttributes",
            ],
            "Resource": f"arn:aws:sqs:{REGION}:*:sharer-*",
        },
    ],
}


def world_reads_images(bucket):
    """A bucket policy: the world reads <26 characters of id>/…, and neither records nor anything else."""
    # moto fails (500) on every object once a policy holds a `?`: there the world reads all.
    images = "?" * 26 + "/*" if KIND == "ministack" else "*"
    resource = f"arn:aws:s3:::{bucket}/{images}"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def client(service):
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id=ROOT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"max_attempts": 3}, s3={"addressing_style": "path"}),
    )


class Administrator:
    """The commands, each a method, on the peer with its root key."""

    def __init__(self):
        self.clients = {}

    def service(self, name):
        if name not in self.clients:
            self.clients[name] = client(name)
        return self.clients[name]

    def accounts(self):
        """Makes the users and the role. Returns region, and keys of three kinds."""
        iam = self.service("iam")
        rights = json.dumps(RIGHTS)
        iam.create_user(UserName="sharer")
        iam.put_user_policy(UserName="sharer", PolicyName="rights", PolicyDocument=rights)
        iam.create_user(UserName="stranger")
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="sharer", AssumeRolePolicyDocument=document)["Role"]
        iam.put_role_policy(RoleName="sharer", PolicyName="rights", PolicyDocument=rights)
        self.role = role["Arn"]
        return {
            "region": REGION,
            "user": self.key("sharer"),
            "stranger": self.key("stranger"),
            "session": self.session(3600),
        }

    def user(self, name, policy):
        """A new user with this policy and nothing else. Returns its key."""
        policy = json.loads(policy)
        for statement in policy["Statement"]:
            # AWS takes the action's own right for its batch; ministack asks for a right of its own.
            if isinstance(statement["Action"], list) and "sqs:DeleteMessage" in statement["Action"]:
                statement["Action"].append("sqs:DeleteMessageBatch")
        iam = self.service("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        return self.key(name)

    def key(self, user):
        key = self.service("iam").create_access_key(UserName=user)["AccessKey"]
        return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"], "token": None}

    def session(self, seconds):
        """AssumeRole's credentials for so many seconds (900 or more)."""
        assumed = self.service("sts").assume_role(
            RoleArn=self.role, RoleSessionName="test", DurationSeconds=seconds
        )
        got = assumed["Credentials"]
        return {"id": got["AccessKeyId"], "secret": got["SecretAccessKey"], "token": got["SessionToken"]}

    def place(self, name, receives):
        """A bucket of this name, a queue, and a queue of dead letters for what was received so often."""
        where = {"LocationConstraint": REGION}
        self.service("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
        self.service("s3").delete_public_access_block(Bucket=name)
        self.service("s3").put_bucket_policy(Bucket=name, Policy=world_reads_images(name))
        sqs = self.service("sqs")
        dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        attributes = {"RedrivePolicy": redrive, "VisibilityTimeout": "60"}
        queue = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return {
            "bucket": name,
            "queue": name,
            "queue_url": queue,
            "dead_url": dead,
            "region": REGION,
            "public_url": f"{ENDPOINT}/{name}",
        }

    def call(self, service, action, arguments):
        """Any action of boto3: the independent client of the tests. Objects go in and come out in hexadecimal."""
        if "Body" in arguments:
            arguments["Body"] = bytes.fromhex(arguments["Body"])
        answer = getattr(self.service(service), action)(**arguments)
        answer.pop("ResponseMetadata", None)
        if hasattr(answer.get("Body"), "read"):
            answer["Body"] = answer["Body"].read().hex()
        return answer

    def expire(self, id):
        """Ends a session's credentials now (ministack)."""
        from ministack.services import sts

        sts._sessions[id]["Expiration"] = time.time() - 1

    def keys(self, bucket):
        """All keys of a bucket, however many."""
        pages = self.service("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def drain(self, url):
        """Takes all visible messages out of a queue and returns them with their attributes."""
        sqs, messages = self.service("sqs"), []
        while True:
            batch = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
            ).get("Messages", [])
            if not batch:
                return messages
            for message in batch:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            messages += batch


def plain(value):
    """What JSON has no word for."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{value!r} is no JSON")


def wait_until_up():
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", int(PORT)), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"{KIND} does not listen on port {PORT}")


def obey(commands, answers):
    administrator = Administrator()
    wait_until_up()
    for line in commands:
        try:
            command = json.loads(line)
            answer = {"ok": getattr(administrator, command.pop("do"))(**command)}
        except Exception as error:  # the test that asked says what went wrong
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, default=plain), file=answers, flush=True)
    shutil.rmtree(tempfile.tempdir, ignore_errors=True)
    os._exit(0)


MISMATCH = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>XAmzContentSHA256Mismatch</Code><Message>The provided 'x-amz-content-sha256' header does not match
what was computed.</Message></Error>"""


def compares_body_hash(app):
    """ministack's application, refusing as S3 does a body of another hash than the one that was signed.

    ministack checks the signature of the header alone, so a tampered body would pass.
    """

    async def checked(scope, receive, send):
        claimed = dict(scope.get("headers", [])).get(b"x-amz-content-sha256", b"").decode()
        if scope["type"] != "http" or len(claimed) != 64:
            return await app(scope, receive, send)
        parts, more = [], True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return None
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = b"".join(parts)
        if hashlib.sha256(body).hexdigest() != claimed:
            headers = [(b"content-type", b"application/xml"), (b"content-length", b"%d" % len(MISMATCH))]
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            return await send({"type": "http.response.body", "body": MISMATCH})
        whole = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay():
            return whole.pop() if whole else await receive()

        return await app(scope, replay, send)

    return checked


FORBIDDEN = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"""


def hides_what_is_missing(app):
    """ministack's application, refusing as S3 does to tell a role that may not list that an object is missing.

    ministack answers 404 to everybody who may read. A role may list here if one of its own policies says so.
    """

    async def hidden(scope, receive, send):
        claimed = dict(scope.get("headers", [])).get(b"authorization", b"").decode()
        is_object = scope["type"] == "http" and b"/" in scope.get("raw_path", b"").strip(b"/")
        asks = is_object and scope["method"] in ("GET", "HEAD") and "/s3/aws4_request" in claimed
        if not asks or may_list(claimed.split("Credential=")[-1].split("/")[0]):
            return await app(scope, receive, send)
        missing = False

        async def answer(message):
            nonlocal missing
            if message["type"] == "http.response.start":
                missing = message["status"] == 404
                if missing:
                    headers = [(b"content-type", b"application/xml"), (b"content-length", b"%d" % len(FORBIDDEN))]
                    message = {"type": "http.response.start", "status": 403, "headers": headers}
            elif missing:
                body = b"" if scope["method"] == "HEAD" else FORBIDDEN
                message = {"type": "http.response.body", "body": body}
            await send(message)

        return await app(scope, receive, answer)

    return hidden


def may_list(access_key):
    """Whether the key is none of a role's session, or one of a role that may list."""
    from ministack.services import iam, sts

    session = sts._sessions.get(access_key)
    name = json.dumps(session, default=str).partition(":assumed-role/")[2].partition("/")[0] if session else None
    if not name:
        return True
    for document in ((iam._roles.get(name) or {}).get("InlinePolicies") or {}).values():
        document = json.loads(document) if isinstance(document, str) else document
        if any("s3:ListBucket" in statement["Action"] for statement in document["Statement"]):
            return True
    return False


def serve():
    if KIND == "ministack":
        os.environ |= ROOT | {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": PORT,
            "LOG_LEVEL": "WARNING",
            "MINISTACK_IMDS_V2_REQUIRED": "1",
            "MINISTACK_REGION": REGION,
        }
        sys.argv = ["ministack"]
        from ministack import app

        app.app = hides_what_is_missing(compares_body_hash(app.app))
        app.main()
    elif KIND == "moto":
        sys.argv = ["moto_server", "-H", "127.0.0.1", "-p", PORT]
        from moto.server import main

        main()
    else:
        sys.exit(f"{KIND!r} is neither ministack nor moto")


def run():
    # The answers keep stdout to themselves: what a server prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    tempfile.tempdir = tempfile.mkdtemp(prefix=f"image-sharer-{KIND}-")
    threading.Thread(target=obey, args=(sys.stdin, answers), daemon=True).start()
    serve()


run()
