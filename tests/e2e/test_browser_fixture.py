# SPDX-License-Identifier: BSD-2-Clause
"""browser.py sees what a page does: otherwise the other tests in a browser would show nothing."""
import http.server
import os
import threading
import unittest

import browser
from harness import wait_until

PNG = b"\x89PNG\r\n\x1a\n"
PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>a page</title>%s<style>
body { margin: 0; color: black } p { width: 700px }
@media (prefers-color-scheme: dark) { body { color: white } }
@media print { body { color: blue } }
</style><p id="text">text</p><input id="field"><button id="button">button</button>%s"""


class Counting(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.paths.append(self.path)
        self.send_error(404)

    def log_message(self, *_):
        pass


class Fixture(browser.InBrowser):
    def page(self, end="", head=""):
        path = os.path.join(self.directory, "a page.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PAGE % (head, end))
        return path

    def serve(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), Counting)
        server.paths = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server, "http://127.0.0.1:%d" % server.server_port

    def colour(self):
        return self.browser.script("return getComputedStyle(document.body).color")

    def test_a_page_that_does_nothing(self):
        self.browser.open(self.page())
        self.assertEqual((self.browser.errors(), self.browser.requests()), ([], []))
        self.assertEqual(self.browser.script("return document.title"), "a page")

    def test_console_and_exceptions(self):
        self.browser.open(self.page("<script>console.warn('look here')</script>"
                                    "<script>throw new Error('uncaught')</script>"))
        said = self.browser.errors()
        self.assertEqual(len(said), 2, said)
        self.assertIn("look here", said[0])
        self.assertIn("uncaught", said[1])
        self.browser.open(self.page())
        self.assertEqual(self.browser.errors(), [])

    def test_refused_by_the_policy(self):
        policy = ('<meta http-equiv="Content-Security-Policy" '
                  'content="default-src \'none\'; style-src \'unsafe-inline\'">')
        self.browser.open(self.page("<script>document.title = 'changed'</script>", policy))
        self.assertEqual(self.browser.script("return document.title"), "a page")
        self.assertIn("Content Security Policy", "".join(self.browser.errors()))
        server, address = self.serve()
        self.browser.open(self.page("<img src='%s/image'>" % address, policy))
        self.assertEqual((self.browser.requests(), server.paths), ([], []))
        self.assertIn("/image", "".join(self.browser.errors()))

    def test_requests(self):
        server, address = self.serve()
        self.browser.open(self.page("<img src='%s/image'>" % address))
        self.assertEqual(self.browser.requests(), [address + "/image"])
        self.browser.script("fetch('%s/fetched').catch(() => 0)" % address)
        wait_until(lambda: address + "/fetched" in self.browser.requests(), "a second request")
        self.assertIn("/image", server.paths)

    def test_no_other_host(self):
        self.browser.open(self.page("<img src='http://example.org/'>"))
        self.assertEqual(self.browser.requests(), ["http://example.org/"])
        self.assertIn("ERR_NAME_NOT_RESOLVED", "".join(self.browser.errors()))

    def test_width(self):
        for width in (400, 1200):
            self.browser.open(self.page(), width=width)
            widths = self.browser.script(
                "return [innerWidth, document.documentElement.scrollWidth]")
            self.assertEqual(widths, [width, max(width, 700)])

    def test_media(self):
        self.browser.open(self.page())
        for media, scheme, colour in (("screen", "light", "rgb(0, 0, 0)"),
                                      ("screen", "dark", "rgb(255, 255, 255)"),
                                      ("print", "light", "rgb(0, 0, 255)")):
            self.browser.emulate(media, scheme)
            self.assertEqual(self.colour(), colour)

    def test_click_and_type(self):
        self.browser.open(self.page())
        self.browser.script("button.onclick = () => document.title = field.value")
        self.browser.type("#field", "typed")
        self.browser.click("#button")
        self.assertEqual(self.browser.script("return document.title"), "typed")

    def test_pictures(self):
        self.browser.open(self.page())
        for is_whole in (False, True):
            path = os.path.join(self.directory, "picture.png")
            self.browser.screenshot(path, is_whole)
            with open(path, "rb") as file:
                self.assertEqual(file.read(8), PNG)
        self.assertTrue(self.browser.pdf().startswith(b"%PDF"))


if __name__ == "__main__":
    unittest.main()
