"""Measures of retrieval and of language bias: functions of ranks."""
