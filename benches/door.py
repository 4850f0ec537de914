#!/usr/bin/env python3
"""`GET /healthz` over 50 kept connections, image-server and nginx in turns, each with an access log: `make bench-door`.

The figure to read is the ratio of the medians, which holds on a busy machine too. Exit code 1 below the
target. nginx runs unprivileged, on loopback, from a folder under target/.
Usage: door.py PROGRAM FOLDER
"""

import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

ROUNDS = 7
SECONDS = 4
CONNECTIONS = 50
TARGET = 0.6

# The same body, and as many headers, as image-server's answer.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
worker_processes auto;
events {{ worker_connections 1024; }}
http {{
    server_tokens off;
    keepalive_requests 1000000000;
    log_format line 'ts=$time_iso8601 level=info msg=answered method=$request_method path=$uri status=$status '
                    'received=$request_length sent=$bytes_sent ms=$request_time request_id=$request_id '
                    'client=$remote_addr';
    access_log {folder}/nginx-access.log line;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    server {{
        listen 127.0.0.1:{port};
        location = /healthz {{
            default_type application/json;
            add_header X-Content-Type-Options nosniff;
            add_header X-Request-Id $request_id;
            add_header Content-Security-Policy "default-src 'none'; frame-ancestors 'none'";
            add_header Cache-Control no-store;
            return 200 '{{"status":"ok"}}';
        }}
    }}
}}
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


NGINX_PATH = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def start_nginx(folder, port):
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    return subprocess.Popen([NGINX_PATH, "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL)


def start_ours(program, folder, port):
    settings = {"SHARER_LISTEN": f"127.0.0.1:{port}", "SHARER_STORE": f"dir:{folder}/objects",
                "SHARER_QUEUE": f"dir:{folder}/queue"}
    with open(folder / "image-server.log", "wb") as log:
        return subprocess.Popen([program], env=settings, stderr=log)


def wait_for(port):
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def measure(port):
    """Requests a second; an answer that is no 200 ends the bench."""
    told = subprocess.run(["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/healthz"],
                          check=True, text=True, stdout=subprocess.PIPE).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(told)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])


def main():
    program, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ports = {"nginx": free_port(), "image-server": free_port()}
    processes = [start_nginx(folder, ports["nginx"]), start_ours(program, folder, ports["image-server"])]
    rates = {name: [] for name in ports}
    try:
        bodies = {wait_for(port) for port in ports.values()}
        assert len(bodies) == 1, bodies
        for _ in range(ROUNDS):
            for name, port in ports.items():
                rates[name].append(measure(port))
                # What is in the logs is not the next one's to wait for.
                time.sleep(0.2)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
    medians = {name: statistics.median(numbers) for name, numbers in rates.items()}
    ratio = medians["image-server"] / medians["nginx"]
    version = subprocess.run([NGINX_PATH, "-v"], text=True, capture_output=True).stderr.strip()
    print(f"GET /healthz, {CONNECTIONS} kept connections, an access log each, {ROUNDS} rounds of {SECONDS} s in turns")
    print(f"{version.removeprefix('nginx version: ')}: {medians['nginx']:,.0f} requests/s "
          f"({min(rates['nginx']):,.0f} to {max(rates['nginx']):,.0f})")
    print(f"image-server: {medians['image-server']:,.0f} requests/s "
          f"({min(rates['image-server']):,.0f} to {max(rates['image-server']):,.0f})")
    print(f"ratio of the medians: {ratio:.2f} (target {TARGET})")
    for log in folder.glob("*.log"):
        log.unlink()
    sys.exit(0 if ratio >= TARGET else 1)


if __name__ == "__main__":
    main()
