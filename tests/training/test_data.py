"""Tests of training data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from xlbench.errors import TrainingError, UnknownNameError
from xlbench.training.data import Data, SourcePrompts
from xlbench.training.hard_negatives import HardNegatives
from xlbench.training.pairs import PairFile, read_pairs
from xlbench.training.plan import Plan
from xlbench.training.recipes import load
from xlbench.training.steps import Steps, check_shares, used


def pair_file(path: Path, rows: list[dict]) -> PairFile:
    """A pair file with these rows; ids are numbers where there is none."""
    path.write_text("".join(json.dumps({"id": str(i), **row}) + "\n" for i, row in enumerate(rows)), encoding="utf-8")
    return read_pairs(path)


def parallel(n: int, languages: tuple[str, ...] = ("de", "en"), name: str = "") -> list[dict]:
    """So many rows that say in each text which they are."""
    return [
        {
            "queries": {language: f"{language} q{name}{i}" for language in languages},
            "passages": {language: f"{language} p{name}{i}" for language in languages},
        }
        for i in range(n)
    ]


def test_presence_says_which_languages_a_row_has(tmp_path):
    """A row's queries and passages are there or not by language."""
    rows = [*parallel(1), {"queries": {"fr": "a"}, "passages": {"de": "b"}}]
    data = Data.of([pair_file(tmp_path / "a.jsonl", rows)], weights=[1.0])
    assert data.presence.languages == ("de", "en", "fr")
    assert data.presence.queries.tolist() == [[True, True, False], [False, False, True]]
    assert data.presence.passages.tolist() == [[True, True, False], [True, False, False]]


def test_languages_can_be_chosen(tmp_path):
    """Only the languages named are used, and one that no file has is refused."""
    file = pair_file(tmp_path / "a.jsonl", parallel(2, ("de", "en", "fr")))
    assert Data.of([file], weights=[1.0], languages=["fr", "de"]).presence.queries.shape == (2, 2)
    with pytest.raises(UnknownNameError, match="language 'dee'"):
        Data.of([file], weights=[1.0], languages=["dee"])


def test_rows_that_share_a_text_are_one_group(tmp_path):
    """Rows with the same passage in any language, the same query or the same passage id belong together."""
    rows = parallel(7)
    rows[1]["passages"]["en"] = rows[0]["passages"]["en"]
    rows[3]["queries"]["de"] = rows[2]["queries"]["de"]
    rows[4]["passages"]["de"] = rows[3]["passages"]["de"]
    data = Data.of([pair_file(tmp_path / "a.jsonl", rows)], weights=[1.0])
    groups = data.group.tolist()
    assert groups[0] == groups[1]
    assert groups[2] == groups[3] == groups[4]
    assert len(set(groups)) == 4


def test_only_texts_in_use_link_rows(tmp_path):
    """A text that all rows share in a language that is not used makes them no group; in one that is, it is refused."""
    rows = parallel(40, ("de", "en", "zh"))
    for row in rows:
        row["queries"]["zh"] = "nicht da"
    file = pair_file(tmp_path / "a.jsonl", rows)
    assert len(set(Data.of([file], weights=[1.0], languages=["de", "en"]).group.tolist())) == 40
    with pytest.raises(TrainingError, match=r"a\.jsonl: 40 of 40 rows .* 'nicht da'"):
        _ = Data.of([file], weights=[1.0]).group


def test_the_rows_of_each_file_are_looked_at_by_themselves(tmp_path):
    """A placeholder in a small file is seen beside a large one."""
    rows = parallel(40, name="small")
    for row in rows:
        row["passages"]["de"] = "keine"
    files = [pair_file(tmp_path / "large.jsonl", parallel(900)), pair_file(tmp_path / "small.jsonl", rows)]
    with pytest.raises(TrainingError, match=r"small\.jsonl: 40 of 40"):
        _ = Data.of(files, weights=[1.0, 1.0]).group


def test_ids_of_passages_are_of_their_own_file(tmp_path):
    """Two files that number their rows alike do not share passages."""
    files = [pair_file(tmp_path / f"{name}.jsonl", parallel(3, name=name)) for name in "ab"]
    data = Data.of(files, weights=[1.0, 1.0])
    assert len(set(data.group.tolist())) == 6
    assert data.file.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_batch_has_the_texts_that_the_plan_names(tmp_path):
    """Query and passage are those of the row in the languages drawn."""
    data = Data.of([pair_file(tmp_path / "a.jsonl", parallel(20))], weights=[1.0])
    batches = Plan(data.presence, load("x-y"), 5, 4).epoch(0)
    batch = data.batch(batches, 2)
    for row, name, query, passage in zip(batches.rows[2], batch.names, batch.queries, batch.passages, strict=True):
        asked, answered = query[:2], passage[:2]
        assert (query, passage) == (f"{asked} q{row}", f"{answered} p{row}")
        assert asked != answered
        assert name == f"{row} ({asked}>{answered})"


def test_hard_negatives_are_in_the_language_of_the_passage_and_as_many_for_each_row(tmp_path):
    """A row that lacks some has empty ones that are nobody's; one that is another row's passage is of its group."""
    rows = parallel(2)
    rows[0]["negatives"] = {"de": ["de x", "de p1"], "en": ["en x"]}
    data = Data.of([pair_file(tmp_path / "a.jsonl", rows)], weights=[1.0], languages=["de"])
    batches = Plan(data.presence, load("x-x-mono"), 2, 1).epoch(0)
    order = batches.rows[0].tolist()
    batch = data.batch(batches, 0, hard=HardNegatives(2))
    of_row = {row: batch.passages[2 + 2 * i : 4 + 2 * i] for i, row in enumerate(order)}
    groups = {row: batch.passage_groups[2 + 2 * i : 4 + 2 * i].tolist() for i, row in enumerate(order)}
    assert of_row == {0: ("de x", "de p1"), 1: ("", "")}
    assert groups[0][1] == data.group[1]
    assert groups[0][0] not in data.group.tolist()
    assert groups[1] == [-1, -1]


def test_a_hard_negative_without_letters_is_nobodys(tmp_path):
    """It takes its place, but counts for no query."""
    rows = parallel(2)
    rows[0]["negatives"] = {"de": ["???"]}
    data = Data.of([pair_file(tmp_path / "a.jsonl", rows)], weights=[1.0], languages=["de"])
    batches = Plan(data.presence, load("x-x-mono"), 2, 1).epoch(0)
    assert data.batch(batches, 0, hard=HardNegatives(1)).passage_groups[2:].tolist() == [-1, -1]


def test_a_batch_may_have_its_queries_in_another_language_too(tmp_path):
    """Drawn among the row's other languages in use, by step; a row without one repeats its own and is marked."""
    rows = parallel(6, ("de", "en", "fr", "th"))
    for code in ("en", "fr", "th"):
        del rows[0]["queries"][code]
    data = Data.of([pair_file(tmp_path / "a.jsonl", rows)], weights=[1.0], languages=["de", "en", "fr"])
    batches = Plan(data.presence, load("x-x-mono"), 6, 1).epoch(0)
    drawn = [data.batch(batches, 0, step=step, losses={"parallel": 1.0}) for step in range(20)]
    own = drawn[0].queries[:6]
    for batch in drawn:
        assert (len(batch), batch.queries[:6]) == (6, own)
        for one, other, there in zip(own, batch.queries[6:], batch.has_parallel.tolist(), strict=True):
            assert one[3:] == other[3:]
            assert (one != other) == there == (one[3:] != "q0")
            assert other[:2] in ("de", "en", "fr")
    assert len({batch.queries for batch in drawn}) > 10
    parts = [drawn[0].part(number, 2) for number in range(2)]
    assert parts[1].queries == (*own[3:], *drawn[0].queries[9:])
    assert len(data.batch(batches, 0).queries) == 6


def test_the_parts_of_a_batch_are_the_batch(tmp_path):
    """Each process has its own rows with their hard negatives, and all together have the batch."""
    rows = parallel(4)
    for i, row in enumerate(rows):
        row["negatives"] = {"de": [f"n{i}"], "en": [f"n{i}"]}
    data = Data.of([pair_file(tmp_path / "a.jsonl", rows)], weights=[1.0])
    batch = data.batch(Plan(data.presence, load("hybrid"), 4, 1).epoch(0), 0, hard=HardNegatives(1))
    parts = [batch.part(number, 2) for number in range(2)]
    assert sum((part.queries for part in parts), ()) == batch.queries
    assert sum((part.passages[:2] for part in parts), ()) + sum((part.passages[2:] for part in parts), ()) == (
        batch.passages
    )
    for part in parts:
        assert [name[0] for name in part.names] == [text[1] for text in part.passages[2:]]
        assert part.passage_groups[:2].tolist() == part.groups.tolist()


def test_any_step_can_be_asked_for(tmp_path):
    """A step's texts are the same whether all steps before it were asked for or none, as when a run goes on."""
    data = Data.of([pair_file(tmp_path / "a.jsonl", parallel(20))], weights=[1.0])
    plan = Plan(data.presence, load("hybrid"), 6, 11)
    in_order = list(map(Steps(data, plan).__getitem__, range(11)))
    for step in (7, 10, 2, 3):
        assert Steps(data, plan)[step].queries == in_order[step].queries
    steps = Steps(data, plan)
    assert [steps[step].passages for step in (10, 0)] == [in_order[step].passages for step in (10, 0)]


def test_used_counts_what_each_file_and_pair_of_languages_contributed(tmp_path):
    """Uses are counted up to the step, by file, kind of batch and languages."""
    files = [pair_file(tmp_path / f"{name}.jsonl", parallel(20, name=name)) for name in "ab"]
    data = Data.of(files, weights=[3.0, 1.0])
    found = used(data, Plan(data.presence, load("x-y"), 10, 8, uses=data.uses), 8)
    assert found.rows == [60, 20]
    assert found.batches == {"cross": 8}
    assert set(found.pairs) == {"de>en", "en>de"}
    assert sum(found.pairs.values()) == 80
    assert sum(used(data, Plan(data.presence, load("x-y"), 10, 8, uses=data.uses), 3).pairs.values()) == 30
    assert found.n_epochs == 1
    assert found.shares() == "1.000 cross (8)"
    assert np.isclose(data.uses.sum(), 80)


def test_another_share_of_kinds_than_the_recipe_says_is_an_error(tmp_path):
    """Of 400 hybrid batches 200 are mono; 230 are within three binomial deviations, and 240 are refused."""
    data = Data.of([pair_file(tmp_path / "a.jsonl", parallel(20))], weights=[1.0])
    plan = Plan(data.presence, load("hybrid"), 5, 400)
    assert used(data, plan, 400).batches == {"mono": 200, "cross": 200}
    check_shares(plan, {"mono": 230, "cross": 170})
    with pytest.raises(TrainingError, match=r"240 of 400 batches are mono; .* hybrid expects 200, give or take 30"):
        check_shares(plan, {"mono": 240, "cross": 160})


def test_texts_have_the_prompts_of_their_file(tmp_path):
    """Query, parallel query, passage and hard negative of a row begin as its file says, else as the model's do."""
    from tests.models.made_models import make_sentence_bert
    from xlbench.training import model_folder
    from xlbench.training.run import Init

    make_sentence_bert(tmp_path / "tiny", prompts={"query": "one : ", "document": "two : "})
    tokeniser = model_folder.load(Init(str(tmp_path / "tiny"), {})).tokeniser
    rows = [row | {"negatives": {"de": ["six"], "en": ["six"]}} for row in parallel(6)]
    files = [pair_file(tmp_path / f"{name}.jsonl", rows) for name in "ab"]
    prompts = [SourcePrompts(), SourcePrompts(query="three : ", passage="")]
    data = Data.of(files, weights=[1, 1], prompts=prompts)
    steps = Steps(data, Plan(data.presence, load("x-y"), 8, 1), hard=HardNegatives(n=1))
    batches = steps._plan.epoch(0)
    whole = data.batch(batches, 0, hard=HardNegatives(n=1), losses={"info-nce": 1.0, "parallel": 1.0})
    for batch in (whole, whole.part(1, 2)):
        made = tokeniser.with_sources(data.prompts).collate(batch)
        firsts = [
            tokeniser.model.tokenizer.convert_ids_to_tokens(features["input_ids"][order][:, 1].tolist())
            for features, order in zip(
                made["features"], (made["labels"]["query_order"], made["labels"]["passage_order"]), strict=True
            )
        ]
        own = [("one", "three")[of] for of in batch.source.tolist()]
        assert firsts[0] == own * 2
        assert [first == "two" for first in firsts[1]] == [of == 0 for of in batch.source.tolist()] * 2
    assert len(set(whole.source.tolist())) == 2
    assert Data.of(files, weights=[1, 1], prompts=[SourcePrompts()] * 2).prompts == ()
