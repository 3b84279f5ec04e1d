"""Runs the command line as ``python -m xlbench``."""

from xlbench.cli import main

if __name__ == "__main__":
    main()
