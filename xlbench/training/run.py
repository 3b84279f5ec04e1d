"""What a training run is: everything that can change its weights, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xlbench.errors import UnknownNameError
from xlbench.models import folders
from xlbench.models.protocols import Model
from xlbench.training.data import Data
from xlbench.training.hard_negatives import Among, HardNegatives
from xlbench.training.pairs import PairFile
from xlbench.training.recipes import Recipe

_ARGUMENTS = ("query_prompt", "passage_prompt", "pooling", "revision", "attention")


@dataclass(frozen=True)
class Init:
    """The model that is trained."""

    model: str
    """A folder or a Hub id."""
    arguments: Mapping[str, Any]
    """``query_prompt``, ``passage_prompt``, ``pooling`` and ``revision``, by default the model's own; ``attention``."""
    max_query_length: int | None = None
    """In tokens, while it is trained; None for the model's."""
    max_passage_length: int | None = None
    freeze_embeddings: bool = False
    """Whether the word embeddings stay as they are."""

    def check(self) -> None:
        """Refuses what no library should be asked for.

        Raises:
            UnknownNameError: if the model is neither a folder nor a Hub id, or there is no such argument.

        """
        for name in self.arguments:
            if name not in _ARGUMENTS:
                raise UnknownNameError("model argument", name, _ARGUMENTS)
        if not Path(self.model).exists() and not folders.is_hub_id(self.model):
            raise UnknownNameError("model", self.model, [], hint="Expected a folder, or a Hub id (owner/name).")


@dataclass(frozen=True)
class Lora:
    """Matrices of low rank that are trained beside linear layers, in place of all weights."""

    r: int = 8
    """The rank."""
    alpha: float | None = None
    """What their product is multiplied by, over the rank; twice the rank by default."""
    dropout: float = 0.0
    targets: tuple[str, ...] = ()
    """The layers by the ends of their names; empty for all linear ones but the pooler."""

    @property
    def scale(self) -> float:
        """``alpha``, or what it is by default."""
        return 2.0 * self.r if self.alpha is None else self.alpha

    def describe(self) -> str:
        """One clause for a card."""
        where = ", ".join(self.targets) or "all linear layers"
        dropout = f", dropout {self.dropout:g}" if self.dropout else ""
        return f"LoRA of rank {self.r}, alpha {self.scale:g}{dropout}, in {where}, merged into the weights"


@dataclass(frozen=True)
class Optimisation:
    """How the weights are changed."""

    steps: int
    batch_size: int = 100
    learning_rate: float = 3e-5
    warmup: float = 0.1
    """The share of the steps in which the learning rate rises from 0; after them it falls to 0, both linearly."""
    temperature: float = 0.03
    symmetric: bool = False
    n_negatives: int = 0
    """Hard negatives of each row."""
    negatives_among: Among = "passage"
    """In which languages they are, see ``HardNegatives``."""
    negative_margin: float | None = None
    """How far above the score of a row's passage that of a negative may be; None for any."""
    dimensions: tuple[int, ...] = ()
    """The sizes at which vectors are trained (Matryoshka); empty for the whole ones alone."""
    gradient_cache: int | None = None
    """Texts that are encoded at a time, or None to encode a batch at once."""
    dtype: str = "float32"
    seed: int = 0
    max_grad_norm: float = 1.0
    """The length to which longer gradients are cut; 0 leaves them as they are."""
    weight_decay: float = 0.01

    @property
    def hard(self) -> HardNegatives:
        """How hard negatives are chosen."""
        return HardNegatives(self.n_negatives, self.negatives_among, self.negative_margin, self.seed)


@dataclass(frozen=True)
class Watch:
    """When a run is looked at and kept, and on what it is measured."""

    eval_every: int
    save_every: int
    patience: int | None = None
    """Evaluations without a better value after which the training ends."""
    criterion: str | None = None
    """The value by which the best model is chosen; None for the widest setting of the first pairs, or task."""
    pairs: tuple[PairFile, ...] = ()
    """Held-out pairs."""
    n_rows: int | None = None
    """Rows of each of them that are measured; None for all."""
    tasks: tuple[str, ...] = ()
    """Evaluation tasks."""

    def identity(self) -> dict[str, Any]:
        """What tells two apart: each evaluation draws from no random numbers, but patience may end the training."""
        files = [{"name": file.path.name, "sha256": file.sha256} for file in self.pairs]
        return {
            **{name: getattr(self, name) for name in ("eval_every", "save_every", "patience", "criterion", "n_rows")},
            "pairs": files,
            "tasks": list(self.tasks),
        }


@dataclass(frozen=True)
class TrainingRun:
    """A training run."""

    init: Init
    recipe: Recipe
    optimisation: Optimisation
    language_temperature: float
    data: Data
    watch: Watch
    output: Path
    device: str | None = None
    command: str = ""
    trainer: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of transformers' Trainer."""
    teacher: Model | None = None
    """Whose vectors of English texts the loss ``teacher`` takes."""
    one_source: bool = False
    """Whether all rows of a batch are of one pair file."""
    lora: Lora | None = None
    """What is trained in place of the weights."""

    def identity(self, revision: str) -> dict[str, Any]:
        """All that the weights follow from; a run goes on only where it is the same. JSON has no infinity."""
        init = asdict(self.init) | {"model": self.init.model, "arguments": dict(self.init.arguments)}
        return {
            "init": init | {"revision": revision},
            "recipe": self.recipe.identity(),
            "optimisation": asdict(self.optimisation),
            "languages": list(self.data.languages),
            "language_temperature": str(self.language_temperature),
            "one_source_per_batch": self.one_source,
            "files": [
                {"name": file.path.name, "sha256": file.sha256, "rows": len(file.rows), "weight": weight}
                | ({"prompts": asdict(self.data.prompts[i])} if self.data.prompts else {})
                for i, (file, weight) in enumerate(zip(self.data.files, self.data.weights, strict=True))
            ],
            "watch": self.watch.identity(),
            "trainer": dict(self.trainer),
            "teacher": self.teacher and self.teacher.identity(),
            "lora": self.lora and {**asdict(self.lora), "alpha": self.lora.scale},
        }
