"""What a submission's result may say where nothing else bounds it: one schema with a range for each kind of value.

What follows from the evidence is computed again, and so is bounded by it. The rest is shown as it is said: times and
the environment.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from xlbench.errors import SubmissionError

_MOST = 10**9
# Less than a nanosecond is no time, and a number divided by it may be no number.
Seconds = Annotated[float, msgspec.Meta(ge=0, le=_MOST)]
Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
Line = Annotated[str, msgspec.Meta(max_length=300)]
_SHORTEST = 1e-6


class EnvironmentRange(msgspec.Struct):
    """What a run says of its machine and libraries; other keys are kept."""

    command: Annotated[str, msgspec.Meta(max_length=8000)]
    xlbench: Line | None = None
    python: Line | None = None
    platform: Line | None = None
    cpus: Annotated[int, msgspec.Meta(ge=1, le=10**6)] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=10**6)] | None = None
    encoder: Annotated[dict[Line, Any], msgspec.Meta(max_length=50)] | None = None
    warnings: Annotated[list[Annotated[str, msgspec.Meta(max_length=2000)]], msgspec.Meta(max_length=100)] = []


class ResultRange(msgspec.Struct):
    """The keys of a result that no evidence bounds."""

    task_version: Count
    n_clusters: Count
    queries: dict[str, Count]
    timing: Annotated[dict[Line, Seconds], msgspec.Meta(max_length=20)]
    environment: EnvironmentRange


def check_ranges(record: Any, where: str) -> None:
    """Returns if a result's content is within what may be said.

    Raises:
        SubmissionError: naming the first value that is not.

    """
    try:
        result = msgspec.convert(record, ResultRange)
    except msgspec.ValidationError as error:
        raise SubmissionError(f"{where}: {error}.") from error
    for name, seconds in result.timing.items():
        if 0 < seconds < _SHORTEST:
            raise SubmissionError(f"{where}: {name!r} of 'timing' is {seconds!r}; expected 0 or at least {_SHORTEST}.")
