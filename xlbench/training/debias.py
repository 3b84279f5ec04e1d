"""Writes a model with a fitted transform into a folder that is a model itself; see ``models.debiased``."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xlbench import models
from xlbench.catalogue.readers import read
from xlbench.collection import Collection, Texts
from xlbench.engine.debiasing import fit
from xlbench.engine.model_scores import score_collection
from xlbench.engine.scores import VectorScores
from xlbench.engine.vectors import Embeddings
from xlbench.errors import EncoderError
from xlbench.models.debiased import MODEL, Removal, Settings, codes, write
from xlbench.models.kinds import BUILT_IN, FOLDERS
from xlbench.models.language_identifier import Identifier
from xlbench.models.transform import Transform
from xlbench.support.progress import Progress, silent
from xlbench.training.pairs import read_pairs

_NOT_COPIED = (".*", "checkpoint-*")


@dataclass(frozen=True)
class PlainModel:
    """The model to debias."""

    model: str
    """As ``--model`` names it."""
    arguments: Mapping[str, Any]
    device: str | None = None


def debias(
    subject: PlainModel,
    transform: Transform,
    *,
    fit_on: Path,
    output: Path,
    cache_dir: Path,
    progress: Progress = silent,
) -> Settings:
    """Fits a transform on parallel text and writes the folder, which appears whole; returns what it says of itself.

    For texts that are in none of the languages, the transform is fitted on all texts as if they were of one.

    Raises:
        EncoderError: if the model cannot be put into a folder or gives no vectors, or a language cannot be identified.
        DataError: if the parallel text cannot be read, or has too few texts of a language.

    """
    if transform.method == "shift":
        raise EncoderError(
            f"{transform} is of passages alone, and a folder does the same with all texts; expected center or lir:K. "
            "With `xlbench run --transform` it is applied while passages are scored."
        )
    model = models.load(subject.model, device=subject.device, arguments=subject.arguments)
    _refuse_code(subject, model)
    pairs = read_pairs(fit_on)
    codes(Identifier(), pairs.languages)
    collection = read("parallel", dict.fromkeys(pairs.languages, fit_on), text="passage")
    scores = score_collection(collection, model, cache_dir=cache_dir, progress=progress)
    if not isinstance(scores, VectorScores):
        raise EncoderError(f"{model.encoder.name} gives no vectors, so that there is nothing to debias.")
    settings = Settings(
        transform=str(transform),
        languages=pairs.languages,
        arguments=dict(model.arguments),
        fit_on={"name": fit_on.name, "sha256": pairs.sha256},
        built_in=subject.model if subject.model in BUILT_IN else "",
        model=subject.model,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.name}.{uuid.uuid4().hex}")
    try:
        temporary.mkdir()
        if not settings.built_in:
            _copy(subject, model.encoder.revision, temporary / MODEL)
        write(temporary, settings, _removal(transform, scores, collection))
        (temporary / "README.md").write_text(_card(settings, model), encoding="utf-8")
        temporary.replace(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return settings


def _refuse_code(subject: PlainModel, model: models.Model) -> None:
    if model.adapter == "debiased":
        raise EncoderError(f"{subject.model} is debiased already: name the model that it was made from.")
    if model.adapter not in (*BUILT_IN, *FOLDERS):
        raise EncoderError(
            f"{subject.model} is code of yours, which a folder cannot carry; expected a folder, a Hub id or one of "
            f"{', '.join(BUILT_IN)}. With `xlbench run --transform` any model is debiased while it is scored."
        )
    if subject.arguments.get("trust_remote_code"):
        raise EncoderError(
            "A model that runs code of its own cannot be debiased into a folder: the folder would run it."
        )


def _copy(subject: PlainModel, revision: str, target: Path) -> None:
    """Copies a model's folder, or what the Hub has of it."""
    source = Path(subject.model)
    if not source.is_dir():
        from huggingface_hub import snapshot_download

        source = Path(snapshot_download(subject.model, revision=revision))
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_COPIED))


def _removal(transform: Transform, scores: VectorScores, collection: Collection) -> Removal:
    """What the transform removes for each language, and for any other."""
    parts = [(scores.queries, collection.queries), (scores.passages, collection.passages)]
    fitted = [fit(transform, parts, collection.languages), fit(transform, [*map(_as_one, parts)], ("any",))]
    components = np.concatenate([each.components for each in fitted])
    mean = np.concatenate([each.mean for each in fitted])
    return Removal(mean if transform.method == "center" else np.zeros_like(mean), components)


def _as_one(part: tuple[Embeddings, Texts]) -> tuple[Embeddings, Texts]:
    embeddings, texts = part
    return embeddings, replace(texts, language=np.zeros_like(texts.language))


def _card(settings: Settings, model: models.Model) -> str:
    """The folder's README."""
    return f"""# {model.encoder.name}, debiased by {settings.transform}

The vectors of {model.encoder.name} ({model.encoder.revision}) without what tells their languages apart:
`{settings.transform}`, fitted on {settings.fit_on["name"]} (sha256 {settings.fit_on["sha256"]})
in {", ".join(settings.languages)}. The language of each text is identified by py3langid; from texts in other
languages, what all of these have in common is removed.

    xlbench run --model FOLDER

Or in Python, where vectors are compared by inner product:

    import xlbench
    encoder = xlbench.load_model("FOLDER").encoder
    encoder.encode_queries(["..."]), encoder.encode_passages(["..."])
"""
