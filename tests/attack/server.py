"""The server under attack, its figures from /proc, and the good client that uploads meanwhile."""

import multiprocessing
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import kit

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The good client's own address: nobody else comes from it.
GOOD = "127.0.0.1"

# What every good upload carries, so that its line in the log is told from others.
PICTURE = (ROOT / "tests/pictures/baseline-420.jpg").read_bytes()


class Server:
    """`image-server` on folders of its own, on a free port."""

    def __init__(self, program, settings=(), limits=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="image-sharer-attack-"))
        with socket.socket() as free:
            free.bind((GOOD, 0))
            self.address = free.getsockname()
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("SHARER_", "AWS_"))}
        environment |= {
            "SHARER_LISTEN": "%s:%d" % self.address,
            "SHARER_STORE": f"dir:{self.folder}/objects",
            "SHARER_QUEUE": f"dir:{self.folder}/queue",
            "SHARER_SPOOL": str(self.folder),
            **dict(settings),
        }
        self.log = self.folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(program)], env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.folder, preexec_fn=limits)
        self.pid = self.process.pid
        self.wait_until_it_listens()

    def wait_until_it_listens(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(self.address, 5).close()
                return
            except OSError:
                kit.hold(self.process.poll() is None, f"the server ended at its start: {self.said()}")
                kit.hold(time.monotonic() < deadline, f"the server does not listen: {self.said()}")
                time.sleep(0.02)

    def said(self):
        return self.log.read_text(errors="replace")[-2000:]

    def figures(self):
        """Threads, descriptors, resident MB now."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        field = lambda name: int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1])
        return field("Threads"), len(os.listdir(f"/proc/{self.pid}/fd")), field("VmRSS") / 1024

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak(self):
        """Most resident MB since `forget_peak`."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+)", status, re.M)[1]) / 1024

    def alive(self):
        kit.hold(self.process.poll() is None, f"the server ended with {self.process.returncode}: {self.said()}")

    def settled(self, descriptors, patience=30):
        """Waits until no more descriptors are open than there were, but for a few of the good client's."""
        deadline = time.monotonic() + patience
        while self.figures()[1] > descriptors + 3:
            kit.hold(time.monotonic() < deadline, f"{self.figures()[1]} descriptors, {descriptors} before")
            time.sleep(0.05)

    def stop(self):
        """SIGTERM; how long it took to end, in seconds."""
        began = time.monotonic()
        self.process.terminate()
        code = self.process.wait(40)
        kit.hold(code == 0, f"exit code {code}: {self.said()}")
        return time.monotonic() - began

    def check_log(self):
        """Nobody forged a line, and nothing panicked. Returns how many lines there are."""
        lines = self.log.read_bytes().split(b"\n")[:-1]
        for line in lines:
            kit.hold(re.match(rb"ts=\S+Z level=\w+ msg=", line), f"a line of the log: {line[:300]!r}")
            kit.hold(all(byte >= 32 and byte != 127 for byte in line), f"a line of the log: {line[:300]!r}")
            kit.hold(b"panic" not in line, f"a panic: {line[:300]!r}")
        return len(lines)

    def remove(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Good:
    """The good client: a process that uploads, one picture after the other, and looks at the server's figures."""

    def __init__(self, server):
        self.ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=work, args=(theirs, server), daemon=True)
        self.process.start()
        theirs.close()

    def begin(self, least):
        """Uploads from now on, at least so often."""
        self.ours.send(least)

    def end(self):
        """What came of it."""
        self.ours.send(None)
        kit.hold(self.ours.poll(120), "the good client does not come to an end")
        return self.ours.recv()

    def close(self):
        self.ours.close()
        self.process.join(10)


def work(pipe, server):
    """The good client's process."""
    while True:
        try:
            least = pipe.recv()
        except EOFError:
            return
        report = {"times": [], "failures": [], "threads": 0, "descriptors": 0}
        over = threading.Event()
        watching = threading.Thread(target=watch, args=(server, report, over))
        server.forget_peak()
        watching.start()
        while len(report["times"]) + len(report["failures"]) < least or not pipe.poll():
            upload(server, report)
            time.sleep(0.01)
        pipe.recv()
        over.set()
        watching.join()
        report["rss"] = server.peak()
        report["median"] = statistics.median(report["times"]) if report["times"] else float("inf")
        pipe.send(report)


def upload(server, report):
    began = time.perf_counter()
    try:
        link = kit.Link(server.address, GOOD)
        link.send(kit.form(kit.part(PICTURE)))
        answer = link.answer()
        link.close()
        if answer is None or answer.status != 202:
            report["failures"].append("closed" if answer is None else str(answer.status))
            return
    except (OSError, kit.Failed) as error:
        report["failures"].append(str(error))
        return
    report["times"].append(time.perf_counter() - began)


def watch(server, report, over):
    while not over.wait(0.02):
        try:
            threads, descriptors, _ = server.figures()
        except (OSError, TypeError):
            return
        report["threads"] = max(report["threads"], threads)
        report["descriptors"] = max(report["descriptors"], descriptors)
