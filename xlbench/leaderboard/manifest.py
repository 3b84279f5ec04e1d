"""Manifest: what a submission says of its model, beside the numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from xlbench.errors import SubmissionError, shown
from xlbench.leaderboard.command import command_fault
from xlbench.leaderboard.hostile_json import text_fault
from xlbench.leaderboard.model_names import form_fault, name_fault

MANIFEST_SCHEMA = 1
Trained = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Manifest:
    """What a submission says of its model; its JSON keys are the fields."""

    schema: int
    model: str
    revision: str
    link: str
    """Where the model can be found, ``https://``."""
    licence: str
    parameters: int | None
    """How many the model has; None if it has none, as BM25."""
    dimensions: int | None
    """Of a vector; None for a model without vectors."""
    languages: tuple[str, ...]
    """Codes of the languages that the model is made for; may be empty if nobody says."""
    training_data: str
    trained_on_evaluation_data: Trained
    """Whether any of the task's data, its translations or its sources' test parts, was trained on."""
    submitter: str
    xlbench_version: str
    task: str
    task_version: int
    data_checksums: Mapping[str, str]
    """By language: what ``data_checksums`` gives for the task."""
    command: str
    """The one that gave the result: one command, of which nothing is left to a shell. Pages show one of their own."""
    hardware: str

    def record(self) -> dict[str, Any]:
        """The content of ``manifest.json``."""
        return {**asdict(self), "languages": list(self.languages), "data_checksums": dict(self.data_checksums)}


def _text(longest: int) -> Callable[[Any], str | None]:
    return lambda value: text_fault(value, longest=longest)


def _identifying(longest: int) -> Callable[[Any], str | None]:
    return lambda value: text_fault(value, longest=longest) or form_fault(value)


def _count(least: int, most: int) -> Callable[[Any], str | None]:
    def fault(value: Any) -> str | None:
        fits = value is None or (type(value) is int and least <= value <= most)
        return None if fits else f"is {shown(value)}; expected a number from {least:,} to {most:,}, or null"

    return fault


def _version(value: Any) -> str | None:
    return None if type(value) is int and 0 <= value < 1 << 31 else f"is {shown(value)}; expected a version number"


def _link(value: Any) -> str | None:
    if wrong := text_fault(value, longest=500):
        return wrong
    try:
        url = urlsplit(value)
        whole = url.scheme == "https" and bool(url.hostname) and "@" not in url.netloc
    except ValueError:
        whole = False
    plain = re.fullmatch(r"[!-~]+", value) and not set(value) & set("\"'<>\\^`{|}")
    return None if whole and plain else f"is {shown(value)}; expected an address, https://..."


def _languages(value: Any) -> str | None:
    expected = "expected at most 500 codes such as 'de' or 'zh-Hant', none twice"
    if not isinstance(value, list) or len(value) > 500:
        return f"is {shown(value)}; {expected}"
    for code in value:
        if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", code):
            return f"has {shown(code)}; {expected}"
    return None if len(set(value)) == len(value) else f"has a code twice; {expected}"


def _trained(value: Any) -> str | None:
    return None if value in get_args(Trained) else f"is {shown(value)}; expected yes, no or unknown"


def _checksums(value: Any) -> str | None:
    sound = isinstance(value, dict) and len(value) <= 1000
    sound = sound and all(len(name) <= 100 and not text_fault(name, longest=100) for name in value)
    sound = sound and all(
        isinstance(digits, str) and re.fullmatch(r"[0-9a-f]{64}|", digits) for digits in value.values()
    )
    return None if sound else f"is {shown(value)}; expected a checksum by language, 64 digits of 0-9a-f"


@dataclass(frozen=True)
class Field:
    """What is known of a key of a manifest."""

    fault: Callable[[Any], str | None]
    """What is wrong with a value; None if nothing is."""
    question: str = ""
    """What the submitter is asked for; nothing if it follows from the result."""


FIELDS: Mapping[str, Field] = {
    "schema": Field(lambda value: None if value == MANIFEST_SCHEMA and type(value) is int else f"is {shown(value)}"),
    "model": Field(name_fault),
    "revision": Field(_text(200)),
    "link": Field(_link, "Where the model can be found, https://..."),
    "licence": Field(_identifying(100), "The model's licence, such as Apache-2.0"),
    "parameters": Field(_count(0, 10**15), "How many parameters it has, as a number; null if it has none"),
    "dimensions": Field(_count(1, 10**6)),
    "languages": Field(_languages, "Codes of the languages that it is made for, with spaces between"),
    "training_data": Field(_text(2000), "What it was trained on"),
    "trained_on_evaluation_data": Field(_trained, "Was it trained on any of the task's data: yes, no or unknown"),
    "submitter": Field(_identifying(200), "Who submits it"),
    "xlbench_version": Field(_text(50)),
    "task": Field(_text(100)),
    "task_version": Field(_version),
    "data_checksums": Field(_checksums),
    "command": Field(lambda value: text_fault(value, longest=8000, lines=True) or command_fault(value)),
    "hardware": Field(_text(300)),
}
ASKED = tuple(name for name, field in FIELDS.items() if field.question)
"""The keys that do not follow from a result."""


def parse_manifest(record: Any, where: str) -> Manifest:
    """The manifest that the content of ``manifest.json`` is.

    Raises:
        SubmissionError: if it is none.

    """
    if not isinstance(record, dict):
        raise SubmissionError(f"{where} is {shown(record)}; expected the keys of a manifest.")
    wrong = sorted(record.keys() ^ FIELDS.keys())
    if wrong:
        raise SubmissionError(
            f"{where} does not have the keys of a manifest (too many or missing: {shown(wrong)}); "
            f"expected {', '.join(FIELDS)}."
        )
    for name, field in FIELDS.items():
        if fault := field.fault(record[name]):
            raise SubmissionError(f"{where}: {name!r} {fault}.")
    values = {each.name: record[each.name] for each in fields(Manifest)}
    return Manifest(**{**values, "languages": tuple(record["languages"])})


def parse_answer(name: str, answer: str) -> Any:
    """The value of a key from what a submitter typed; to be checked by the key's ``fault``."""
    answer = answer.strip()
    if name == "languages":
        return answer.replace(",", " ").split()
    if name == "parameters":
        digits = answer.replace(",", "").replace("_", "")
        return int(digits) if re.fullmatch(r"[0-9]{1,18}", digits) else None if answer in ("", "null") else answer
    return answer
