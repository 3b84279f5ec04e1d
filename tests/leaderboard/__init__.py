"""Tests of the leaderboard; a package, so that they can share what they make."""
