"""What a report says about its figures, so that it can be read without the manual."""

from __future__ import annotations

from xlbench.reports.words import LITTLE, NO_FAVOURITE, REDRAWN

OVERVIEW = (
    "What was found, before the details. Differences are named that are more than chance; the best value of a column "
    "is bold."
)
SUMMARY = (
    "Monolingual: queries and passages in one language. Cross-lingual: passages in one other language. "
    "Multilingual: passages of all languages in one pool, and the answer in each of them is to be found. The range "
    f"below a number is its 95 % interval: {REDRAWN}."
)
LANGUAGES = (
    "One row a language of the queries. Press a heading to sort by it. The range below a number is its 95 % "
    "interval. Means are over all languages, those that are hidden too."
)
GRID = (
    "Queries of the language at the left, passages of the language at the top. The outlined diagonal is the "
    "monolingual setting; means leave it out. A bright row is a language whose queries the model answers "
    "well, a bright column one whose passages it finds well. An empty cell has no queries. Below are the pairs "
    "whose two directions differ most; a penalty is the loss against the query's language alone."
)
BIAS = (
    "How the ranking of all languages' passages treats the languages against each other. On the scale, the dot is "
    "the model with its 95 % interval, the diamond a perfect ranking, and the hollow ring a random one; where lower "
    "values are better, they are at the right. " + LITTLE + " " + NO_FAVOURITE
)
PREFERENCE = (
    "Whom does the model prefer, asked in the language at the left? A model without bias has rows of one colour. A "
    "bright diagonal is a preference for the language of the query, a bright column one for that language whoever "
    "asks: the favourite. Means leave the diagonal out."
)
ATTRIBUTION = (
    "The pool of all languages adds two things to the passages of one: the other languages' irrelevant passages, and "
    "their answers, which must be found as well. The two losses are Shapley values and add up to the whole loss. The "
    "first is smaller where meaning counts more than language, the second where translations lie nearer to each other. "
    " A model that finds little has little to lose: neither is a measure of quality. A perfect ranking "
    "loses nothing, but the second is below 0 where other languages' answers are found more easily than the query's "
    "own."
)
DISTANCES = (
    "The ranks between a query's first and last answer among all languages. Further left is better. A second hump "
    "far to the right is a group of answers that the model finds in some languages only."
)
BITEXT = (
    "Read from the language at the left to that at the top. No queries take part: this is about the passages' vectors."
)
PROVENANCE = "What was measured, with what, and the command that measures it again."
SIDE_BY_SIDE = "The range below a number is its 95 % interval; the best value of a column is bold."
COMPARISON = (
    "Verdicts are against {baseline}: paired randomisation tests over {units}, corrected by Holm's method for "
    "{tests}, at the level {alpha:g}; a grey ≈ is a difference that cannot be told from chance. Intervals are not "
    "corrected. Two models have a letter in common if and "
    "only if they are not told apart, which does not say that they are equal. " + LITTLE
)
BY_LANGUAGE = (
    "One row a language of the queries, one column a model; bars are from 0 to 1. Press a heading to sort by it."
)
TRADEOFFS = (
    "What a model gains or loses against the first one, in one language alone and in the pool of all. The range is the "
    "interval of the difference. Smaller rank distances are better."
)
ALIGNMENT = (
    "How near the vectors of parallel passages lie, whatever the queries. Large cosines say little by themselves: "
    "it is the gap to random passages that counts. A large share of variance explained by language means that the "
    "languages lie apart."
)
