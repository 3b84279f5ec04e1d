"""The site: static pages from checked submissions, which ask nothing of any other host."""

from xlbench.leaderboard.site.build import build
from xlbench.leaderboard.site.extract import Taken, taken

__all__ = ["Taken", "build", "taken"]
