"""The reader of Tatoeba's pairs of files."""

from __future__ import annotations

import pytest

from xlbench.catalogue import load, read_collection
from xlbench.catalogue.readers import answers, forms, read, why_not
from xlbench.errors import DataError, UsageError
from xlbench.job import Job
from xlbench.settings import Setting


def files(folder, **texts):
    """A file a language with these lines; an underscore stands for a hyphen."""
    for name, content in texts.items():
        (folder / name.replace("_", "-")).write_text(content, encoding="utf-8")
    return {name.replace("_", "-"): folder / name.replace("_", "-") for name in texts}


def test_a_sentence_is_answered_by_the_other_side_alone(tmp_path):
    """Equal lines of other pairs of files are no translations, and equal English sentences no answers."""
    given = files(tmp_path, gle="a\nb\n", eng_gle="one\ntwo\n", ita="uno\n", eng_ita="one\n")
    collection = read("tatoeba", given, text="sentence")
    assert collection.queries.ids == (
        "gle:gle-1", "gle:gle-2", "eng-gle:gle-1", "eng-gle:gle-2", "ita:ita-1", "eng-ita:ita-1"
    )  # fmt: skip
    judged = [
        (collection.queries.ids[query], collection.passages.ids[passage])
        for query, passage in zip(collection.pairs.query, collection.pairs.passage, strict=True)
    ]
    assert judged == [
        ("gle:gle-1", "eng-gle:gle-1"),
        ("gle:gle-2", "eng-gle:gle-2"),
        ("eng-gle:gle-1", "gle:gle-1"),
        ("eng-gle:gle-2", "gle:gle-2"),
        ("ita:ita-1", "eng-ita:ita-1"),
        ("eng-ita:ita-1", "ita:ita-1"),
    ]
    assert len(set(collection.clusters.of_query)) == 3


def test_settings_are_the_two_directions_of_each_pair():
    """And no other of the 49,952 pairs of languages."""
    job = Job.of("tatoeba")
    assert len(job.settings) == 224
    assert Setting("gle", "eng-gle") in job.settings
    assert Setting("eng-gle", "gle") in job.settings
    assert answers("tatoeba", "gle", "eng-gle")
    assert not answers("tatoeba", "gle", "eng-ita")
    assert not answers("tatoeba", "gle", "gle")
    assert forms("tatoeba") == ("sentence",)
    assert "by the other side of its pair of files alone" in why_not("tatoeba", "multi", text="sentence")


def test_one_side_alone_is_told_its_other_side():
    """A language needs its English side, which the message names, and no other."""
    with pytest.raises(UsageError, match=r"no cross setting in gle alone\. Its passages are in eng-gle\.$"):
        Job.of("tatoeba", languages=["gle"])


def test_sides_of_different_length_are_refused(tmp_path):
    """They cannot be translations line by line."""
    with pytest.raises(DataError, match=r"gle has 2 sentences and .*eng-gle 1, or they are on other lines"):
        read("tatoeba", files(tmp_path, gle="a\nb\n", eng_gle="one\n"), text="sentence")


@pytest.mark.real_data
def test_tatoeba(real_data):
    """The first, the tenth and the last line of a pair; 88,877 sentences a side (wc -l on the English files)."""
    task = load("tatoeba")
    assert sum(size.queries for size in task.sizes.values()) == 2 * 88_877
    collection = read_collection(task, languages=["gle", "eng-gle"], data_dir=real_data, cache_dir=None)
    for language, name in (("gle", "tatoeba.gle-eng.gle"), ("eng-gle", "tatoeba.gle-eng.eng")):
        lines = (real_data / "tatoeba" / name).read_text(encoding="utf-8").splitlines()
        texts = dict(zip(collection.queries.ids, collection.queries.text, strict=True))
        for number in (1, 10, 1_000):
            assert texts[f"{language}:gle-{number}"] == lines[number - 1].strip()
