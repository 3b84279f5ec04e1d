"""Task files and the collections that they describe."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from xlbench import catalogue
from xlbench.catalogue.sources import Checksum, Source
from xlbench.errors import DataError, TaskError, UnknownNameError, XlbenchError

ROOT = Path(__file__).parents[2]
LINES = [
    {"id": "1", "queries": {"de": "wer?", "en": "who?"}, "passages": {"de": "ich", "en": "I"}},
    {"id": "2", "queries": {}, "passages": {"de": "du"}},
]
DATA = "".join(json.dumps(line) + "\n" for line in LINES).encode()
SUM = hashlib.sha256(DATA).hexdigest()
RECORD = {
    "name": "small",
    "title": "A small task",
    "version": 1,
    "reader": "parallel",
    "text": "passage",
    "source": {"url": None, "path": "small.jsonl", "sha256": {"de": SUM, "en": SUM}},
    "sizes": {"de": {"queries": 1, "passages": 2}, "en": {"queries": 1, "passages": 1}},
    "languages": ["de", "en"],
    "settings": ["multi", "mono"],
    "measures": ["AP", "nDCG@10", "RankDistance"],
    "headline": "AP",
    "licence": "CC0-1.0",
    "citation": "none",
}


def write(folder, record=RECORD):
    """Writes a task file, and its data beside it."""
    (folder / "small.jsonl").write_bytes(DATA)
    path = folder / "small.yaml"
    path.write_text(record if isinstance(record, str) else yaml.safe_dump(record, sort_keys=False), encoding="utf-8")
    return str(path)


def changed(*keys, to):
    """The record with the value at these keys replaced."""
    record = copy.deepcopy(RECORD)
    place = record
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return record


def without(*keys):
    """The record without the key at the end of these."""
    record = copy.deepcopy(RECORD)
    place = record
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    return record


@pytest.mark.parametrize("name", catalogue.names())
def test_every_shipped_task_loads(name):
    """A task that comes with xlbench follows the rules, and is named like its file."""
    task = catalogue.load(name)
    assert task.name == name == task.file.stem
    assert set(task.sizes) == set(task.languages)


def test_the_shipped_tasks_are_those_of_the_folder():
    """The registry has the benchmark's tasks in both forms of text, and the demo."""
    assert set(catalogue.names()) >= {"demo", "mlqa-r", "mlqa-r-context", "xquad-r", "xquad-r-context"}
    assert catalogue.names() == sorted(path.stem for path in (ROOT / "tasks").glob("*.yaml"))


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mlqa-r-context", "xquad-r"])
def test_a_shipped_task_reads_the_real_data(name, real_data, tmp_path):
    """Checksums and sizes of the task files are those of the published files."""
    task = catalogue.load(name)
    collection = catalogue.read_collection(task, languages=task.languages, data_dir=real_data, cache_dir=tmp_path)
    assert collection.languages == task.languages
    assert not list(tmp_path.iterdir())


def test_the_demo_comes_with_xlbench(tmp_path):
    """The demo's data lies beside its task file: it needs neither a data folder nor a network."""
    task = catalogue.load("demo")
    collection = catalogue.read_collection(task, languages=("de", "el"), data_dir=None, cache_dir=tmp_path)
    assert collection.languages == ("de", "el")
    assert len(collection.queries) == task.sizes["de"].queries + task.sizes["el"].queries


def test_a_task_file_is_loaded_as_it_is_written(tmp_path):
    """The fields of a task are the keys of its file; settings stand in the order mono, cross, multi."""
    path = write(tmp_path)
    task = catalogue.load(path)
    assert (task.name, task.version, task.reader, task.text) == ("small", 1, "parallel", "passage")
    assert task.languages == ("de", "en")
    assert task.settings == ("mono", "multi")
    assert task.measures == ("AP", "nDCG@10", "RankDistance")
    assert task.sizes["de"] == catalogue.Sizes(queries=1, passages=2)
    checksums = dict.fromkeys(["de", "en"], (Checksum("sha256", SUM),))
    assert task.source == {"texts": Source(url=None, path="small.jsonl", checksums=checksums)}
    assert task.file == Path(path).resolve()


@pytest.mark.parametrize("key", RECORD)
def test_every_key_is_required(tmp_path, key):
    """A file that lacks a key is a TaskError that names it."""
    with pytest.raises(TaskError, match=rf"small\.yaml lacks the key '{key}'; expected name, title, version"):
        catalogue.load(write(tmp_path, without(key)))


@pytest.mark.parametrize("key", RECORD)
@pytest.mark.parametrize("value", [1.5, True, [1], None])
def test_every_key_has_its_type(tmp_path, key, value):
    """A value of another type is a TaskError that names its key."""
    with pytest.raises(TaskError, match=rf"'{key}'.* expected"):
        catalogue.load(write(tmp_path, changed(key, to=value)))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (changed("licens", to="x"), "has an unknown key: Unknown key 'licens'. Did you mean 'licence'?"),
        (changed("file", to="x"), "has an unknown key: Unknown key 'file'. Did you mean 'title'?"),
        (
            changed("source", "mirror", to="x"),
            "'source' has an unknown key: Unknown key 'mirror'. Known: url, path, sha256",
        ),
        (without("source", "url"), "'source' lacks the key 'url'; expected url, path, sha256"),
        (changed("source", "url", to=5), "'url' is 5; expected text"),
        (without("source", "sha256", "en"), "'sha256' lacks the key 'en'; expected de, en"),
        (changed("source", "sha256", "fr", to=SUM), "'sha256' has an unknown key: Unknown key 'fr'"),
        (
            changed("source", "sha256", "en", to=SUM[:-1]),
            f"'sha256', 'en', is '{SUM[:-1]}'; expected the sha256, 64 digits",
        ),
        (changed("source", "sha256", "en", to=SUM.upper()), "expected the sha256, 64 digits of 0-9a-f"),
        (without("sizes", "de"), "'sizes' lacks the key 'de'"),
        (
            changed("sizes", "de", "pages", to=1),
            "'sizes', 'de', has an unknown key: Unknown key 'pages'. Did you mean 'passages'?",
        ),
        (without("sizes", "de", "queries"), "'sizes', 'de', lacks the key 'queries'"),
        (changed("sizes", "de", "queries", to="1"), "'queries' is '1'; expected an integer"),
        (changed("sizes", "de", "queries", to=-1), "'queries' is -1; expected 0 to 2,147,483,647"),
        (
            changed("reader", to="laraqa"),
            "'reader' has an unknown value: Unknown name 'laraqa'. Did you mean 'lareqa'?",
        ),
        (changed("text", to="sentence"), "'text' has an unknown value: Unknown name 'sentence'. Known: passage."),
        (
            changed("settings", to=["mono", "crss"]),
            "'settings' has an unknown value: Unknown name 'crss'. Did you mean 'cross'?",
        ),
        (changed("settings", to=[]), "'settings' is []; expected at least one name, none twice"),
        (
            changed("settings", to=["mono", "mono"]),
            "'settings' is ['mono', 'mono']; expected at least one name, none twice",
        ),
        (changed("measures", to=["nDGC@10"]), "Unknown measure 'nDGC@10'. Did you mean 'nDCG@10'?"),
        (changed("measures", to=["AP", "R"]), "Unknown measure 'R'."),
        (changed("measures", to=["AP@0"]), "Unknown measure 'AP@0'. Did you mean 'AP@20'?"),
        (changed("measures", to=["AP", 7]), "'measures', item 2, is 7; expected text"),
        (changed("headline", to="AP@20"), "'headline' has an unknown value: Unknown name 'AP@20'. Known: AP, nDCG@10"),
        (
            changed("headline", to="nDCG"),
            "'headline' has an unknown value: Unknown name 'nDCG'. Did you mean 'nDCG@10'?",
        ),
        (changed("name", to="Small"), "'name' is 'Small'; expected lower-case letters, digits, '-', '_' or '.'"),
        (changed("name", to="../small"), "'name' is '../small'; expected lower-case letters"),
        (changed("name", to=".small"), "'name' is '.small'; expected lower-case letters"),
        (changed("name", to=""), "'name' is ''; expected lower-case letters"),
        (["name"], "is ['name']; expected a mapping"),
        ("", "is None; expected a mapping"),
    ],
)
def test_a_task_file_that_breaks_a_rule_is_refused(tmp_path, record, said):
    """A key or value that is not what the rules say is a TaskError with the file, what was found and what to expect."""
    path = write(tmp_path, record)
    with pytest.raises(TaskError, match=re.escape(said)) as caught:
        catalogue.load(path)
    assert str(caught.value).startswith(path)


@pytest.mark.parametrize(
    "path", ["../secret.json", "a/../../secret.json", "/etc/passwd", "", "a\0b", "{language}/../../secret.json"]
)
def test_a_path_cannot_leave_the_data_folder(tmp_path, path):
    """A path that is absolute or climbs out of the data folder is a TaskError."""
    with pytest.raises(TaskError, match=r"'path' is .*; expected a path below the data folder"):
        catalogue.load(write(tmp_path, changed("source", "path", to=path)))


HUB = "hf://datasets/owner/set@" + "0" * 40
PARTS = {
    part: {"url": f"{HUB}/{{language}}/{part}-*.gz", "path": f"set/{{language}}/{part}-*.gz", "sha256": None}
    for part in ("passages", "queries", "judgements")
}
MANY = RECORD | {"reader": "miracl", "text": "title+text", "source": PARTS, "settings": ["mono"]}


def many(*keys, to):
    """The record of many files with the value at these keys of its source replaced."""
    record = copy.deepcopy(MANY)
    place = record["source"]
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return record


def test_a_task_of_many_files_is_loaded_as_it_is_written(tmp_path):
    """Each part has a source; a checksum may be md5's, a list of them where a name has *, and missing."""
    md5 = {"de": ["0" * 32, "1" * 32], "en": None}
    record = many("passages", to={"md5": md5} | {key: PARTS["passages"][key] for key in ("url", "path")})
    record["source"]["passages"]["names"] = {"de": "deu_Latn"}
    source = catalogue.load(write(tmp_path, record)).source
    assert list(source) == ["passages", "queries", "judgements"]
    checksums = {"de": (Checksum("md5", "0" * 32), Checksum("md5", "1" * 32)), "en": None}
    assert source["passages"].checksums == checksums
    assert source["passages"].path_of("de") == "set/deu_Latn/passages-*.gz"
    assert source["passages"].url_of("en") == f"{HUB}/en/passages-*.gz"
    assert source["queries"].checksums == {"de": None, "en": None}


def test_one_archive_may_have_all_parts(tmp_path):
    """A source in the short form is that of every part."""
    alone = {"url": None, "path": "set.zip", "sha256": {"de": SUM, "en": SUM}}
    source = catalogue.load(write(tmp_path, MANY | {"source": alone})).source
    assert source["passages"] == source["judgements"] == Source(None, "set.zip", source["queries"].checksums)


def test_a_part_has_files_of_the_languages_that_have_its_texts(tmp_path):
    """A language without passages has no file of passages, and one without queries none of queries and judgements."""
    record = copy.deepcopy(MANY)
    record["sizes"] = {"de": {"queries": 1, "passages": 0}, "en": {"queries": 0, "passages": 1}}
    source = catalogue.load(write(tmp_path, record)).source
    assert {part: list(its.checksums) for part, its in source.items()} == {
        "passages": ["en"],
        "queries": ["de"],
        "judgements": ["de"],
    }


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (MANY | {"source": {}}, "'source' lacks the key 'passages'; expected passages, queries, judgements"),
        (MANY | {"source": PARTS | {"topics": {}}}, "'source' has an unknown key: Unknown key 'topics'"),
        (many("queries", to=None), "'source', 'queries', is None; expected a mapping"),
        (many("queries", "sha256", to={"de": SUM, "en": None}), "'; expected a list"),
        (many("queries", "sha256", to={"de": None}), "'sha256' lacks the key 'en'"),
        (many("queries", "names", to={"fr": "x"}), "'names' has an unknown key: Unknown key 'fr'"),
        (
            many("queries", "names", to={"de": "../x"}),
            "'names', 'de', is '../x'; expected a part of the name of a file",
        ),
        (many("queries", "url", to="hf://owner/set/x"), "expected hf://datasets/OWNER/NAME@REVISION/PATH"),
        (
            many("queries", "url", to=f"{HUB}/{{language}}/others-*.gz"),
            "'*' may stand in the name of a file, which must",
        ),
        (many("queries", "url", to="https://x/queries-*.gz"), "'*' may stand in the name of a file, which must"),
        (
            many("queries", "path", to="set/*/queries"),
            "'path' is 'set/*/queries'; expected a path below the data folder",
        ),
        (
            many("queries", "url", to=f"{HUB[:-40]}main/{{language}}/queries-*.gz"),
            "which may have other files tomorrow, and not all have a checksum; expected a commit, 40 digits",
        ),
        (MANY | {"settings": ["cross"]}, "'settings' has 'cross'. MIRACL's judgements of a query are of passages in"),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused(tmp_path, record, said):
    """A source that is not what the rules say is a TaskError with the file, what was found and what to expect."""
    path = write(tmp_path, record)
    with pytest.raises(TaskError, match=re.escape(said)) as caught:
        catalogue.load(path)
    assert str(caught.value).startswith(path)


def test_a_branch_is_no_danger_where_every_file_has_a_checksum(tmp_path):
    """An address need not name a commit if the checksums pin the files."""
    source = {"url": "hf://datasets/owner/set@main/x.jsonl", "path": "x.jsonl", "sha256": {"de": SUM, "en": SUM}}
    assert catalogue.load(write(tmp_path, changed("source", to=source))).source["texts"].url == source["url"]


@pytest.mark.parametrize("language", ["..", "../x", "a/b", "*", "de>en", "", "a b", ".", "-x"])
def test_a_language_is_a_plain_name(tmp_path, language):
    """A language is part of paths and of the names of settings: what could change their meaning is a TaskError."""
    with pytest.raises(TaskError, match=r"'languages' has .*; expected letters, digits, '-' or '_'"):
        catalogue.load(write(tmp_path, changed("languages", to=["de", language])))


def test_languages_with_a_script_or_region_are_plain_names(tmp_path):
    """Names such as zh-Hant and pt_BR are languages."""
    record = changed("languages", to=["zh-Hant", "pt_BR"])
    record["sizes"] = {language: {"queries": 0, "passages": 0} for language in record["languages"]}
    record["source"]["sha256"] = dict.fromkeys(record["languages"], SUM)
    assert catalogue.load(write(tmp_path, record)).languages == ("zh-Hant", "pt_BR")


YAML = yaml.safe_dump(RECORD, sort_keys=False)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (YAML + "name: again\n", "the key 'name' is given twice"),
        (YAML.replace("  url: null\n", "  url: null\n  url: http://x\n"), "the key 'url' is given twice"),
        (YAML + "7: x\n", "Unknown key '7'"),
        (YAML + "? [a]\n: x\n", "found unhashable key"),
        (YAML + "? {a: b}\n: x\n", "found unhashable key"),
        (YAML + "? 2020-01-01\n: x\n", "Unknown key 'datetime.date(2020, 1, 1)'"),
        (YAML.replace("version: 1", "version: 2020-13-45"), "is not valid YAML: month must be in 1..12"),
        (YAML.replace("version: 1", "version: !!timestamp x"), "is not valid YAML"),
        (YAML.replace("version: 1", "version: !!int ''"), "is not valid YAML"),
        (YAML.replace("version: 1", "version: !!bool maybe"), "is not valid YAML"),
        (YAML.replace("version: 1", "version: !!binary é"), "is not valid YAML: failed to convert base64 data"),
        (YAML.replace("version: 1", f"version: 0x{'f' * 5000}"), "'version' is a number of thousands of digits"),
        (YAML.replace("name: small", f"name: 0x{'f' * 5000}"), "'name' is a number of thousands of digits"),
        (YAML + f"? 0x{'f' * 5000}\n: x\n", "Unknown key 'a number of thousands of digits'"),
        (YAML.replace("version: 1", f"version: {'9' * 5000}"), "is not valid YAML: Exceeds the limit"),
        (YAML.replace("version: 1", "version: .nan"), "'version' is nan; expected an integer"),
        (YAML.replace("version: 1", "version: !!python/name:os.system"), "could not determine a constructor"),
        (YAML.replace("version: 1", "version: !!map [1]"), "is not valid YAML"),
        ("<<: {name: x}\n" + YAML, "is not valid YAML"),
        ("[" * 5000, "is not valid YAML: maximum recursion depth exceeded"),
        ("a: &a [*a]", "Unknown key 'a'"),
        ("&a [*a]", "is [[...]]; expected a mapping"),
        ("? &a [*a]\n: 1", "is not valid YAML"),
        ("a: *b", "found undefined alias"),
        ("name: [", "is not valid YAML"),
        (YAML + "\0", "is not valid YAML: unacceptable character"),
    ],
)
def test_yaml_that_is_no_plain_record_is_refused(tmp_path, content, said):
    """Keys given twice or that are no text, tags, broken values and YAML without end are a TaskError."""
    assert content not in (YAML, "")
    with pytest.raises(TaskError, match=re.escape(said)):
        catalogue.load(write(tmp_path, content))


def test_yaml_that_stands_for_gigabytes_is_refused_in_a_short_sentence(tmp_path):
    """A few lines of aliases stand for 9 ** 12 items; the error shows the start of them."""
    bomb = "".join(f"- &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    with pytest.raises(TaskError, match="expected a mapping") as caught:
        catalogue.load(write(tmp_path, f"- &a0 [x, x]\n{bomb}"))
    assert len(str(caught.value)) < 600


def test_a_task_file_that_is_no_such_file_by_its_size_is_refused(tmp_path):
    """PyYAML takes minutes for what no task needs; many keys take no longer than they are many."""
    path = tmp_path / "a.yaml"
    path.write_text("".join(f"k{i}: 0\n" for i in range(200_000)), encoding="utf-8")
    with pytest.raises(TaskError, match=r"has 2,\d{3},\d{3} bytes; expected a task file, of at most 1,048,576"):
        catalogue.load(path)


def test_a_task_file_that_is_not_utf_8_is_refused(tmp_path):
    """A task file in another encoding is a TaskError with the place."""
    path = tmp_path / "latin.yaml"
    path.write_bytes("title: é".encode("latin-1"))
    with pytest.raises(TaskError, match=r"latin\.yaml is not UTF-8 at byte 7"):
        catalogue.load(str(path))


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.binary(max_size=3)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
PLACES = [(key,) for key in RECORD] + [("source", key) for key in RECORD["source"]]
PLACES += [("sizes", "de"), ("sizes", "en", "queries"), ("source", "sha256", "de"), ("measures", 0), ("languages", 1)]
CHANGED = st.builds(lambda place, value: changed(*place, to=value), st.sampled_from(PLACES), VALUES)
IN_PARTS = [("queries", key) for key in ("url", "path", "sha256", "md5", "names")] + [("queries",), ("passages", "x")]
CHANGED_PARTS = st.builds(lambda place, value: many(*place, to=value), st.sampled_from(IN_PARTS), VALUES)
SPLICED = st.builds(
    lambda text, at, cut: YAML[:at] + text + YAML[at + cut :],
    st.text(st.sampled_from("\t\n !&*-:<>?[]{}'\"#%@`|~.0x1eaé"), max_size=8),
    st.integers(0, len(YAML)),
    st.integers(0, 40),
)


@given(content=st.binary() | st.text() | VALUES | CHANGED | CHANGED_PARTS | SPLICED)
def test_any_task_file_gives_a_task_or_an_xlbench_error(tmp_path, content):
    """Any bytes, any YAML and any change of a task file give a task or an XlbenchError, never another exception."""
    path = tmp_path / "any.yaml"
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else yaml.safe_dump(content)).encode()
    path.write_bytes(content)
    try:
        said = catalogue.load(str(path)).title
    except XlbenchError as error:
        said = str(error)
    assert len(said.encode()) < 5000


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("xqad-r", "Unknown task 'xqad-r'. Did you mean 'xquad-r'?"),
        ("zzz", "Unknown task 'zzz'. Known: "),
        ("nowhere.yaml", "Unknown task file 'nowhere.yaml'."),
        ("../tasks/demo", "Unknown task '../tasks/demo'."),
    ],
)
def test_an_unknown_task_is_answered_with_a_suggestion(name, said):
    """A task that does not exist is an UnknownNameError with the nearest that does."""
    with pytest.raises(UnknownNameError, match=re.escape(said)):
        catalogue.load(name)


def test_languages_are_chosen_in_the_order_of_the_task():
    """Chosen languages stand in the task's order, each once; none named is all."""
    task = catalogue.load("xquad-r")
    assert catalogue.choose_languages(task, ["zh", "de", "zh"]) == ("de", "zh")
    assert catalogue.choose_languages(task, []) == task.languages


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("eng", "Unknown language 'eng'. Did you mean 'en'? Task xquad-r has no other languages."),
        ("fi", "Unknown language 'fi'. Known: ar, de, el"),
    ],
)
def test_an_unknown_language_is_answered_with_a_suggestion(language, said):
    """A language that the task does not have is an UnknownNameError with the nearest, or all."""
    with pytest.raises(UnknownNameError, match=re.escape(said)):
        catalogue.choose_languages(catalogue.load("xquad-r"), ["de", language])


def test_a_collection_in_some_languages_has_only_those(tmp_path):
    """The collection of some languages has their texts and the pairs between them."""
    task = catalogue.load(write(tmp_path))
    collection = catalogue.read_collection(task, languages=("de",), data_dir=None, cache_dir=tmp_path)
    assert collection.queries.ids == ("de:1",)
    assert collection.passages.ids == ("de:1", "de:2")


@pytest.mark.parametrize(("role", "n_found", "n_said"), [("queries", 1, 1190), ("passages", 2, 1)])
def test_a_size_that_differs_is_refused_with_both_numbers(tmp_path, role, n_found, n_said):
    """A file with more or fewer texts than the task says is a DataError that names file, language and both numbers."""
    task = catalogue.load(write(tmp_path, changed("sizes", "de", role, to=n_said)))
    said = rf"small\.jsonl has {n_found} {role} in 'de', but task small says {n_said:,}: correct 'sizes'"
    with pytest.raises(DataError, match=said):
        catalogue.read_collection(task, languages=task.languages, data_dir=None, cache_dir=tmp_path)


def test_a_headline_is_a_measure_of_every_setting(tmp_path):
    """A bias measure is defined in the multilingual setting only and cannot sum up a task."""
    record = changed("measures", to=["AP", "RankDistance"]) | {"headline": "RankDistance"}
    with pytest.raises(TaskError, match=r"'headline' has an unknown value.*'RankDistance'"):
        catalogue.load(write(tmp_path, record))


def test_a_task_of_ones_own_has_a_name_of_its_own(tmp_path):
    """A file with the name of a built-in task is refused: their results could not be told apart."""
    with pytest.raises(TaskError, match="'xquad-r', which is a task that comes with xlbench: choose another name"):
        catalogue.load(write(tmp_path, changed("name", to="xquad-r")))
