"""How much of a collection was drawn for a first look."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """The questions and passages that were drawn, of how many there are."""

    limit: int
    """How many questions were asked for."""
    n_questions: int
    of_questions: int
    n_passages: int
    of_passages: int

    @property
    def is_partial(self) -> bool:
        """Whether anything was left out."""
        return (self.n_questions, self.n_passages) != (self.of_questions, self.of_passages)

    def __str__(self) -> str:
        return (
            f"{self.n_questions:,} of {self.of_questions:,} questions, {self.n_passages:,} of {self.of_passages:,} "
            "passages"
        )
