"""What came of a training run."""

from __future__ import annotations

from dataclasses import dataclass

from xlbench.training.steps import Used


@dataclass(frozen=True)
class Parameters:
    """How many parameters are trained, and how many the model has."""

    trained: int
    total: int

    def describe(self) -> str:
        """Both, in words."""
        return f"{self.trained:,} of {self.total:,} parameters ({self.trained / self.total:.2%})"


@dataclass(frozen=True)
class Trained:
    """What came of a run."""

    steps: int
    """Of which the model is: the last, or that with the best value where patience was given."""
    used: Used
    history: list[dict[str, float]]
    """Losses and measures by step."""
    parameters: Parameters
    """Those that LoRA adds are trained, and part of no total: the finished model has the sum."""
    attention: str | None = None
    """The implementation that the network had."""
