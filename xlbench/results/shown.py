"""A result in a few lines, as text and as HTML: what a notebook shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from xlbench.collection.clusters import counted
from xlbench.measures import DISTANCE, find
from xlbench.settings import Kind, Setting
from xlbench.statistics import FEW_CLUSTERS

if TYPE_CHECKING:
    from xlbench.results.result import Result

_KINDS: Mapping[Kind, str] = {"mono": "monolingual", "cross": "cross-lingual", "multi": "multilingual"}
_MOST_NAMED = 3


def lines(result: Result) -> list[str]:
    """The model and task, the headline in each kind of setting, the distance, and what was left out or is suspect."""
    head = f"{result.model['name']} on {result.task} (version {result.task_version})"
    missing = result.missing_languages
    if missing:
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        head += f", partial: without {', '.join(missing[:_MOST_NAMED])}{more}"
    if result.sample is not None and result.sample.is_partial:
        head += f", partial: {result.sample}"
    rows = [
        f"  {_KINDS[kind]:<14} {result.headline} {number(value, result.headline)}{_ends(result, kind, result.headline)}"
        for kind, values in result.summary.items()
        if (value := values.get(result.headline)) is not None
    ]
    if result.intervals:
        rows.append(f"  intervals: 95 %, {drawn(result)}")
    distance = result.summary.get("multi", {}).get(DISTANCE)
    if distance is not None:
        ends = result.references.get(DISTANCE, {})
        scale = ", ".join(f"{name} {number(end, DISTANCE)}" for name, end in ends.items())
        rows.append(f"  {'':<14} {DISTANCE} {number(distance, DISTANCE)}{f' ({scale})' if scale else ''}")
    losers = losing_languages(result)
    if losers:
        rows.append(f"  loses most in the pool: {', '.join(f'{name} {loss:+.3f}' for name, loss in losers)}")
    if result.timing:
        rows.append(f"  {sum(v for k, v in result.timing.items() if k.endswith('_s')):.1f} s")
    rows += [f"  warning: {text}" for text in result.environment.get("warnings", ())[:2]]
    return [head, *rows]


def drawn(result: Result) -> str:
    """What intervals are drawn from, ``by 48 articles``, and whether there are too few of it."""
    few = f"; with fewer than {FEW_CLUSTERS} they are too narrow" if result.n_clusters < FEW_CLUSTERS else ""
    return f"by {counted(result.n_clusters, result.unit)}{few}"


def losing_languages(result: Result, *, most: int = 2) -> list[tuple[str, float]]:
    """The languages whose headline falls most from their own pool to that of all languages, with the change."""
    headline = result.headline
    changes = [
        (setting.query, by_measure[headline] - alone[headline])
        for setting, by_measure in result.values.items()
        if setting.kind == "multi" and (alone := result.values.get(Setting(setting.query, setting.query))) is not None
    ]
    return sorted((change for change in changes if change[1] < 0), key=lambda change: change[1])[:most]


def as_html(result: Result) -> str:
    """The lines as a small table that stands alone."""
    head, *rows = lines(result)
    body = "".join(f"<tr><td>{escape(row.strip())}</td></tr>" for row in rows)
    return f"<table><caption>{escape(head)}</caption><tbody>{body}</tbody></table>"


def number(value: float, measure: str, *, decimals: int | None = None) -> str:
    """A value as it is shown, without a leading zero; with the measure's decimals unless they are given."""
    if decimals is None:
        known = find(measure)
        decimals = known.decimals if known else 3
    # Adding 0 makes 0 of a rounded -0.
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _ends(result: Result, kind: Kind, measure: str) -> str:
    ends: Sequence[float] | None = result.intervals.get(kind, {}).get(measure)
    return f" [{', '.join(number(end, measure) for end in ends)}]" if ends else ""
