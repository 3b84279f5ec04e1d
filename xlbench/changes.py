"""Changes: what is done to a model's queries, vectors and lists, from options and from what a stored result says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from xlbench.catalogue.readers import read
from xlbench.errors import ResultError, UsageError
from xlbench.models import compression, load_reranking, mixture, perturbation, pooling, transform
from xlbench.models.load import RERANK_API
from xlbench.models.protocols import Model
from xlbench.models.reranker import Among, Reranking
from xlbench.models.transform import Debiasing, FitOn, Side
from xlbench.results import Result


class Changes(TypedDict, total=False):
    """What is done to a model, in this order; nothing that is left out."""

    representation: str | None
    """``dense``, ``sparse``, ``late``, ``sum`` or ``sum:0.4,0.2,0.4``, of a model that gives several."""
    transform: str | None
    """``center``, ``lir:K`` or ``shift:LANGUAGE``, to debias the vectors."""
    side: Side | None
    """Whose vectors it changes: ``both``, ``queries`` or ``passages``."""
    fit_on: str | Path | None
    """Parallel text to fit it on; the task's own texts if there is none."""
    dimensions: int | None
    """Only the first so many of each vector."""
    quantize: str | None
    """``int8``, ``binary``, ``int8-passages`` or ``binary-passages``."""
    pool: str
    """How one list is made of several languages' passages: ``one`` index, ``round-robin``, ``balanced:10``, ..."""
    rerank: object | None
    """A reranker, as ``xlbench run --rerank`` takes it, or an object with ``score_pairs``."""
    rerank_base_url: str | None
    """The address of the API of a reranker that is named as ``cohere:MODEL``; Cohere's if it is not said."""
    depth: int | None
    """How many of the best passages it gets; 100 if it is not said."""
    among: Among | None
    """Of each ``pool``, which is usual, or of each ``language`` in it."""
    perturb: str | None
    """How queries are changed before the model sees them: ``latin``, ``mixed``, ``lower`` or ``accents``."""


def changed(model: Model, changes: Changes, *, device: str | None = None) -> Model:
    """The model with these changes.

    Raises:
        UsageError, UnknownNameError: for a change that does not exist, or one that needs another.
        TypeError: for a keyword that is none.
        EncoderError: if the reranker cannot be loaded, or the model has no such representation.

    """
    if unknown := changes.keys() - Changes.__annotations__.keys():
        raise TypeError(f"unexpected keyword {min(unknown)!r}; expected {', '.join(Changes.__annotations__)}")
    reranker, depth, among = changes.get("rerank"), changes.get("depth"), changes.get("among")
    reranking, base_url = None, changes.get("rerank_base_url")
    if base_url is not None and not str(reranker).startswith(RERANK_API):
        raise UsageError(f"--rerank-base-url is for a reranker behind an API: name it as --rerank {RERANK_API}MODEL.")
    if reranker is not None:
        reranking = load_reranking(
            reranker,
            depth=100 if depth is None else depth,
            among=among or "pool",
            device=device,
            arguments=None if base_url is None else {"base_url": base_url},
        )
    elif depth is not None or among is not None:
        raise UsageError("--depth and --among say what --rerank gets: name a reranker too.")
    mixed = mixture.parse(changes.get("representation")) or model.mixture
    mixture.check_mixture(model.encoder, mixed, model.name)
    fit_on = changes.get("fit_on")
    wanted = debiasing(changes.get("transform"), Path(fit_on) if fit_on else None, side=changes.get("side"))
    return replace(
        model,
        mixture=mixed,
        debiasing=wanted or model.debiasing,
        compression=compression.parse(changes.get("dimensions"), changes.get("quantize")) or model.compression,
        pooling=pooling.parse(changes.get("pool", "one")) or model.pooling,
        reranking=reranking or model.reranking,
        perturbation=perturbation.parse(changes.get("perturb")) or model.perturbation,
    )


def changed_as(
    model: Model,
    result: Result,
    where: Path,
    *,
    fit_on: Path | None = None,
    rerank: str | None = None,
    device: str | None = None,
) -> Model:
    """The model with the changes of a stored result, a debiasing fitted on this file, and this reranker.

    Raises:
        UsageError: if there is a file, and no debiasing, or a reranker, and none in the result, or the other way round.
        ResultError: if it was fitted on another file, or is of another reranker.

    """
    reduced = result.model.get("compression", {})
    return replace(
        model,
        mixture=mixture.parse(result.model.get("representation")),
        debiasing=debiasing_of(result, fit_on, where),
        compression=compression.parse(reduced.get("dimensions"), reduced.get("quantize")),
        pooling=pooling.parse(str(result.model.get("pooling", "one"))),
        reranking=reranking_of(result, rerank, where, device=device),
        perturbation=perturbation.parse(result.model.get("perturbation", {}).get("method")),
    )


def reranking_of(result: Result, rerank: str | None, where: Path, *, device: str | None = None) -> Reranking | None:
    """The reranking of a result's model by the reranker of this name; None if it has none.

    Raises:
        UsageError: if only one of them has a reranker.
        ResultError: if the result is of another reranker.

    """
    stated = result.model.get("reranker")
    if stated is None:
        if rerank is not None:
            raise UsageError(f"{where} is of no reranker: leave --rerank {rerank} out.")
        return None
    if rerank is None:
        raise UsageError(f"{where} is of the reranker {stated['name']}: name it with --rerank too.")
    loaded = load_reranking(
        rerank, depth=stated["depth"], among=stated["among"], device=device, arguments=dict(stated["arguments"])
    )
    if stated["revision"] != loaded.reranker.revision:
        raise ResultError(
            f"{where} is of the reranker {stated['name']} with the revision {stated['revision']}, but {rerank} has the "
            f"revision {loaded.reranker.revision}."
        )
    return loaded


def debiasing_of(result: Result, fit_on: Path | None, where: Path) -> Debiasing | None:
    """The debiasing of a result's model, fitted on this file; None if it has none.

    Raises:
        UsageError: if there is a file, and no debiasing.
        ResultError: if it was fitted on another file.

    """
    stated = result.model.get("transform")
    if stated is None:
        if fit_on is not None:
            raise UsageError(f"{where} has no --transform, so that --fit-on says nothing.")
        return None
    fitted = Debiasing(
        transform.parse(str(stated["method"])), parallel_text(fit_on) if fit_on else None, of=stated.get("side")
    )
    expected = fitted.identity(dict(result.model))["transform"]
    if stated != expected:
        raise ResultError(
            f"{where} was transformed by {stated['method']} fitted on {stated['fit_on']}, "
            f"and not on {expected['fit_on']}: give --fit-on that file."
        )
    return fitted


def debiasing(name: str | None, fit_on: Path | None = None, *, side: Side | None = None) -> Debiasing | None:
    """The debiasing that ``--transform`` names, fitted on a file or on the texts themselves; None for None.

    Raises:
        UsageError: if there is a file or a side and no transform, or a transform that does not exist.

    """
    if name is None:
        if fit_on is not None:
            raise UsageError("--fit-on needs --transform.")
        if side is not None:
            raise UsageError("--side needs --transform.")
        return None
    return Debiasing(transform.parse(name), parallel_text(fit_on) if fit_on else None, of=side)


def parallel_text(path: Path) -> FitOn:
    """A file of parallel text, JSON lines, to fit a debiasing on."""
    return FitOn(path, lambda languages: read("parallel", dict.fromkeys(languages, path), text="passage"))
