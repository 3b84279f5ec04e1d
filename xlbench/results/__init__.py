"""Result: the scores of one model on one task with their provenance, as JSON and one parquet row a (setting, query)."""

from xlbench.results.files import load, load_per_query, load_whole, parquet_path, path_of, save
from xlbench.results.result import SCHEMA, QueryScores, Result, question_of, summarise

__all__ = [
    "SCHEMA",
    "QueryScores",
    "Result",
    "load",
    "load_per_query",
    "load_whole",
    "parquet_path",
    "path_of",
    "question_of",
    "save",
    "summarise",
]
