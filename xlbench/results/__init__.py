"""Result: the scores of one model on one task with their provenance, as JSON and one parquet row a (setting, query).

Beside them stands the evidence: the ranking that all figures follow from.
"""

from xlbench.results.evidence import evidence_bytes, evidence_path
from xlbench.results.parsed_evidence import EvidenceLimits, load_evidence, parse_evidence
from xlbench.results.record import SCHEMA, decode
from xlbench.results.result import Result, load, load_whole, save
from xlbench.results.result_files import load_per_query, parquet_path, path_of

__all__ = [
    "SCHEMA",
    "EvidenceLimits",
    "Result",
    "decode",
    "evidence_bytes",
    "evidence_path",
    "load",
    "load_evidence",
    "load_per_query",
    "load_whole",
    "parquet_path",
    "parse_evidence",
    "path_of",
    "save",
]
