"""Result: the scores of one model on one task with their provenance, as JSON and one parquet row a (setting, query)."""

from xlbench.results.files import load, load_per_query, load_whole, parquet_path, path_of, save
from xlbench.results.result import SCHEMA, QueryScores, Result, by_language, question_of, summarise

__all__ = [
    "SCHEMA",
    "QueryScores",
    "Result",
    "by_language",
    "load",
    "load_per_query",
    "load_whole",
    "parquet_path",
    "path_of",
    "question_of",
    "save",
    "summarise",
]
