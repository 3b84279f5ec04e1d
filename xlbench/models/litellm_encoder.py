"""Encoders behind the APIs that litellm knows, such as Cohere's, Voyage's and Gemini's."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from xlbench.errors import EncoderError
from xlbench.models import torch_model
from xlbench.models.api_encoder import OpenAIEncoder
from xlbench.models.http_api import Connection, checked_host

_ROLES: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    "cohere": ({"input_type": "search_query"}, {"input_type": "search_document"}),
    "voyage": ({"input_type": "query"}, {"input_type": "document"}),
    "gemini": ({"task_type": "RETRIEVAL_QUERY"}, {"task_type": "RETRIEVAL_DOCUMENT"}),
}
"""What tells a provider's models queries from passages."""
_PASSING = (408, 409, 429, 500, 502, 503, 504, 529)
_KEY = (401, 403)
"""What a refused key gives; what is said then may have a part of it."""
_LONGEST_MESSAGE = 200
_FIRST_WAIT_S, _LONGEST_WAIT_S, _LONGEST_ASKED_S = 0.5, 8.0, 60.0


class LitellmEncoder(OpenAIEncoder):
    """A model that litellm calls as PROVIDER/MODEL; prices are those of litellm's own table, unless one is given.

    Where the provider tells queries from passages by a field, ``query_body`` and ``passage_body`` have it.
    """

    vectors_revision = 1  # To be raised when the same model gives other vectors than before.
    _needs_price = False

    def _bodies(
        self, query_body: Mapping[str, Any] | None, passage_body: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        provider, slash, name = self.name.partition("/")
        if not (provider and slash and name.strip("/ ")):
            raise EncoderError(f"litellm:{self.name} names no model; expected litellm:PROVIDER/MODEL.")
        given = query_body is not None or passage_body is not None
        self._told = () if given else _ROLES.get(provider, ())
        of_queries, of_passages = self._told or ({}, {})
        return super()._bodies(query_body or of_queries, passage_body or of_passages)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was filled in, a sentence each."""
        fields = [f"{key}={value}" for body in self._told for key, value in body.items()]
        said = f"Queries are told from passages by {' and '.join(fields)}, as the provider asks for."
        return (*super().notes, *([said] if fields else []))

    @property
    def filled(self) -> dict[str, Any]:
        """The arguments that were filled in, by the provider, the model's name or the task's instruction."""
        bodies = {"query_body": self._query_body, "passage_body": self._passage_body} if self._told else {}
        return {**super().filled, **bodies}

    def _connected(self, base_url: str | None, *, key_variable: str | None, **options: Any) -> Connection:
        provider = self.name.partition("/")[0]
        variable = "XLBENCH_API_KEY" if base_url else f"{provider.upper()}_API_KEY"
        return _LitellmConnection(self.name, base_url, key_variable=key_variable or variable, **options)


class _LitellmConnection(Connection):
    """A provider, asked by litellm."""

    def __init__(self, model: str, base_url: str | None, **options: Any) -> None:
        super().__init__(base_url or "http://litellm", **options)
        self._model, self._api_base = model, base_url
        self.host = checked_host(base_url) if base_url else f"{model.partition('/')[0]}, by litellm"

    @cached_property
    def _client(self) -> Any:
        # Its table of prices would be fetched from the network, and results could not say which one it was.
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        import litellm

        litellm.suppress_debug_info = True
        litellm.telemetry = False
        logging.getLogger("LiteLLM").setLevel(logging.CRITICAL)  # It logs requests.
        if not self._key and self._api_base is None:
            missing = litellm.validate_environment(self._model)["missing_keys"]
            if missing:
                raise EncoderError(f"{self._model} asks for a key: set {' or '.join(missing)} in the environment.")
        self._take_price(litellm)
        return litellm

    def _take_price(self, litellm: Any) -> None:
        """Takes the price from litellm's table, where none is given.

        Raises:
            EncoderError: if there is none, and the run may not cost more than so much.

        """
        spending = self.spending
        if spending.price is not None:
            return
        source = f"litellm {torch_model.version('litellm')}"
        known = litellm.model_cost.get(self._model) or litellm.model_cost.get(self._model.partition("/")[2]) or {}
        a_token = known.get("input_cost_per_token")
        if isinstance(a_token, int | float):
            spending.price, spending.source = a_token * 1e6, source
        elif spending.most is not None:
            raise EncoderError(f"{source} has no price of {self._model}, which --max-cost needs: give --price.")

    def _answer(self, client: Any, path: str, body: Mapping[str, Any]) -> Any:
        """The answer as a dict; after 429, 5xx and what breaks off it waits and asks again."""
        import openai

        del path  # litellm knows the provider's.
        asked = {"api_base": self._api_base, "api_key": self._key or None, "timeout": self._timeout, "max_retries": 0}
        attempt, failed = 0, ""
        while True:
            try:
                answer: dict[str, Any] = client.embedding(**body, **asked).model_dump()
                return answer
            except Exception as error:  # noqa: BLE001 (what litellm raises for an answer that it cannot read is of any class)
                status = getattr(error, "status_code", None) if isinstance(error, openai.APIError) else None
                is_refused = status is not None and status not in _PASSING
                failed = f"{type(error).__name__}{'' if status in (None, *_KEY) else self._said(error)}"
                wait = _wait_s(error, attempt)
            attempt += 1
            if is_refused or attempt > self._retries:
                break
            time.sleep(wait)
        # Without litellm's error, which has the request and so the key.
        raise EncoderError(
            f"The API of {self._model} ({self.host}) failed {attempt} time{'s' * (attempt > 1)} ({failed}): check the "
            f"model's name, the key in {self._key_variable} and the limits of the account. What was encoded before is "
            "kept."
        )

    def _said(self, error: Any) -> str:
        """What litellm says, without the key that some servers repeat."""
        text = " ".join(str(getattr(error, "message", "")).split())
        text = text.replace(self._key, "[key]") if self._key else text
        return f", {error.status_code}: {text[:_LONGEST_MESSAGE]}"


def _wait_s(error: Exception, attempt: int) -> float:
    """How long to wait before the next request, as the API says or longer each time."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return min(float(headers.get("retry-after", "")), _LONGEST_ASKED_S)
    except ValueError:
        return float(min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S))
