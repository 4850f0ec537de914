"""A machine in QEMU that boots an image, sealed off but for the metadata service and one peer."""

import os
import re
import socket
import subprocess
import tempfile
import threading
import time

# Where the guest finds what stands in for AWS: on the network of the metadata service.
PEER_ADDRESS = "169.254.169.250"
OVMF = "/usr/share/ovmf/OVMF.fd"

# The guest's memory: MiB.
MEMORY = 512


def aws(imds_port, peer_port):
    """A network with the metadata service, one peer, and nothing else: no route and no name server."""
    forward = "guestfwd=tcp:{}:{}-cmd:nc -N 127.0.0.1 {}"
    return ",".join(
        [
            "user,id=n0,net=169.254.169.0/24,host=169.254.169.2,dns=169.254.169.253,dhcpstart=169.254.169.15",
            "restrict=on",
            forward.format("169.254.169.254", 80, imds_port),
            forward.format(PEER_ADDRESS, peer_port, peer_port),
        ]
    )


class Guest:
    """Boots `image` and keeps what its serial console says. Ends with the `with` block, at the latest."""

    def __init__(self, image, imds_port=None, peer_port=None, machine="q35", firmware="bios", disk="nvme",
                 counted=False, network=None):
        """`network` is a network of QEMU's, with the id n0, in the place of the metadata service and the peer."""
        self.folder = tempfile.mkdtemp(prefix="image-sharer-boot-")
        self.monitor_path = os.path.join(self.folder, "monitor")
        self.lines, self.started = [], time.monotonic()
        network = network or aws(imds_port, peer_port)
        device = {"nvme": "nvme,drive=d0,serial=1", "virtio": "virtio-blk-pci,drive=d0"}[disk]
        command = ["qemu-system-x86_64", "-machine", f"{machine},accel=tcg", "-cpu", "max", "-m", str(MEMORY), "-smp", "1"]
        command += ["-display", "none", "-no-reboot", "-nodefaults", "-serial", "stdio"]
        command += ["-monitor", f"unix:{self.monitor_path},server=on,wait=off"]
        command += ["-drive", f"file={image},format=raw,if=none,id=d0,snapshot=on", "-device", device]
        command += ["-netdev", network, "-device", "virtio-net-pci,netdev=n0,romfile="]
        command += ["-bios", OVMF] if firmware == "uefi" else []
        # Each instruction takes a nanosecond, whatever else the host does.
        command += ["-icount", "shift=0"] if counted else []
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if kind is not None:
            print("\n".join(["the console said:", *self.lines]))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())

    def wait_for(self, pattern, seconds=300):
        """The first line of the console that holds this pattern, as a match."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"the console never says {pattern!r}")
            time.sleep(0.05)

    def press_power_button(self):
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(self.monitor_path)
            monitor.sendall(b"system_powerdown\n")
            time.sleep(0.5)

    def wait_until_off(self, seconds=300):
        self.process.wait(seconds)

    def cpu_seconds(self):
        """What QEMU has used of the processor so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        """How much of its memory the guest has touched so far, its cache of files included: MB."""
        mapping = None
        with open(f"/proc/{self.process.pid}/smaps") as file:
            for line in file:
                words = line.split()
                if words[0] == "Size:":
                    mapping = int(words[1])
                elif words[0] == "Rss:" and mapping == MEMORY * 1024:
                    return round(int(words[1]) * 1024 / 1e6)
        raise AssertionError("QEMU shows no memory of this size")
