"""A language model's endpoint on this machine, for tests: it answers with what it is given."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint:
    """A local server that answers with what it is given, in turn; the last answer stays."""

    def __init__(self) -> None:
        self.answers: list[str | int | float] = []  # content of the message; HTTP status; seconds to say nothing
        self.requests: list[tuple[dict, dict]] = []  # headers, body
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                answer = endpoint.answers[min(len(endpoint.requests), len(endpoint.answers)) - 1]
                if isinstance(answer, float):
                    time.sleep(answer)
                    return
                status = answer if isinstance(answer, int) else 200
                reply = {"error": {"message": f"key {self.headers['Authorization']} is bad"}}
                if status == 200:
                    message = {"role": "assistant", "content": answer}
                    choice = {"index": 0, "finish_reason": "stop", "message": message}
                    reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
                data = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stops the server and frees its port."""
        self.server.shutdown()
        self.server.server_close()
