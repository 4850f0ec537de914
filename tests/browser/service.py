"""The programs under test, on folders of their own, ended with the `with`."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from webdriver import free_port


class Service:
    """`image-sharer`, or `image-server` without a worker until `work` starts one."""

    def __init__(self, programs, name="image-sharer", **settings):
        self.programs, self.folder = os.path.abspath(programs), tempfile.mkdtemp(prefix="sharer-browser-")
        self.processes, port = [], free_port()
        self.log = os.path.join(self.folder, "log")
        self.url = f"http://127.0.0.1:{port}"
        self.settings = {
            "SHARER_LISTEN": f"127.0.0.1:{port}",
            "SHARER_STORE": f"dir:{self.folder}/objects",
            "SHARER_QUEUE": f"dir:{self.folder}/queue",
            "SHARER_LOG": "warn",
            **settings,
        }
        self.start(name)
        deadline = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                if time.monotonic() > deadline or self.processes[0].poll() is not None:
                    raise
                time.sleep(0.02)

    def start(self, name):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SHARER_", "AWS_"))}
        program = os.path.join(self.programs, name)
        with open(self.log, "ab") as log:
            process = subprocess.Popen([program], cwd=self.folder, env=environment | self.settings, stderr=log)
        self.processes.append(process)

    def work(self):
        self.start("image-worker")

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(40)
        if failed:
            with open(self.log, encoding="utf-8") as log:
                sys.stderr.write(log.read()[-5000:])
        shutil.rmtree(self.folder, ignore_errors=True)
