"""xlbench measures multilingual retrieval models: in one language, across two, and with all languages in one pool.

The names below are all that a user needs; they are loaded when they are asked for.

    >>> import xlbench
    >>> "demo" in xlbench.tasks()
    True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlbench.catalogue import load as load_task
    from xlbench.catalogue import names as tasks
    from xlbench.collection import Collection
    from xlbench.comparison import Comparison
    from xlbench.comparison.compare import compare
    from xlbench.evaluation import evaluate
    from xlbench.evaluator import Evaluator
    from xlbench.examination.check import check
    from xlbench.models import load as load_model
    from xlbench.results import Result
    from xlbench.results import load_whole as load_result
    from xlbench.settings import Setting
    from xlbench.trec.score import score

__version__ = "0.1.0"

__all__ = [
    "Collection",
    "Comparison",
    "Evaluator",
    "Result",
    "Setting",
    "check",
    "compare",
    "evaluate",
    "load_model",
    "load_result",
    "load_task",
    "score",
    "tasks",
]

_WHERE = {
    "Collection": "xlbench.collection:Collection",
    "Comparison": "xlbench.comparison:Comparison",
    "Evaluator": "xlbench.evaluator:Evaluator",
    "Result": "xlbench.results:Result",
    "Setting": "xlbench.settings:Setting",
    "check": "xlbench.examination.check:check",
    "compare": "xlbench.comparison:compare",
    "evaluate": "xlbench.evaluation:evaluate",
    "load_model": "xlbench.models:load",
    "load_result": "xlbench.results:load_whole",
    "load_task": "xlbench.catalogue:load",
    "score": "xlbench.trec.score:score",
    "tasks": "xlbench.catalogue:names",
}


def __getattr__(name: str) -> Any:
    """A name of the door, from its module."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
