"""A headless Chromium that looks at pages: pictures at any width, light or dark, and what it measured on them.

It speaks the browser's own protocol over a pipe, so that nothing has to be installed but the browser.
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
from contextlib import contextmanager

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome-headless-shell")


def program():
    """The browser's program; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One browser with one page."""

    def __init__(self, process, to_browser, from_browser):
        self._process, self._to, self._from = process, to_browser, from_browser
        self._heard = b""
        self._numbers = itertools.count(1)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.on_page("Page.enable")

    def ask(self, method, session=None, **params):
        """Sends a command and returns its result. What the browser says meanwhile is not kept."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        self._to.write(json.dumps(message).encode() + b"\0")
        self._to.flush()
        while (said := self._read()).get("id") != number:
            pass
        assert "error" not in said, said
        return said["result"]

    def on_page(self, method, **params):
        return self.ask(method, self._session, **params)

    def open(self, path, width, scheme):
        """Shows a file at a width, in the colour scheme `light` or `dark`."""
        self.on_page("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.on_page(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self.on_page("Page.navigate", url=path.resolve().as_uri())
        while self._read().get("method") != "Page.loadEventFired":
            pass

    def run(self, script):
        """The value of a script on the page."""
        said = self.on_page("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def picture(self, path):
        """Keeps a picture of the whole page."""
        size = self.on_page("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.on_page("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _read(self):
        while b"\0" not in self._heard:
            more = self._from.read1(1 << 20)
            assert more, "the browser has gone"
            self._heard += more
        text, _, self._heard = self._heard.partition(b"\0")
        return json.loads(text)


@contextmanager
def browsing(profile):
    """A browser, with its profile in an empty folder."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    options = (
        "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run "
        "--remote-debugging-pipe"
    )
    line = f'exec "$0" {options} --user-data-dir="$1" about:blank 3<&{to_read} 4>&{from_write}'
    process = subprocess.Popen(
        ["bash", "-c", line, program(), str(profile)],
        pass_fds=(to_read, from_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(to_read)
    os.close(from_write)
    with os.fdopen(to_write, "wb") as to_browser, os.fdopen(from_read, "rb") as from_browser:
        try:
            yield Browser(process, to_browser, from_browser)
        finally:
            process.terminate()
            process.wait()
