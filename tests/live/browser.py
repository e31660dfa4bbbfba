"""Chromium, driven over its DevTools protocol: enough to look at a page, type into it and take its picture.

https://chromedevtools.github.io/devtools-protocol/. Needs nothing but the browser, so the tests run wherever it is.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import shutil
import tempfile
from pathlib import Path

import pytest
from aiohttp import ClientSession

AXE = Path(__file__).parents[2] / ".cache" / "live" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
    *("--hide-scrollbars", "--lang=en-GB"),
)
KEYS = {
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "Tab": ("Tab", 9, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
    " ": ("Space", 32, " "),
}


def chromium():
    """Find the browser or skip."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    return found


class Tab:
    """One page: every console error and every request that leaves this machine is kept for the test to look at."""

    def __init__(self, socket):
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting = {}
        self.errors = []
        self.requests = []
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def send(self, method, **params):
        """Send a command and give its result."""
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(60):
            return await self._waiting[number]

    async def _read(self):
        async for message in self._socket:
            told = json.loads(message.data)
            waiting = self._waiting.pop(told.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(told.get("result", told.get("error")))
            elif told.get("method") == "Runtime.exceptionThrown":
                self.errors.append(told["params"]["exceptionDetails"].get("exception", {}).get("description"))
            elif told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
                self.errors.append(told["params"]["entry"]["text"])
            elif told.get("method") == "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])

    async def open(self, url, *, width=1280, height=800, dark=False):
        """Open an address at a size and in a colour scheme."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.send(f"{domain}.enable")
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send(
            "Emulation.setEmulatedMedia", features=[*scheme, {"name": "prefers-reduced-motion", "value": "reduce"}]
        )
        await self.send("Page.navigate", url=url)

    async def run(self, script):
        """Evaluate an expression (it may be a promise) and give its value."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    async def until(self, script, timeout_s=45):
        """Wait until an expression is true and give its value; the page itself says when something changed."""
        watch = """new Promise((done) => {
          const look = () => { let found = null; try { found = %s; } catch { /* not there yet */ } if (found) { clearInterval(timer); watcher.disconnect(); done(found); } };
          const watcher = new MutationObserver(look), timer = setInterval(look, 50);
          watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
          look();
        })"""
        try:
            async with asyncio.timeout(timeout_s):
                return await self.run(watch % script)
        except TimeoutError:
            shown = await self.run("document.body.innerText.slice(-1500)")
            raise AssertionError(f"never true: {script}\n{shown}\n{self.errors}") from None

    async def text(self, selector):
        """Give what a reader sees of an element."""
        return await self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    async def click(self, selector):
        """Click the last element of a selector with the mouse, where it is seen."""
        # where it stays for a moment and nothing covers it: a page that is still filling moves things under the mouse
        spot = await self.run(
            f"""new Promise((done) => {{ let last = '', tries = 0; const look = () => {{
              const node = [...document.querySelectorAll({json.dumps(selector)})].at(-1); node?.scrollIntoView({{block: 'center'}});
              const box = node?.getBoundingClientRect(), spot = node && [box.x + box.width / 2, box.y + box.height / 2];
              const here = node && node.contains(document.elementFromPoint(...spot)) ? String(spot) : '';
              if (spot && ((here && here === last) || ++tries > 100)) done(spot); else {{ last = here; setTimeout(look, 60); }}
            }}; look(); }})"""
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)

    async def type(self, text):
        """Type into what has the focus."""
        await self.send("Input.insertText", text=text)

    async def press(self, key, *, shift=False):
        """Press a key."""
        code, number, text = KEYS[key]
        named = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **named, **({"text": text} if text else {}))
        await self.send("Input.dispatchKeyEvent", type="keyUp", **named)

    async def picture(self, path):
        """Save a screenshot."""
        await self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        shot = await self.send("Page.captureScreenshot", format="png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        """Stop listening."""
        self._reader.cancel()


async def findings(page):
    """Give axe's findings that are moderate or worse; none where axe-core is not installed."""
    if not AXE.is_file():
        return []
    await page.run(AXE.read_text(encoding="utf-8") + "; null")
    found = await page.run(
        "axe.run(document, {resultTypes: ['violations']}).then((each) => JSON.stringify(each.violations))"
    )
    return [
        (each["id"], each["impact"], [node["html"][:120] for node in each["nodes"]])
        for each in json.loads(found)
        if each["impact"] in {"serious", "critical", "moderate"}
    ]


@contextlib.asynccontextmanager
async def tab():
    """Start a browser of its own and give its one tab."""
    binary = chromium()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        null = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            binary, *FLAGS, f"--user-data-dir={profile}", "about:blank", stdout=null, stderr=null
        )
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as listed:
                    [page] = [each for each in await listed.json() if each["type"] == "page"]
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    opened = Tab(socket)
                    yield opened
                    opened.close()
        finally:
            process.kill()
            await process.wait()


async def _port(file):
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError, ValueError, IndexError):
                return int(file.read_text().splitlines()[0])
            await asyncio.sleep(0.05)  # the browser writes the file when it listens; there is nothing to wait on
