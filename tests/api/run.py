"""The description of the API against the server: schemathesis makes requests of all that it says, and a
failure is a status that it does not have, an answer of another form, or one of 5xx.

    run.py PROGRAMS [EXAMPLES]

PROGRAMS is the folder of the programs, EXAMPLES how many requests are made of each operation at most.
"""

import collections
import json
import os
import re
import subprocess
import sys
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "browser"))

from service import Service  # noqa: E402

PICTURES = [
    os.path.join(HERE, "..", "pictures", name) for name in ("rgb-8.png", "baseline-420.jpg", "static.gif", "lossy.webp")
]
# `positive_data_acceptance` and `negative_data_rejection` ask what a schema can't say of a picture's bytes.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def upload(service, path):
    with open(path, "rb") as file:
        request = urllib.request.Request(f"{service.url}/api/images", file.read(), method="PUT")
    request.add_header("Content-Type", "application/octet-stream")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main(programs, examples="60"):
    with Service(programs, SHARER_LOG="info") as service:
        images = [upload(service, path) for path in PICTURES * 5]
        for image in images:
            urllib.request.urlopen(f"{image['status_url']}?wait=20").read()
        known = {
            "ids": [image["id"] for image in images],
            "tokens": {image["id"]: image["delete_token"] for image in images[:8]},
            "files": sorted({url.rsplit("/", 1)[1] for image in images for url in image["urls"].values()}),
            "pictures": PICTURES,
        }
        environment = os.environ | {
            "SHARER_KNOWN": json.dumps(known),
            "SCHEMATHESIS_HOOKS": os.path.join(HERE, "hooks.py"),
        }
        command = [os.path.join(os.path.dirname(sys.executable), "schemathesis")]
        command += ["--config-file", os.path.join(HERE, "schemathesis.toml"), "run"]
        command += [f"{service.url}/openapi.json", "--checks", CHECKS, "--max-examples", examples]
        command += ["--generation-deterministic", "--suppress-health-check", "all", "--request-timeout", "60"]
        command += ["--continue-on-failure", "--no-color", "--warnings", "off", "--max-redirects", "0"]
        # Its database of examples belongs to nobody but itself.
        ended = subprocess.run(command, cwd=service.folder, env=environment).returncode
        for process in service.processes:
            assert process.poll() is None, "the server ended"
        with urllib.request.urlopen(f"{service.url}/healthz") as health:
            assert health.status == 200
        with open(service.log, encoding="utf-8") as log:
            statuses = collections.Counter(re.findall(r" msg=answered .* status=(\d+)", log.read()))
        print("answers by status:", ", ".join(f"{number} × {status}" for status, number in sorted(statuses.items())))
        # Else nothing was shown but that nonsense is refused.
        missing = {"200", "202", "204", "400", "403", "404", "410", "415", "501"} - statuses.keys()
        assert not missing, f"no request got as far as {missing}"
    sys.exit(ended)


if __name__ == "__main__":
    main(*sys.argv[1:])
