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
from xlbench.cli.completion import completion
from xlbench.cli.convert import convert
from xlbench.cli.debias import debias
from xlbench.cli.fetch import fetch
from xlbench.cli.index_check import index_check
from xlbench.cli.leaderboard import leaderboard
from xlbench.cli.mine import mine
from xlbench.cli.models import models
from xlbench.cli.pairs import pairs
from xlbench.cli.remedies import remedies
from xlbench.cli.report import report
from xlbench.cli.run import run
from xlbench.cli.score import score
from xlbench.cli.sizes import sizes
from xlbench.cli.submit import submit
from xlbench.cli.tasks import tasks
from xlbench.cli.train import train
from xlbench.cli.verify import verify
from xlbench.errors import XlbenchError
from xlbench.support.extras import how_to_install

GROUPS: dict[str, dict[click.Command, str]] = {
    "Evaluate": {
        run: "xlbench run --model use-multilingual --task demo",
        remedies: "xlbench remedies --model use-multilingual --task demo",
        index_check: "xlbench index-check chunks.parquet --model use-multilingual --queries queries.csv",
        sizes: "xlbench sizes --model use-multilingual --task demo --dimensions 256 128 --quantize int8 binary",
        compare: "xlbench compare results/base/xquad-r.json results/mine/xquad-r.json",
        report: "xlbench report results/*/xquad-r.json --output report.html",
        verify: "xlbench verify results/hash/demo.json --model hash --setting 'de>en'",
        score: "xlbench score run.txt qrels.txt --measure nDCG@10 R@100",
        models: "xlbench models",
        completion: "xlbench completion bash",
    },
    "Data": {
        tasks: "xlbench tasks xquad-r",
        fetch: "xlbench fetch --task xquad-r mlqa-r --data-dir data",
        check: "xlbench check demo --language de en",
    },
    "Leaderboard": {
        submit: "xlbench submit results/mine/xquad-r.json results/mine/mlqa-r.json",
        leaderboard: "xlbench leaderboard show",
    },
    "Train": {
        train: "xlbench train --init e5-small --pairs pairs.jsonl --output mine --recipe hybrid",
        pairs: "xlbench pairs pairs.jsonl",
        mine: "xlbench mine --model e5-small --pairs pairs.jsonl --output mined.jsonl",
        convert: "xlbench convert squad train.json --output pairs.jsonl",
        debias: "xlbench debias --model e5-small --fit-on pairs.jsonl --method center --output centred",
        average: "xlbench average mine e5-small --output averaged",
        card: "xlbench card mine results/mine/xquad-r.json",
    },
}
"""The commands as the help groups them, each with an example."""


class _Grouped(click.Group):
    """A group whose help lists its commands under headings, each with its whole first sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the headings and the commands."""
        del ctx
        for heading, commands in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(command.name or "", _first_sentence(command)) for command in commands])


def _first_sentence(command: click.Command) -> str:
    first, dot, _ = " ".join((command.help or "").split("\n\n")[0].split()).partition(". ")
    return first if not dot or first.endswith(".") else f"{first}."


@click.group(cls=_Grouped, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="xlbench")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="What is logged to standard error, of xlbench and the libraries it calls.  [default: warning]",
)
def cli(*, log_level: str | None) -> None:
    """Measure multilingual retrieval models: in one language, across two, and with all languages in one pool.

    For a first look: xlbench run --model use-multilingual --task demo
    """
    if log_level is not None:
        import logging

        form = "%(levelname)s %(name)s: %(message)s"
        logging.basicConfig(level=log_level.upper(), format=form, stream=sys.stderr, force=True)


for command, example in ((command, example) for group in GROUPS.values() for command, example in group.items()):
    command.epilog = f"\b\nExample:\n  {example}"
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
    except ModuleNotFoundError as error:
        # A bug is not a missing library.
        if not error.name or error.name.partition(".")[0] == "xlbench":
            raise
        _fail(how_to_install(error.name), 1)
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
