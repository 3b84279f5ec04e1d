"""What ``xlbench run`` prints: a summary of each result, all of its tables, a line of it, or records."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xlbench.catalogue.suites import Suite
    from xlbench.results import Result


@dataclass(frozen=True)
class RunOutput:
    """How the results of a run are printed."""

    form: str
    """``table`` or ``json``."""
    full: bool
    """Whether all tables are printed before a summary."""
    quiet: bool
    """Whether there is a line of each result and of its file, and no more."""

    def print_result(self, result: Result, path: Path, message: str, *, is_first: bool) -> None:
        """Prints a result and what is said of its file, as soon as it exists; nothing but the latter with records."""
        from xlbench.reports.picture import picture
        from xlbench.reports.tables import all_tables, headline
        from xlbench.reports.terminal import block, show, width

        if self.form == "json":
            if not self.quiet:
                click.echo(message, err=True)
            return
        if self.quiet:
            click.echo(f"{headline(result)}\n{message}")
            return
        if not is_first:
            click.echo()
        if self.full:
            show(all_tables(result))
        lines = picture(result, width=width(), block=block())
        more = [] if self.full else [f"All tables: xlbench report {shlex.quote(str(path))}"]
        click.echo("\n".join([*lines, *more, message]))

    def print_plan(self, results: Sequence[tuple[Path, bool]]) -> None:
        """Prints the file of each result, and whether it exists."""
        done = sum(exists for _, exists in results)
        for path, exists in results:
            click.echo(f"{'exists ' if exists else 'to run '}  {path}")
        click.echo(f"{len(results)} results: {done} exist, {len(results) - done} to run.")

    def print_end(self, results: Sequence[Result], suites: Sequence[Suite] = ()) -> None:
        """Prints what follows all results: one table of them and of each suite, or their records."""
        from xlbench.reports.formats import as_json, records
        from xlbench.reports.picture import over_all
        from xlbench.reports.terminal import show

        if self.form == "json":
            click.echo(as_json(records(results)), nl=False)
            return
        from xlbench.reports.suite_tables import suite_table

        tables = [*filter(None, [over_all(results)]), *(suite_table(suite, results) for suite in suites)]
        if tables and not self.quiet:
            click.echo()
            show(tables)
