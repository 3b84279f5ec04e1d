"""The command line: parses, calls, prints. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import errno
import io
import os
import sys

import click

from xlbench import __version__
from xlbench.cli.average import average
from xlbench.cli.card import card
from xlbench.cli.check import check
from xlbench.cli.compare import compare
from xlbench.cli.convert import convert
from xlbench.cli.leaderboard import leaderboard
from xlbench.cli.pairs import debias, mine, pairs
from xlbench.cli.registry import fetch, models, tasks
from xlbench.cli.report import report
from xlbench.cli.run import run
from xlbench.cli.score import score
from xlbench.cli.submit import submit
from xlbench.cli.train import train
from xlbench.cli.verify import verify
from xlbench.errors import XlbenchError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xlbench")
def cli() -> None:
    """Measure multilingual retrieval encoders: in one language, across two, and with all languages in one pool."""


for command in (
    run,
    tasks,
    models,
    fetch,
    check,
    report,
    compare,
    verify,
    score,
    submit,
    leaderboard,
    train,
    card,
    pairs,
    mine,
    average,
    debias,
    convert,
):
    cli.add_command(command)


def main() -> None:
    """Runs the command line; exits with 0, 1 (data), 2 (usage) or 130 (interrupted)."""
    _open_streams()
    try:
        # click returns the code of an Exit, such as that of `verify`, instead of raising it.
        sys.exit(cli(prog_name="xlbench", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("Interrupted. What was encoded and downloaded is kept: run the same command again to go on.", 130)
    except XlbenchError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone, as after `| head`; the interpreter must not complain about it at exit.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0)
        if advice is None:
            raise
        _fail(f"{error.filename or 'The output'}: {error.strerror}. {advice}", 1)


def _open_streams() -> None:
    """Has what cannot be printed not end the command: characters that an encoding lacks, a stream that is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (for the whole process)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


_GO_ON = "What is finished is kept: run the same command again to go on."
_SPACE = f"Free some space, or choose another --cache-dir or --output. {_GO_ON}"
_ACCESS = "Choose another --cache-dir, --output or --data-dir, or change the permissions."
_ADVICE = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.EROFS: _ACCESS,
    errno.ENOENT: "Expected the folder it is in: make it, or choose another --cache-dir or --output.",
    errno.ENOTDIR: "A file is where a folder is expected: choose another folder.",
    errno.EEXIST: "A file is where a folder is expected: choose another folder.",
    errno.EISDIR: "A folder is where a file is expected: give the file.",
    errno.ENAMETOOLONG: "Choose shorter names.",
}


def _fail(message: str, code: int) -> None:
    click.echo(f"xlbench: {message}", err=True)
    sys.exit(code)
