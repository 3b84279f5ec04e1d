"""The scores of a model on a collection: its texts are encoded, or read from the store, and debiased if asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from xlbench.collection import Collection, Texts
from xlbench.engine.compressed_vectors import compressed
from xlbench.engine.debiasing import fit
from xlbench.engine.device_counting import DEVICES
from xlbench.engine.fusion import FusedScores
from xlbench.engine.late_scores import LateScores
from xlbench.engine.normalised_scores import NormalisedScores
from xlbench.engine.representations import DENSE, LATE, SPARSE, Representation
from xlbench.engine.scores import EmbeddedScores, Scores, TextScores, VectorScores
from xlbench.engine.several_representations import Several, SeveralStores, SummedScores, form_of, part_of
from xlbench.engine.shards import Store
from xlbench.engine.sparse_scores import SparseScores
from xlbench.engine.vectors import Embeddings, HeldVectors, VectorStore, encode_texts, missing
from xlbench.errors import EncoderError
from xlbench.models.fused import Fusion
from xlbench.models.meter import Meter
from xlbench.models.mixture import check_mixture
from xlbench.models.protocols import Encoder, Model, Role, Scorer
from xlbench.models.transform import Debiasing
from xlbench.support.progress import Progress, silent

# A text's vector depends a little on the texts in its batch and on the number of threads. A step of training changes
# it by more.
_TOLERANCE = 1e-4
_HALF_TOLERANCE = 3e-2
_OneScores: TypeAlias = VectorScores | SparseScores | LateScores


def score_collection(
    collection: Collection,
    model: Model,
    *,
    cache_dir: Path | None,
    fresh: bool = False,
    progress: Progress = silent,
) -> Scores:
    """The scores of a model: of debiased vectors if it has a debiasing, normalised if its pooling asks for it.

    Vectors are read from the store under ``cache_dir`` and kept there; without it, or for a model without fingerprint,
    they are in memory only. With ``fresh`` all are encoded again.

    Raises:
        EncoderError: if the model gives unusable vectors, of other dimensions for queries than for passages, or none
            that could be debiased, or if stored vectors are not what it gives now.
        DataError: if the debiasing cannot be fitted.

    """
    if (model.pooling or model.reranking) and isinstance(model.encoder, Fusion):
        option = f"--pool {model.pooling}" if model.pooling else "--rerank"
        raise EncoderError(
            f"The scores of {model.name} depend on the pool that they are fused in, so that {option} cannot make "
            "another order of them: leave it out, or name one of the models."
        )
    if model.pooling and model.pooling.normalises:
        plain = score_collection(
            collection, replace(model, pooling=None), cache_dir=cache_dir, fresh=fresh, progress=progress
        )
        return NormalisedScores.of(collection, plain, model.pooling)
    if model.compression:
        return _compressed(collection, model, cache_dir=cache_dir, fresh=fresh, progress=progress)
    if model.debiasing:
        return _debiased(collection, model, cache_dir=cache_dir, fresh=fresh, progress=progress)
    if isinstance(model.encoder, Fusion):
        parts = [replace(part, stored_as=model.stored_as) for part in model.encoder.parts]
        scores = [
            score_collection(collection, part, cache_dir=cache_dir, fresh=fresh, progress=progress) for part in parts
        ]
        return FusedScores.of(collection, scores, model.encoder)
    check_mixture(model.encoder, model.mixture, model.name)
    if isinstance(model.encoder, Scorer):
        return TextScores.of(collection, model.encoder)
    return _vector_scores(collection, model, model.encoder, cache_dir=cache_dir, fresh=fresh, progress=progress)


def _vector_scores(
    collection: Collection,
    model: Model,
    encoder: Encoder,
    *,
    cache_dir: Path | None,
    fresh: bool,
    progress: Progress,
) -> _OneScores | SummedScores:
    form = form_of(encoder)
    key = {"name": encoder.name, **model.key()}
    half = "float32" not in str(key["provenance"].get("dtype", "float32")) or model.stored_as != "float32"
    roles: tuple[tuple[Role, Texts, Any], ...] = (
        ("queries", collection.queries, encoder.encode_queries),
        ("passages", collection.passages, encoder.encode_passages),
    )
    stages = getattr(encoder, "stages", None)
    more: dict[str, Any] = {"more": meter.said} if isinstance(meter := getattr(encoder, "meter", None), Meter) else {}
    unique = [texts.distinct for _, texts, _ in roles]
    n_characters = sum(int(distinct.n_characters.sum(dtype=np.int64)) for distinct in unique)
    stores = [_store(model, role, key, form, cache_dir) for role, *_ in roles]
    if expect := getattr(encoder, "expect", None):
        waiting = [missing(of[1], None if fresh else store) for of, store in zip(roles, stores, strict=True)]
        (n_queries, asked), (n_passages, answers) = waiting
        expect(n_queries=n_queries, n_passages=n_passages, n_characters=asked + answers)
    with progress("encoding", n_texts=sum(map(len, unique)), n_characters=n_characters, **more) as advance:
        queries, passages = (
            encode_texts(
                texts,
                encode,
                store=store,
                form=form,
                stages=stages(role) if stages else None,
                answers=getattr(encoder, "answers", None),
                fresh=fresh,
                tolerance=_HALF_TOLERANCE if half else _TOLERANCE,
                advance=advance,
            )
            for (role, texts, encode), store in zip(roles, stores, strict=True)
        )
    if not isinstance(form, Several):
        return _embedded_scores(queries.embeddings(form), passages.embeddings(form), form, encoder)
    assert model.mixture is not None  # noqa: S101 (checked before)
    weights = model.mixture.weight_of(list(form.forms))
    parts = [
        _embedded_scores(part_of(queries, name, form), part_of(passages, name, form), form.forms[name], encoder)
        for name in weights
    ]
    return parts[0] if len(parts) == 1 else SummedScores(tuple(parts), tuple(weights.values()))


def _store(
    model: Model, role: Role, key: dict[str, Any], form: Representation | Several, cache_dir: Path | None
) -> Store | None:
    """Where the model's vectors are kept, None if they are not to be."""
    if cache_dir is None or model.fingerprint is None:
        return None
    if isinstance(form, Several):
        return SeveralStores.open(cache_dir, role, key, dtype=model.stored_as, form=form)
    return VectorStore.open(cache_dir, role, key, dtype=model.stored_as, form=form)


def _embedded_scores(queries: Embeddings, passages: Embeddings, form: Representation, encoder: Encoder) -> _OneScores:
    """The scores of one representation."""
    dimensions = [part.vectors.shape[1] for part in (queries, passages) if len(part.vectors)]
    if len(set(dimensions)) > 1:
        raise EncoderError(
            f"The encoder gave vectors of {dimensions[0]} dimensions for queries and {dimensions[1]} for passages: "
            "expected one dimension for both."
        )
    held = queries.vectors[:]
    queries = replace(queries, vectors=held if form is DENSE else HeldVectors(held, form))
    if form is SPARSE:
        return SparseScores(queries, passages)
    if form is LATE:
        return LateScores(queries, passages, bool(getattr(encoder, "mean_of_tokens", False)))
    device = getattr(encoder, "device", None)
    counts = isinstance(device, str) and device.partition(":")[0] in DEVICES
    return VectorScores(queries, passages, device=device if counts else None)


def _compressed(
    collection: Collection, model: Model, *, cache_dir: Path | None, fresh: bool, progress: Progress
) -> VectorScores:
    """The scores of compressed vectors."""
    refused = EncoderError(
        f"{model.name} does not give one dense vector a text, so that --dimensions and --quantize have nothing to make "
        "smaller: leave them out, or name a model that does."
    )
    if (model.mixture.of if model.mixture else getattr(model.encoder, "representation", "dense")) != "dense":
        raise refused  # Before hours of encoding.
    whole = replace(model, compression=None)
    scores = score_collection(collection, whole, cache_dir=cache_dir, fresh=fresh, progress=progress)
    if not isinstance(scores, VectorScores) or model.compression is None:
        raise refused
    return compressed(scores, model.compression)


def _debiased(
    collection: Collection, model: Model, *, cache_dir: Path | None, fresh: bool, progress: Progress
) -> VectorScores:
    """The scores of debiased vectors; the debiasing is fitted on its parallel text, or else on the collection."""
    debiasing, plain = model.debiasing, replace(model, debiasing=None)
    assert debiasing is not None  # noqa: S101 (asked for by the caller)
    # What is wrong with the parallel text is said before the first text is encoded.
    fit_on = collection
    if debiasing.fit_on is not None:
        source = [debiasing.transform.source] if debiasing.transform.source else []
        fit_on = debiasing.fit_on.read(tuple(dict.fromkeys([*collection.languages, *source])))
    scores = score_collection(collection, plain, cache_dir=cache_dir, fresh=fresh, progress=progress)
    if not isinstance(scores, VectorScores):
        raise EncoderError(
            f"{model.name} does not give one dense vector a text, so that there is nothing to transform: leave "
            "--transform out, or name a model that does."
        )
    fitted_scores = scores
    if debiasing.fit_on is not None:
        encoded = score_collection(fit_on, plain, cache_dir=cache_dir, fresh=fresh, progress=progress)
        fitted_scores = encoded if isinstance(encoded, VectorScores) else scores
    return debiased(scores, collection, debiasing, (fitted_scores, fit_on))


def debiased(
    scores: VectorScores, collection: Collection, debiasing: Debiasing, fit_on: tuple[VectorScores, Collection]
) -> VectorScores:
    """The scores of a collection's vectors without what is found in those of another collection, or of the same.

    Raises:
        DataError: if the debiasing cannot be fitted.

    """
    fitted_scores, fitted_on = fit_on
    of_queries, of_passages = (debiasing.side in ("both", role) for role in ("queries", "passages"))
    parts = [(fitted_scores.queries, fitted_on.queries)] if of_queries else []
    parts += [(fitted_scores.passages, fitted_on.passages)] if of_passages else []
    fitted = fit(debiasing.transform, parts, fitted_on.languages)
    queries, passages = scores.queries, scores.passages
    if of_queries:
        queries = fitted.apply(queries, collection.queries, collection.languages)
    if of_passages:
        passages = fitted.apply(passages, collection.passages, collection.languages)
    return replace(scores, queries=replace(queries, vectors=queries.vectors[:]), passages=passages)


def vectors_of(scores: Scores) -> VectorScores | None:
    """The dense vectors that scores are made from, None where there are none."""
    plain = scores.scores if isinstance(scores, NormalisedScores) else scores
    return plain if isinstance(plain, VectorScores) else None


def _embedded(scores: Scores) -> EmbeddedScores | None:
    if isinstance(scores, NormalisedScores):
        return _embedded(scores.scores)
    if isinstance(scores, SummedScores):  # All are from one encoding.
        return _embedded(scores.parts[0])
    return scores if isinstance(scores, EmbeddedScores) else None


def warnings_of(scores: Scores) -> list[str]:
    """What makes a model's vectors suspect, a sentence each."""
    vectors = _embedded(scores)
    if vectors is None:
        return []
    roles = {"queries": vectors.queries, "passages": vectors.passages}
    return [
        f"The model gives all {role} the same vector, so that their order says nothing of the texts."
        for role, embeddings in roles.items()
        if embeddings.is_constant
    ]


def from_store(scores: Scores) -> str:
    """A sentence on how many vectors came from the store, and how many of those were encoded again."""
    vectors = _embedded(scores)
    if vectors is None:
        return "There are no vectors: all scores were computed anew."
    parts = (vectors.queries, vectors.passages)
    n_stored, n_probed = sum(part.n_stored for part in parts), sum(part.n_probed for part in parts)
    probed = f"; {n_probed} of them were encoded again and agree" if n_stored else ""
    return f"{n_stored:,} of {sum(len(part.vectors) for part in parts):,} vectors came from the store{probed}."
