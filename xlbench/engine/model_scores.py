"""The scores of a model on a collection: its texts are encoded or read from the store, and debiased if asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from xlbench.collection import Collection
from xlbench.engine.debiasing import Debiasing, fit
from xlbench.engine.fusion import FusedScores
from xlbench.engine.scores import Scores, TextScores, VectorScores
from xlbench.engine.vectors import VectorStore, embed
from xlbench.errors import EncoderError
from xlbench.models.fused import Fusion
from xlbench.models.protocols import Model, Scorer
from xlbench.support.progress import Progress, silent


def score_collection(collection: Collection, model: Model, *, cache_dir: Path, progress: Progress = silent) -> Scores:
    """The scores that a model gives; vectors are read from the store under ``cache_dir`` where they are there.

    Raises:
        EncoderError: if the model gives unusable vectors, or of other dimensions for queries than for passages.

    """
    if isinstance(model.encoder, Fusion):
        parts = [replace(part, stored_as=model.stored_as) for part in model.encoder.parts]
        scores = [score_collection(collection, part, cache_dir=cache_dir, progress=progress) for part in parts]
        return FusedScores.of(collection, scores, model.encoder)
    if isinstance(model.encoder, Scorer):
        return TextScores.of(collection, model.encoder)
    key = {"name": model.encoder.name, **model.key()}
    roles = (
        ("queries", collection.queries, model.encoder.encode_queries),
        ("passages", collection.passages, model.encoder.encode_passages),
    )
    unique = [collection.queries.distinct, collection.passages.distinct]
    n_characters = sum(int(distinct.n_characters.sum(dtype=np.int64)) for distinct in unique)
    with progress("encoding", n_texts=sum(map(len, unique)), n_characters=n_characters) as advance:
        queries, passages = (
            embed(texts, encode, store=VectorStore.open(cache_dir, role, key, dtype=model.stored_as), advance=advance)
            for role, texts, encode in roles
        )
    dimensions = [found.vectors.shape[1] for found in (queries, passages) if len(found.vectors)]
    if len(set(dimensions)) > 1:
        raise EncoderError(
            f"The encoder gave vectors of {dimensions[0]} dimensions for queries and {dimensions[1]} for passages: "
            "expected one dimension for both."
        )
    return VectorScores(replace(queries, vectors=queries.vectors[:]), passages)


def debiased(
    scores: Scores,
    collection: Collection,
    model: Model,
    debiasing: Debiasing,
    *,
    cache_dir: Path,
    progress: Progress = silent,
) -> VectorScores:
    """The scores of transformed vectors.

    Raises:
        EncoderError: if the model gives no vectors.
        DataError: if the transform cannot be fitted.

    """
    if not isinstance(scores, VectorScores):
        raise EncoderError(
            f"{model.encoder.name} gives no vectors, so that there is nothing to transform: leave --transform out, or "
            "name a model that encodes texts."
        )
    fit_on, fitted_scores = collection, scores
    if debiasing.fit_on is not None:
        fit_on = debiasing.fit_on.read(collection.languages)
        encoded = score_collection(fit_on, model, cache_dir=cache_dir, progress=progress)
        fitted_scores = cast("VectorScores", encoded)
    parts = [(fitted_scores.queries, fit_on.queries), (fitted_scores.passages, fit_on.passages)]
    fitted = fit(debiasing.transform, parts, fit_on.languages)
    queries = fitted.apply(scores.queries, collection.queries, collection.languages)
    passages = fitted.apply(scores.passages, collection.passages, collection.languages)
    return VectorScores(replace(queries, vectors=queries.vectors[:]), passages)
