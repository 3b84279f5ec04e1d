"""The command that a page offers to copy: made of what was checked, and of no text that anybody wrote."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from xlbench.errors import shown
from xlbench.results import Result

_LONGEST = 2000
_FITTED = re.compile(r"([A-Za-z0-9_][\w.-]*), sha256 [0-9a-f]{64}", re.ASCII)


def command_fault(value: Any) -> str | None:
    """Why a text is no single command of xlbench; None if it is one.

    Put together again from its words it must be what it was: nothing in it is left to a shell.
    """
    try:
        words = shlex.split(value)
    except ValueError:
        words = []
    if words[:2] == ["xlbench", "run"] and shlex.join(words) == value:
        return None
    return f"is {shown(value)}; expected one command, xlbench run ..., as xlbench writes it"


def command_of_result(result: Result) -> str:
    """The command that gives a checked result again; empty if it would be too long to be read before it is run."""
    model = result.model
    transform = model.get("transform")
    name = str(model["name"])
    if transform:
        name = name.removesuffix("-transductive").removesuffix(f"+{transform['method']}")
    words = ["xlbench", "run", "--model", name, "--task", result.task]
    if result.missing_languages:
        words += ["--language", *dict.fromkeys(setting.query for setting in result.queries)]
    if model["arguments"]:
        words += ["--model-arg", *(f"{name}={_value(value)}" for name, value in model["arguments"].items())]
    if "stored_as" in model:
        words += ["--store", str(model["stored_as"])]
    if transform:
        words += ["--transform", str(transform["method"])]
        if file := _FITTED.fullmatch(str(transform["fit_on"])):
            words += ["--fit-on", file[1]]
    command = shlex.join(words)
    return command if len(command) <= _LONGEST else ""


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
