"""Measures of language bias: how a ranking of the pool of all languages treats the languages against each other.

They are defined in the multilingual setting only. A query for which a measure is not defined has the value NaN: unless
stated otherwise, one whose relevant passages are all in one language.
"""
