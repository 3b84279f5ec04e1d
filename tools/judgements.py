"""Writes tasks/judgements/<task>.json: what is judged in a task, as checksums, for `xlbench leaderboard check`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from xlbench import catalogue
from xlbench.leaderboard.judgements import Judgements, pairs_of
from xlbench.measures.ranks import Judged
from xlbench.support.files import write_whole

_BESIDE = Path(__file__).parents[2] / "shared" / "data"


def main() -> None:
    """Writes the judgements of the named tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", nargs="+", help="task whose data is in the folder")
    parser.add_argument("--language", nargs="+", default=[], help="those whose data is there  [default: all]")
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("XLBENCH_DATA", _BESIDE), help="[XLBENCH_DATA]")
    options = parser.parse_args()
    for task in map(catalogue.load, options.task):
        languages = catalogue.choose_languages(task, options.language)
        collection = catalogue.read_collection(
            task, languages=languages, data_dir=options.data_dir, cache_dir=Path(".cache")
        )
        path = task.file.parent / "judgements" / f"{task.name}.json"
        path.parent.mkdir(exist_ok=True)
        write_whole(path, Judgements(task.version, languages, pairs_of(Judged.of(collection))).text().encode())
        print(path)


if __name__ == "__main__":
    main()
