"""Tables for a paper, as LaTeX with booktabs: an overview, one row a language and column a model, rank distances."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from xlbench.measures import DISTANCE, FIRST_RANK, FIRST_RANKS
from xlbench.reports.cells import EMPTY, MEAN, Cell, Table, is_mean, one_line, row
from xlbench.reports.judged_group import JudgedGroup
from xlbench.reports.several_models import Group, grouped
from xlbench.reports.tables import kinds_of, languages_of
from xlbench.reports.words import KIND_TITLES, counted, direction
from xlbench.results import Result
from xlbench.settings import KINDS, Kind

_HEAD = r"""% Needs \usepackage{booktabs} and \usepackage{graphicx}.
% Names that are not in Latin letters need XeLaTeX or LuaLaTeX.
"""
_SUCCESS: Mapping[Kind, str] = {"mono": FIRST_RANK, "cross": FIRST_RANK, "multi": FIRST_RANKS}
_BETTER, _WORSE = "†", "‡"
_MARK_OF = {"better": _BETTER, "worse": _WORSE}
_MARKS = {_BETTER: r"$^{\dagger}$", _WORSE: r"$^{\ddagger}$", "": ""}
_TASKS_ABREAST = 2
_MOST_UPRIGHT = 6
_SPECIAL = {character: rf"\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    "`": r"\textasciigrave{}",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    # A row that begins with one of these would be an option of the line break before it.
    "[": "{[}",
    "*": "{*}",
}


def latex(results: Sequence[Result]) -> str:
    """The tables of the results, for the ``input`` of a paper; the best of a row or column is bold.

    Where results have their per-query scores, those of the same task are tested against the first of them.
    """
    groups = [JudgedGroup.of(group) for group in grouped(results)]
    parts = [_overview(groups[i : i + _TASKS_ABREAST]) for i in range(0, len(groups), _TASKS_ABREAST)]
    for of in groups:
        headline = of.group.results[0].headline
        wanted: list[Mapping[Kind, str]] = [dict.fromkeys(KINDS, headline), _SUCCESS, {"multi": DISTANCE}]
        parts += [_by_language(of, measures) for measures in wanted]
    return _HEAD + "".join(f"\n{part}" for part in parts if part)


def latex_tables(tables: Sequence[Table]) -> str:
    """Any tables as LaTeX."""
    return _HEAD + "".join(f"\n{_float(table, label=table.title)}" for table in tables)


def escaped(text: str) -> str:
    """The text as LaTeX prints it, whatever characters it has."""
    replaced = "".join(_SPECIAL.get(character, character) for character in one_line(text))
    # Two of them in a row would be one other sign.
    return re.sub(r"([-',])(?=\1)", r"\1{}", replaced)


def _explanation(groups: Sequence[JudgedGroup]) -> str:
    """What the marks mean, once for all that mean the same, and what was not tested."""
    of_test: dict[str, list[str]] = {}
    for comparison in (of.tested.comparison for of in groups):
        if comparison:
            text = (
                f"{_BETTER} better and {_WORSE} worse than {comparison.baseline}: paired randomisation test over "
                f"{comparison.clusters}, p up to {comparison.alpha:g} after Holm's correction"
            )
            of_test.setdefault(text, []).append(f"{comparison.n_tests}")
    sentences = [f"{text} for {' and '.join(counts)} tests." for text, counts in of_test.items()]
    return " ".join([*sentences, *(f"Not tested: {reason}" for of in groups for reason in of.tested.reasons)])


def _overview(groups: Sequence[JudgedGroup]) -> str:
    """Models down; tasks and kinds of setting across: means of the headline measure."""
    models = list(dict.fromkeys(label for of in groups for label in of.group.labels))
    columns, heads, abouts = [], [], []
    for of in groups:
        measure = of.group.results[0].headline
        for kind in KINDS:
            cells = of.cells((kind, measure, MEAN))
            if any(cell.text for cell in cells):
                of_model = dict(zip(of.group.labels, cells, strict=True))
                columns.append([of_model.get(model, EMPTY) for model in models])
                heads.append((of.group.title, kind))
        abouts.append(f"{_about(of.group)}: {measure}.")
    table = Table(
        title="Means over languages, monolingual, cross-lingual and multilingual. " + " ".join(abouts),
        header=("Model", *(kind for _, kind in heads)),
        rows=tuple(row(model, *cells) for model, *cells in zip(models, *columns, strict=True)),
        note=_explanation(groups),
    )
    label = "overview " + " ".join(of.group.title for of in groups)
    return _float(table, label=label, groups=("", *(title for title, _ in heads)), compared="of a column")


def _by_language(of: JudgedGroup, measures: Mapping[Kind, str]) -> str:
    """Languages down; kinds of setting and models across."""
    group, table = of.group, of.by_language(list(measures.items()))
    if table is None:
        return ""
    measured = [(kind, m) for kind, m in measures.items() if any(m in r.summary.get(kind, {}) for r in group.results)]
    tested = any(cell.verdict in _MARK_OF for cells in table.rows for cell in cells)
    label = f"{group.title} {' and '.join(dict.fromkeys(m for _, m in measured))}"
    title = f"{table.title}. {_about(group)}."
    table = replace(table, title=title, note=_explanation([of]) if tested else "")
    groups = ("", *(f"{KIND_TITLES[kind]}, {measure}" for kind, measure in measured for _ in group.labels))
    lower = all(direction(measure, None) == "lower" for _, measure in measured)
    among = "of a row" if len(measured) == 1 else "of a row in each kind of setting"
    return _float(
        table,
        label=label,
        groups=groups,
        compared=f"{among}, lower is better" if lower else among,
    )


def _about(group: Group) -> str:
    result = group.results[0]
    kind: Kind = next(iter(kinds_of(result)), "mono")
    return f"{group.title}, n = {counted(result, kind)} in {len(languages_of(result))} languages"


def _float(table: Table, *, label: str, groups: Sequence[str] = (), compared: str = "of those compared") -> str:
    """A table environment; wider ones span the columns of the page and are scaled down to it."""
    caption = [table.title.rstrip("."), table.note.rstrip(".")]
    if any(cell.best for cells in table.rows for cell in cells):
        caption.insert(1, f"Bold: the best {compared}")
    star = "*" if len(table.header) > _MOST_UPRIGHT else ""
    align = "".join("r" if table.is_numeric(i) else "l" for i in range(len(table.header)))
    lines = [
        rf"\begin{{table{star}}}[t]",
        r"\centering",
        rf"\caption{{{'. '.join(escaped(part) for part in caption if part)}.}}",
        rf"\label{{tab:{re.sub('[^a-z0-9]+', '-', label.lower()).strip('-')}}}",
        r"\medskip",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        *_group_lines(groups),
        _line(_heads(table, turned=len(table.header) > _MOST_UPRIGHT and len(groups) > 0)),
        r"\midrule",
    ]
    for cells in table.rows:
        lines += [r"\midrule"] if is_mean(cells) and cells is table.rows[-1] else []
        lines.append(_line([_cell(cell) for cell in cells]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", rf"\end{{table{star}}}", ""])


def _group_lines(groups: Sequence[str]) -> list[str]:
    """The line of names above groups of columns, and the rules below them."""
    if len(set(groups)) < 2:
        return []
    entries, rules, column = [], [], 1
    for name, of_group in groupby(groups):
        n_columns = len(list(of_group))
        entries.append(rf"\multicolumn{{{n_columns}}}{{c}}{{{escaped(name)}}}")
        rules += [rf"\cmidrule(lr){{{column}-{column + n_columns - 1}}}"] if name else []
        column += n_columns
    return [_line(entries), "".join(rules)]


def _heads(table: Table, *, turned: bool) -> list[str]:
    names = [escaped(name) for name in table.header]
    long = max(map(len, table.header[1:]), default=0) > len("multi")
    return [rf"\rotatebox{{90}}{{{name}}}" if name and i and turned and long else name for i, name in enumerate(names)]


def _line(entries: Sequence[str]) -> str:
    return " & ".join(entries) + r" \\"


def _cell(cell: Cell) -> str:
    mark = cell.mark or _MARK_OF.get(cell.verdict, "")
    text = cell.text.replace("-", "$-$") if cell.value is not None else escaped(cell.text)
    bold = rf"\textbf{{{text}}}" if cell.best else text
    return bold + _MARKS.get(mark, escaped(mark))
