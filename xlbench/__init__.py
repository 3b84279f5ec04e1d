"""xlbench measures multilingual retrieval encoders: monolingual, cross-lingual, and with all languages in one pool."""

__version__ = "0.1.0"
