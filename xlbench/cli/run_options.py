"""The options of ``xlbench run``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from xlbench.cli.completed_values import language_values, model_values, task_values
from xlbench.cli.options import (
    attention_option,
    cache_dir_option,
    data_dir_option,
    device_option,
    model_arg_option,
    plain_format_option,
)
from xlbench.models.compression import QUANTIZE
from xlbench.models.perturbation import METHODS as PERTURBATIONS
from xlbench.models.pooling import METHODS as POOLINGS
from xlbench.settings import KINDS, Kind

if TYPE_CHECKING:
    from xlbench.models.protocols import StoredAs
    from xlbench.models.reranker import Among
    from xlbench.models.transform import Side

_DEFAULT_TASKS = ("xquad-r", "mlqa-r")


class RunOptions(TypedDict):
    """The values of the options, by the names of the parameters."""

    model_names: tuple[str, ...]
    name: str | None
    task_names: tuple[str, ...]
    wanted: tuple[str, ...]
    kinds: tuple[Kind, ...]
    limit: int | None
    data_dir: Path | None
    output: Path
    cache_dir: Path | None
    device: str | None
    dtype: str | None
    max_length: int | None
    attention: str | None
    model_args: tuple[str, ...]
    base_url: str | None
    price: float | None
    max_cost: float | None
    kind: str | None
    instruction: str | None
    no_instruction: bool
    stored_as: StoredAs
    representations: tuple[str, ...]
    transform_name: str | None
    side: Side | None
    fit_on: Path | None
    dimensions: int | None
    quantize: str | None
    pool: str
    reranker: str | None
    rerank_base_url: str | None
    depth: int | None
    among: Among | None
    perturb: str | None
    keep_run: int | None
    qrels: bool
    force: bool
    full: bool
    form: str
    quiet: bool
    dry_run: bool
    workers: int | None
    ray: str | None


_OPTIONS = [
    click.option(
        "--model",
        "model_names",
        multiple=True,
        shell_complete=model_values,
        help="A Hub id or folder, bm25, use-multilingual, hash, fusion:A+B, "
        "or package.module:Class; see `xlbench models`.",
    ),
    click.option("--name", help="What the result calls the model.  [default: its Hub id, or its folder's name]"),
    click.option(
        "--task",
        "task_names",
        multiple=True,
        default=_DEFAULT_TASKS,
        show_default=True,
        shell_complete=task_values,
        help="Name of a task, or its YAML file.",
    ),
    click.option(
        "--language",
        "wanted",
        multiple=True,
        shell_complete=language_values,
        help="Evaluate these languages only.  [default: all]",
    ),
    click.option(
        "--setting",
        "kinds",
        multiple=True,
        type=click.Choice(KINDS),
        help="Evaluate these settings only.  [default: the task's]",
    ),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        help="A first look: draw at most N questions, in whole clusters, and as large a part of the passages.  "
        "[default: all]",
    ),
    data_dir_option,
    click.option(
        "--output",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("results"),
        show_default=True,
        help="Folder for results.",
    ),
    cache_dir_option,
    device_option,
    click.option(
        "--dtype",
        type=click.Choice(["float32", "bfloat16", "float16"]),
        help="Precision of the model.  [default: float32]",
    ),
    click.option(
        "--max-length",
        type=click.IntRange(min=1),
        help="Longest input in tokens; the front is kept.  [default: the model's]",
    ),
    attention_option,
    model_arg_option,
    click.option(
        "--base-url",
        metavar="URL",
        help="Address of the API of openai:MODEL, such as http://127.0.0.1:8000/v1; the key is read from "
        "XLBENCH_API_KEY.  [default: OpenAI's, with OPENAI_API_KEY]",
    ),
    click.option(
        "--price",
        type=float,
        metavar="PER_MILLION",
        help="What a million tokens of the API cost.  [default: of litellm:MODEL, what litellm says]",
    ),
    click.option("--max-cost", type=float, help="Stop before all tokens cost more than this; needs a price."),
    click.option(
        "--kind",
        type=click.Choice(["dense", "sparse", "late", "several"]),
        help="What the model gives: a vector a text, weighted terms, a vector a token, or all three, as BGE-M3.  "
        "[default: as its files say]",
    ),
    click.option(
        "--representation",
        "representations",
        multiple=True,
        metavar="dense|sparse|late|sum[:WEIGHTS]",
        help="Which representations of a model that gives several are scored, a result each; sum:0.4,0.2,0.4 adds "
        "their scores.",
    ),
    click.option(
        "--instruction",
        metavar="TEXT",
        help="What queries ask for, for a model whose prompt has room for it.  [default: the task's]",
    ),
    click.option("--no-instruction", is_flag=True, help="Put no instruction, and no prompt with one, before queries."),
    click.option(
        "--store",
        "stored_as",
        type=click.Choice(["float32", "float16"]),
        default="float32",
        show_default=True,
        help="How vectors are kept and then read for scoring; float16 rounds them, and takes half the space.",
    ),
    click.option(
        "--transform",
        "transform_name",
        metavar="center|lir:K|shift:LANGUAGE",
        help="Debias the vectors before they are scored: subtract each "
        "language's mean, project out its K first principal "
        "components, or move passages by the mean difference to those of a language. Vectors then have length 1.",
    ),
    click.option(
        "--side",
        type=click.Choice(["both", "queries", "passages"]),
        help="Whose vectors --transform changes.  [default: both; of shift the passages]",
    ),
    click.option(
        "--fit-on",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Parallel text (JSON lines) to fit --transform on.  [default: "
        "the task's own texts, marked as transductive]",
    ),
    click.option(
        "--dimensions", type=click.IntRange(min=1), help="The first dimensions of vectors only.  [default: all]"
    ),
    click.option(
        "--quantize",
        metavar="|".join(QUANTIZE),
        help="Bits of each dimension, of queries and passages or of passages alone.  [default: float32]",
    ),
    click.option(
        "--pool",
        "pool",
        default="one",
        show_default=True,
        metavar="|".join(["one", *POOLINGS]),
        help="How one list is made of several languages' passages: in one "
        "index, of the lists of single-language indexes, "
        "or with scores normalised by language.",
    ),
    click.option(
        "--rerank",
        "reranker",
        metavar="RERANKER",
        help="Reorder the best passages with a CrossEncoder (a folder or Hub id), cohere:MODEL behind an API, or your "
        "own class with score_pairs.",
    ),
    click.option(
        "--rerank-base-url",
        metavar="URL",
        help="Address of the API of cohere:MODEL; the key is read from XLBENCH_API_KEY.  [default: Cohere's, with "
        "CO_API_KEY]",
    ),
    click.option("--depth", type=click.IntRange(min=1), help="How many passages --rerank gets.  [default: 100]"),
    click.option(
        "--among",
        type=click.Choice(["pool", "language"]),
        help="The best passages of each pool are reranked, or of each language in it.  [default: pool]",
    ),
    click.option(
        "--perturb",
        type=click.Choice(PERTURBATIONS),
        help="Change the queries before the model sees them: transliterated to Latin letters, mixed with English, in "
        "lower case, without accents.  [default: as they are]",
    ),
    click.option(
        "--keep-run",
        type=click.IntRange(min=1),
        metavar="K",
        help="Write the K best passages of each query and setting as TREC runs, to <task>.runs.",
    ),
    click.option(
        "--qrels",
        is_flag=True,
        help="Write the judgements of each setting, and the languages of passages, to <task>.runs.",
    ),
    click.option("--force", is_flag=True, help="Encode all texts again and replace the result, whatever is stored."),
    click.option("--full", is_flag=True, help="Print all tables, as `xlbench report` does."),
    plain_format_option,
    click.option("--quiet", is_flag=True, help="Print the headline and the file only; a terminal still has its bar."),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Have N processes encode, on this machine or on the Ray cluster.",
    ),
    click.option(
        "--ray", metavar="HOST:PORT|auto", help="Have the machines of a Ray cluster encode; they share --cache-dir."
    ),
    click.option("--dry-run", is_flag=True, help="List what would be evaluated, and which results exist; do nothing."),
]


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the options, in their order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
