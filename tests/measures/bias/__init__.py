"""Tests of the measures of language bias."""
