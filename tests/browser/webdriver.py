"""A browser to drive: Chromium through chromedriver, in the words of W3C WebDriver, with nothing beside
Python's own library. What WebDriver has no word for goes by Chrome's own protocol (`cdp`).
"""

import base64
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Failed(Exception):
    """What the browser could not do, in its words."""


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def eventually(what, look, patience=30):
    """Waits until `look` gives something, and returns it."""
    deadline, why = time.monotonic() + patience, ""
    while True:
        try:
            seen = look()
        except Failed as failed:
            seen, why = None, f" ({failed})"
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}{why}")
        time.sleep(0.05)


class Browser:
    """One window, of its own profile, that ends with the `with`."""

    def __init__(self, log, chromium="chromium", chromedriver="chromedriver"):
        self.port = free_port()
        self.log = open(log, "wb")
        self.process = subprocess.Popen(
            [chromedriver, f"--port={self.port}"], stdout=self.log, stderr=subprocess.STDOUT
        )
        self.session = ""
        arguments = ["--headless=new", "--window-size=1280,900", "--hide-scrollbars", "--force-color-profile=srgb"]
        arguments += ["--disable-gpu", "--disable-dev-shm-usage", "--lang=en", "--font-render-hinting=none"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        options = {"args": arguments}
        found = subprocess.run(["which", chromium], capture_output=True, text=True).stdout.strip()
        if found:
            options["binary"] = found
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        eventually("chromedriver", lambda: self._is_up())
        self.session = self._ask("POST", "session", wanted)["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._ask("DELETE", f"session/{self.session}")
        finally:
            self.process.terminate()
            self.process.wait(20)
            self.log.close()

    def _is_up(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Failed(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def _do(self, path, body=None, method="POST"):
        body = {} if body is None and method == "POST" else body
        return self._ask(method, f"session/{self.session}/{path}", body)

    def cdp(self, command, **parameters):
        """A command of Chrome's own protocol."""
        return self._do("goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self._do("url", {"url": url})

    @property
    def url(self):
        return self._do("url", method="GET")

    @property
    def title(self):
        return self._do("title", method="GET")

    def run(self, script, *arguments):
        """Runs a function's body in the page; what it returns, a promise's value too."""
        return self._do("execute/sync", {"script": script, "args": list(arguments)})

    def all(self, selector):
        found = self._do("elements", {"using": "css selector", "value": selector})
        return [element[ELEMENT] for element in found]

    def one(self, selector):
        return self._do("element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self._do(f"element/{self.one(selector)}/click")

    def type(self, selector, text):
        self._do(f"element/{self.one(selector)}/value", {"text": text})

    def text(self, selector):
        return self._do(f"element/{self.one(selector)}/text", method="GET")

    def texts(self, selector):
        return [self._do(f"element/{element}/text", method="GET") for element in self.all(selector)]

    def value(self, selector):
        return self._do(f"element/{self.one(selector)}/property/value", method="GET")

    def press(self, *keys):
        """Presses keys one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._do("actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def look(self, scheme="light", width=1280, height=900, phone=False):
        """The size of the window and the colours that the system is set to."""
        # Without motion nothing is seen on its way from one look to another.
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.cdp("Emulation.setEmulatedMedia", features=features)
        self.cdp(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    def screenshot(self, path):
        """The page as it is seen at once, without the need to scroll."""
        whole = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": whole["width"], "height": whole["height"], "scale": 1}
        taken = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(taken["data"]))
