"""What is evaluated: texts, judged pairs and collections of them."""

from xlbench.collection.clusters import Clusters
from xlbench.collection.collection import Collection
from xlbench.collection.drawing import drawn
from xlbench.collection.judged_pairs import Pairs
from xlbench.collection.sample import Sample
from xlbench.collection.texts import Distinct, Judgement, Text, Texts

__all__ = ["Clusters", "Collection", "Distinct", "Judgement", "Pairs", "Sample", "Text", "Texts", "drawn"]
