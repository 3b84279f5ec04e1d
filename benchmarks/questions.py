"""Five questions, answered from what gpu_training.py measured; writes the tables of docs/experiments/questions.md.

    python benchmarks/questions.py --cells cells.jsonl       # keeps of its cells what the page needs
    python benchmarks/questions.py                           # writes the page again

Figures are kept in ``benchmarks/questions.json``, and every number between the markers of the page is computed from
them. Where an arm has several seeds, a figure is their mean with its t interval.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import common
from gpu_arms import ARMS, DOMAINS, SHARED, TRAINED
from gpu_training import UNTRAINED
from question_figures import ALIGNED, Arms, difference, kept, number, spearman, written

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "benchmarks" / "questions.json"
PAGE = ROOT / "docs" / "experiments" / "questions.md"
HYBRID, X_Y, X_X_MONO = "alpha-0.5", "alpha-0", "alpha-1"
NAMES = {HYBRID: "hybrid", X_Y: "x-y", X_X_MONO: "x-x-mono"}
"""Arms that have a name in the paper."""
RECIPES = (UNTRAINED, HYBRID, "sequential", X_Y, X_X_MONO, "x-x", "en-en", "teacher")
OF_DOMAINS = (*DOMAINS, "mixed")
PREDICTORS = {
    "parallel_cosine": "parallel cosine",
    "random_cosine": "random cosine",
    "difference": "parallel - random",
    "bitext_accuracy": "bitext accuracy",
    "language_variance": "language variance",
    "tatoeba": "Tatoeba R@1",
}
"""What could foretell retrieval, and what a table calls it."""
KINDS = ("mono", "cross", "multi")
SENTENCES, PARAGRAPHS = "xquad-r", "xquad"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, help="the cells that gpu_training.py wrote")
    options = parser.parse_args()
    if options.cells:
        cells = [json.loads(line) for line in options.cells.read_text(encoding="utf-8").splitlines()]
        FIGURES.write_text(written(kept(cells)), encoding="utf-8")
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")


def page(text: str, figures: dict[str, Any]) -> str:
    """The page with what is computed from the figures between its markers."""
    arms = Arms(figures["cells"])
    parts = {
        "arms": arm_lines(arms, figures["settings"]),
        "afriqa": afriqa_lines(arms),
        "mono": mono_lines(arms),
        "alignment": alignment_lines(arms),
        "domains": domain_lines(arms),
        "xtreme-r": xtreme_lines(arms),
    }
    for part, lines in parts.items():
        text = common.filled(text, "questions.py", part, lines)
    return text


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> Iterator[str]:
    """A table whose first column is text; the others are to the right if they are numbers."""
    yield f"| {' | '.join(header)} |"
    yield f"|---{('|--:' if numbers else '|---') * (len(header) - 1)}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def of_arms(arms: Arms, names: Sequence[str], columns: Mapping[str, str]) -> Iterator[str]:
    """A table of arms, whose columns are figures by what they are called."""
    rows = [
        [NAMES.get(arm, arm), *(arms.shown(arm, figure) for figure in columns.values())] for arm in names if arm in arms
    ]
    yield from table(["arm", *columns], rows)


def arm_lines(arms: Arms, settings: dict[str, Any]) -> Iterator[str]:
    """What was trained."""
    rows = []
    for name in (*RECIPES[1:], *OF_DOMAINS):
        if name not in arms:
            continue
        arm, cells = ARMS[name], arms.cells[name]
        label = f"{NAMES[name]} (`{name}`)" if name in NAMES else f"`{name}`"
        pairs = ", ".join(f"{of} ({settings['pairs'][of]['rows']:,})" for of in arm.pairs)
        batches = ", ".join(f"{n} {kind}" for kind, n in next(iter(cells.values()))["batches"].items())
        languages = ["en"] if name == "en-en" else arm.languages
        rows.append([label, pairs, " ".join(languages), batches, ", ".join(map(str, cells))])
    yield from table(["arm", "pairs (rows)", "languages", "batches", "seeds"], rows, numbers=False)
    yield ""
    lengths = "queries cut at {} and passages at {} tokens".format(*settings["lengths"])
    yield f"{settings['steps']} steps of {settings['batch_size']} rows, learning rate {settings['learning_rate']:g},"
    yield f"temperature {number(settings['temperature'], 2)}, {lengths}, {settings['dtype']}, on one"
    yield f"{settings['device']}."


def afriqa_lines(arms: Arms) -> Iterator[str]:
    """Question 1."""
    kinds, ap = ("cross", "multi"), arms.languages
    columns = {f"{kind} {measure}": f"afriqa {kind} {measure}" for kind in kinds for measure in ("AP", "nDCG@10")}
    yield from of_arms(arms, (*RECIPES, *OF_DOMAINS), columns)
    compared = (UNTRAINED, HYBRID, "sequential", X_Y, X_X_MONO)
    settings: dict[str, dict[str, str]] = {}
    for name in ap[UNTRAINED]:
        task, setting = name.split()
        if task == "afriqa":
            settings.setdefault(setting.split(">")[0], {})["multi" if "*" in setting else "cross"] = name
    yield "\nAP by the language of the questions, cross-lingual / multilingual:\n"
    rows = []
    for language, names in sorted(settings.items()):
        cells = [" / ".join(number(ap[arm][names[kind]]) for kind in kinds) for arm in compared]
        less = (number(ap[HYBRID][names[kind]] - ap["sequential"][names[kind]], sign=True) for kind in kinds)
        rows.append([language, *cells, " / ".join(less)])
    yield from table(["language", *(NAMES.get(arm, arm) for arm in compared), "hybrid - sequential"], rows)
    yield "\nOver the languages: mean, its t interval, and in how many hybrid is higher.\n"
    rows = []
    for other in (UNTRAINED, "sequential", X_Y, X_X_MONO):
        row = [f"hybrid - {NAMES.get(other, other)}"]
        for kind in kinds:
            of = [ap[HYBRID][names[kind]] - ap[other][names[kind]] for names in settings.values()]
            row.append(f"{difference(of)}, {sum(value > 0 for value in of)} of {len(of)}")
        rows.append(row)
    yield from table(["difference", "cross AP", "multi AP"], rows)


def mono_lines(arms: Arms) -> Iterator[str]:
    """Question 2."""
    columns = {
        "MIRACL Yoruba nDCG@10": "miracl mono nDCG@10",
        "MIRACL Yoruba AP": "miracl mono AP",
        "XQuAD AP": "xquad mono AP",
        "XQuAD-R AP": "xquad-r mono AP",
        "XQuAD-R with paragraph AP": "xquad-r-context mono AP",
        "MLQA-R AP": "mlqa-r mono AP",
    }
    yield from of_arms(arms, RECIPES, columns)
    yield "\nMonolingual AP by language:\n"
    tasks = {PARAGRAPHS: "XQuAD", SENTENCES: "XQuAD-R"}
    others = (UNTRAINED, "sequential")
    rows = []
    lost: dict[tuple[str, bool], list[float]] = {}
    languages = [name.split(">")[1] for name in arms.languages[UNTRAINED] if name.startswith(f"{PARAGRAPHS} ")]
    for language in languages:
        row = [language, "yes" if language in TRAINED else "no"]
        for task in tasks:
            ap = {arm: arms.languages[arm].get(f"{task} {language}>{language}") for arm in (HYBRID, *others)}
            if ap[HYBRID] is None:
                row += ["", "", "", ""]
                continue
            less = [ap[HYBRID] - ap[arm] for arm in others]
            row += [number(ap[UNTRAINED]), number(ap[HYBRID]), *(number(value, sign=True) for value in less)]
            lost.setdefault((task, language in TRAINED), []).append(less[0])
        rows.append(row)
    heads = ("untrained", "hybrid", "hybrid - untrained", "hybrid - sequential")
    yield from table(
        ["language", "trained on", *(f"{name}: {head}" for name in tasks.values() for head in heads)], rows
    )
    yield "\nHybrid - untrained, mean and t interval over languages (number of languages):\n"
    rows = [
        [label, *(f"{difference(lost[task, trained])} ({len(lost[task, trained])})" for task in tasks)]
        for label, trained in (("trained on", True), ("others", False))
    ]
    yield from table(["languages", *tasks.values()], rows)


def alignment_lines(arms: Arms) -> Iterator[str]:
    """Question 3."""
    names = [name for name in (*RECIPES, *OF_DOMAINS) if name in arms]
    goals = [f"{kind} AP" for kind in KINDS]
    for task in ALIGNED:
        yield f"`{task}`:\n"
        rows = []
        for arm in names:
            values = [arms.predictor(arm, name, task) for name in PREDICTORS]
            values += [arms.mean(arm, f"{task} {goal}") for goal in goals]
            rows.append([NAMES.get(arm, arm), *map(number, values)])
        yield from table(["arm", *PREDICTORS.values(), *goals], rows)
        yield ""
    for label, group in ((f"all {len(names)} models", names), (f"the {len(RECIPES)} of the recipes alone", RECIPES)):
        yield f"Spearman's correlation over {label}, with 95 % bootstrap intervals:\n"
        rows = []
        for task in ALIGNED:
            reached = [[arms.mean(arm, f"{task} {goal}") for arm in group] for goal in goals]
            for name, called in PREDICTORS.items():
                predictor = [arms.predictor(arm, name, task) for arm in group]
                rows.append([f"`{task}`: {called}", *(str(spearman(predictor, of)) for of in reached)])
        yield from table(["measure", *goals], rows)
        yield ""


def domain_lines(arms: Arms) -> Iterator[str]:
    """Question 4."""
    names = [name for name in (UNTRAINED, *OF_DOMAINS) if name in arms]
    yield f"R@1 / AP on the held-out documents of a domain, mean of the 12 pairs of {', '.join(SHARED)}:\n"
    rows = []
    for name in names:
        cells = [[arms.shown(name, f"{of} cross {measure}") for measure in ("R@1", "AP")] for of in DOMAINS]
        rows.append([name, *map(" / ".join, cells)])
    yield from table(["trained on", *(f"tested on {of}" for of in DOMAINS)], rows)
    yield "\nElsewhere:\n"
    columns = {
        **{f"XQuAD-R {kind} AP": f"xquad-r {kind} AP" for kind in KINDS},
        "XQuAD AP": "xquad mono AP",
        "AfriQA cross AP": "afriqa cross AP",
        "AfriQA multi AP": "afriqa multi AP",
        "MIRACL Yoruba AP": "miracl mono AP",
        "Tatoeba R@1": "tatoeba cross R@1",
    }
    yield from of_arms(arms, [*names, X_Y], columns)


def xtreme_lines(arms: Arms) -> Iterator[str]:
    """Question 5."""
    columns = {
        "LAReQA: multi AP@20": "xquad-r-context multi AP@20",
        "Tatoeba: R@1": "tatoeba cross R@1",
        "LAReQA: mono AP@20": "xquad-r-context mono AP@20",
        "LAReQA: cross AP@20": "xquad-r-context cross AP@20",
        "LAReQA: RankDistance": "xquad-r-context multi RankDistance",
    }
    yield from of_arms(arms, (*RECIPES, *OF_DOMAINS), columns)


if __name__ == "__main__":
    main()
