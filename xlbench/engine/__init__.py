"""The engine: scores in tiles, counts of what beats each relevant passage, and rankings."""
