"""The pages in a real browser, as people use them: Debian's Chromium, headless.

    run.py PROGRAMS AXE [SCREENSHOTS]

PROGRAMS is the folder of the programs, AXE the file axe.min.js, SCREENSHOTS a folder to leave pictures of
the pages in. Says what was shown, a line each; the first thing that is not so ends it.
"""

import base64
import json
import os
import sys
import tempfile
import urllib.error
import urllib.request

from service import Service
from view import draw
from webdriver import Browser, eventually

HERE = os.path.dirname(os.path.abspath(__file__))
PICTURES = os.path.join(HERE, "..", "pictures")
THREE = ["orientation-6.jpg", "rgba-8.png", "lossy.webp"]

# Drops files on the page, as a person's hand would: [name, type, base64] each.
DROP = """
const data = new DataTransfer();
for (const [name, type, bytes] of arguments[0])
  data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
const target = document.querySelector('h1');
for (const kind of ['dragenter', 'dragover', 'drop'])
  target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
"""
PASTE = """
const data = new DataTransfer();
for (const [name, type, bytes] of arguments[0])
  data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
"""
AXE = """
const done = await axe.run(document, { resultTypes: ['violations'] });
return done.violations.map((v) => `${v.id}: ${v.help} at ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
"""
LOADED = "return [...document.querySelectorAll('.thumb img')].filter((i) => i.complete && i.naturalWidth).length"
TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}


def dropped(*paths):
    files = []
    for path in paths:
        kind = TYPES.get(path.rsplit(".", 1)[-1], "")
        with open(path, "rb") as file:
            files.append([os.path.basename(path), kind, base64.b64encode(file.read()).decode()])
    return files


def pictures(*names):
    return [os.path.join(PICTURES, name) for name in names]


def status(url, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def upload(service, path, **headers):
    """What `POST /api/images` answers."""
    with open(path, "rb") as file:
        request = urllib.request.Request(f"{service.url}/api/images", file.read(), headers, method="PUT")
    request.add_header("Content-Type", "application/octet-stream")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Tests:
    def __init__(self, programs, axe, screenshots, browser, folder):
        self.views = draw(folder)
        self.programs, self.screenshots, self.browser = programs, screenshots, browser
        with open(axe, encoding="utf-8") as file:
            self.axe = file.read()
        self.checked = 0

    def keep(self, name):
        if self.screenshots:
            self.browser.screenshot(os.path.join(self.screenshots, f"{name}.png"))

    def accessible(self, page):
        """No violation in any colour scheme, wide and narrow."""
        for scheme in ("light", "dark"):
            for width in (1280, 375):
                self.browser.look(scheme, width)
                self.browser.run(self.axe)
                wrong = self.browser.run(AXE)
                assert not wrong, f"{page}, {scheme}, {width} px wide: " + "; ".join(wrong)
                wide = self.browser.run("return document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{page} at {width} px is {wide} px too wide"
                self.checked += 1
        self.browser.look()

    def upload_page(self):
        browser = self.browser
        with Service(self.programs) as service:
            with urllib.request.urlopen(service.url) as page:
                size = len(page.read())
            assert size < 40_000, f"the page has {size} bytes"
            browser.open(service.url)
            self.accessible("the upload page")
            self.keep("upload")
            browser.look("dark", 375, 700, phone=True)
            self.keep("upload-phone-dark")
            browser.look()

            browser.cdp("Network.enable")
            slow = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 60_000}
            browser.cdp("Network.emulateNetworkConditions", **slow)
            browser.run(DROP, dropped(*pictures(*THREE)))
            assert len(browser.all("progress")) == 3, "a progress bar each"
            assert len(browser.all(".card")) == 3
            browser.cdp("Network.emulateNetworkConditions", **{**slow, "uploadThroughput": -1})
            eventually("nine thumbnails", lambda: browser.run(LOADED) == 9)
            eventually("all are ready", lambda: browser.texts(".card-state") == ["Ready"] * 3)
            assert browser.run("return [...document.querySelectorAll('progress')].every((p) => p.value === 100)")
            print(f"upload: {size} bytes of page; three dropped, three progress bars, nine thumbnails")
            self.accessible("the upload page with pictures")
            self.copy_and_delete(service)

    def copy_and_delete(self, service):
        browser = self.browser
        browser.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        link = browser.value(".card .copy input")
        browser.click(".card .copy button")
        eventually("the copy is told", lambda: browser.text(".card .copy button") == "Copied")
        assert browser.run("return navigator.clipboard.readText()") == link
        assert "copied" in browser.run("return document.querySelector('#said').textContent")

        browser.click(".card a.button")
        eventually("the share page", lambda: browser.url == link)
        assert len(browser.all("tbody tr")) == 4, browser.text("table")
        objects = browser.run("return [...document.querySelectorAll('tbody a')].map((a) => a.href)")
        assert [status(url) for url in objects] == [200] * 4
        browser.click("a[href$='/delete']")
        eventually("the question", lambda: browser.text("h1") == "Delete this picture?")
        self.accessible("the question before a deletion")
        browser.click("button.danger")
        eventually("it is gone", lambda: browser.text("h1") == "This picture is gone")
        assert [status(url) for url in [link, *objects]] == [410] * 5
        print("share: the link was copied, its page opened, the picture deleted and gone")
        self.accessible("the page of a picture that is gone")

    def errors_and_keys(self):
        browser = self.browser
        with Service(self.programs, SHARER_MAX_UPLOAD_BYTES="200000") as service:
            browser.open(service.url)
            browser.press("\ue004", "\ue004")
            assert browser.run("return document.activeElement.id") == "files", "the second stop is the file"
            with open("/dev/urandom", "rb") as noise, open(os.path.join(service.folder, "big.jpg"), "wb") as big:
                big.write(noise.read(300_000))
            text = os.path.join(service.folder, "notes.jpg")
            with open(text, "w", encoding="utf-8") as file:
                file.write("Dear all, this is text.")
            browser.run(DROP, dropped(text, os.path.join(service.folder, "big.jpg")))
            eventually("two errors", lambda: len(browser.texts(".wrong")) == 2)
            words = browser.texts(".wrong")
            assert "This file is not a picture." in words, words
            assert any("at most 200 kB" in each for each in words), words
            assert browser.run("return document.querySelector('#said').textContent"), "errors are said"
            browser.run(PASTE, dropped(self.views[0]))
            eventually("the pasted one", lambda: browser.texts(".card-state")[0] == "Ready")
            self.accessible("the upload page with errors")
            self.keep("errors")
            # By keyboard alone: the link, its button, the rest of the card.
            browser.run("document.querySelector('.card .copy input').focus()")
            browser.press("\ue004", "\ue007")
            eventually("copied by Enter", lambda: browser.text(".card .copy button") == "Copied")
            browser.run("document.querySelector('.card .quiet').focus()")
            browser.press("\ue007")
            assert browser.run("return document.activeElement.textContent") == "Delete for good"
            browser.press("\ue007")
            eventually("deleted", lambda: browser.texts(".card-state")[0] == "Deleted")
            assert browser.run("return document.activeElement.className") == "card-name", "the focus is not lost"
            print("errors: told in words and to screen readers; pasted; copied and deleted by keyboard")
            browser.run("document.querySelector('.card').remove()")

    def token(self):
        browser = self.browser
        with Service(self.programs, SHARER_UPLOAD_TOKEN="correct-horse-battery") as service:
            browser.open(service.url)
            browser.run(DROP, dropped(self.views[0]))
            eventually("a token is asked for", lambda: "token" in browser.text(".card .wrong"))
            self.accessible("the upload page that asks for a token")
            browser.type("#token", "correct-horse-battery")
            browser.click(".card .actions button")
            eventually("it is taken", lambda: browser.texts(".card-state") == ["Ready"])
            print("token: asked for, entered, tried again")

    def share_pages(self):
        browser = self.browser
        with Service(self.programs, "image-server") as service:
            page = upload(service, self.views[1])["url"]
            browser.open(page)
            assert "being made" in browser.text(".note")
            self.accessible("a pending page")
            self.keep("pending")
            service.work()
            eventually("it shows the sizes by itself", lambda: len(browser.all("tbody tr")) == 4)
            assert browser.run("return document.querySelector('#said').textContent") == "All sizes are ready."
            self.accessible("a ready page")
            failed = upload(service, os.path.join(PICTURES, "cut-in-data.png"))["url"]
            browser.open(failed)
            eventually("its failure is told", lambda: "No smaller sizes" in browser.text(".wrong.note"))
            self.accessible("a failed page")
            browser.open(f"{service.url}/nowhere")
            self.accessible("the page of nothing")
            print("share: pending, ready and failed pages update themselves")

    def without_scripts(self):
        browser = self.browser
        with Service(self.programs) as service:
            browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
            browser.open(service.url)
            browser.type("#files", self.views[2])
            browser.click(".submit button")
            eventually("the share page", lambda: "/i/" in browser.url)
            page = browser.url
            eventually("all sizes, by looking again", lambda: len(browser.all("tbody tr")) == 4)
            browser.click("a[href$='/delete']")
            eventually("the question", lambda: browser.text("h1") == "Delete this picture?")
            browser.click("button.danger")
            eventually("it is gone", lambda: browser.text("h1") == "This picture is gone")
            assert browser.url == page and status(page) == 410
            browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
            print("without JavaScript: uploaded, shown, deleted, gone")

    def photographs(self):
        """Pictures of the pages, with a picture that is worth looking at."""
        browser, files = self.browser, self.views
        with Service(self.programs) as service:
            browser.open(service.url)
            browser.run(DROP, dropped(*files))
            eventually("ready", lambda: browser.texts(".card-state") == ["Ready"] * len(files))
            eventually("loaded", lambda: browser.run(LOADED) == 3 * len(files))
            browser.run("document.activeElement.blur()")
            for name, look in {
                "uploaded": {},
                "uploaded-dark": {"scheme": "dark"},
                "uploaded-phone": {"width": 375, "height": 812, "phone": True},
            }.items():
                browser.look(**look)
                self.keep(name)
            browser.look()
            page = browser.value(".card .copy input")
            browser.open(page)
            for name, look in {
                "share": {},
                "share-dark": {"scheme": "dark"},
                "share-phone": {"width": 375, "height": 812, "phone": True},
            }.items():
                browser.look(**look)
                self.keep(name)
            browser.look()


def main(programs, axe, screenshots=None):
    log = os.path.join(os.path.dirname(os.path.abspath(axe)), "chromedriver.log")
    with Browser(log) as browser, tempfile.TemporaryDirectory() as folder:
        tests = Tests(programs, axe, screenshots, browser, folder)
        tests.upload_page()
        tests.errors_and_keys()
        tests.token()
        tests.share_pages()
        tests.without_scripts()
        if screenshots:
            tests.photographs()
        print(f"axe-core found no violation in {tests.checked} looks at the pages")


if __name__ == "__main__":
    main(*sys.argv[1:])
