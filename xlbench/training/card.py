"""The model card: what a model was trained on and how, so that it can be trained again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from xlbench import __version__
from xlbench.errors import ResultError
from xlbench.models import folders
from xlbench.reports.formats import markdown
from xlbench.reports.tables import language_bias, summary
from xlbench.results import Result
from xlbench.support.files import write_whole
from xlbench.training.run import Run
from xlbench.training.steps import Used

NAME = "README.md"
"""The file that holds the card."""
_BEGIN, _END = "<!-- xlbench scores -->", "<!-- end of xlbench scores -->"


def text(run: Run, used: Used, history: Sequence[Mapping[str, float]], *, steps: int, notes: Sequence[str]) -> str:
    """The card in Markdown, with the front matter that the model hub reads."""
    optimisation = run.optimisation
    head = {
        "library_name": "sentence-transformers",
        "pipeline_tag": "sentence-similarity",
        "language": list(run.data.languages),
        "base_model": Path(run.init.model).name if Path(run.init.model).exists() else run.init.model,
        "tags": ["sentence-transformers", "xlbench", "multilingual"],
    }
    stages = "; then ".join(
        " and ".join(f"{share:g} {kind}" for kind, share in stage.batches.items())
        + (f" until {stage.until:g}" if stage.until is not None else "")
        + (f" in {', '.join(stage.languages)}" if stage.languages else "")
        for stage in run.recipe.stages
    )
    rows = [
        ("initial model", head["base_model"]),
        ("recipe", f"`{run.recipe.name}`: {stages}"),
        ("steps", f"{steps:,} of batch {optimisation.batch_size:,}; {used.n_epochs:,} epochs begun"),
        ("batches", ", ".join(f"{n:,} {kind}" for kind, n in used.batches.items())),
        ("languages", ", ".join(run.data.languages)),
        ("loss", _loss(run)),
        (
            "optimiser",
            f"AdamW, weight decay 0.01, learning rate {optimisation.learning_rate:g}, "
            f"warm-up {optimisation.warmup:g}, linear decay, {optimisation.dtype}",
        ),
        ("longest query, passage", f"{_length(run.init.max_query_length)}, {_length(run.init.max_passage_length)}"),
        ("word embeddings", "frozen" if run.init.freeze_embeddings else "trained"),
        ("seed", optimisation.seed),
    ]
    files = [
        f"| `{file.path.name}` | {len(file.rows):,} | {weight:g} | {n:,} | `{file.sha256}` |"
        for file, weight, n in zip(run.data.files, run.data.weights, used.rows, strict=True)
    ]
    return "\n".join(
        [
            f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False)}---\n",
            f"# {run.output.resolve().name}\n",
            f"{run.recipe.about}\n",
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in rows),
            "\n## Data\n",
            "| file | rows | weight | uses | sha256 |",
            "|---|---|---|---|---|",
            *files,
            *(f"\n{note}" for note in notes),
            *_validation(history),
            f"\n## Command\n\n```sh\n{run.command}\n```\n",
            "`training.json` has every option, the losses, and how often each pair of languages was used. "
            f"Trained with xlbench {__version__}.\n",
        ]
    )


def add_scores(folder: Path, results: Mapping[Path, Result]) -> Path:
    """Writes the scores of results into the card of the model in ``folder``, in place of those that it had.

    Raises:
        ResultError: if there is no card, or a result is of other weights or of debiased vectors.

    """
    card = folder / NAME
    try:
        before = card.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ResultError(
            f"{card} does not exist: expected the folder of a model with its card, as `xlbench train` writes it."
        ) from error
    except ValueError as error:
        raise ResultError(f"{card} is not a text in UTF-8.") from error
    revision = folders.revision_of(str(folder), revision=None)
    for path, result in results.items():
        if result.model["revision"] != revision:
            raise ResultError(
                f"{path} is a result of {result.model['name']} {result.model['revision']}, and {folder} has "
                f"{revision}: run `xlbench run --model {folder} --task {result.task}` and give its result."
            )
        if "transform" in result.model:
            raise ResultError(
                f"{path} is a result of {result.model['name']}, whose vectors were debiased while scored, which "
                f"{folder} by itself does not do: give a result without --transform, or write a model that debiases "
                "itself with `xlbench debias`."
            )
    scores = "\n".join(_scores(result) for result in results.values())
    section = f"{_BEGIN}\n\n## Scores\n\n{scores}\n{_END}\n"
    without = re.sub(rf"\n?{re.escape(_BEGIN)}.*?{re.escape(_END)}\n?", "", before, flags=re.DOTALL)
    write_whole(card, f"{without.rstrip()}\n\n{section}".encode())
    return card


def _scores(result: Result) -> str:
    """The tables of a result, below the arguments that its model had."""
    arguments = ", ".join(f"{key}={value}" for key, value in result.model["arguments"].items())
    tables = markdown([table for table in (summary(result), language_bias(result)) if table])
    return f"With `{arguments}`:\n\n{tables}" if arguments else tables


def _loss(run: Run) -> str:
    optimisation = run.optimisation
    parts = [f"InfoNCE over cosine, temperature {optimisation.temperature:g}"]
    if optimisation.symmetric:
        parts.append("in both directions")
    if optimisation.n_negatives:
        parts.append(f"{optimisation.n_negatives} hard negatives a row")
    return f"{', '.join(parts)}; rows that share a text are no negatives of each other"


def _length(tokens: int | None) -> str:
    return "the model's" if tokens is None else f"{tokens:,} tokens"


def _validation(history: Sequence[Mapping[str, float]]) -> list[str]:
    """The measures of the validation pairs by step: a table, if there are any."""
    found = [record for record in history if "eval_loss" in record]
    if not found:
        return []
    names = [name for name in found[0] if name.startswith("eval_")]
    header = " | ".join(name.removeprefix("eval_").replace("_", " ") for name in names)
    return [
        "\n## Validation\n",
        "The loss on pairs that were not trained on, and RR in each kind of setting.\n",
        f"| step | {header} |",
        "|---" * (len(names) + 1) + "|",
        *(f"| {record['step']:,} | {' | '.join(f'{record[name]:.4f}' for name in names)} |" for record in found),
    ]
