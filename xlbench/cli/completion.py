"""``xlbench completion``."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the script that completes commands, options, tasks, models and languages in a shell.

    In bash and zsh: eval "$(xlbench completion bash)", best in ~/.bashrc or ~/.zshrc. In fish: xlbench completion fish
    | source.
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"This click has no completion for {shell}.")
    click.echo(script(context.find_root().command, {}, "xlbench", "_XLBENCH_COMPLETE").source())
