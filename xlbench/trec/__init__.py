"""TREC files: read, written, scored, and results held against trec_eval."""
