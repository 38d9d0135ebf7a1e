# SPDX-License-Identifier: BSD-2-Clause
"""Opens pages in a headless Chromium, for tests named test_browser_*.

Chromium, its driver and Selenium are Debian packages (./packages install browser). Selenium belongs
to Debian's own Python: `make test-browser` runs the tests with /usr/bin/python3. Where something is
missing a test is skipped with the reason. With STEPTRACE_REQUIRE_BROWSER set it fails instead.

    class Pages(browser.InBrowser):
        def test_page(self):
            self.browser.open(path, width=400)
            self.assertEqual(self.browser.errors(), [])
            self.assertEqual(self.browser.requests(), [])

The browser resolves no name but `localhost` and uses no proxy, so that a page that asks for
something outside gets no answer.
"""
import base64
import json
import os
import pathlib
import shutil
import sys
import unittest

import needs
from harness import PATIENCE_S, Scenario

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
except ImportError:
    webdriver = None

PROGRAMS = ("chromium", "chromedriver")
SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # the sandbox refuses to run as root
    "--disable-dev-shm-usage",  # /dev/shm is small in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--hide-scrollbars",  # they would take from the width of the page
)


def what_is_missing():
    """A sentence, or None."""
    for name in PROGRAMS:
        if shutil.which(name) is None:
            return "%s is not installed (make test-browser)" % name
    if webdriver is None:
        return ("%s has no module selenium (make test-browser runs the tests with /usr/bin/python3)"
                % sys.executable)
    return None


def need_browser():
    """Skips or fails the test where no browser can be started."""
    missing = what_is_missing()
    if missing and os.environ.get("STEPTRACE_REQUIRE_BROWSER"):
        raise AssertionError("STEPTRACE_REQUIRE_BROWSER is set, and " + missing)
    if missing:
        raise unittest.SkipTest(needs.FILES_OF_OTHERS + missing)


def options_of_chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for switch in SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return options


class Browser:
    """A running Chromium with one page. What the console said and what the page asked for is
    counted from the last open() on."""

    def __init__(self):
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = "localhost,127.0.0.1"  # of the driver
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")),
                                       options=options_of_chromium())
        self.driver.set_page_load_timeout(PATIENCE_S)
        self.driver.set_script_timeout(PATIENCE_S)
        self.address, self.said, self.asked, self.features = None, [], [], []

    def close(self):
        self.driver.quit()

    def cdp(self, method, **arguments):
        """A command of the Chrome DevTools Protocol."""
        return self.driver.execute_cdp_cmd(method, arguments)

    # ---- the page

    def open(self, path, width=1200, height=900):
        """Opens a file and waits until it is loaded. The width is that of the layout."""
        self.driver.get("about:blank")
        self.read_logs()
        self.said, self.asked = [], []
        self.address = pathlib.Path(os.path.abspath(path)).as_uri()
        self.resize(width, height)
        self.driver.get(self.address)
        found = self.script("return window.innerWidth")
        assert found == width, "the page is %s pixels wide, not %d" % (found, width)

    def resize(self, width, height=900):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def emulate(self, media="screen", scheme="light", motion="no-preference"):
        """What @media in the style sheet sees: "screen" or "print", "light" or "dark"."""
        self.features = [{"name": "prefers-color-scheme", "value": scheme},
                         {"name": "prefers-reduced-motion", "value": motion}]
        self.cdp("Emulation.setEmulatedMedia", media=media, features=self.features)

    def script(self, text, *arguments):
        """Runs JavaScript in the page; returns what it returns."""
        return self.driver.execute_script(text, *arguments)

    def all(self, selector):
        """The elements that a CSS selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        found = self.all(selector)
        assert len(found) == 1, "%d elements are %s" % (len(found), selector)
        return found[0]

    def click(self, selector):
        self.one(selector).click()

    def type(self, selector, text):
        """Types into an element; keys are those of selenium.webdriver.common.keys.Keys."""
        self.one(selector).send_keys(text)

    # ---- pictures

    def screenshot(self, path, is_whole=False):
        """Writes a PNG file: of what can be seen, or of the whole page."""
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        part = {"clip": dict(size, x=0, y=0, scale=1)} if is_whole else {}
        picture = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=is_whole,
                           **part)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def pdf(self, **arguments):
        """The printed page, as the content of a PDF file (see Page.printToPDF). The colour scheme
        is the emulated one."""
        self.cdp("Emulation.setEmulatedMedia", media="", features=self.features)
        return base64.b64decode(self.cdp("Page.printToPDF", **arguments)["data"])

    # ---- what happened

    def read_logs(self):
        """The driver forgets an entry of a log when it has been read."""
        self.said += [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            self.note(message["method"], message["params"])

    def note(self, method, about):
        """An event of the network. What the page's policy refuses is announced as a request, too,
        but not sent."""
        if method == "Network.requestWillBeSent":
            self.asked.append((about["requestId"], about["request"]["url"]))
        elif method == "Network.webSocketCreated":
            self.asked.append((about["requestId"], about["url"]))
        elif method == "Network.loadingFailed" and about.get("blockedReason") == "csp":
            self.asked = [row for row in self.asked if row[0] != about["requestId"]]

    def errors(self):
        """What the console said since open(), at any level: also uncaught exceptions, and what the
        Content-Security-Policy has refused."""
        self.read_logs()
        return list(self.said)

    def requests(self):
        """The addresses that were asked for since open(), without the page itself."""
        self.read_logs()
        return [address for _, address in self.asked
                if address.split("#")[0] not in (self.address, "about:blank")]


class InBrowser(Scenario):
    """A test with a folder for its files and a browser of its own."""

    def setUp(self):
        need_browser()
        super().setUp()
        self.browser = Browser()
        self.addCleanup(self.browser.close)
