"""The options of ``xlbench train``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from xlbench.cli.completed_values import task_values
from xlbench.cli.options import attention_option, cache_dir_option, data_dir_option, number, pair_file, quiet_option

if TYPE_CHECKING:
    from xlbench.training.hard_negatives import Among


class TrainingOptions(TypedDict):
    """The values of the options, by the names of the parameters."""

    init: str
    pairs: tuple[str, ...]
    pairs_prompts: tuple[str, ...]
    output: Path
    recipe: str
    alpha: float | None
    batch_size: int
    steps: int | None
    epochs: float | None
    learning_rate: float
    warmup: float
    weight_decay: float
    max_grad_norm: float
    temperature: float
    symmetric: bool
    languages: tuple[str, ...]
    language_sampling: str
    one_source: bool
    negatives: int
    negatives_among: Among
    negative_margin: float | None
    losses: tuple[str, ...]
    matryoshka: tuple[int, ...]
    teacher: str | None
    teacher_args: tuple[str, ...]
    gradient_cache: int | None
    dtype: str
    max_query_length: int | None
    max_passage_length: int | None
    freeze_embeddings: bool
    lora: tuple[str, ...]
    eval_pairs: tuple[Path, ...]
    eval_rows: int | None
    eval_tasks: tuple[str, ...]
    eval_every: int | None
    patience: int | None
    best_by: str | None
    save_every: int | None
    seed: int
    device: str | None
    attention: str | None
    model_args: tuple[str, ...]
    trainer_args: tuple[str, ...]
    resume: bool
    allow_overlap: bool
    data_dir: Path | None
    cache_dir: Path | None
    quiet: bool


_POSITIVE = click.FloatRange(min=0, min_open=True)
_NOT_NEGATIVE = click.FloatRange(min=0)
_COUNT = click.IntRange(min=1)

_DATA = [
    click.option("--init", default="", help="The model to train: a folder or a Hub id."),
    click.option(
        "--pairs",
        multiple=True,
        metavar="FILE[:WEIGHT]",
        help="Pair files: JSON lines, parquet, or hf://datasets/OWNER/NAME; the weight says how often each row is used "
        "in an epoch.  [default: 1]",
    ),
    click.option(
        "--pairs-prompt",
        "pairs_prompts",
        multiple=True,
        metavar="FILE:query|passage=TEXT",
        help="What stands before the queries or passages of one of the pair files.  [default: the model's prompts]",
    ),
    click.option(
        "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the model."
    ),
]
_BATCHES = [
    click.option(
        "--recipe",
        default="hybrid",
        show_default=True,
        help="How languages are mixed in batches: hybrid, x-x-mono, x-y, x-x, en-en, sequential, or a YAML file.",
    ),
    click.option(
        "--alpha",
        type=click.FloatRange(0, 1),
        callback=number,
        help="Probability of a monolingual batch.  [default: the recipe's]",
    ),
    click.option("--batch-size", type=click.IntRange(min=2), default=100, show_default=True, help="Rows in a batch."),
    click.option("--steps", type=_COUNT, help="Batches to train on."),
    click.option(
        "--epochs",
        type=_POSITIVE,
        callback=number,
        help="The same as times through the rows that recipe and languages can use.  [default: 1]",
    ),
    click.option("--language", "--languages", "languages", multiple=True, help="Use these only.  [default: all]"),
    click.option(
        "--language-sampling",
        default="uniform",
        show_default=True,
        metavar="uniform|size|T",
        help="Draw languages, or pairs of them, alike, by their number of rows, or by that number to the power 1/T.",
    ),
    click.option(
        "--one-source-per-batch",
        "one_source",
        is_flag=True,
        help="Have each batch from one pair file, which is drawn by its weight times its rows.",
    ),
    click.option(
        "--negatives",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Hard negatives of each row, drawn from those in the pair file.",
    ),
    click.option(
        "--negatives-in",
        "negatives_among",
        type=click.Choice(["passage", "query", "any"]),
        default="passage",
        show_default=True,
        help="Draw them in the language of the row's passage, in that of its query, or in any.",
    ),
    click.option(
        "--negative-margin",
        type=float,
        callback=number,
        metavar="M",
        help="Leave out those whose score is above that of the row's passage plus M: they may answer.",
    ),
]
_LOSS = [
    click.option(
        "--loss",
        "losses",
        multiple=True,
        metavar="NAME[:WEIGHT]",
        help="What is minimised, a sum: info-nce, margin-mse, kl (scores of the pair file), teacher, parallel.  "
        "[default: the recipe's, info-nce]",
    ),
    click.option(
        "--matryoshka",
        multiple=True,
        type=_COUNT,
        metavar="SIZES",
        help="Sum the loss over vectors cut at these sizes, such as 384,256,128,64.",
    ),
    click.option("--teacher", metavar="MODEL", help="Whose vectors of English texts the loss teacher takes."),
    click.option("--teacher-arg", "teacher_args", multiple=True, metavar="KEY=VALUE", help="Argument of the teacher."),
]
_OPTIMISATION = [
    click.option(
        "--learning-rate",
        type=_POSITIVE,
        callback=number,
        default=3e-5,
        show_default=True,
        help="The highest, after the warm-up; it falls to 0 at the end.",
    ),
    click.option(
        "--warmup",
        type=click.FloatRange(0, 1),
        callback=number,
        default=0.1,
        show_default=True,
        help="Share of the steps in which the learning rate rises.",
    ),
    click.option(
        "--weight-decay",
        type=_NOT_NEGATIVE,
        callback=number,
        default=0.01,
        show_default=True,
        help="Of AdamW; biases and layer norms have none.",
    ),
    click.option(
        "--max-grad-norm",
        type=_NOT_NEGATIVE,
        callback=number,
        default=1.0,
        show_default=True,
        help="Cut longer gradients to this length; 0 cuts none.",
    ),
    click.option(
        "--temperature",
        type=_POSITIVE,
        callback=number,
        default=0.03,
        show_default=True,
        help="What cosines are divided by in the loss.",
    ),
    click.option("--symmetric", is_flag=True, help="Have passages find their queries too."),
    click.option(
        "--gradient-cache",
        type=_COUNT,
        metavar="ROWS",
        help="Encode so many texts at a time, twice: large batches in little memory.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["float32", "bfloat16", "float16"]),
        default="float32",
        show_default=True,
        help="Precision of the arithmetic; weights stay float32.",
    ),
    click.option("--max-query-length", type=click.IntRange(min=3), help="In tokens.  [default: the model's]"),
    click.option("--max-passage-length", type=click.IntRange(min=3), help="In tokens.  [default: the model's]"),
    click.option("--freeze-embeddings", is_flag=True, help="Leave word embeddings as they are: less work and memory."),
    click.option(
        "--lora",
        multiple=True,
        metavar="KEY=VALUE",
        help="Train matrices of low rank in place of the weights: r=8, alpha=16, dropout=0.1, targets=query,value.",
    ),
    click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of batches and dropout."),
]
_WATCH = [
    click.option("--eval-pairs", multiple=True, type=pair_file, help="Held-out pair files, measured on one at a time."),
    click.option(
        "--eval-rows",
        type=_COUNT,
        metavar="N",
        help="Measure on N rows of each, with each set of languages in proportion.  [default: all]",
    ),
    click.option(
        "--eval-task",
        "eval_tasks",
        multiple=True,
        metavar="TASK",
        shell_complete=task_values,
        help="Measure on these tasks too: a name or a YAML file.",
    ),
    click.option("--eval-every", type=_COUNT, metavar="STEPS", help="Steps between evaluations.  [default: a tenth]"),
    click.option(
        "--patience", type=_COUNT, help="Stop when so many evaluations were no better than one before, and keep that."
    ),
    click.option(
        "--best-by",
        metavar="VALUE",
        help="What better means: a value that evaluations show, such as FILE_multi_AP, FILE_loss_cross or "
        "demo_cross_AP.  [default: multi of the first --eval-pairs, or task]",
    ),
    click.option(
        "--save-every", type=_COUNT, metavar="STEPS", help="Steps between checkpoints.  [default: as --eval-every]"
    ),
]
_REST = [
    click.option(
        "--device", type=click.Choice(["cpu", "cuda", "mps"]), help="Where to train.  [default: the best there is]"
    ),
    attention_option,
    click.option(
        "--model-arg",
        "model_args",
        multiple=True,
        metavar="KEY=VALUE",
        help="Of --init: query_prompt, passage_prompt, pooling=mean|cls|last or revision.  [default: its own]",
    ),
    click.option(
        "--trainer-arg",
        "trainer_args",
        multiple=True,
        metavar="KEY=VALUE",
        help="Of transformers' TrainingArguments, such as report_to=tensorboard or dataloader_num_workers=2.",
    ),
    click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --output."),
    click.option("--allow-overlap", is_flag=True, help="Train although pairs overlap with evaluation tasks at hand."),
    data_dir_option,
    cache_dir_option,
    quiet_option,
]


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with all options, in the order in which ``--help`` shows them."""
    for option in reversed([*_DATA, *_BATCHES, *_LOSS, *_OPTIMISATION, *_WATCH, *_REST]):
        command = option(command)
    return command
