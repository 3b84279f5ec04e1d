"""The reader of XQuAD-R and MLQA-R."""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.catalogue.readers import forms, read
from xlbench.errors import DataError, XlbenchError

LANGUAGES = {
    "xquad-r": ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"),
    "mlqa-r": ("ar", "de", "en", "es", "hi", "vi", "zh"),
}
FORMS = ("sentence", "sentence+context")
"""Those with golden records."""

# python tests/readers/golden_lareqa.py DATA > tests/readers/golden_lareqa.tsv
GOLDEN = {
    tuple(row[:3]): row[3:]
    for row in (line.split("\t") for line in Path(__file__).with_name("golden_lareqa.tsv").read_text().splitlines())
}


@pytest.fixture(scope="module")
def collection_of(real_data):
    """Reads a real data set in one form of text, once."""
    known = {}

    def collection(name, form="sentence"):
        if (name, form) not in known:
            files = {language: real_data / "lareqa" / name / f"{language}.json" for language in LANGUAGES[name]}
            known[name, form] = read("lareqa", files, text=form)
        return known[name, form]

    return collection


def records(texts, language):
    """The (id, text) of each record of a language, given as its index."""
    rows = texts.rows(language)
    return list(zip(texts.ids[rows], texts.text[rows], strict=True))


@pytest.mark.real_data
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("name", "language"), [(name, language) for name in LANGUAGES for language in LANGUAGES[name]])
def test_counts_and_records_are_those_of_the_files(collection_of, name, language, form):
    """The number of queries and passages, and the first, tenth and last of each, are those counted from the JSON."""
    collection = collection_of(name, form)
    for what, texts in (("query", collection.queries), (form, collection.passages)):
        found = records(texts, LANGUAGES[name].index(language))
        checked = [
            (id_, hashlib.sha256(text.encode()).hexdigest()[:12]) for id_, text in (found[0], found[9], found[-1])
        ]
        assert [str(len(found)), *(value for record in checked for value in record)] == GOLDEN[name, language, what]


@pytest.mark.real_data
def test_xquad_r_is_as_large_as_its_paper_says(collection_of):
    """XQuAD-R has 1,190 queries in each of 11 languages, 13,014 passages, and 11 relevant passages a query."""
    collection = collection_of("xquad-r")
    assert np.bincount(collection.queries.language).tolist() == [1190] * 11
    assert len({id_.split(":")[1] for id_ in collection.queries.ids}) == 1190
    assert len(collection.passages) == 13_014
    assert len(collection.pairs) == 143_990
    assert (collection.pairs.gain == 1).all()
    target = collection.passages.language[collection.pairs.passage]
    counts = np.zeros((len(collection.queries), 11), int)
    np.add.at(counts, (collection.pairs.query, target), 1)
    assert (counts == 1).all()


@pytest.mark.real_data
def test_mlqa_r_asks_its_questions_in_two_to_four_languages(collection_of):
    """MLQA-R has 4,199 queries of 1,148 ids, 820 of them in 4 languages, 263 in 3 and 65 in 2, and 20,534 passages."""
    collection = collection_of("mlqa-r")
    assert (len(collection.queries), len(collection.passages)) == (4199, 20_534)
    in_languages = Counter(id_.split(":")[1] for id_ in collection.queries.ids)
    assert Counter(in_languages.values()) == {4: 820, 3: 263, 2: 65}
    assert len(collection.pairs) == 820 * 16 + 263 * 9 + 65 * 4


@pytest.mark.real_data
@pytest.mark.parametrize(("asked", "pool", "n_queries"), [("ar", "de", 207), ("en", "de", 512), ("es", "zh", 161)])
def test_mlqa_r_judges_a_pair_of_languages_on_the_questions_of_both(collection_of, asked, pool, n_queries):
    """A query has a relevant passage in another language only if that language has the question, and then one."""
    collection = collection_of("mlqa-r")
    a, b = (LANGUAGES["mlqa-r"].index(language) for language in (asked, pool))
    pairs = collection.pairs
    from_a = collection.queries.language[pairs.query] == a
    to_b = collection.passages.language[pairs.passage] == b
    assert (from_a & to_b).sum() == n_queries
    assert len(set(pairs.query[from_a & to_b].tolist())) == n_queries
    both = {i: {id_.split(":")[1] for id_, _ in records(collection.queries, i)} for i in (a, b)}
    assert len(both[a] & both[b]) == n_queries


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "n_articles"), [("xquad-r", 48), ("mlqa-r", 520)])
def test_the_questions_on_one_article_are_a_cluster(collection_of, name, n_articles):
    """XQuAD-R has 48 articles; MLQA-R 520 in English, which all other languages' names of articles are joined to."""
    clusters = collection_of(name).clusters
    assert (clusters.unit, len(clusters)) == ("article", n_articles)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "n_passages"), [("xquad", 240), ("xquad-r", 240)])
def test_a_paragraph_can_be_the_passage(real_data, name, n_passages):
    """XQuAD and XQuAD-R have 1,190 questions on 240 paragraphs of 48 articles, one relevant in each language."""
    paths = {"xquad": "xquad/xquad.{}.json", "xquad-r": "lareqa/xquad-r/{}.json"}
    found = read("lareqa", {a: real_data / paths[name].format(a) for a in ("de", "en")}, text="paragraph")
    assert (len(found.queries), len(found.passages)) == (2 * 1190, 2 * n_passages)
    assert len(found.pairs) == 2 * 2 * 1190
    assert len(found.clusters) == 48
    assert found.passages.ids[0] == "de:0"
    data = json.loads((real_data / paths[name].format("en")).read_text(encoding="utf-8"))["data"]
    contexts = [paragraph["context"] for article in data for paragraph in article["paragraphs"]]
    assert list(found.passages.text[found.passages.rows(1)]) == contexts


@pytest.mark.real_data
def test_the_paragraphs_of_xquad_r_are_those_of_xquad(real_data):
    """In all of its languages, so that the two are one collection in two forms."""
    for language in LANGUAGES["xquad-r"]:
        texts = [
            list(read("lareqa", {language: real_data / path}, text="paragraph").passages.text)
            for path in (f"xquad/xquad.{language}.json", f"lareqa/xquad-r/{language}.json")
        ]
        assert texts[0] == texts[1]


@pytest.mark.real_data
def test_repeated_sentences_stay_separate_passages(collection_of):
    """A sentence that stands in several paragraphs is several passages: ar 2, hi 1, ru 1, tr 1 and zh 4 repeats."""
    collection = collection_of("xquad-r")
    repeats = {}
    for i, language in enumerate(LANGUAGES["xquad-r"]):
        texts = [text for _, text in records(collection.passages, i)]
        repeats[language] = len(texts) - len(set(texts))
    assert {language: n for language, n in repeats.items() if n} == {"ar": 2, "hi": 1, "ru": 1, "tr": 1, "zh": 4}
    turkish = LANGUAGES["xquad-r"].index("tr")
    answers = {p for p in set(collection.pairs.passage.tolist()) if collection.passages.language[p] == turkish}
    repeated = Counter(text for _, text in records(collection.passages, turkish))
    assert sum(repeated[collection.passages.text[p]] > 1 for p in answers) == 1


@pytest.mark.real_data
def test_questions_share_answer_sentences(collection_of):
    """The 1,190 questions are answered by 603 (th) to 818 (de) different sentences of a language."""
    collection = collection_of("xquad-r")
    answers = Counter(collection.passages.language[np.unique(collection.pairs.passage)].tolist())
    by_language = {language: answers[i] for i, language in enumerate(LANGUAGES["xquad-r"])}
    assert (min(by_language.values()), by_language["th"]) == (603, 603)
    assert (max(by_language.values()), by_language["de"]) == (818, 818)


@pytest.mark.real_data
@pytest.mark.parametrize("name", LANGUAGES)
def test_the_relevant_passage_holds_the_start_of_the_answer(collection_of, real_data, name):
    """A query's relevant passage in its own language holds the first characters of its answer."""
    collection = collection_of(name)
    answers = {}
    for language in LANGUAGES[name]:
        squad = json.loads((real_data / "lareqa" / name / f"{language}.json").read_text("utf-8"))
        for paragraph in (p for article in squad["data"] for p in article["paragraphs"]):
            answers |= {f"{language}:{q['id']}": (paragraph["context"], q["answers"][0]) for q in paragraph["qas"]}
    own = collection.queries.language[collection.pairs.query] == collection.passages.language[collection.pairs.passage]
    assert own.sum() == len(collection.queries)
    for query, passage in zip(collection.pairs.query[own], collection.pairs.passage[own], strict=True):
        context, answer = answers[collection.queries.ids[query]]
        sentence = collection.passages.text[passage]
        start = answer["answer_start"]
        assert sentence in context
        assert any(context[start:].startswith(sentence[i:][: len(answer["text"])]) for i in range(len(sentence)))


CONTEXT = "First one.\nSecond, it is. Third"
ARTICLES = [
    {
        "title": "t",
        "paragraphs": [
            {
                "context": CONTEXT,
                "sentence_breaks": [[0, 10], [11, 25], [26, 31]],
                "qas": [
                    {"id": "q1", "question": "who?", "answers": [{"answer_start": 24, "text": "s. T"}]},
                    {
                        "id": "q2",
                        "question": "what?",
                        "answers": [{"answer_start": 11, "text": "Second"}, {"answer_start": 26}],
                    },
                ],
            },
            {"context": "Alone", "sentence_breaks": [[0, 5]], "qas": []},
        ],
    },
    {"paragraphs": [{"context": "Alone", "sentence_breaks": [[0, 5]], "qas": []}]},
]


def write(folder, language="xx", articles=ARTICLES):
    """Writes a file of the shape."""
    path = folder / f"{language}.json"
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


def paragraph_with(**changes):
    """The articles with the first paragraph changed; a value of None takes the key away."""
    articles = copy.deepcopy(ARTICLES)
    paragraph = articles[0]["paragraphs"][0]
    paragraph |= changes
    articles[0]["paragraphs"][0] = {key: value for key, value in paragraph.items() if value is not None}
    return articles


def question_with(**changes):
    """The articles with the second question changed; a value of None takes the key away."""
    questions = copy.deepcopy(ARTICLES[0]["paragraphs"][0]["qas"])
    questions[1] = {key: value for key, value in (questions[1] | changes).items() if value is not None}
    return paragraph_with(qas=questions)


def test_every_sentence_of_every_paragraph_is_a_passage(tmp_path):
    """Passages are counted by paragraph over all articles and by sentence; identical sentences stay two passages."""
    collection = read("lareqa", {"xx": write(tmp_path)}, text="sentence")
    assert dict(zip(collection.passages.ids, collection.passages.text, strict=True)) == {
        "xx:0:0": "First one.",
        "xx:0:1": "Second, it is.",
        "xx:0:2": "Third",
        "xx:1:0": "Alone",
        "xx:2:0": "Alone",
    }
    assert dict(zip(collection.queries.ids, collection.queries.text, strict=True)) == {
        "xx:q1": "who?",
        "xx:q2": "what?",
    }


def test_the_context_follows_the_sentence_without_separator_and_newlines(tmp_path):
    """The form sentence+context is the sentence and its paragraph, with newlines taken away and nothing put between."""
    collection = read("lareqa", {"xx": write(tmp_path)}, text="sentence+context")
    assert collection.passages.text[1] == "Second, it is.First one.Second, it is. Third"
    assert forms("lareqa") == (*FORMS, "paragraph")


def test_of_sentences_that_overlap_the_first_has_the_answer(tmp_path):
    """In whatever order they stand."""
    question = {"id": "q", "question": "?", "answers": [{"text": "x", "answer_start": 3}]}
    for breaks, expected in (([[4, 9], [0, 4], [2, 6]], 1), ([[0, 9], [2, 6]], 0), ([[2, 6], [0, 9]], 0)):
        articles = [{"paragraphs": [{"context": "012345678", "sentence_breaks": breaks, "qas": [question]}]}]
        collection = read("lareqa", {"xx": write(tmp_path, articles=articles)}, text="sentence")
        assert [collection.passages.ids[p] for p in collection.pairs.passage] == [f"xx:0:{expected}"]


@pytest.mark.parametrize("form", FORMS)
def test_a_small_file_cannot_be_gigabytes_of_texts(tmp_path, form):
    """Sentences that are each the whole paragraph, or stand beside it, are refused before they fill the memory."""
    n = 20_000
    breaks = [[0, n]] * n if form == "sentence" else [[i, i + 1] for i in range(n)]
    articles = [{"paragraphs": [{"context": "a" * n, "sentence_breaks": breaks, "qas": []}]}]
    with pytest.raises(DataError, match=r"xx\.json has [\d,]+ bytes, and its texts more than [\d,]+ together"):
        read("lareqa", {"xx": write(tmp_path, articles=articles)}, text=form)


def test_an_answer_belongs_to_the_sentence_in_which_it_starts(tmp_path):
    """The relevant passage is the sentence in which the first of the answers starts, also where it runs on."""
    collection = read("lareqa", {"xx": write(tmp_path)}, text="sentence")
    assert [collection.passages.ids[p] for p in collection.pairs.passage] == ["xx:0:1", "xx:0:1"]


def test_a_question_is_answered_in_every_language_that_has_it(tmp_path):
    """A query's relevant passages are the answers of the same question id in all languages, in each query language."""
    one = paragraph_with(qas=[{"id": "q1", "question": "wer?", "answers": [{"answer_start": 0, "text": "First"}]}])
    files = {"xx": write(tmp_path), "yy": write(tmp_path, "yy", one)}
    collection = read("lareqa", files, text="sentence")
    judged = {
        (collection.queries.ids[q], collection.passages.ids[p])
        for q, p in zip(collection.pairs.query, collection.pairs.passage, strict=True)
    }
    assert judged == {
        ("xx:q1", "xx:0:1"),
        ("xx:q1", "yy:0:0"),
        ("xx:q2", "xx:0:1"),
        ("yy:q1", "xx:0:1"),
        ("yy:q1", "yy:0:0"),
    }


AT = r"xx\.json, article 0, paragraph 0"


@pytest.mark.parametrize(
    ("articles", "said"),
    [
        (
            paragraph_with(sentence_breaks=None),
            rf"{AT} has no 'sentence_breaks': the copies on the data hubs lack them",
        ),
        (paragraph_with(sentence_breaks=7), rf"{AT}, 'sentence_breaks' is 7; expected a list"),
        (paragraph_with(sentence_breaks=[[0, 10], 7]), rf"{AT}, sentence 1 is 7; expected a list"),
        (paragraph_with(sentence_breaks=[[0, "x"]]), rf"{AT}, sentence 0 is 'x'; expected an integer"),
        (paragraph_with(sentence_breaks=[[0, 10, 12]]), rf"{AT}, sentence 0 runs over \[0, 10, 12\]"),
        (paragraph_with(sentence_breaks=[[5, 5]]), rf"{AT}, sentence 0 runs over \[5, 5\]"),
        (paragraph_with(sentence_breaks=[[-1, 5]]), rf"{AT}, sentence 0 runs over \[-1, 5\]"),
        (
            paragraph_with(sentence_breaks=[[0, 32]]),
            rf"{AT}, sentence 0 runs over \[0, 32\]; expected .* within 0 to 31",
        ),
        (paragraph_with(sentence_breaks=[[10, 11]], qas=[]), "he text of 'xx:0:0' is empty"),
        (paragraph_with(context=None), rf"{AT} has no 'context'"),
        (paragraph_with(context=["a"]), rf"{AT}, 'context' is \['a'\]; expected a string"),
        (paragraph_with(qas={}), rf"{AT}, 'qas' is {{}}; expected a list"),
        (
            question_with(answers=[{"answer_start": 10}]),
            rf"{AT}, question 1 has an answer that starts at 10, outside every",
        ),
        (
            question_with(answers=[{"answer_start": -1}]),
            rf"{AT}, question 1 has an answer that starts at -1, outside every",
        ),
        (
            question_with(answers=[{"answer_start": 31}]),
            rf"{AT}, question 1 has an answer that starts at 31, outside every",
        ),
        (
            question_with(answers=[{"answer_start": "3"}]),
            rf"{AT}, question 1, 'answer_start' is '3'; expected an integer",
        ),
        (question_with(answers=[{"answer_start": True}]), rf"{AT}, question 1, 'answer_start' is True"),
        (question_with(answers=[]), rf"{AT}, question 1 has no answer; expected one"),
        (question_with(answers=[3]), rf"{AT}, question 1 is 3; expected an object"),
        (question_with(id="q1"), "The id 'xx:q1' occurs twice"),
        (question_with(id=17), rf"{AT}, question 1, 'id' is 17; expected a string"),
        (question_with(id=None), rf"{AT}, question 1 has no 'id'; expected it beside 'question', 'answers'"),
        (question_with(question=""), "question 1: the text of 'xx:q2' is empty"),
        (question_with(question="\ud83d"), rf"{AT}, question 1, 'question' is .* half of a surrogate pair"),
        ([{"title": "t"}], r"xx\.json, article 0 has no 'paragraphs'; expected it beside 'title'"),
        ([[]], r"xx\.json, article 0 is \[\]; expected an object"),
        ({}, r"xx\.json, 'data' is {}; expected a list"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_the_place(tmp_path, articles, said):
    """Whatever is missing, empty, doubled or of another type is a DataError that says where."""
    with pytest.raises(DataError, match=said):
        read("lareqa", {"xx": write(tmp_path, articles=articles)}, text="sentence")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[:-20], r"xx\.json is not valid JSON at line 1, column \d+ .*: is the file cut off\?"),
        (lambda content: content.replace(b"who", b"w\xff\xfe"), r"xx\.json is not UTF-8 at byte \d+"),
        (lambda content: b"", r"xx\.json is not valid JSON at line 1, column 1"),
        (lambda content: b"[]", r"xx\.json is \[\]; expected an object"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, damage, said):
    """A file that is cut off, empty or not UTF-8 is a DataError that names it."""
    path = write(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=said):
        read("lareqa", {"xx": path}, text="sentence")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def nearly(**fields):
    """Objects with these fields, of which each may be absent or anything."""
    return st.fixed_dictionaries(
        {}, optional={name: values | JSON for name, values in fields.items()}
    ) | st.fixed_dictionaries(fields)


PLACES = st.integers(-1, 8)
ANSWERS = nearly(answer_start=PLACES)
QUESTIONS = nearly(
    id=st.text(max_size=2), question=st.text(st.characters(), max_size=3), answers=st.lists(ANSWERS, max_size=2)
)
PARAGRAPHS = nearly(
    context=st.text(st.characters(), max_size=8),
    sentence_breaks=st.lists(st.lists(PLACES, min_size=2, max_size=2) | st.just([0, 1]), max_size=3),
    qas=st.lists(QUESTIONS, max_size=2),
)
FILES = nearly(data=st.lists(nearly(paragraphs=st.lists(PARAGRAPHS, max_size=2)), max_size=2))


@given(content=st.binary() | JSON | FILES, form=st.sampled_from([*FORMS, "paragraph"]))
def test_any_content_gives_a_collection_or_an_xlbench_error(tmp_path, content, form):
    """Any bytes and any JSON give a collection or an XlbenchError that can be printed, never another exception."""
    path = tmp_path / "any.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    try:
        collection = read("lareqa", {"xx": path}, text=form)
        said = [*collection.queries.text, *collection.passages.text]
    except XlbenchError as error:
        said = [str(error)]
    assert all(text.encode() for text in said)
