"""What the leaderboard says about its figures, so that it can be read without the manual."""

from __future__ import annotations

from xlbench.measures import DISTANCE, PREFERENCE, get
from xlbench.reports.words import OWN_SHARE, TEST

RANK = (
    "1 + the number of models that are significantly better in the setting. It says that so many are better, not that "
    "all others are worse: two models of one rank may be told apart, and two of different ranks may not. All pairs of "
    f"models are tested in all settings by a {TEST} (the articles that they are about, where those are known), "
    "corrected together by Holm's method at the level .05. "
    "Ranks are of the means over languages; the order by one language has none. In parentheses is the rank of a model "
    "that is only verified, among all models: it takes no place from one that was run again."
)
SETTINGS = (
    "Monolingual: queries and passages in one language. Cross-lingual: passages in one other language. Multilingual: "
    "the passages of all languages in one pool, with an answer to find in each. The range below a number is its 95 % "
    "interval; whole clusters of questions are drawn, such as those on one article."
)
BIAS = f"{DISTANCE}: {get(DISTANCE).brief}; lower is better. {PREFERENCE}: {get(PREFERENCE).brief}; {OWN_SHARE}"
LEVELS = (
    "Verified: all scores, intervals and figures of bias follow from the ranks that were submitted; invented ranks "
    "would pass. Deep-verified: a maintainer ran the model as well, and it gave the ranks of a sample of the "
    "queries among all passages. Sample-verified: among a sample of the passages. Reported: nothing was checked. "
    "How well vectors are aligned cannot be told from ranks and is reported always."
)
ENCODING = (
    "Texts a second on the submitter's machine, which the model's page names: the task's queries and passages, by the "
    "time that was reported. It cannot be checked, and is too high where vectors were there from an earlier run. Empty "
    "for transformed vectors, which another model has encoded."
)
BARS = (
    "One row a language of the queries, one column a kind of setting; bars are from 0 to 1. Where the bars of a row "
    "differ much, the model finds in the language alone what it does not find across languages."
)
SUBMISSION = "What was handed in and how; the ranks behind every figure are in the submission's folder."
