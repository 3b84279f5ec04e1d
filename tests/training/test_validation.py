"""Validation on held-out pairs: which rows, which loss, which values."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.test_data import pair_file, parallel
from xlbench.errors import TrainingError, UnknownNameError
from xlbench.training.data import Data
from xlbench.training.validation import Criterion, HeldOut, Remembering, Validation


class Numbers:
    """A model whose vector for a text follows from its characters; it counts what it encodes."""

    training = False
    n_encoded = 0

    def encode_query(self, texts, **_):
        """Unit vectors, as a tensor."""
        import torch

        self.n_encoded += len(texts)
        vectors = [np.random.default_rng([*text[-3:].encode()]).standard_normal(8) for text in texts]
        return torch.nn.functional.normalize(torch.tensor(np.array(vectors, np.float32)), dim=1)

    encode_document = encode_query


def held_out(tmp_path, rows, **fields) -> HeldOut:
    """These rows as held-out pairs at temperature .1."""
    data = Data.of([pair_file(tmp_path / "held.jsonl", rows)], weights=[1.0])
    return HeldOut("held", data, 0.1, **fields)


def test_the_loss_of_each_pair_of_languages_is_that_of_the_definition(tmp_path):
    """Each query against all passages of a language; those of linked rows, but for its own, do not count."""
    rows = parallel(12)
    rows[3]["passages"]["en"] = rows[2]["passages"]["en"]
    del rows[5]["passages"]["de"], rows[6]["queries"]["en"]
    pairs = held_out(tmp_path, rows)
    encoder = Remembering(Numbers())
    values = Validation((pairs,))(encoder)
    group = pairs.data.group

    def loss(a, b):
        there = [i for i in range(12) if b in rows[i]["passages"]]
        passages = dict(zip(there, encoder.encode_passages([rows[i]["passages"][b] for i in there]), strict=True))
        losses = []
        for i in there:
            if a in rows[i]["queries"]:
                query = encoder.encode_queries([rows[i]["queries"][a]])[0]
                scores = {j: query @ passages[j] / 0.1 for j in there if j == i or group[j] != group[i]}
                losses.append(np.log(sum(np.exp(score) for score in scores.values())) - scores[i])
        return np.mean(losses)

    assert values["held_loss_de"] == pytest.approx(loss("de", "de"), rel=1e-4)
    assert values["held_loss_en"] == pytest.approx(loss("en", "en"), rel=1e-4)
    assert values["held_loss_mono"] == pytest.approx((loss("de", "de") + loss("en", "en")) / 2, rel=1e-4)
    assert values["held_loss_cross"] == pytest.approx((loss("de", "en") + loss("en", "de")) / 2, rel=1e-4)
    assert {"held_mono_AP", "held_cross_AP", "held_multi_AP", "held_multi_RankDistance"} < {*values}


def test_all_rows_are_measured_and_each_text_is_encoded_once(tmp_path):
    """500 rows in two languages are 1,000 queries and 1,000 passages, however they are used."""
    pairs = held_out(tmp_path, parallel(500))
    model = Numbers()
    Validation((pairs,))(model)
    assert len(pairs.collection.queries) == len(pairs.collection.passages) == 1_000
    assert model.n_encoded == 2_000


def test_a_sample_has_each_set_of_languages_in_proportion(tmp_path):
    """Of 60 rows with two languages and 40 with one, a sample of 20 has 12 and 8; a seed decides which."""
    rows = parallel(100)
    for row in rows[60:]:
        del row["queries"]["en"], row["passages"]["en"]
    samples = [held_out(tmp_path, rows, n_rows=20, seed=seed).rows.tolist() for seed in (0, 0, 1)]
    assert [sum(i < 60 for i in sample) for sample in samples] == [12, 12, 12]
    assert samples[0] == samples[1] != samples[2]
    assert len(set(samples[0])) == 20
    assert held_out(tmp_path, rows, n_rows=1_000).rows.tolist() == list(range(100))


def test_pairs_in_one_language_are_measured_in_it_and_a_sentence_says_so(tmp_path):
    """Held-out rows in English alone have a monolingual value and loss, and nothing is divided by zero."""
    validation = Validation((held_out(tmp_path, parallel(5, ("en",))),))
    assert {*validation(Numbers())} == {"held_mono_AP", "held_loss_mono"}
    assert validation.criterion(None) == Criterion("held_mono_AP", greater=True)
    assert validation.sentences()[0].startswith("held has no pairs for cross (two languages)")


def test_pairs_without_any_row_to_measure_are_refused(tmp_path):
    """A query in German and a passage in English, of which only German is trained on, are no pair."""
    file = pair_file(tmp_path / "a.jsonl", [{"queries": {"de": "a"}, "passages": {"en": "b"}}])
    pairs = HeldOut("a", Data.of([file], weights=[1.0], languages=["de"]), 0.1)
    with pytest.raises(TrainingError, match=r"a\.jsonl has no row with a query and a passage in de"):
        _ = pairs.collection


def test_the_best_is_chosen_by_the_pool_of_all_languages_or_by_a_named_value(tmp_path):
    """By default multi of the first pairs; a loss is better when lower; other names are refused with the known ones."""
    validation = Validation((held_out(tmp_path, parallel(5)),))
    assert validation.criterion(None) == Criterion("held_multi_AP", greater=True)
    assert validation.criterion("held_loss_cross") == Criterion("held_loss_cross", greater=False)
    assert validation.criterion("held_multi_RankDistance") == Criterion("held_multi_RankDistance", greater=False)
    with pytest.raises(UnknownNameError, match="Did you mean 'held_cross_AP'"):
        validation.criterion("held_cros_AP")
