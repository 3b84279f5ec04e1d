"""The model card: what a model was trained on and how, so that it can be trained again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from xlbench import __version__
from xlbench.training.data import Data
from xlbench.training.recipes import INFO_NCE, LossName
from xlbench.training.run import TrainingRun
from xlbench.training.trained import Trained

NAME = "README.md"
"""The file that holds the card."""


def text(run: TrainingRun, trained: Trained, *, notes: Sequence[str]) -> str:
    """The card in Markdown, with the front matter that the model hub reads."""
    optimisation, used, history = run.optimisation, trained.used, trained.history
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
        ("steps", f"{trained.steps:,} of batch {optimisation.batch_size:,}; {used.n_epochs:,} epochs begun"),
        ("batches", used.shares() + ("; each of one file" if run.one_source else "")),
        ("languages", ", ".join(run.data.languages)),
        ("loss", _loss(run)),
        (
            "optimiser",
            f"{run.trainer.get('optim', 'AdamW')}, weight decay {optimisation.weight_decay:g}, learning rate "
            f"{optimisation.learning_rate:g}, warm-up {optimisation.warmup:g}, "
            f"{run.trainer.get('lr_scheduler_type', 'linear')} decay, {optimisation.dtype}",
        ),
        ("gradient norm", _clipping(optimisation.max_grad_norm, history)),
        ("longest query, passage", f"{_length(run.init.max_query_length)}, {_length(run.init.max_passage_length)}"),
        ("word embeddings", "frozen" if run.init.freeze_embeddings or run.lora else "trained"),
        ("trained", trained.parameters.describe() + (f"; {run.lora.describe()}" if run.lora else "")),
        *([("attention", trained.attention)] if trained.attention else []),
        ("seed", optimisation.seed),
        *_trainer(run.trainer),
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
            *_files(run.data, used.rows),
            *(f"\n{note}" for note in notes),
            *_validation(history),
            f"\n## Command\n\n```sh\n{run.command}\n```\n",
            "`training.json` has every option, the losses, and how often each pair of languages was used. "
            f"Trained with xlbench {__version__}.\n",
        ]
    )


def _loss(run: TrainingRun) -> str:
    optimisation = run.optimisation
    stages = "; then ".join(dict.fromkeys(_sum(stage.losses) for stage in run.recipe.stages))
    parts = [f"{stages} over cosine, temperature {optimisation.temperature:g}"]
    if optimisation.symmetric:
        parts.append("in both directions")
    if optimisation.n_negatives:
        where = {"passage": "the passage's language", "query": "the query's language", "any": "any language"}
        parts.append(f"{optimisation.n_negatives} hard negatives a row in {where[optimisation.negatives_among]}")
    if optimisation.negative_margin is not None:
        parts.append(f"none with a score above the passage's plus {optimisation.negative_margin:g}")
    if optimisation.dimensions:
        parts.append(f"summed over the first {', '.join(map(str, optimisation.dimensions))} dimensions")
    if run.teacher:
        parts.append(f"teacher `{run.teacher.name}`")
    return f"{', '.join(parts)}; rows that share a text are no negatives of each other"


def _sum(losses: Mapping[LossName, float]) -> str:
    """Losses by their weights, in words."""
    names = {INFO_NCE: "InfoNCE", "margin-mse": "MarginMSE", "kl": "KL", "teacher": "distance from a teacher"}
    names["parallel"] = "KL between a query's languages"
    return " + ".join(f"{weight:g} x {names[name]}" if weight != 1 else names[name] for name, weight in losses.items())


def _files(data: Data, uses: Sequence[int]) -> list[str]:
    """The table of the pair files, and the prompts of those that have some."""
    return [
        "| file | rows | weight | uses | sha256 |",
        "|---|---|---|---|---|",
        *(
            f"| `{file.path.name}` | {len(file.rows):,} | {weight:g} | {n:,} | `{file.sha256}` |"
            for file, weight, n in zip(data.files, data.weights, uses, strict=True)
        ),
        *(
            f"\nPrompts of `{file.path.name}`: {_prompt('queries', of.query)}, {_prompt('passages', of.passage)}."
            for file, of in zip(data.files, data.prompts, strict=False)
        ),
    ]


def _prompt(of: str, prompt: str | None) -> str:
    return f"{of} the model's" if prompt is None else f"{of} `{json.dumps(prompt, ensure_ascii=False)}`"


def _trainer(arguments: Mapping[str, object]) -> list[tuple[str, str]]:
    said = ", ".join(f"`{name}={json.dumps(value)}`" for name, value in arguments.items())
    return [("further arguments of the Trainer", said)] if arguments else []


def _length(tokens: int | None) -> str:
    return "the model's" if tokens is None else f"{tokens:,} tokens"


def _clipping(most: float, history: Sequence[Mapping[str, float]]) -> str:
    """To which norm gradients were cut, and how often that was less than they had."""
    norms = sorted(record["grad_norm"] for record in history if "grad_norm" in record)
    median = f"the median was {norms[len(norms) // 2]:.3g}" if norms else "none was logged"
    if not most:
        return f"not cut; {median}"
    share = sum(norm > most for norm in norms) / max(len(norms), 1)
    return f"cut at {most:g}, which {share:.0%} of the logged steps exceeded; {median}"


def _validation(history: Sequence[Mapping[str, float]]) -> list[str]:
    """What the model was measured by, by step: a table, if there is anything."""
    evaluated = [record for record in history if any(name.startswith("eval_") for name in record)]
    if not evaluated:
        return []
    names = [name for name in evaluated[0] if name.startswith("eval_")]
    return [
        "\n## Validation\n",
        "By step, on pairs that were not trained on and on evaluation tasks: means over the settings of each kind, and "
        "the loss with all held-out passages of a language.\n",
        f"| | {' | '.join(str(record['step']) for record in evaluated)} |",
        "|---" * (len(evaluated) + 1) + "|",
        *(
            f"| {name.removeprefix('eval_')} | {' | '.join(f'{record[name]:.4f}' for record in evaluated)} |"
            for name in names
        ),
    ]
