"""The peers as the operator's AWS CLI and the programs meet them here: ministack behind TLS, and moto.

ministack judges signatures and rights of all keys but its root's, and `aws:SecureTransport`: so it is reached
by TLS, with an authority of the test's own that AWS_CA_BUNDLE names. The processes end with the test.
"""

import datetime
import ipaddress
import os
import pathlib
import socket
import subprocess
import sys
import time

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
# The account of ministack's root key, and of moto's every key.
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "AKROOT", "AWS_SECRET_ACCESS_KEY": "rootsecret"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A running ministack or moto."""

    def __init__(self, kind, folder):
        self.kind, self.folder, self.port = kind, pathlib.Path(folder), free_port()
        environment = dict(os.environ)
        self.authority = None
        if kind == "ministack":
            self.authority = self.folder / "authority.pem"
            certificate, key = make_certificates(self.authority)
            environment |= {"USE_SSL": "1", "MINISTACK_SSL_CERT": certificate, "MINISTACK_SSL_KEY": key}
        self.url = f"{'https' if self.authority else 'http'}://127.0.0.1:{self.port}"
        self.log = open(self.folder / f"{kind}.log", "w")
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/peers/peer.py", kind, str(self.port)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self.log,
        )  # fmt: skip
        wait_until(lambda: listens(self.port), f"{kind} listens; {self.log.name} says why not")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.log.close()

    def settings(self, keys, url=None):
        """The environment of a program that comes here with these keys."""
        settings = {
            "AWS_ENDPOINT_URL": url or self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        if self.authority:
            settings["AWS_CA_BUNDLE"] = str(self.authority)
        return settings | keys

    def client(self, service, keys=None):
        keys = keys or ROOT_KEYS
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            verify=str(self.authority) if self.authority else None,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            config=Config(retries={"max_attempts": 3}, s3={"addressing_style": "path"}),
        )

    def fleet(self, *arguments, url=None, keys=None):
        """Runs deploy/fleet as an operator does. Returns exit code and all that it printed."""
        environment = dict(os.environ) | self.settings(keys or ROOT_KEYS, url)
        environment["AWS_CLI"] = str(pathlib.Path(sys.executable).parent / "aws")
        command = [sys.executable, ROOT / "deploy/fleet", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)
        return done.returncode, done.stdout + done.stderr


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def wait_until(is_so, what, patience=60):
    """Waits; fails with `what` (a text, or a function that gives one) when patience is over."""
    deadline = time.monotonic() + patience
    while not (value := is_so()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {patience} s: {what() if callable(what) else what}")
        time.sleep(0.05)
    return value


def make_certificates(authority):
    """Writes an authority's certificate, and one of 127.0.0.1 that it signed; returns the latter's two files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(name, key, issuer, issuer_key, extensions):
        def named(text):
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=2))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    def write(path, *parts):
        path.write_bytes(b"".join(parts))
        return str(path)

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    own = [(x509.BasicConstraints(True, None), True), (usage, True), (identifier, False)]
    root = certificate("test authority", root_key, "test authority", root_key, own)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    extensions = [(x509.SubjectAlternativeName(names), False), (x509.BasicConstraints(False, None), True), (by, False)]
    leaf = certificate("127.0.0.1", key, "test authority", root_key, extensions)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    write(authority, root.public_bytes(pem))
    return write(authority.with_name("peer.pem"), leaf.public_bytes(pem)), write(authority.with_name("peer.key"), private)
