"""`make publish-image` against moto's EBS direct, through a proxy that keeps every request."""

import base64
import hashlib
import json
import pathlib
import random
import tempfile
import unittest
import urllib.parse

import peers
from proxy import Recorder

BLOCK = 524_288


def digest(data):
    return hashlib.sha256(data).digest()


def text(data):
    return base64.b64encode(data).decode()


class Publish(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="image-sharer-publish-")
        cls.peer = peers.Peer("moto", cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()
        cls.folder.cleanup()

    def setUp(self):
        self.recorder = Recorder(self.peer.port)
        self.addCleanup(self.recorder.stop)

    def disk(self, seed, pattern):
        """A disk image of its own: a letter a block, `.` for zeros, `-` for a last block that is short."""
        noise = random.Random(seed)
        sizes = {".": None, "x": BLOCK, "-": 100_000}
        blocks = [noise.randbytes(sizes[letter]) if sizes[letter] else bytes(BLOCK) for letter in pattern]
        path = pathlib.Path(self.folder.name) / f"{seed}.raw"
        path.write_bytes(b"".join(blocks))
        return path

    def publish(self, disk):
        return self.peer.fleet("publish", disk, "image-worker", "1.2.3", url=self.recorder.url)

    def asked(self, *actions):
        return [request for request in self.recorder.requests if request.action in actions]

    def only_image(self, disk):
        name = f"image-worker-1.2.3-{digest(disk.read_bytes()).hex()[:12]}"
        (image,) = self.peer.client("ec2").describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"]
        return image

    def read_back(self, snapshot, size):
        """The snapshot's bytes; what was never put is zeros."""
        ebs, data = self.peer.client("ebs"), bytearray(size + -size % BLOCK)
        for block in ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]:
            index = block["BlockIndex"]
            got = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=block["BlockToken"])
            data[index * BLOCK : (index + 1) * BLOCK] = got["BlockData"].read()
        return bytes(data)

    def test_blocks_are_put_once_whole_and_with_their_hashes(self):
        disk = self.disk(1, "x..x-")
        code, said = self.publish(disk)
        self.assertEqual(code, 0, said)
        whole = disk.read_bytes()
        blocks = {index: whole[index * BLOCK : (index + 1) * BLOCK].ljust(BLOCK, b"\0") for index in (0, 3, 4)}

        order = [request.action for request in self.asked("StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot")]
        self.assertEqual(order, ["StartSnapshot"] + ["PutSnapshotBlock"] * 3 + ["CompleteSnapshot"])
        (start,) = self.asked("StartSnapshot")
        self.assertEqual(json.loads(start.body)["VolumeSize"], 1)

        put = {int(request.path.rsplit("/", 1)[1]): request for request in self.asked("PutSnapshotBlock")}
        self.assertEqual(set(put), set(blocks))
        for index, request in put.items():
            self.assertEqual(request.body, blocks[index])
            self.assertEqual(request.fields["x-amz-data-length"], "524288")
            self.assertEqual(request.fields["x-amz-checksum"], text(digest(blocks[index])))
            self.assertEqual(request.fields["x-amz-checksum-algorithm"], "SHA256")

        (complete,) = self.asked("CompleteSnapshot")
        chain = digest(b"".join(digest(blocks[index]) for index in sorted(blocks)))
        self.assertEqual(complete.fields["x-amz-changedblockscount"], "3")
        self.assertEqual(complete.fields["x-amz-checksum"], text(chain))
        self.assertEqual(complete.fields["x-amz-checksum-aggregation-method"], "LINEAR")

        snapshot = complete.path.rsplit("/", 1)[1]
        self.assertEqual(self.read_back(snapshot, len(whole)), whole.ljust(5 * BLOCK, b"\0"))
        image = self.only_image(disk)
        tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
        self.assertEqual(tags["image-sharer-program"], "image-worker")
        (registered,) = self.asked("RegisterImage")
        form = urllib.parse.parse_qs(registered.body.decode())
        # moto shows a snapshot of its own here: the request is looked at.
        self.assertEqual(form["BlockDeviceMapping.1.Ebs.SnapshotId"], [snapshot])
        said_of_it = {name: form[name] for name in ("Architecture", "BootMode", "EnaSupport", "ImdsSupport")}
        expected = {"Architecture": "x86_64", "BootMode": "uefi-preferred", "EnaSupport": "true", "ImdsSupport": "v2.0"}
        self.assertEqual(said_of_it, {name: [value] for name, value in expected.items()})
        for words in ("3 blocks of 512 KiB that hold something", "sent 3 of 3 blocks", "is complete", image["ImageId"]):
            self.assertIn(words, said)

        # A second run finds what the first one left.
        code, said = self.publish(disk)
        self.assertEqual(code, 0, said)
        self.assertIn(f"it is there already: {image['ImageId']}", said)
        self.assertEqual(len(self.asked("StartSnapshot", "PutSnapshotBlock", "RegisterImage")), 1 + 3 + 1)

    def test_a_run_that_stopped_is_gone_on_with(self):
        disk = self.disk(2, "x.x")
        self.recorder.refuse = lambda request: request.path.endswith("/blocks/2")
        code, said = self.publish(disk)
        self.assertEqual(code, 1, said)
        self.assertIn("a block could not be sent", said)
        self.assertIn("Run the same again", said)
        self.assertEqual(self.asked("CompleteSnapshot", "RegisterImage"), [])

        self.recorder.refuse = lambda request: False
        code, said = self.publish(disk)
        self.assertEqual(code, 0, said)
        self.assertIn("an earlier run left snapshot", said)
        self.assertEqual(len(self.asked("StartSnapshot")), 1, "the same snapshot is gone on with")
        (complete,) = self.asked("CompleteSnapshot")
        snapshot = complete.path.rsplit("/", 1)[1]
        whole = disk.read_bytes()
        self.assertEqual(self.read_back(snapshot, len(whole)), whole)

    def test_a_disk_that_is_not_there_is_named_with_what_to_do(self):
        code, said = self.publish("/nowhere/minimal-image-worker.raw")
        self.assertEqual(code, 1)
        self.assertIn("make image PROGRAM=image-worker", said)
