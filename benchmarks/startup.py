"""How long `xlbench --help` and `xlbench tasks` take from a cold process, beside Python itself."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import common

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "xlbench --help": ["-m", "xlbench", "--help"],
    "xlbench tasks": ["-m", "xlbench", "tasks"],
    "xlbench tasks xquad-r": ["-m", "xlbench", "tasks", "xquad-r"],
}
TARGET_S = 0.3


def run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def imports_torch(arguments: list[str]) -> bool:
    found = subprocess.run([sys.executable, "-X", "importtime", *arguments], check=True, capture_output=True, text=True)
    return any(line.rpartition("|")[2].strip() == "torch" for line in found.stderr.splitlines())


def main() -> None:
    options = common.parser(__doc__).parse_args()
    times = common.medians({name: partial(run, command) for name, command in COMMANDS.items()}, runs=options.runs)
    rows = [
        [name, f"{time:.3f}", f"{time / TARGET_S:.2f}", "yes" if imports_torch(COMMANDS[name]) else "no"]
        for name, time in times.items()
    ]
    header = ["command", "seconds", f"of {TARGET_S} s", "imports torch"]
    common.show(f"Start-up, medians of {options.runs}", header, rows, libraries=["xlbench", "click"])


if __name__ == "__main__":
    main()
