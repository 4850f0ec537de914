"""What stands in for AWS, and the server whose uploads the guest works on; and how the tests wait."""

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from guest import PEER_ADDRESS

TESTS = Path(__file__).resolve().parent.parent
SIZES = ["small", "medium", "large"]


class Peer:
    """ministack: it judges signatures, session tokens and rights."""

    def __init__(self, python):
        self.port = free_port()
        self.process = subprocess.Popen(
            [python, TESTS / "peers" / "peer.py", "ministack", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.accounts = self.do("accounts")
        self.place = self.do("place", name="sharer-boot", receives=5)

    def do(self, what, **arguments):
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["ok"]

    def call(self, service, action, **arguments):
        return self.do("call", service=service, action=action, arguments=arguments)

    def messages(self):
        """How many messages wait, and how many are in hand."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.place["queue_url"]
        found = self.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
        return tuple(int(found[name]) for name in names)

    def keys(self):
        return set(self.do("keys", bucket=self.place["bucket"]))


class Server:
    """image-server on the host, which stores uploads and queues their jobs."""

    def __init__(self, program, peer):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        user = peer.accounts["user"]
        environment = settings(peer, "127.0.0.1") | {
            "SHARER_LISTEN": f"127.0.0.1:{port}",
            "SHARER_LOG": "warn",
            "AWS_REGION": peer.accounts["region"],
            "AWS_ACCESS_KEY_ID": user["id"],
            "AWS_SECRET_ACCESS_KEY": user["secret"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.process = subprocess.Popen([program], env=environment)
        until(lambda: listens(port), "image-server listens")

    def upload(self, picture):
        """Returns the image's id."""
        return upload(self.url, picture)["original"].rsplit("/", 2)[-2]


def upload(url, picture):
    """Returns what the server answers: addresses by their names."""
    request = urllib.request.Request(url, (TESTS / "pictures" / picture).read_bytes(), method="POST")
    request.add_header("Content-Type", "image/jpeg")
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def settings(peer, address):
    place = peer.place
    return {
        "AWS_ENDPOINT_URL": f"http://{address}:{peer.port}",
        "SHARER_STORE": f"s3://{place['bucket']}",
        "SHARER_QUEUE": f"sqs://{place['queue']}",
    }


def user_data(peer, **more):
    pairs = settings(peer, PEER_ADDRESS) | more
    return "".join(f"{name}={value}\n" for name, value in pairs.items())


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def until(holds, what, seconds=300):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def say(text):
    print(text, flush=True)


def all_thumbnails(peer, ids):
    made = {key.rsplit(".", 1)[0] for key in peer.keys()}
    return {f"{id}/{size}" for id in ids for size in SIZES} <= made
