"""``xlbench submit``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.cli.options import cache_dir_option, data_dir_option, default_cache_dir

if TYPE_CHECKING:
    from xlbench.leaderboard.draft import Draft

_SUBMISSIONS = Path("leaderboard/submissions")
_TEMPLATE = Path("manifest.json")
_NEXT = """
Next, in a clone of xlbench:
    xlbench leaderboard check {folders}
    git switch --create submit-{name}
    git add {folders}
    git commit --message "Submit {name}"
and open a pull request. A workflow checks it and comments with the row that it makes.
"""


@click.command()
@click.argument(
    "paths",
    metavar="RESULT...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--manifest",
    "manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file with what a result does not say: link, licence, parameters, languages, training data, submitter.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=_SUBMISSIONS,
    show_default=True,
    help="Folder of submissions.",
)
@click.option("--variant", help="Name to tell this submission from another of the same model, such as 'no-prompts'.")
@data_dir_option
@cache_dir_option
def submit(
    *,
    paths: tuple[Path, ...],
    manifest: Path | None,
    output: Path,
    variant: str | None,
    data_dir: Path | None,
    cache_dir: Path | None,
) -> None:
    """Make submissions to the leaderboard from RESULTs of one model.

    RESULT is the JSON file that `xlbench run` writes; the evidence is beside it. What the manifest lacks is asked for
    on a terminal. Nothing is sent anywhere.
    """
    from xlbench.leaderboard.checks import Checker
    from xlbench.leaderboard.draft import Draft, lacking, read_answers, template, write

    drafts = [Draft.of(path) for path in dict.fromkeys(paths)]
    _refuse_several_models(drafts)
    _refuse_samples(drafts)
    answers = read_answers(manifest) if manifest is not None and manifest.exists() else {}
    missing = lacking(answers)
    if missing and not (sys.stdin.isatty() and sys.stdout.isatty()):
        _say_missing(missing, manifest, template(answers))
    for name in missing:
        answers[name] = _ask(name)
    if missing and manifest is not None and not manifest.exists():
        _write(manifest, template(answers))
    checker = Checker(data_dir=data_dir, cache_dir=default_cache_dir(cache_dir))
    folders = [write(draft, answers, output=output, variant=variant, checker=checker) for draft in drafts]
    for folder in folders:
        click.echo(f"Saved to {folder}")
    name = folders[0].parent.name
    click.echo(_NEXT.format(folders=" ".join(map(str, folders)), name=name), nl=False)


def _refuse_several_models(drafts: Sequence[Draft]) -> None:
    names = list(dict.fromkeys(str(draft.result.model["name"]) for draft in drafts))
    if len(names) > 1:
        raise click.UsageError(f"The results are of {' and '.join(names)}: submit one model at a time.")


def _refuse_samples(drafts: Sequence[Draft]) -> None:
    for result in (draft.result for draft in drafts):
        if result.sample is not None:
            raise click.UsageError(
                f"The result on {result.task} is of {result.sample}: the leaderboard takes whole tasks. Run it without "
                "--limit."
            )


def _say_missing(missing: Sequence[str], manifest: Path | None, template: str) -> None:
    """Ends with the names of the missing keys, and a file to fill in."""
    from xlbench.leaderboard.manifest import FIELDS

    path = manifest or _TEMPLATE
    if path.exists():
        advice = f"Say them in {path}" + ("." if manifest else " and give it as --manifest.")
    else:
        _write(path, template)
        advice = f"{path} has been written: fill it in, and give it as --manifest."
    keys = "\n".join(f"    {name}: {FIELDS[name].question}" for name in missing)
    raise click.UsageError(f"The manifest lacks\n{keys}\n{advice}")


def _write(path: Path, text: str) -> None:
    from xlbench.support.files import write_whole

    write_whole(path, text.encode())


def _ask(name: str) -> Any:
    """The value that the submitter types, asked for until it is one."""
    from xlbench.leaderboard.manifest import FIELDS, parse_answer

    while True:
        answer = parse_answer(name, click.prompt(FIELDS[name].question, default="", show_default=False))
        fault = FIELDS[name].fault(answer)
        if fault is None:
            return answer
        click.echo(f"{name} {fault}.")
