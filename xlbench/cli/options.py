"""Options that several commands share, and options that take several values."""

from __future__ import annotations

import json
import math
import os
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from xlbench.cli.completed_values import model_values
from xlbench.support.files import write_whole
from xlbench.support.secrets import without_folders

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    envvar="XLBENCH_DATA",
    help="Folder with the data sets; files are looked up there before anything is downloaded.  [env: XLBENCH_DATA]",
)
cache_dir_option = click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="XLBENCH_CACHE",
    help="Folder for vectors and downloads.  [env: XLBENCH_CACHE; default: the user's cache folder]",
)
device_option = click.option(
    "--device", help="Where the model runs: cpu, cuda, cuda:1, mps.  [default: the best there is]"
)
model_arg_option = click.option(
    "--model-arg", "model_args", multiple=True, metavar="KEY=VALUE", help="Argument of the model; see `xlbench models`."
)
attention_option = click.option(
    "--attn",
    "attention",
    type=click.Choice(["eager", "sdpa", "flash_attention_2"]),
    help="Implementation of the network's attention.  [default: transformers chooses]",
)
model_option = click.option(
    "--model",
    "model_name",
    required=True,
    shell_complete=model_values,
    help="As `xlbench run --model` takes it.",
)
model_or_vectors_options = (
    click.option("--model", "model_name", shell_complete=model_values, help="As `xlbench run --model` takes it."),
    click.option(
        "--vectors",
        metavar="FILE.npy|COLUMN",
        help="In place of a model, the vectors that INDEX has: a file with one for each row, or a column with them.",
    ),
)
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress.")
pair_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def in_a_folder(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """The file to write, if the folder that it is to be in exists: said before the work, and not after."""
    if value is not None and not value.parent.is_dir():
        problem = f"{value}: the folder {value.parent} does not exist; make it, or choose another."
        raise click.BadParameter(problem, context, parameter)
    return value


output_option = click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=in_a_folder,
    help="File to write.  [default: print it]",
)
_OF_SUFFIX = {
    ".csv": "csv",
    ".htm": "html",
    ".html": "html",
    ".json": "json",
    ".md": "markdown",
    ".tex": "latex",
}


def format_option(forms: Sequence[str], about: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--format`` of a command that has these forms; `chosen_form` gives the one that is meant."""
    default = "[default: as the suffix of --output says, else table]"
    sentence = f"How to show it{about and f': {about}'}.  {default}"
    return click.option("--format", "form", type=click.Choice(forms), help=sentence)


plain_format_option = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to show it."
)


def chosen_form(form: str | None, output: Path | None, forms: Sequence[str]) -> str:
    """The form that is named, or that the suffix of the output file means; ``table`` without either."""
    suffix = output.suffix.lower() if output is not None else ""
    meant = _OF_SUFFIX.get(suffix)
    if meant is None and form is None and suffix not in ("", ".txt"):
        known = [ending for ending, of in _OF_SUFFIX.items() if of in forms]
        raise click.UsageError(
            f"--output {output} ends in {suffix}, which says no format: expected .txt, {', '.join(known)}, or --format."
        )
    if meant is None or meant == form:
        return form or "table"
    if form is not None:
        raise click.UsageError(
            f"--output {output} ends in {suffix}, which is {meant}, and --format is {form}: change one of them."
        )
    if meant not in forms:
        raise click.UsageError(
            f"--output {output} ends in {suffix}, which is {meant}: this command has {', '.join(forms)}. "
            "Choose another name."
        )
    return meant


_OPEN = "xlbench.open_option"


class ManyValues(click.Command):
    """A command whose repeatable options also take several values at once: ``--language de en`` and ``de,en``.

    All words up to the next option are values of a repeatable option, whatever lies in the current folder. Arguments
    come before the options, or after ``--``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Writes the option's name before each of its values."""
        repeatable = {name: p for p in self.params if isinstance(p, click.Option) and p.multiple for name in p.opts}
        spread: list[str] = []
        option: str | None = None
        for i, arg in enumerate(args):
            if arg == "--":
                spread += args[i:]
                break
            if arg.startswith("-") and arg != "-":
                option = arg if arg in repeatable else None
                spread += [] if option else [arg]
            elif option is not None:
                spread += [word for value in _values(arg, repeatable[option]) for word in (option, value)]
            else:
                spread.append(arg)
            ctx.meta[_OPEN] = None if option is None else repeatable[option]
            last = i + 1 == len(args) or (args[i + 1].startswith("-") and args[i + 1] != "-")
            if option == arg and last:
                spread.append(arg)  # Without a value, which click says.
        try:
            return super().parse_args(ctx, spread)
        except click.MissingParameter as error:
            if isinstance(error.param, click.Argument) and any(name in args for name in repeatable):
                name = error.param.make_metavar(ctx)
                raise click.UsageError(
                    f"{name} is missing. Words after an option that may be repeated are its values: put {name} before "
                    "the options, or after --.",
                    ctx,
                ) from error
            raise

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Values of the repeatable option that is open, else names of options."""
        option = ctx.meta.get(_OPEN)
        if isinstance(option, click.Option) and not incomplete.startswith("-"):
            return option.shell_complete(ctx, incomplete)
        return super().shell_complete(ctx, incomplete)


def open_values(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """For an argument that may be left out: values of the repeatable option that is open, else files."""
    del parameter
    if context.meta.get(_OPEN) is not None:
        return context.command.shell_complete(context, incomplete)
    return [CompletionItem(incomplete, type="file")]


def _values(word: str, option: click.Option) -> list[str]:
    """The values in a word: languages, kinds of setting and whole numbers may be listed with commas."""
    is_number = isinstance(option.type, click.types.IntParamType)
    listed = is_number or "--language" in option.opts or "--setting" in option.opts
    return [value for value in word.split(",") if value] or [word] if listed else [word]


def command_of(context: click.Context, leave_out: Collection[str], replaced: Mapping[str, Any] | None = None) -> str:
    """The command that gives the same again: the options that were given, but for those left out.

    Where files are is no part of it, but for their names. ``replaced`` options are always there, with these values.
    """
    words = ["xlbench", context.command.name or ""]
    replaced = replaced or {}
    for option in context.command.params:
        name = option.name or ""
        value = replaced.get(name, context.params.get(name))
        if name not in replaced and (
            name in leave_out or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE
        ):
            continue
        words.append(option.opts[0])
        words += [] if value is True else map(str, value) if isinstance(value, tuple) else [str(value)]
    return shlex.join(map(without_folders, words))


def default_cache_dir(cache_dir: Path | None) -> Path:
    """The cache folder that the user named, or the one that the system has for xlbench."""
    if cache_dir is not None:
        return cache_dir
    from platformdirs import user_cache_path

    return user_cache_path("xlbench")


def model_arguments(pairs: Sequence[str], *, option: str = "--model-arg") -> dict[str, Any]:
    """``KEY=VALUE`` pairs as arguments; a value that is JSON (a number, true, false, null) is taken as such.

    A key may have a dot: ``A.tokenizer`` is an argument of the first model of a fusion.
    """
    arguments: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not all(part.isidentifier() for part in key.split(".")):
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint=option)
        if key in arguments:
            raise click.BadParameter(f"{key!r} is given twice.", param_hint=option)
        arguments[key] = _json_or_text(value)
    return arguments


def argument_pairs(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The ``KEY=VALUE`` pairs that give these arguments."""
    as_it_is = {key: isinstance(value, str) and _json_or_text(value) == value for key, value in arguments.items()}
    return tuple(
        f"{key}={value if as_it_is[key] else json.dumps(value, ensure_ascii=False, default=str)}"
        for key, value in arguments.items()
    )


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def reach_hub(*model_names: str) -> None:
    """Has a model that is on the Hub, or may be, looked up in its cache only where the Hub cannot be reached."""
    from xlbench.models import plugins
    from xlbench.models.kinds import BUILT_IN
    from xlbench.support.network import ask_hub_only_if_there

    ask_hub_only_if_there(model_names, {*BUILT_IN, *plugins()})


def number(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """The value, if it is a number: NaN lies in every range."""
    if value is not None and math.isnan(value):
        low, high = (getattr(parameter.type, end, "") for end in ("min", "max"))
        raise click.BadParameter(f"nan is not in the range {low}<=x<={high}.", context, parameter)
    return value


def refuse_overwriting(output: Path | None, inputs: Iterable[Path | None]) -> None:
    """Refuses an output file that is one of the inputs."""
    if output is not None and output.resolve() in {path.resolve() for path in inputs if path is not None}:
        raise click.UsageError(f"--output {output} is one of the files to read: choose another.")


def write_or_print(text: str, output: Path | None) -> None:
    """Writes the text to the file, whole or not at all, and says so; prints it if there is no file."""
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text.encode())
        click.echo(f"Saved to {output}")


def writable(folder: Path) -> None:
    """Makes the folder if it does not exist.

    Raises:
        PermissionError: if nothing can be written to it, said before hours of work and not after.

    """
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        import errno

        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
