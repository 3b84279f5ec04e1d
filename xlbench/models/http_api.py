"""HTTP APIs: requests with a key, retries, a limit on what they may cost, and errors that never have the key."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError, UsageError
from xlbench.models.kept_answers import Answers
from xlbench.support.network import is_reachable

_LONGEST_MESSAGE = 200
_NO_KEY = "none"
_ASK_FOR_A_KEY = ("api.openai.com", "api.cohere.com")


@dataclass
class Spending:
    """What the requests of a run cost so far."""

    price: float | None = None
    """Of a million tokens, in whatever currency."""
    most: float | None = None
    """What all may cost."""
    source: str = ""
    """Whose table the price is from; empty for one that the user gives."""
    n_requests: int = 0
    n_tokens: int = 0
    """As the API counts them, where it does."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cost(self, n_tokens: int) -> float | None:
        """What so many tokens cost; None without a price."""
        return None if self.price is None else n_tokens * self.price / 1e6

    def add(self, answer: Any) -> None:
        """Counts an answer.

        Raises:
            EncoderError: if all cost more than they may.

        """
        usage = answer.get("usage") if isinstance(answer, Mapping) else None
        usage = usage if isinstance(usage, Mapping) else {}
        counts = [usage.get(name) for name in ("total_tokens", "prompt_tokens")]
        with self._lock:
            self.n_requests += 1
            self.n_tokens += next((count for count in counts if isinstance(count, int) and count > 0), 0)
            cost = self.cost(self.n_tokens)
        if cost is not None and self.most is not None and cost > self.most:
            raise EncoderError(
                f"The API has counted {self.n_tokens:,} tokens, which cost {cost:.4g}, and --max-cost is "
                f"{self.most:g}: stopped. What was encoded before is kept; a larger --max-cost goes on."
            )


class Connection:
    """A server and how it is asked. The key is read from the environment, sent to it, and nowhere else."""

    def __init__(
        self, base_url: str, *, key_variable: str, timeout: float, retries: int, concurrency: int, spending: Spending
    ) -> None:
        """``timeout`` is of one request, in seconds; ``concurrency`` is how many are open at once."""
        self.host = checked_host(base_url)
        self.spending = spending
        self.answers = Answers()
        self._base_url = base_url.rstrip("/")
        self._key_variable = key_variable
        self._timeout, self._retries, self._concurrency = timeout, retries, concurrency

    def post(
        self, path: str, bodies: Sequence[Mapping[str, Any]], read: Callable[[Any, int], VectorArray]
    ) -> list[VectorArray]:
        """The numbers that ``read`` takes from the answer to each body and its number, in the order of the bodies.

        Raises:
            EncoderError: if the API does not answer, refuses, or all cost more than they may.

        """
        client = self._client

        def ask(number: int) -> VectorArray:
            def anew() -> VectorArray:
                answer = self._answer(client, path, bodies[number])
                self.spending.add(answer)
                return read(answer, number)

            return self.answers.of(path, bodies[number], anew)

        if len(bodies) == 1:
            return [ask(0)]
        pool = ThreadPoolExecutor(self._concurrency)
        try:
            return list(pool.map(ask, range(len(bodies))))
        finally:
            pool.shutdown(cancel_futures=True)

    @cached_property
    def _key(self) -> str:
        key = os.environ.get(self._key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise EncoderError(f"The key in {self._key_variable} has characters that cannot be sent: set it again.")
        return key

    @cached_property
    def _client(self) -> Any:
        if not self._key and self.host in _ASK_FOR_A_KEY:
            raise EncoderError(f"{self.host} asks for a key: set it in the environment variable {self._key_variable}.")
        if not is_reachable(self._base_url):
            raise EncoderError(f"There is no server at {self._base_url}: start it, or change --base-url.")
        from openai import OpenAI

        return OpenAI(
            api_key=self._key or _NO_KEY, base_url=self._base_url, timeout=self._timeout, max_retries=self._retries
        )

    def _answer(self, client: Any, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of an answer; the client waits and asks again after 429, 5xx and what breaks off."""
        import openai

        try:
            return client.post(path, body=dict(body), cast_to=object)
        except openai.APITimeoutError:
            times = f"{self._timeout:g} seconds, {self._retries + 1} times"
            advice = "try --model-arg timeout=300, or batch_texts=8"
            reason = f"gave no answer within {times}: {advice}"
        except openai.APIConnectionError:
            reason = f"broke off {self._retries + 1} times before its answer was whole"
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            # What it says is left out: some repeat a part of the key.
            has = f"refuses the key in {self._key_variable}" if self._key else "asks for a key"
            reason = f"{has} ({error.status_code}): set it in the environment variable {self._key_variable}"
        except openai.RateLimitError as error:
            advice = "try later, or --model-arg concurrency=1"
            reason = f"is busy, or has had enough of this key (429{self._said(error)}): {advice}"
        except openai.InternalServerError as error:
            reason = f"failed {self._retries + 1} times ({error.status_code}{self._said(error)})"
        except openai.APIStatusError as error:
            advice = "check the model's name and --base-url"
            reason = f"refuses the request ({error.status_code}{self._said(error)}): {advice}"
        except (openai.OpenAIError, ValueError):
            reason = "gave an answer that is no JSON"
        # Without the library's error, which has the request and so the key.
        raise EncoderError(f"The API at {self.host} {reason}. What was encoded before is kept.") from None

    def _said(self, error: Any) -> str:
        """What the API says, without the key that some repeat."""
        body = error.body.get("message", error.body) if isinstance(error.body, Mapping) else error.body
        text = " ".join(str(body or "").split())
        text = text.replace(self._key, "[key]") if self._key else text
        return f": {text[:_LONGEST_MESSAGE]}" if text else ""


def checked_host(base_url: object) -> str:
    """The host, and the port if it has one, of an address that may become part of a result.

    Raises:
        UsageError: if it is none, or has a name, a password or a query in it.

    """
    try:
        parts = urlsplit(str(base_url))
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"--base-url {base_url!s:.200} is no address; expected http://127.0.0.1:8000/v1, say.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError(
            f"The --base-url of {host} has a name, a password or a query in it, and becomes part of results: give the "
            "address alone, and the key in the environment."
        )
    return host


def checked_number(name: str, value: object, *, least: float, whole: bool = False) -> None:
    """Refuses what is no number, or less than ``least``.

    Raises:
        EncoderError: naming the argument.

    """
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value < float("inf"):
        kind = "a whole number" if whole else "a number"
        raise EncoderError(f"{name} is {value!r}; expected {kind} of {least:g} or more.")
