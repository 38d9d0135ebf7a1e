# SPDX-License-Identifier: BSD-2-Clause
"""A model's server whose answer depends on the question. tests/support/ai_server.c always says the
same, and never JSON. Where the answer is None, the request fails.

    with AnsweringModel(lambda prompt: "yes" if "?" in prompt else "no") as model:
        steprun --ai-url model.url
"""
import http.server
import json
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = request["messages"][-1]["content"]
        answer = self.server.answer(prompt)
        if answer is None:
            self.send_error(500)
            return
        self.send_json({
            "choices": [{"message": {"role": "assistant", "content": answer}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 10}})

    def send_json(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Not on standard error."""


class AnsweringModel:
    def __init__(self, answer):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.answer = answer
        self.url = "http://127.0.0.1:%d/v1" % self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
