"""The protocols of models: Encoder and Scorer; and Model, one of them with what identifies it in a result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from xlbench.arrays import VectorArray
from xlbench.collection import Text
from xlbench.models.compression import Compression
from xlbench.models.mixture import Mixture
from xlbench.models.perturbation import Perturbation
from xlbench.models.pooling import Pooling
from xlbench.models.transform import Debiasing

if TYPE_CHECKING:
    from xlbench.models.fused import Fusion
    from xlbench.models.reranker import Reranking

StoredAs = Literal["float32", "float16"]
Role = Literal["queries", "passages"]


class Stages(Protocol):
    """Encoding in stages, so that a device never waits for texts or for a disk.

    An encoder that has them gives them by ``stages(role)``, or None.
    """

    def prepare(self, texts: list[str], /) -> Any:
        """What ``compute`` takes, such as tokens; a thread makes it ahead of the device."""
        ...

    def compute(self, prepared: Any, /) -> Callable[[], VectorArray]:
        """Starts to compute; what it gives waits for the vectors, ``float32[len(texts), D]``, in another thread."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """Gives one vector a text. It knows neither task nor language.

    Prompts, pooling, normalisation, precision and truncation are its own. The score of a query and a passage is the
    inner product of their vectors.

    Its ``representation`` says what it gives where that is no dense vector, ``sparse`` or ``late``, or the names of
    several, as a tuple: then the methods give a dict of them.
    An encoder may also have ``provenance() -> dict``: what else can change its vectors, such as versions of libraries
    or the kind of device. It is part of the key under which vectors are kept, and it is stored in the result.
    Where texts cost money, it may have ``expect``, which is called with how much is to be encoded, before that, and
    ``usage() -> dict``, which is stored in the result, and ``answers``, which keep each answer as it comes.
    """

    name: str
    revision: str

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these queries, ``float32[len(texts), D]``."""
        ...

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """Scores passages for queries without a vector a text: BM25, late interaction, a cross-encoder.

    It sees each text's language. It too may have ``provenance()``.
    """

    name: str
    revision: str

    def fit(self, passages: Sequence[Text], /) -> None:
        """Is called once with all passages of the pool, before any is scored.

        Equal texts come as often as the pool has them, as in an index; ``score`` gets one of them a language.
        """
        ...

    def score(self, queries: Sequence[Text], passages: Sequence[Text], /) -> VectorArray:
        """The scores of some queries with some passages, ``float32[len(queries), len(passages)]``, finite.

        The score of a query and a passage must not depend on what is beside them.
        """
        ...


@dataclass(frozen=True)
class Model:
    """An encoder, a scorer or a fusion, with all that identifies it in a result and can change its scores."""

    encoder: Encoder | Scorer | Fusion
    adapter: str
    arguments: Mapping[str, Any]
    """All of them, for a fusion; else those that the user gave."""
    label: str = ""
    """What results call it; empty for the encoder's own name."""
    fingerprint: str | None = ""
    """What identifies the code, and the weights of a live object; None if nothing does: then no vector is stored."""
    users_code: bool = False
    """Whether the code is the user's own, not xlbench's: then editing it makes another revision of the model."""
    stored_as: StoredAs = "float32"
    """How its vectors are stored; ``float16`` rounds them, and takes half the space."""
    debiasing: Debiasing | None = None
    """What is removed from its vectors before they are scored."""
    mixture: Mixture | None = None
    """Which of its representations are scored, where it gives several."""
    compression: Compression | None = None
    """What is left of its vectors, after they are debiased."""
    pooling: Pooling | None = None
    """How one list is made of several languages' passages; None for one index that holds all of them."""
    reranking: Reranking | None = None
    """What reorders the best passages that it finds."""
    perturbation: Perturbation | None = None
    """How queries are changed before it sees them."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """The arguments that the user gave."""
    named: str = ""
    """What the user named, with which another process can load it; empty for an object."""
    device: str | None = None
    """Where the user has it run, None for the best place there is."""

    @property
    def name(self) -> str:
        """What results call it, without debiasing, compression, pooling, reranking and perturbation."""
        return self.label or self.encoder.name

    @property
    def revision(self) -> str:
        """What identifies weights and, if it is the user's, code."""
        return f"{self.encoder.revision}+{self.fingerprint}" if self.users_code else self.encoder.revision

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed about the model, a sentence each."""
        return tuple(getattr(self.encoder, "notes", ()))

    @property
    def filled(self) -> dict[str, Any]:
        """Arguments that nobody gave: prompts by the model's name, and a task's instruction in them."""
        return dict(getattr(self.encoder, "filled", {}))

    def instructed(self, instruction: str) -> Model:
        """The model for a task with this instruction, which is an argument then; itself if it takes none."""
        instruct = getattr(self.encoder, "instructed", None)
        if not instruction or instruct is None:
            return self
        model = replace(self, encoder=instruct(instruction))
        return replace(model, arguments={**self.arguments, **model.filled})

    def identity(self) -> dict[str, Any]:
        """The ``model`` object of a result."""
        record = self._identity(self.name)
        record = self.mixture.identity(record) if self.mixture else record
        record = self.debiasing.identity(record) if self.debiasing else record
        record = self.compression.identity(record) if self.compression else record
        record = self.pooling.identity(record) if self.pooling else record
        record = self.reranking.identity(record) if self.reranking else record
        return self.perturbation.identity(record) if self.perturbation else record

    def provenance(self) -> dict[str, Any]:
        """What else can change the vectors; see ``Encoder``."""
        provenance = getattr(self.encoder, "provenance", None)
        return _plain(dict(provenance())) if provenance else {}

    def key(self) -> dict[str, Any]:
        """All but the texts, their role and the debiasing that can change a vector."""
        return {
            "model": self._identity(self.encoder.name),
            "provenance": self.provenance(),
            "fingerprint": self.fingerprint,
        }

    def _identity(self, name: str) -> dict[str, Any]:
        record = {
            "name": name,
            "revision": self.revision,
            "adapter": self.adapter,
            "arguments": _plain(dict(self.arguments)),
        }
        return record if self.stored_as == "float32" else {**record, "stored_as": self.stored_as}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from a JSON file; what JSON does not know becomes its text."""
    plain: dict[str, Any] = json.loads(json.dumps(value, default=str))
    return plain
