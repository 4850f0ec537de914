#!/usr/bin/env python3
"""`GET /` over 50 kept connections, image-server and nginx with the same page in turns, an access log each; then
uploads of a photograph into a folder: `make bench-pages`.

The figure to read is the ratio of the medians, which holds on a busy machine too. nginx runs unprivileged, on
loopback, from a folder under target/. Usage: pages.py PROGRAM FOLDER
"""

import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

import door

ROUNDS = 5
SECONDS = 4
CONNECTIONS = 50

# As image-server answers: the page is a file, the headers are the same.
LOCATION = """
        root {folder};
        location = / {{
            try_files /page.html =404;
            default_type "text/html; charset=utf-8";
            types {{ }}
            etag off;
            if_modified_since off;
            add_header Content-Security-Policy "{policy}";
            add_header X-Content-Type-Options nosniff;
            add_header X-Request-Id $request_id;
            add_header Referrer-Policy same-origin;
            add_header Cache-Control no-cache;
        }}
"""

UPLOAD = """
local file = io.open("{photo}", "rb")
local photo = file:read("*a")
wrk.method = "POST"
wrk.headers["Content-Type"] = "multipart/form-data; boundary=xxxxxxxx"
wrk.body = '--xxxxxxxx\\r\\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\\r\\n\\r\\n' .. photo ..
    '\\r\\n--xxxxxxxx--\\r\\n'
"""


def wrk(port, seconds, connections, *arguments):
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", *arguments, f"http://127.0.0.1:{port}/"]
    told = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        sys.exit(told)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]), told


def shown(rates):
    return f"{statistics.median(rates):,.0f} requests/s ({min(rates):,.0f} to {max(rates):,.0f})"


def main():
    program, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    photo = pathlib.Path(__file__).resolve().parent.parent / "tests/pictures/baseline-420.jpg"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ports = {"nginx": door.free_port(), "image-server": door.free_port()}
    ours = door.start_ours(program, folder, ports["image-server"])
    processes = [ours]
    try:
        door.wait_for(ports["image-server"])
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['image-server']}/") as page:
            policy = page.headers["Content-Security-Policy"].replace(str(ports["image-server"]), str(ports["nginx"]))
            (folder / "page.html").write_bytes(page.read())
        start = door.NGINX.index("        location = /healthz")
        rest = door.NGINX[door.NGINX.rindex("    }}\n}}") :]
        door.NGINX = door.NGINX[:start] + LOCATION.replace("{policy}", policy) + rest
        processes.append(door.start_nginx(folder, ports["nginx"]))
        time.sleep(0.5)
        size = (folder / "page.html").stat().st_size
        for port in ports.values():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
                assert len(page.read()) == size and page.headers["Content-Security-Policy"], page.headers
        rates = {name: [] for name in ports}
        for _ in range(ROUNDS):
            for name, port in ports.items():
                rates[name].append(wrk(port, SECONDS, CONNECTIONS)[0])
                time.sleep(0.2)
        script = folder / "upload.lua"
        script.write_text(UPLOAD.format(photo=photo))
        uploads, told = wrk(ports["image-server"], 10, 16, "-s", str(script))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
    ratio = statistics.median(rates["image-server"]) / statistics.median(rates["nginx"])
    version = subprocess.run([door.NGINX_PATH, "-v"], text=True, capture_output=True).stderr.strip()
    print(f"GET /, {size:,} bytes, {CONNECTIONS} kept connections, an access log each, {ROUNDS} rounds of {SECONDS} s in turns")
    print(f"{version.removeprefix('nginx version: ')}: {shown(rates['nginx'])}")
    print(f"image-server: {shown(rates['image-server'])}")
    print(f"ratio of the medians: {ratio:.2f}")
    latency = {share: re.search(rf"(?m)^\s*{share}%\s+(\S+)", told)[1] for share in (50, 99)}
    print(f"uploads of {photo.stat().st_size:,} bytes into a folder, 16 connections: {uploads:,.0f}/s, each durable; "
          f"half are answered within {latency[50]}, 99 % within {latency[99]}")
    for log in folder.glob("*.log"):
        log.unlink()


if __name__ == "__main__":
    main()
