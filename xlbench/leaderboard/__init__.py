"""A leaderboard that can be checked: submissions are evidence, from which every number is computed again."""
