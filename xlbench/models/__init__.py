"""Models: the protocols, and from what ``--model`` names to a model."""

from xlbench.models.load import ENTRY_POINT_GROUP, load, load_reranking, plugins
from xlbench.models.protocols import Encoder, Model, Scorer

__all__ = ["ENTRY_POINT_GROUP", "Encoder", "Model", "Scorer", "load", "load_reranking", "plugins"]
