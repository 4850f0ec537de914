"""upload.py URL FILE: uploads it, waits for all that the answer names, and prints the statuses."""

import json
import sys
import time
import urllib.error
import urllib.request

with open(sys.argv[2], "rb") as file:
    answer = urllib.request.urlopen(urllib.request.Request(sys.argv[1], file.read(), {"Content-Type": "image/png"}))
print(answer.status)
deadline = time.monotonic() + 20
for url in json.load(answer).values():
    while True:
        try:
            print(urllib.request.urlopen(url).status)
            break
        except urllib.error.HTTPError as error:
            if time.monotonic() > deadline:
                sys.exit(f"{url}: {error}")
            time.sleep(0.05)
