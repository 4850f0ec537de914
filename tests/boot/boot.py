"""Boots the machine images and shows that they do their work: `make test-boot`.

    boot.py CHECKS SERVER PEER_PYTHON MINIMAL DEBIAN PACKAGE     all, or quick; image-server; the Python that
                                                                 has the peers; the images of both flavours,
                                                                 and of the one that tests the package

Sealed off from everything but a stand-in for EC2's metadata service and an S3 and SQS peer on 127.0.0.1.
Every wait is bounded, by times that a busy host meets; QEMU and the peers end with this process.
"""

import datetime
import os
import pathlib
import signal
import struct
import sys
import tempfile
import zlib

import lease
import package
from guest import PEER_ADDRESS, Guest
from imds import Imds
from peer import Peer, Server, all_thumbnails, say, until, user_data

# All waits together.
LONGEST = 2400

# Enough, of pictures large enough, that the power button finds some of them not begun: the machine takes
# seconds to act on it, and makes dozens of small pictures' thumbnails in each.
JOBS = 100
LARGE = (3000, 2000)

# Seconds of the minimal guest from the kernel's start until the worker works.
LONGEST_BOOT = 0.9

# Debian's QEMU CPU seconds until the first message over the minimal flavour's, on the busiest host.
LEAST_RATIO = 2


class Minimal:
    """What the first process of ours says on the console."""

    name = "minimal"
    wrong_setting_ends = r"init: /bin/image-worker ended with code 2: a setting is wrong"
    ended_well = r"init: /bin/image-worker ended with code 0"
    button = r"init: the power button was pressed"


class Debian:
    """What systemd says there."""

    name = "debian"
    wrong_setting_ends = r"systemd.*: image-worker.service: Main process exited, code=exited, status=2"
    ended_well = r"image-unit.*: the program has ended well"
    button = r"systemd-logind.*: System is powering down"


class Stage:
    """What all checks share."""

    def __init__(self, server, peer_python, minimal, debian):
        self.images = {"minimal": minimal, "debian": debian}
        self.peer = Peer(peer_python)
        self.imds = Imds(self.peer.accounts["region"], self.peer.accounts["session"])
        self.server = Server(server, self.peer)
        self.first_message = {}

    def guest(self, flavour, **how):
        return Guest(self.images[flavour.name], self.imds.port, self.peer.port, **how)

    def end(self):
        self.server.process.kill()
        self.peer.process.send_signal(signal.SIGCONT)
        self.peer.process.stdin.close()
        self.peer.process.wait(30)


def faults_are_said_and_mended(stage, flavour):
    """By UEFI from NVMe: through everything that may be wrong around a machine, then a job, then the button."""
    peer, imds = stage.peer, stage.imds
    imds.present = False
    imds.asked.clear()
    imds.user_data = user_data(peer, SHARER_JOBS="many") + "LD_PRELOAD=/x\nnonsense\n"
    with stage.guest(flavour, firmware="uefi") as guest:
        say("  absent metadata service: " + guest.wait_for(r"(the EC2 metadata service .*)")[1])
        imds.present = True
        say("  wrong line:    " + guest.wait_for(r"(user data, line 5: .*)")[1])
        guest.wait_for(r"user data, line 6: ")
        say("  wrong setting: " + guest.wait_for(r"(SHARER_JOBS is .*)")[1])
        guest.wait_for(flavour.wrong_setting_ends)
        peer.process.send_signal(signal.SIGSTOP)
        imds.user_data = user_data(peer)
        guest.wait_for(r"msg=working")
        say("  dead peer:     " + guest.wait_for(r"(no jobs are taken for now.{0,90})")[1])
        peer.process.send_signal(signal.SIGCONT)
        id = stage.server.upload("baseline-420.jpg")
        until(lambda: all_thumbnails(peer, [id]), "the guest makes the thumbnails of an upload")
        until(lambda: peer.messages() == (0, 0), "the message is deleted")
        assert ("/latest/meta-data/iam/security-credentials/sharer-role", 200) in imds.asked
        say("  all mended: the guest made an upload's thumbnails with credentials that it fetched itself")
        guest.press_power_button()
        guest.wait_until_off()
        guest.wait_for(flavour.ended_well)


def large_picture(folder):
    """A PNG of a gradient: few bytes to store, many pixels to go through."""
    width, height = LARGE
    row = b"\0" + bytes(byte for x in range(width) for byte in (x % 256, x // 12, 90))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    ]
    path = folder / "large.png"
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in chunks:
            file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
    return path


def power_button_loses_nothing(stage, flavour):
    """By BIOS from a virtio disk: the button while jobs run; what was not done is still queued."""
    peer = stage.peer
    stage.imds.user_data = user_data(peer)
    with tempfile.TemporaryDirectory() as folder:
        large = large_picture(pathlib.Path(folder))
        ids = [stage.server.upload(large) for _ in range(JOBS)]
    with stage.guest(flavour, machine="pc", disk="virtio") as guest:
        until(lambda: peer.messages()[0] < JOBS, "the guest receives messages")
        seconds, memory = guest.cpu_seconds(), guest.memory_mb()
        stage.first_message[flavour.name] = seconds
        say(f"  QEMU used {seconds:.1f} CPU seconds from power-on until the first ReceiveMessage")
        say(f"  the machine had touched {memory} MB of its memory")
        until(lambda: any(all_thumbnails(peer, [id]) for id in ids), "the guest works")
        guest.press_power_button()
        guest.wait_until_off()
        guest.wait_for(flavour.button)
        guest.wait_for(flavour.ended_well)
    done = {id for id in ids if all_thumbnails(peer, [id])}
    waiting, in_hand = peer.messages()
    say(f"  {len(done)} of {JOBS} jobs done when it went off, {waiting} waiting, {in_hand} in hand")
    assert 0 < len(done) < JOBS, "the button was pressed before or after the work"
    assert len(done) + waiting + in_hand >= JOBS, "a job is lost"
    assert in_hand == 0, "a job was not given back"
    peer.do("drain", url=peer.place["queue_url"])


def is_up_soon(stage, flavour):
    """Instructions are counted, a nanosecond each: the same on every host, but for its answers' times.

    A busy host can only make it longer: the best of three boots counts.
    """
    stage.imds.user_data = user_data(stage.peer)
    measure = {"minimal": timeline_of_minimal, "debian": timeline_of_debian}[flavour.name]
    tries = [measure(stage, flavour)]
    while flavour is Minimal and min(tries) > LONGEST_BOOT and len(tries) < 3:
        tries.append(measure(stage, flavour))
    if flavour is Minimal and min(tries) > LONGEST_BOOT:
        raise AssertionError(f"the worker is up after {min(tries):.3f} s: more than {LONGEST_BOOT} s")


def timeline_of_minimal(stage, flavour):
    """Seconds from the kernel's start until the worker says that it works."""
    with stage.guest(flavour, counted=True) as guest:
        network = guest.wait_for(r"^\[ *([0-9.]+)\] init: the network is up")[1]
        started = guest.wait_for(r"^\[ *([0-9.]+)\] init: starting /bin/image-worker at Unix time ([0-9.]+)")
        works = guest.wait_for(r"^ts=(\S+) .* msg=working")[1]
    works = datetime.datetime.fromisoformat(works).timestamp()
    up = float(started[1]) + works - float(started[2])
    say(f"  since the kernel's start: network {network} s, worker started {started[1]} s, worker up {up:.3f} s")
    return up


def timeline_of_debian(stage, flavour):
    """The same, by the journal's times."""
    with stage.guest(flavour, counted=True) as guest:
        settings = guest.wait_for(r"^\[ *([0-9.]+)\] image-unit\S* \d+ settings")[1]
        up = guest.wait_for(r"^\[ *([0-9.]+)\] image-worker\S* .*msg=working")[1]
    say(f"  since the kernel's start: settings there {settings} s, worker up {up} s")
    return float(up)


def renews_its_lease(stage, flavour):
    """On a network whose only other member is a DHCP server that gives out an address for 20 seconds."""
    lease.check(stage.images[flavour.name])


def main():
    checks, server, peer_python, minimal, debian, of_package = sys.argv[1:]
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"not done within {LONGEST} s"))
    signal.alarm(LONGEST)
    stage = Stage(server, peer_python, minimal, debian)
    todo = [
        (faults_are_said_and_mended, Minimal),
        (power_button_loses_nothing, Minimal),
        (power_button_loses_nothing, Debian),
        (is_up_soon, Minimal),
    ]
    if checks == "all":
        todo += [(faults_are_said_and_mended, Debian), (is_up_soon, Debian)]
        todo += [(renews_its_lease, Minimal), (renews_its_lease, Debian)]
    try:
        for check, flavour in todo:
            say(f"{flavour.name}: {check.__name__.replace('_', ' ')} …")
            check(stage, flavour)
            say("  ok")
        ratio = stage.first_message["debian"] / stage.first_message["minimal"]
        say(f"QEMU CPU seconds until the first ReceiveMessage, debian over minimal: {ratio:.1f}")
        assert ratio >= LEAST_RATIO, f"the minimal flavour has lost its worth: {ratio:.1f} < {LEAST_RATIO}"
    finally:
        stage.end()
    say("the package on Debian …")
    package.check(of_package)
    say("  ok")
    for image in [minimal, debian]:
        for name in [image, image + ".zst"]:
            say(f"{os.path.basename(name):32} {os.path.getsize(name) / 1e6:6.2f} MB")


main()
