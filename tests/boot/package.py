"""The Debian package on Debian, under systemd: installed, started, an upload served, removed without a trace
but the data. What is done in the guest is in `package_guest`."""

import re
import urllib.error
import urllib.request

from guest import Guest
from peer import free_port, say, until, upload

EXPECTED = {
    "installed": "0",
    "enabled": "disabled disabled disabled",
    "active": "inactive inactive inactive",
    "started": "0",
    "purged": "0",
    "running": "",
    "left": "",
    "objects": "2",
}


def fetched(url):
    """Whether what is there can be had by now."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status == 200
    except urllib.error.HTTPError:
        return False


def check(image):
    port = free_port()
    # QEMU takes connections to this port at once; who answers is in the guest.
    network = f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:8080"
    with Guest(image, network=network) as guest:
        guest.wait_for(r"said started: 0")
        # The second tells the guest that the first one's pictures were fetched.
        for picture in ["baseline-420.jpg", "baseline-444.jpg"]:
            addresses = upload(f"http://127.0.0.1:{port}/", picture)
            if picture == "baseline-420.jpg":
                until(lambda: all(fetched(url) for url in addresses.values()), "all that the answer names is there")
        guest.wait_for(r"said objects: ")
        guest.wait_until_off()
        lines = [re.search(r"said (\S+?):(.*)", line) for line in guest.lines]
    said = {line[1]: line[2].strip() for line in lines if line}
    assert said == EXPECTED, said
    say("  installed, started, an upload served, purged; what is left is the data")
