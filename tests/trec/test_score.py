"""Scores of runs: equal to trec_eval's, to ir_measures', and to those of ``xlbench run`` on full rankings."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench import measures
from xlbench.engine.search import rank
from xlbench.errors import DataError, UnknownNameError
from xlbench.measures import USUAL_BIAS_OF_RUNS as BIAS
from xlbench.measures import USUAL_OF_RUNS as RETRIEVAL
from xlbench.measures.values import summarise
from xlbench.results import from_ranking
from xlbench.settings import settings as settings_of
from xlbench.trec.pools import Languages
from xlbench.trec.read import Run, read_judgements, read_run
from xlbench.trec.score import RunValues, choose, score_run

# Names that sort differently as text and as numbers, and by bytes and by alphabet.
IDS = ["10", "9", "2#0", "é", "中", "𝒳", "Z", "a", "B-1", "\u00a0x"]
QUERIES = ["q10", "q9", "ü", "10"]
TREC = {
    "AP": "map",
    "AP@3": "map_cut_3",
    "nDCG": "ndcg",
    "nDCG@5": "ndcg_cut_5",
    "R@5": "recall_5",
    "P@5": "P_5",
    "Success@1": "success_1",
    "RR": "recip_rank",
    "Rprec": "Rprec",
    "Bpref": "bpref",
    "infAP": "infAP",
    "NumRel": "num_rel",
    "NumRet": "num_ret",
}
TREC_MEASURES = [re.sub(r"_(\d+)$", r".\1", name) for name in TREC.values()]
GAINS = st.dictionaries(
    st.sampled_from(QUERIES), st.dictionaries(st.sampled_from(IDS), st.integers(-2, 3), min_size=1), min_size=1
)
# Few distinct scores, so that ties are plentiful; the last two differ in double precision only.
SCORES = st.sampled_from([2.0, 1.0, 0.5, -1.0, 0.3, 0.30000000000000004])
RUNS = st.dictionaries(
    st.sampled_from([*QUERIES, "elsewhere"]), st.dictionaries(st.sampled_from(IDS), SCORES, min_size=1), min_size=1
)


def read(folder: Path, run: dict, judgements: dict) -> tuple[Run, dict]:
    """A run and judgements, written as TREC files and read again."""
    lines = [
        f"{query} Q0 {id_} {i} {value!r} t\n" for query, of in run.items() for i, (id_, value) in enumerate(of.items())
    ]
    (folder / "run").write_text("".join(lines), encoding="utf-8")
    lines = [f"{query} 0 {id_} {gain}\n" for query, of in judgements.items() for id_, gain in of.items()]
    (folder / "qrels").write_text("".join(lines), encoding="utf-8")
    return read_run(folder / "run"), read_judgements(folder / "qrels")


def relevant(judgements: dict) -> dict:
    """The judgements of the queries with a relevant passage, which are those that count."""
    return {query: of for query, of in judgements.items() if max(of.values()) > 0}


@given(run=RUNS, judgements=GAINS)
def test_values_are_those_of_trec_eval(tmp_path, run, judgements):
    """trec_eval itself, given the scores with their ties, has the same value of each query and the same totals."""
    if not set(run) & set(judgements) or not relevant(judgements):
        return
    names = [*TREC, "RR@2"]
    found = score_run(*read(tmp_path, run, judgements), choose(names, with_bias=False))
    # What -c does: a query that the run lacks is one for which nothing was retrieved.
    judgements = relevant(judgements)
    evaluator = pytrec_eval.RelevanceEvaluator(judgements, set(TREC_MEASURES))
    expected = evaluator.evaluate({query: run.get(query, {}) for query in judgements})
    assert found.queries == tuple(judgements)
    for name, theirs in TREC.items():
        values = [expected[query][theirs] for query in judgements]
        assert found.values[name].tolist() == values, name
        total = sum(values) if name.startswith("Num") else np.mean(values)
        assert found.totals[name] == pytest.approx(total, rel=1e-12)
    first = [expected[query]["recip_rank"] for query in judgements]
    assert found.values["RR@2"].tolist() == [value if value >= 0.5 else 0.0 for value in first]


@given(run=RUNS, judgements=GAINS)
def test_means_are_those_of_ir_measures(tmp_path, run, judgements):
    """ir_measures gives the same means over the queries that count, whichever of its providers computes a measure.

    Its scores have no ties here, because not all of its providers break them as trec_eval does.
    """
    if not set(run) & set(judgements) or not relevant(judgements):
        return
    run = {query: {id_: float(-i) for i, id_ in enumerate(of)} for query, of in run.items()}
    names = ["nDCG@10", "AP(rel=2)", "RR@2", "RR(rel=2)@3", "R(rel=2)@5", "Judged@3", "SetF", "IPrec@0.1", "Bpref"]
    found = score_run(*read(tmp_path, run, judgements), choose(names, with_bias=False))
    judged = relevant(judgements)
    expected = ir_measures.calc_aggregate(list(map(ir_measures.parse_measure, names)), judged, run)
    assert found.totals == pytest.approx({str(measure): value for measure, value in expected.items()}, rel=1e-12)


def test_ties_break_as_in_trec_eval_for_every_measure(tmp_path):
    """Of two equal scores the higher id is first, also where the computing library has it the other way round."""
    found = score_run(
        *read(tmp_path, {"q": {"a": 1.0, "b": 1.0}}, {"q": {"b": 1}}),
        choose(["RR@10", "RR(rel=1)@1", "Judged@1", "RR", "P@1"], with_bias=False),
    )
    assert set(found.totals.values()) == {1.0}


COLLECTION = random_collection(np.random.default_rng(3), n_languages=4, n_queries=15, n_passages=30)
MEASURES = ["AP", "AP@20", "R@1", "R@10", "P@5", "Success@5", "nDCG", "nDCG@10", "RR", "RR@3", *BIAS]
LANGUAGES = Languages(
    {
        id_: COLLECTION.languages[code]
        for id_, code in zip(COLLECTION.passages.ids, COLLECTION.passages.language, strict=True)
    }
)


@cache
def full_run() -> dict[str, dict[str, float]]:
    """The scores of all passages for each query, by brute force."""
    queries, passages = (
        np.stack([integer_vector(text) for text in texts.text]) for texts in (COLLECTION.queries, COLLECTION.passages)
    )
    products = queries @ passages.T
    return {
        query: dict(zip(COLLECTION.passages.ids, line.tolist(), strict=True))
        for query, line in zip(COLLECTION.queries.ids, products, strict=True)
    }


@cache
def judged() -> dict[str, dict[str, int]]:
    """The collection's judgements."""
    found: dict[str, dict[str, int]] = {}
    pairs = COLLECTION.pairs
    for query, passage, gain in zip(pairs.query, pairs.passage, pairs.gain.tolist(), strict=True):
        found.setdefault(COLLECTION.queries.ids[query], {})[COLLECTION.passages.ids[passage]] = gain
    return found


def cut(k: int) -> dict[str, dict[str, float]]:
    """The best ``k`` passages of each query of the full run."""
    return {
        query: dict(sorted(of.items(), key=lambda item: (item[1], item[0]), reverse=True)[:k])
        for query, of in full_run().items()
    }


def scores_of(folder: Path, run: dict, names=(), languages=LANGUAGES) -> RunValues:
    """The scores of a run of the collection."""
    return score_run(*read(folder, run, judged()), choose(names, with_bias=True), languages=languages)


def test_a_full_run_has_the_values_of_xlbench_run(tmp_path):
    """The run of all passages, scored as a file, has each value, mean and reference that a result has."""
    found = scores_of(tmp_path, full_run(), MEASURES)
    ranking = rank(COLLECTION, vector_scores(COLLECTION, integer_vector), depth=measures.depth(MEASURES))
    wanted = settings_of(["multi"], COLLECTION.languages)
    expected = from_ranking.score(ranking, wanted, MEASURES)
    n_values = 0
    for of_language in expected:
        assert list(of_language.values) == list(MEASURES)
        for name, values in of_language.values.items():
            by_query = dict(zip(found.queries, found.values[name].tolist(), strict=True))
            assert [by_query[query] for query in of_language.query] == pytest.approx(values, abs=1e-12, nan_ok=True)
            n_values += len(values)
        assert found.languages[of_language.setting.query] == pytest.approx(of_language.means())
    assert n_values == len(found.queries) * len(MEASURES)
    assert found.summary == pytest.approx(summarise({s.setting: s.means() for s in expected})["multi"])
    references = from_ranking.references(from_ranking.pooled_ranks(ranking, wanted), BIAS)
    assert found.references.keys() == references.keys()
    for name, ends in references.items():
        # Those of Share, AWRF and PEER are means of draws, which depend on the order of the languages.
        assert found.references[name] == pytest.approx(ends, rel=0.02 if "@" in name else 1e-9), name


def test_languages_of_queries_can_come_from_a_map(tmp_path):
    """Queries whose ids say no language have the same values with a map of their languages."""
    expected = scores_of(tmp_path, full_run())
    plain = {query: f"t{i}" for i, query in enumerate(judged())}
    languages = Languages(LANGUAGES.passages, {plain[query]: query.partition(":")[0] for query in plain})
    run = {plain[query]: of for query, of in full_run().items() if query in plain}
    found = score_run(
        *read(tmp_path, run, {plain[query]: of for query, of in judged().items()}),
        choose((), with_bias=True),
        languages=languages,
    )
    assert found.languages == expected.languages
    assert found.asked == expected.asked


NEED_ALL = {"RankDistance", "MaxRankNorm", "OneTargetBias", "IrrelevantLoss", "ParallelLoss"}


def test_a_cut_run_gives_what_it_can(tmp_path):
    """Of the best 60, measures of the best 10 are those of the full run; those that need more are left out, and why."""
    whole, found = scores_of(tmp_path, full_run()), scores_of(tmp_path, cut(60))
    assert set(found.summary) == {*RETRIEVAL, *BIAS} - NEED_ALL
    for name in ("nDCG@10", "RR@10", "Share@10", "AWRF@10", "PEER@10"):
        np.testing.assert_array_equal(found.values[name], whole.values[name])
    # The preference is known where a relevant passage was retrieved.
    defined = np.isfinite(found.values["LPR"])
    known = scores_of(tmp_path, full_run(), ["RR"]).values["RR"] >= 1 / 60
    np.testing.assert_array_equal(defined, known & np.isfinite(whole.values["LPR"]))
    np.testing.assert_array_equal(found.values["LPR"][defined], whole.values["LPR"][defined])
    assert 0 < defined.sum() < np.isfinite(whole.values["LPR"]).sum()
    for name in NEED_ALL:
        [note] = [note for note in found.notes if note.startswith(name)]
        assert "is left out: it needs the rank of every relevant passage" in note
    assert any(note.startswith(f"LPR is over {defined.sum()} of the {len(judged())} queries") for note in found.notes)


def test_a_run_that_is_cut_below_all_relevant_passages_gives_all(tmp_path):
    """Where each query keeps its passages down to the last relevant one, the measures of bias are the full run's."""
    whole = scores_of(tmp_path, full_run())
    run = {}
    for query, of in cut(len(LANGUAGES.passages)).items():
        last = max((i for i, id_ in enumerate(of) if id_ in judged().get(query, {})), default=0)
        run[query] = dict(list(of.items())[: max(last + 1, 10)])
    assert sum(map(len, run.values())) < sum(map(len, full_run().values()))
    found = scores_of(tmp_path, run)
    for name in BIAS:
        np.testing.assert_array_equal(found.values[name], whole.values[name], err_msg=name)


def test_a_run_shallower_than_the_cut_off_gives_no_share(tmp_path):
    """With 5 passages a query, what looks at the best 10 is left out, and what looks at the best 5 is not."""
    found = scores_of(tmp_path, cut(5), ["Share@10", "PEER@10", "AWRF@5", "PEER@5"])
    assert set(found.summary) == {"AWRF@5", "PEER@5"}
    assert "Share@10 is left out: the run has 5 passages of a query at most." in found.notes


def test_a_shallow_query_has_no_share(tmp_path):
    """A query with 3 passages has no Share@10, AWRF@10 or PEER@10, which is said, and the others keep theirs."""
    run, whole = cut(20), scores_of(tmp_path, cut(20))
    shallow = next(query for i, query in enumerate(whole.queries) if np.isfinite(whole.values["Share@10"][i]))
    run[shallow] = dict(list(run[shallow].items())[:3])
    found = scores_of(tmp_path, run)
    others = np.array(whole.queries) != shallow
    for name in ("Share@10", "AWRF@10", "PEER@10"):
        np.testing.assert_array_equal(found.values[name][others], whole.values[name][others])
        assert np.isnan(found.values[name][~others]).all()
        n = np.isfinite(whole.values[name]).sum() - 1
        [note] = [note for note in found.notes if note.startswith(name)]
        assert note.startswith(f"{name} is over {n} of the {len(judged())} queries")
        assert note.endswith("or the run has fewer than 10 passages of them.")
    assert np.isfinite(found.values["AP"]).all()


def test_references_are_of_the_queries_that_have_a_value(tmp_path):
    """A query that is left out for its few passages plays no part in what a perfect ranking of the others has."""
    run, judgements, languages = parallel()
    judgements["de:2"] = {"de2": 1, "de3": 1, "de4": 1, "en2": 1}
    wanted = choose(["Share@3"], with_bias=True)
    whole = score_run(*read(tmp_path, run, judgements), wanted, languages=languages)
    run["de:2"] = {"de2": 1.0}
    found = score_run(*read(tmp_path, run, judgements), wanted, languages=languages)
    del judgements["de:2"]
    expected = score_run(*read(tmp_path, run, judgements), wanted, languages=languages)
    assert found.references == expected.references != whole.references


def test_measures_that_nothing_is_left_of_are_an_error(tmp_path):
    """If a run can give none of the wanted measures, that is said instead of an empty table."""
    with pytest.raises(DataError, match=r"can give none of the measures\. .*RankDistance is left out: it needs"):
        scores_of(tmp_path, cut(5), ["RankDistance"])


def parallel(queries: int = 3) -> tuple[dict, dict, Languages]:
    """A run and judgements with one relevant passage in each of two languages."""
    passages = {f"{language}{i}": language for language in ("de", "en") for i in range(12)}
    run = {f"de:{i}": {id_: float(-j) for j, id_ in enumerate(passages)} for i in range(queries)}
    return run, {query: {f"de{i}": 1, f"en{i}": 1} for i, query in enumerate(run)}, Languages(passages)


def test_peer_is_refused_where_it_is_constant(tmp_path):
    """With one relevant passage a language PEER is the same for every ranking, and is left out for that reason."""
    run, judgements, languages = parallel()
    found = score_run(*read(tmp_path, run, judgements), choose((), with_bias=True), languages=languages)
    assert "PEER@10" not in found.values
    assert any("PEER@10 is left out: no query has two relevant passages in a language" in note for note in found.notes)
    # The passages of de stand above those of en: first in the language of the queries, 12 ranks apart.
    assert (found.summary["LPR"], found.summary["RankDistance"]) == (1.0, 12.0)
    assert found.references["RankDistance"] == pytest.approx({"perfect": 1.0, "random": 25 / 3})


def test_bias_is_left_out_where_relevant_passages_are_in_one_language(tmp_path):
    """As in MIRACL, whose queries have relevant passages in their own language only; retrieval is scored."""
    run, judgements, languages = parallel()
    judgements = {query: {f"de{i}": 1} for i, query in enumerate(judgements)}
    found = score_run(*read(tmp_path, run, judgements), choose((), with_bias=True), languages=languages)
    assert "RankDistance is left out: it is defined for no query in the language of 'de:0'." in found.notes
    assert "LPR" not in found.summary
    assert set(RETRIEVAL) <= set(found.summary)


def test_a_query_that_the_run_lacks_counts_0_and_has_no_bias(tmp_path):
    """It counts 0 in measures of retrieval and nothing in those of bias; both are said."""
    run, judgements, languages = parallel()
    del run["de:1"]
    run["de:x"] = {"de1": 1.0}
    judgements["de:2"] = {"de2": 0}
    wanted = choose(["Success@1", "LPR", "Share@10"], with_bias=True)
    found = score_run(*read(tmp_path, run, judgements), wanted, languages=languages)
    assert found.values["Success@1"].tolist() == [1.0, 0.0]
    assert [math.isnan(value) for value in found.values["LPR"]] == [False, True]
    assert [math.isnan(value) for value in found.values["Share@10"]] == [False, True]
    assert found.notes == (
        "Judged queries that the run does not have, which count 0: 1.",
        "Judged queries without a relevant passage, which are left out: 1.",
        "Queries of the run that are not judged, which are passed over: 1.",
        "LPR is over 1 of the 2 queries with relevant passages: for the others it is not defined, or the run has no "
        "relevant passage of them.",
        "Share@10 is over 1 of the 2 queries with relevant passages: for the others it is not defined, or the run has "
        "fewer than 10 passages of them.",
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"passages": {"de0": "de"}}, "The language map lacks the passage 'de1' of query 'de:0'"),
        (
            {"passages": {"de0": "fr"}},
            "'de:0' does not begin with the language of a passage and a colon, as in 'fr:42'",
        ),
        ({"queries": {"de:0": "de"}}, "The language map of the queries lacks 'de:1'; expected every judged query."),
    ],
)
def test_an_unknown_language_is_refused(tmp_path, change, said):
    """A passage or a query without a language is named."""
    run, judgements, languages = parallel()
    languages = Languages(**({"passages": languages.passages, "queries": None} | change))
    with pytest.raises(DataError) as error:
        score_run(*read(tmp_path, run, judgements), choose((), with_bias=True), languages=languages)
    assert said in str(error.value)


def test_a_run_of_other_queries_is_refused(tmp_path):
    """If no query is in both files, the ids of both are shown: a mean of 0 would be misread."""
    with pytest.raises(
        DataError, match="None of the 1 queries of the run is judged: the run begins with '1', the judg"
    ):
        score_run(*read(tmp_path, {"1": {"a": 1.0}}, {"q1": {"a": 1}}), choose((), with_bias=False))


def test_measures_of_bias_are_unknown_without_languages():
    """Without a language map they are no measures; with one and none of them named there are all of them."""
    with pytest.raises(UnknownNameError, match="Unknown measure 'LPR'"):
        choose(["LPR"], with_bias=False)
    assert [m.name for m in choose((), with_bias=False).retrieval] == list(RETRIEVAL)
    assert [m.name for m in choose(["AP", "MAP"], with_bias=True).retrieval] == ["AP"]
    assert [m.name for m in choose(["AP"], with_bias=True).bias] == list(BIAS)
    only = choose(["LPR", "LPR"], with_bias=True)
    assert ([m.name for m in only.bias], only.retrieval) == (["LPR"], ())


def test_a_run_of_other_ids_is_announced(tmp_path):
    """If no passage of the run is judged, values of 0 say nothing of the ranking: both ids are named."""
    found = score_run(*read(tmp_path, {"q": {"d9": 1.0}}, {"q": {"d1": 1}}), choose(["AP"], with_bias=False))
    assert found.totals == {"AP": 0.0}
    assert found.notes == (
        "No passage of the run is judged for its query: for 'q' the run has 'd9', and the judgements 'd1'. Are they "
        "ids of the same passages?",
    )
    near = score_run(*read(tmp_path, {"q": {"d9": 1.0, "d1": 0.5}}, {"q": {"d1": 1}}), choose(["AP"], with_bias=False))
    assert near.notes == ()
