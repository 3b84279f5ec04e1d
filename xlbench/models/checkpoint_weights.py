"""Whether a checkpoint fits its network: a weight that is not in it would stay random, without a word."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from xlbench.errors import EncoderError

_SHOWN = 3
# A BERT-like network has a pooler over its first token, which no pooling of the last hidden states uses; checkpoints of
# one often lack it.
_UNUSED = re.compile(r"(^|\.)pooler\.")
# What stands on the network for its training: of language modelling, classification, question answering, translation.
_HEADS = re.compile(
    r"(^|\.)(lm_head|cls|classifier|score|qa_outputs|pooler|predictions|generator_\w+|discriminator_\w+|mlm_head|"
    r"vocab_\w+|pre_classifier|pre_head|head|decoder|projection|embed_out|logit_scale|seq_relationship)(\.|$)"
)
_BUFFERS = re.compile(r"(^|\.)(position_ids|token_type_ids|inv_freq|rotary_emb\.\w+|attn\.bias|masked_bias)$")


@contextlib.contextmanager
def whole(model: str) -> Iterator[None]:
    """Refuses a network that transformers loads in this context from a checkpoint that does not fit it.

    Raises:
        EncoderError: naming weights that are missing, of another shape, or that the network has no place for, but for
            heads that are not used.

    """
    from transformers import PreTrainedModel

    network_class: Any = PreTrainedModel
    load = network_class.from_pretrained.__func__

    def noting(cls: Any, *arguments: Any, **options: Any) -> Any:
        # The library's own report goes to a log only; as a result it is given where it is asked for.
        asked = {"output_loading_info": True, "ignore_mismatched_sizes": True}
        network, report = load(cls, *arguments, **{**options, **asked})
        if fault := _fault(report):
            raise EncoderError(f"The checkpoint of {model} does not fit its configuration: {fault}.")
        return (network, report) if options.get("output_loading_info") else network

    network_class.from_pretrained = classmethod(noting)
    try:
        yield
    finally:
        network_class.from_pretrained = classmethod(load)


def _fault(report: dict[str, Any]) -> str | None:
    missing = [name for name in sorted(report["missing_keys"]) if not _UNUSED.search(name)]
    mismatched = sorted(str(item[0] if isinstance(item, tuple) else item) for item in report["mismatched_keys"])
    unexpected = [
        name for name in sorted(report["unexpected_keys"]) if not _HEADS.search(name) and not _BUFFERS.search(name)
    ]
    faults = {
        "it lacks {} that the network has, which would be random": missing,
        "it has {} of another shape": mismatched,
        "it has {} that the network has no place for": unexpected,
    }
    said = [text.format(_named(names)) for text, names in faults.items() if names]
    return "; ".join(said) or None


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{len(names):,} weight{'s' * (len(names) > 1)}, {', '.join(names[:_SHOWN])}{more},"
