"""``xlbench leaderboard build`` and ``xlbench leaderboard serve``: the leaderboard as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from xlbench.support.progress import display

SUBMISSIONS = Path("leaderboard/submissions")
_RECORDS = Path("leaderboard/deep-verified.json")

records_option = click.option(
    "--records",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_RECORDS,
    show_default=True,
    help="The maintainers' file of submissions that were verified with the model.",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="How many processes.  [default: one a CPU, at most 4]"
)
_SITE = Path("site")


def _web(context: click.Context, option: click.Parameter, url: str) -> str:
    """The address without a slash at its end."""
    del context
    if url and not url.startswith(("https://", "http://")):
        raise click.BadParameter(f"{url!r} is no address of the web; expected https://...", param=option)
    return url.rstrip("/")


@click.command()
@click.argument(
    "submissions",
    metavar="[SUBMISSIONS]",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SUBMISSIONS,
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=_SITE,
    show_default=True,
    help="Folder for the site; an earlier site in it is replaced.",
)
@click.option("--repository", callback=_web, default="", metavar="URL", help="Where models are submitted; for links.")
@click.option(
    "--address",
    callback=_web,
    default="",
    metavar="URL",
    help="The site's own address; for a picture when it is shared.",
)
@records_option
@jobs_option
@click.option("--quiet", is_flag=True, help="Show no progress.")
def build(
    *,
    submissions: Path,
    output: Path,
    repository: str,
    address: str,
    records: Path,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Check all submissions and build the leaderboard's pages from them.

    SUBMISSIONS is their folder, leaderboard/submissions unless another is given. The pages are files for any web
    server and ask nothing of any other host. A submission that is unsound is named and left out.
    """
    from xlbench.leaderboard.deep_records import levels, load_records
    from xlbench.leaderboard.pool import Options, check_all
    from xlbench.leaderboard.site import build as build_site
    from xlbench.leaderboard.site import taken
    from xlbench.leaderboard.site.build import refuse_other
    from xlbench.leaderboard.site.pages import Links
    from xlbench.leaderboard.submission import find
    from xlbench.support.extras import require

    # Said before minutes of checks, and not after.
    require("html", "The site")
    refuse_other(output)
    deep = load_records(records)
    options = Options(levels(deep), jobs=jobs)
    n_submissions = sum(1 for _ in find([submissions]))
    progress = display("leaderboard", quiet=quiet)
    with progress("checking", n_texts=n_submissions, n_characters=n_submissions, noun="submissions") as advance:
        site = build_site(
            check_all([submissions], extract=taken, options=options),
            output,
            records=deep,
            links=Links(repository, address),
            done=lambda: advance(texts=1, characters=1, stored=False),
        )
    for reason in site.left_out:
        click.echo(f"Left out: {reason}", err=True)
    models = f"{site.n_models:,} model{'s' if site.n_models != 1 else ''}"
    click.echo(f"{models} on {', '.join(board.title for board in site.boards)}")
    click.echo(f"Saved to {output / 'index.html'}; `xlbench leaderboard serve {output}` shows it.")


@click.command()
@click.argument(
    "folder",
    metavar="[FOLDER]",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_SITE,
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Where it listens; 0 for a free one."
)
def serve(*, folder: Path, port: int) -> None:
    """Show the site in FOLDER (site unless another is given) on this machine, to nobody else, until interrupted."""
    from xlbench.leaderboard.site.serve import server

    if not (folder / "index.html").is_file():
        raise click.UsageError(
            f"{folder} has no index.html; expected a folder that `xlbench leaderboard build` has written."
        )
    with server(folder, port=port) as listening:
        click.echo(f"http://127.0.0.1:{listening.server_port}/ (Ctrl-C ends it)")
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            click.echo()
