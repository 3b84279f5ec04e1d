"""An HTTP API on loopback in OpenAI's and Cohere's form, which misbehaves as it is told."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

KEY = "sk-" + "canary0123456789abcd"
"""What the server takes for a key, where it asks for one."""


class Api(http.server.ThreadingHTTPServer):
    """Answers each request as ``faults`` says next, and as it should when none is left."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults: list[str] = []
        self.dimensions = 6
        self.shift = 0.0
        """Added to the first number of each vector: another model under the same name."""
        self.key: str | None = None
        self.bodies: list[dict] = []
        self.keys: list[str | None] = []
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def texts(self) -> list[str]:
        """All texts that were asked for, but those of the probe."""
        return [text for body in self.bodies[1:] for text in body["input"]]

    def handle_error(self, *_):
        """Is silent: a client that hangs up is expected."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        api = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with api.lock:
            api.bodies.append(body)
            api.keys.append(self.headers["Authorization"])
            fault = api.faults.pop(0) if api.faults else ""
        said = f"{fault} it is, {self.headers['Authorization']}"  # As some servers repeat what they got.
        given = self.headers["Authorization"] or f"Bearer {self.headers['x-goog-api-key']}"
        if api.key and given != f"Bearer {api.key}":
            return self._send(401, {"error": {"message": said}})
        if fault.isdigit():
            return self._send(int(fault), {"error": {"message": said}}, **{"Retry-After": "0.05"})
        if fault in ("hang", "wait"):
            time.sleep(1 if fault == "hang" else 30)
        if self.path.endswith("/rerank"):
            return self._send(200, reranked(body, fault))
        if "texts" in body:
            return self._send(200, as_cohere(api, body))
        if "requests" in body:
            return self._send(200, as_gemini(api, body))
        return self._send(200, embedded(api, body, fault), half=fault == "half", text=fault == "html")

    def _send(self, status, content, *, half=False, text=False, **headers):
        data = b"<html>" if text else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)
        self.close_connection = half

    def log_message(self, *_):
        """Is silent."""


def vector_of(text: str, dimensions: int, shift: float = 0.0) -> list[float]:
    """Small numbers that depend on the text alone."""
    code = sum(text.encode())
    return [1 + shift, *((code >> place & 3) / 4 for place in range(dimensions - 1))]


def embedded(api, body, fault):
    """The answer to a request for embeddings."""
    dimensions = body.get("dimensions", api.dimensions) - (fault == "dimension")
    vectors = [vector_of(text, dimensions, api.shift) for text in body["input"]]
    if fault == "nan":
        vectors[-1][0] = float("nan")
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    if fault == "order":
        data.reverse()
    if fault == "missing":
        del data[0]
    if fault == "ragged":
        data[0]["embedding"] = [1.0]
    if fault == "twice":
        data[0] = data[-1]
    n_tokens = sum(map(len, body["input"]))
    return {"data": data, "model": body["model"], "usage": {"prompt_tokens": n_tokens, "total_tokens": n_tokens}}


def as_cohere(api, body):
    """The answer to a request for embeddings in Cohere's own form."""
    vectors = [vector_of(text, api.dimensions, api.shift) for text in body["texts"]]
    return {"embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": sum(map(len, body["texts"]))}}}


def as_gemini(api, body):
    """The answer to a request for embeddings in Gemini's own form."""
    texts = [request["content"]["parts"][0]["text"] for request in body["requests"]]
    return {"embeddings": [{"values": vector_of(text, api.dimensions, api.shift)} for text in texts]}


def score_of(query: str, passage: str) -> float:
    """How many words the two have in common, and a little for each character of the passage."""
    return len({*query.lower().split()} & {*passage.lower().split()}) + len(passage) / 1000


def reranked(body, fault):
    """The answer to a request for scores, best first, as Cohere gives it."""
    scores = [score_of(body["query"], passage) for passage in body["documents"]]
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    results = [{"index": i, "relevance_score": scores[i]} for i in order]
    if fault == "missing":
        del results[0]
    if fault == "nan":
        results[0]["relevance_score"] = float("nan")
    return {"results": results, "meta": {"billed_units": {"search_units": 1}}}


@contextmanager
def serving(monkeypatch) -> Iterator[Api]:
    """The server, with no key in the environment, and a client that waits little before it asks again."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("OPENAI_API_KEY", "XLBENCH_API_KEY", "CO_API_KEY", "COHERE_API_KEY", "VOYAGE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    with Api() as api:
        thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            api.shutdown()
            thread.join()
