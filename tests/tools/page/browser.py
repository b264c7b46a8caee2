# SPDX-License-Identifier: LGPL-2.1-or-later
"""A browser without a window, driven over its own protocol: JSON in a pipe, each message ended by a zero byte.

Nothing is needed but chromium and Python. What the page logs, and what it asks the network for, is kept."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

SECONDS = 60  # for one answer, on a busy machine
# Without the sandbox it runs as root, too; the pages are our own.
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", "--no-default-browser-check", "--disable-dev-shm-usage",
         "--hide-scrollbars", "--remote-debugging-pipe", "--force-device-scale-factor=1")


class BrowserFailed(Exception):
    """It does not start, does not answer, or says that a command is wrong."""


class Browser:
    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            raise BrowserFailed("chromium is not installed")
        self.directory = tempfile.mkdtemp(prefix="browser")
        to_browser, self.out = os.pipe()
        self.inn, from_browser = os.pipe()

        def files():
            # The protocol is spoken over 3 and 4; duplicates first, for the pipes may have these numbers themselves.
            read, write = os.dup(to_browser), os.dup(from_browser)
            for source, target in ((os.dup2(read, 60), 3), (os.dup2(write, 61), 4)):
                os.dup2(source, target, inheritable=True)

        self.log = open(Path(self.directory) / "log", "wb")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen([program, *FLAGS, f"--user-data-dir={self.directory}/profile", "about:blank"],  # pylint: disable=consider-using-with
                                        close_fds=False, preexec_fn=files, stdout=self.log, stderr=self.log)
        os.close(to_browser)
        os.close(from_browser)
        self.rest, self.number, self.session, self.events = b"", 0, None, []
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")

    def close(self):
        try:
            self.session = None
            self.send("Browser.close")
            self.process.wait(10)
        except (BrowserFailed, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        for end in (self.out, self.inn):
            os.close(end)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- The protocol ----

    def receive(self, deadline):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.inn], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.inn, 1 << 20) if ready else b""
            if not data:
                raise BrowserFailed("no answer from chromium: " + (Path(self.directory) / "log").read_text(errors="replace")[-2000:])
            self.rest += data
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def send(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserFailed(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    # ---- The page ----

    def evaluate(self, script):
        """The value of a JavaScript expression in the page; of a promise, what it is resolved with."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserFailed(details.get("exception", {}).get("description", details.get("text")))
        return answer["result"].get("value")

    def until(self, condition):
        """Waits, frame by frame, for a condition in the page."""
        if not self.evaluate(f"""new Promise(resolve => {{
            const deadline = performance.now() + {SECONDS * 1000 // 2};
            const look = () => ({condition}) ? resolve(true) : performance.now() > deadline ? resolve(false) : requestAnimationFrame(look);
            look(); }})"""):
            raise BrowserFailed(f"it never became true: {condition}")

    def size(self, width, height, scale=1):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def open(self, path, place=""):
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=f"file://{Path(path).resolve()}{place}")
        self.until("document.readyState === 'complete' && window.mirrorsim && mirrorsim.ready")
        self.frames()

    def go(self, place):
        """To another place of the same page."""
        self.evaluate(f"mirrorsim.ready = false; location.hash = {json.dumps(place)}")
        self.until("mirrorsim.ready")
        self.frames()

    def frames(self, count=3):
        """Lets the page draw."""
        self.evaluate(f"new Promise(done => {{ let left = {count}; const next = () => left-- > 0 ? requestAnimationFrame(next) : done(true); next(); }})")

    def key(self, key, shift=False):
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, modifiers=8 if shift else 0, **({"text": key} if len(key) == 1 and kind == "keyDown" else {}))
        self.frames()

    def mouse(self, kind, x, y, **more):
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)
        self.frames()

    def picture(self, path, whole=False):
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        Path(path).write_bytes(base64.b64decode(data))

    # ---- What it must not do ----

    def complaints(self):
        """Messages of the console, exceptions, and requests for anything but the page itself."""
        found = []
        for event in self.events:
            method, params = event["method"], event["params"]
            if method == "Runtime.consoleAPICalled":
                found.append("console: " + " ".join(str(one.get("value", one.get("description"))) for one in params["args"]))
            elif method == "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                found.append("exception: " + details.get("exception", {}).get("description", details["text"]))
            elif method == "Log.entryAdded":
                found.append("log: " + params["entry"]["text"])
            elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("about:", "data:")) and params.get("type") != "Document":
                found.append("request: " + params["request"]["url"])
        return found
