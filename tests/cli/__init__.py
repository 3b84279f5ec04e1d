"""Tests of the command line; a package, so that its conftest does not take the place of the one above."""
