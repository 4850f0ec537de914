"""Checks the metrics of the real programs and the alert rules with Prometheus's own tool.

    run.py PROGRAMS PROMTOOL

Starts image-server and image-worker from the folder PROGRAMS on folders of their own, uploads a picture
and something that is none, and gives both pages to `promtool check metrics`. Then checks the rules in
deploy/alerts.yml and runs their tests. A rule on a metric that neither program has is an error.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PROGRAMS, PROMTOOL = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/alerts.yml"
PICTURE = ROOT / "tests/pictures/baseline-420.jpg"
PATIENCE = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, look):
    deadline = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit(f"test-metrics: {what} did not come within {PATIENCE} s")
        time.sleep(0.05)


def get(url, data=None):
    """Status and text of an answer; none if nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None


def start(folder, program, settings):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SHARER_", "AWS_"))}
    with open(folder / f"{program}.log", "w") as log:
        return subprocess.Popen([PROGRAMS / program], env={**environment, **settings}, stdout=log, stderr=log)


def pages(folder):
    """Both programs' metrics after a little work."""
    address, served, worked = (f"127.0.0.1:{free_port()}" for _ in range(3))
    settings = {"SHARER_STORE": f"dir:{folder}/objects", "SHARER_QUEUE": f"dir:{folder}/queue", "SHARER_LISTEN": address}
    processes = [
        start(folder, "image-server", {**settings, "SHARER_METRICS_LISTEN": served}),
        start(folder, "image-worker", {**settings, "SHARER_METRICS_LISTEN": worked}),
    ]
    try:
        until("the server", lambda: get(f"http://{address}/"))
        raw = {"Content-Type": "application/octet-stream"}
        for body, expected in [(PICTURE.read_bytes(), 202), (b"no picture", 400)]:
            request = urllib.request.Request(f"http://{address}/", body, raw)
            try:
                status = urllib.request.urlopen(request, timeout=30).status
            except urllib.error.HTTPError as error:
                status = error.code
            assert status == expected, (status, expected)
        done = 'sharer_jobs_total{result="done"} 1\n'
        until("the thumbnails", lambda: done in (get(f"http://{worked}/metrics") or (0, ""))[1])
        return {name: get(f"http://{at}/metrics")[1] for name, at in [("image-server", served), ("image-worker", worked)]}
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(PATIENCE) for process in processes]
        assert codes == [0, 0], codes


def promtool(*arguments, text=None):
    done = subprocess.run([PROMTOOL, *arguments], input=text, text=True, capture_output=True, check=False)
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        sys.exit(f"test-metrics: promtool {' '.join(map(str, arguments))} is not content:\n{said}")
    return said


def main():
    with tempfile.TemporaryDirectory(prefix="image-sharer-metrics-") as folder:
        told = pages(pathlib.Path(folder))
    names = set()
    for program, page in told.items():
        said = promtool("check", "metrics", text=page)
        families = re.findall(r"^# TYPE (\S+)", page, re.M)
        names.update(families)
        print(f"{program}: {len(families)} metrics; promtool check metrics: {said or 'clean'}")
        if said:
            sys.exit("test-metrics: promtool has something to say")
    # Each rule's series exist: a metric that was renamed would make its alerts silent.
    used = set(re.findall(r"\bsharer_\w+", re.sub(r"^ *(summary|description):.*", "", RULES.read_text(), flags=re.M)))
    missing = {name for name in used if re.sub(r"_(bucket|sum|count)$", "", name) not in names}
    assert used and not missing, f"no program has {sorted(missing)}"
    print("check rules:", promtool("check", "rules", RULES).replace("\n", " "))
    print("test rules:", promtool("test", "rules", ROOT / "tests/metrics/alerts_test.yml").replace("\n", " "))


main()
