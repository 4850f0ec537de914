"""`make publish-image`: a disk image becomes a snapshot, block by block, and the snapshot a machine image.

EBS direct takes the blocks as they are: no import role, no bucket, no machine. Blocks of zeros are not sent.
The snapshot carries the disk's SHA-256 as a tag, by which a second run finds what the first one left.
(https://docs.aws.amazon.com/ebs/latest/userguide/ebs-accessing-snapshot.html)
"""

import base64
import hashlib
import os
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from .aws import Refused, Stopped, aws, must, say, where

# What EBS direct takes; no other size.
BLOCK = 512 * 1024
# How many blocks are on their way at once. Most of the time of each is the CLI's start.
AT_ONCE = 4
# After so many minutes without a block EBS gives the snapshot up.
TIMEOUT_MINUTES = 60
GIB = 1 << 30
AGAIN = "Run the same again: what is there already is found, and goes on."


def run(disk, program, version):
    if not os.path.exists(disk):
        raise Stopped(f"there is no {disk}. Build it first: make image PROGRAM={program}")
    account, region = where()
    blocks, digest = read(disk)
    size = os.path.getsize(disk)
    say(f"{disk}: {size / 1e6:.1f} MB, {len(blocks)} blocks of 512 KiB that hold something, SHA-256 {digest[:16]}…")
    name = f"{program}-{version}-{digest[:12]}"
    say(f"publishes it as the machine image {name} in account {account}, region {region}")
    image = image_called(name)
    if image:
        label(image, program, digest)
        say(f"it is there already: {image}")
        return
    snapshot, complete = snapshot_of(digest)
    if not complete:
        gibibytes = max(1, -(-size // GIB))
        snapshot = snapshot or start(program, digest, gibibytes)
        send(disk, blocks, snapshot)
        finish(snapshot, blocks)
    wait(snapshot)
    image = register(name, program, version, snapshot)
    label(image, program, digest)
    say(f"done: {image} is {name}. `make deploy` takes the newest of each program.")


def read(disk):
    """Index and SHA-256 of each block that is not all zeros, and the SHA-256 of the whole disk, in hexadecimal."""
    blocks, whole = {}, hashlib.sha256()
    with open(disk, "rb") as file:
        index = 0
        while block := file.read(BLOCK):
            whole.update(block)
            if block.strip(b"\0"):
                blocks[index] = hashlib.sha256(padded(block)).digest()
            index += 1
    return blocks, whole.hexdigest()


def padded(block):
    """A disk's last block may be short; EBS takes whole ones."""
    return block.ljust(BLOCK, b"\0")


def image_called(name):
    answer = must("ec2", "describe-images", "--owners", "self", "--filters", f"Name=name,Values={name}", go_on=AGAIN)
    return next((image["ImageId"] for image in answer["Images"]), None)


def snapshot_of(digest):
    """A snapshot that an earlier run left, and whether it is complete; one that failed is passed over."""
    filters = f"Name=tag:image-sharer-disk,Values={digest}"
    found = must("ec2", "describe-snapshots", "--owner-ids", "self", "--filters", filters, go_on=AGAIN)["Snapshots"]
    for state in ("completed", "pending"):
        for snapshot in found:
            if snapshot["State"] == state:
                say(f"an earlier run left snapshot {snapshot['SnapshotId']}, {state}")
                return snapshot["SnapshotId"], state == "completed"
    return None, False


def start(program, digest, gibibytes):
    tags = [f"Key=Name,Value={program}", f"Key=image-sharer-disk,Value={digest}"]
    answer = must(
        "ebs", "start-snapshot", "--volume-size", gibibytes, "--description", f"{program} {digest[:12]}",
        "--timeout", TIMEOUT_MINUTES, "--client-token", uuid.uuid4(), "--tags", *tags, go_on=AGAIN,
    )  # fmt: skip
    say(f"started snapshot {answer['SnapshotId']}")
    return answer["SnapshotId"]


def send(disk, blocks, snapshot):
    progress = Progress(len(blocks))

    def one(item):
        index, digest = item
        with open(disk, "rb") as file:
            file.seek(index * BLOCK)
            data = padded(file.read(BLOCK))
        if hashlib.sha256(data).digest() != digest:
            raise Refused(f"{disk} changed while it was published")
        with tempfile.NamedTemporaryFile() as copy:
            copy.write(data)
            copy.flush()
            put(
                "--snapshot-id", snapshot, "--block-index", index,
                "--data-length", BLOCK, "--block-data", copy.name,
                "--checksum", base64.b64encode(digest).decode(), "--checksum-algorithm", "SHA256",
            )  # fmt: skip
        progress.step()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [pool.submit(one, item) for item in blocks.items()]
        try:
            for future in sent:
                future.result()
        except Refused as refused:
            pool.shutdown(cancel_futures=True)
            raise Stopped(f"a block could not be sent: {refused}\n{AGAIN}") from None
    say(f"\rsent {len(blocks)} blocks" + " " * 20)


def put(*arguments):
    """Sends a block. A snapshot that was just started may not be known everywhere for some seconds."""
    for pause in (1, 2, 4, 8, 16, None):
        try:
            return aws("ebs", "put-snapshot-block", *arguments)
        except Refused as refused:
            if pause is None or "ResourceNotFoundException" not in str(refused):
                raise
        time.sleep(pause)


class Progress:
    """A line that counts on a terminal, and a line each tenth elsewhere."""

    def __init__(self, total):
        self.total, self.done, self.lock = total, 0, threading.Lock()

    def step(self):
        with self.lock:
            self.done += 1
            if sys.stdout.isatty():
                print(f"\rsent {self.done} of {self.total} blocks", end="", flush=True)
            elif self.done * 10 // self.total > (self.done - 1) * 10 // self.total:
                say(f"sent {self.done} of {self.total} blocks")


def finish(snapshot, blocks):
    # LINEAR: the SHA-256 of all blocks' digests, one behind the other in the order of their indices.
    chain = hashlib.sha256(b"".join(blocks[index] for index in sorted(blocks))).digest()
    must(
        "ebs", "complete-snapshot", "--snapshot-id", snapshot, "--changed-blocks-count", len(blocks),
        "--checksum", base64.b64encode(chain).decode(), "--checksum-algorithm", "SHA256",
        "--checksum-aggregation-method", "LINEAR", go_on=AGAIN,
    )  # fmt: skip


def wait(snapshot):
    """Until the snapshot is complete: seconds for one of this size."""
    deadline = time.monotonic() + 600
    while True:
        found = must("ec2", "describe-snapshots", "--snapshot-ids", snapshot, go_on=AGAIN)["Snapshots"]
        state = found[0]["State"] if found else "unknown"
        if state == "completed":
            say(f"snapshot {snapshot} is complete")
            return
        if state == "error":
            raise Stopped(f"EBS gave snapshot {snapshot} up: {found[0].get('StateMessage', '')}\n{AGAIN}")
        if time.monotonic() > deadline:
            raise Stopped(f"snapshot {snapshot} is still {state} after 10 minutes.\n{AGAIN}")
        time.sleep(2)


def register(name, program, version, snapshot):
    disk = f"DeviceName=/dev/xvda,Ebs={{SnapshotId={snapshot},VolumeType=gp3,DeleteOnTermination=true}}"
    answer = must(
        "ec2", "register-image", "--name", name, "--description", f"{program} {version}",
        "--architecture", "x86_64", "--virtualization-type", "hvm", "--boot-mode", "uefi-preferred",
        "--ena-support", "--imds-support", "v2.0", "--root-device-name", "/dev/xvda",
        "--block-device-mappings", disk, go_on=AGAIN,
    )  # fmt: skip
    return answer["ImageId"]


def label(image, program, digest):
    """The tags that `make deploy` looks for: apart from the registration, which may have been an earlier run's."""
    tags = [f"Key=image-sharer-program,Value={program}", f"Key=image-sharer-disk,Value={digest}"]
    must("ec2", "create-tags", "--resources", image, "--tags", *tags, go_on=AGAIN)
