"""What other submissions there are: one model is submitted once, under a name of its own, with ranks of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from xlbench.errors import SubmissionError
from xlbench.leaderboard.checks import Checked
from xlbench.leaderboard.likeness import Sketch
from xlbench.leaderboard.manifest import Manifest
from xlbench.leaderboard.model_names import skeleton
from xlbench.leaderboard.submission import find, load, read_manifest, rough_identity

SketchOf = Callable[[Path], Sketch | None]


class Known:
    """The submissions that came before, and those that stand beside the ones that are checked."""

    def __init__(self, beside: Iterable[tuple[Path, Manifest]], sketch_of: SketchOf) -> None:
        self._beside: dict[tuple[str, str, str], list[Path]] = {}
        self._unread: dict[str, list[tuple[Path, Manifest]]] = {}
        """By task, those whose ranks have yet to be read."""
        self._names: dict[str, str] = {}
        self._identities: dict[str, Path] = {}
        self._sketches: dict[str, list[tuple[Path, str, Sketch]]] = {}
        self._sketch_of = sketch_of
        for folder, manifest in beside:
            self._beside.setdefault(rough_identity(manifest), []).append(folder)
            self._unread.setdefault(manifest.task, []).append((folder, manifest))
            self._names.setdefault(skeleton(manifest.model), manifest.model)

    @classmethod
    def of(cls, folders: Sequence[Path], sketch_of: SketchOf) -> Known:
        """What stands beside the folders of submissions that are checked."""
        checked = {folder.absolute() for folder in folders}
        roots = sorted({folder.parent.parent for folder in checked if folder.parent.parent.name == "submissions"})
        beside = []
        for folder in find(roots):
            if folder not in checked:
                with suppress(SubmissionError):  # It is not what is checked now.
                    beside.append((folder, read_manifest(folder)))
        return cls(beside, sketch_of)

    def fault(self, checked: Checked[Any]) -> str | None:
        """Why a sound submission is not taken beside the others; None if it is."""
        if other := self._same(checked):
            return f"It is of the same model, revision and arguments as {other}: keep one of them."
        if other_name := self._look_alike(checked):
            return f"Its name looks like {other_name!r:.100}, which was submitted before: choose another."
        return None

    def note(self, checked: Checked[Any]) -> str | None:
        """Which other model has the same ranks, or ranks that are very like them; None if none has."""
        if checked.sketch is None or checked.manifest is None:
            return None
        task, name = checked.manifest.task, checked.manifest.model.casefold()
        mine = self._sketches.setdefault(task, [])
        for folder, manifest in self._unread.pop(task, []):
            if sketch := self._sketch_of(folder):
                mine.append((folder, manifest.model.casefold(), sketch))
        sentence = None
        for folder, other, sketch in mine:
            # The ranks of a variant of a model may be like its own.
            words = checked.sketch.likeness(sketch) if other != name or sketch.digest == checked.sketch.digest else None
            if words:
                sentence = f"It {words} {folder}; the history says which came first."
                break
        mine.append((checked.folder, name, checked.sketch))
        return sentence

    def _same(self, checked: Checked[Any]) -> Path | None:
        """A submission of the same identity, if there is one."""
        first = self._identities.setdefault(checked.identity, checked.folder)
        if first != checked.folder:
            return first
        for folder in self._beside.get(rough_identity(checked.manifest), []) if checked.manifest else []:
            with suppress(SubmissionError):
                if load(folder).identity == checked.identity:
                    return folder
        return None

    def _look_alike(self, checked: Checked[Any]) -> str | None:
        """The name of another model that looks like that of this one, if there is one."""
        if checked.manifest is None:
            return None
        name = checked.manifest.model
        first = self._names.setdefault(skeleton(name), name)
        return first if first.casefold() != name.casefold() else None
