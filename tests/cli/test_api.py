"""``xlbench run`` with a model behind an HTTP API: no key in anything, nothing is asked for twice."""

from __future__ import annotations

import json
import signal

import pytest

from tests.cli.conftest import finish, start, wait_until
from tests.models.made_api_server import KEY, serving

pytest.importorskip("openai", reason="openai is not installed")


@pytest.fixture
def api(monkeypatch):
    """The server, which asks for a key that the environment has."""
    with serving(monkeypatch) as api:
        monkeypatch.setenv("XLBENCH_API_KEY", KEY)
        api.key = KEY
        yield api


def test_a_key_is_in_no_file_and_not_on_the_screen(xlbench, folder, task, api, caplog):
    """After a run with both APIs, after failures of each kind, and in the cache: the server repeats it where it can."""
    run = ["run", "--task", task, "--model", "openai:owner/mine", "--base-url", api.url, "--price", 0.02]
    ran = xlbench(*run, "--rerank", "cohere:mine", "--rerank-base-url", api.url, "--depth", 5)
    assert ran.code == 0, ran.err
    said = [ran.out + ran.err]
    for fault in ("400", "401", "html", "nan"):
        api.faults += ["", fault]
        refused = xlbench(*run, "--force", "--output", "others")
        assert (refused.code, "Traceback" in refused.err) == (1, False), fault
        said.append(refused.out + refused.err)
        api.faults.clear()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not any(KEY.encode() in path.read_bytes() for path in files)
    assert KEY not in "".join([*said, caplog.text])
    assert api.keys[-1] == f"Bearer {KEY}"


@pytest.mark.filterwarnings("ignore")  # Those of litellm's own code.
def test_a_key_that_litellm_gets_is_in_no_file_and_not_on_the_screen(xlbench, folder, task, api, caplog):
    """As without it; the result names the table that the price is from."""
    pytest.importorskip("litellm", reason="litellm is not installed")
    run = ["run", "--task", task, "--model", "litellm:voyage/voyage-3.5", "--base-url", api.url, "--max-cost", 1]
    ran = xlbench(*run, "--model-arg", "retries=0")
    assert ran.code == 0, ran.err
    said = [ran.out + ran.err]
    for fault in ("400", "401", "500"):
        api.faults += ["", fault]
        refused = xlbench(*run, "--force", "--model-arg", "retries=0")
        assert (refused.code, "Traceback" in refused.err) == (1, False), fault
        said.append(refused.out + refused.err)
        api.faults.clear()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in path.read_bytes() for path in files)
    assert KEY not in "".join([*said, caplog.text])
    (path,) = (folder / "results").rglob("tiny.json")
    usage = json.loads(path.read_text(encoding="utf-8"))["environment"]["usage"]
    assert usage["prices_of"].startswith("litellm ")


def test_a_result_says_what_stands_for_the_revision_and_what_was_asked(xlbench, folder, task, api):
    """The probe, the day, the server and the tokens."""
    assert xlbench("run", "--task", task, "--model", "openai:mine", "--base-url", api.url).code == 0
    (path,) = (folder / "results").glob("*/tiny.json")
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["model"]["revision"].startswith("probe:")
    assert result["model"] == {
        "name": "mine", "adapter": "openai", "arguments": {"base_url": api.url}, "revision": result["model"]["revision"]
    }  # fmt: skip
    usage = result["environment"]["usage"]
    assert usage["n_requests"] == len(api.bodies)
    assert usage["n_tokens"] == sum(len(text) for body in api.bodies for text in body["input"])
    assert xlbench("verify", path, "--model", "openai:mine", "--task", task).code == 0


def test_a_run_that_failed_goes_on_without_asking_again(xlbench, task, api):
    """What was encoded is stored; once all is, only the probes ask."""
    run = ["run", "--task", task, "--model", "openai:mine", "--base-url", api.url, "--model-arg", "retries=0"]
    api.faults += ["", "", "", "500"]
    assert xlbench(*run).code == 1
    kept = {text for body in api.bodies[1:3] for text in body["input"]}
    assert len(kept) == 12
    api.bodies.clear()
    assert xlbench(*run).code == 0
    asked = [text for text in api.texts() if text in kept]
    assert len(asked) == 4  # Of two stored shards, the longest and the shortest.


SMALL = ["--model-arg", "batch_texts=2", "concurrency=1"]


def test_an_answer_is_kept_as_it_comes(xlbench, folder, task, api, monkeypatch):
    """After kill -9 between two requests of one shard, only the one that had no answer is made again."""
    run = ["run", "--task", task, "--model", "openai:mine", "--base-url", api.url, *SMALL]
    api.faults += [*[""] * 6, "wait"]  # Two of the probe, three of the first shard, and one of the second.
    process = start(folder, *run)
    wait_until(lambda: len(api.bodies) == 7 or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    assert finish(process).code == -signal.SIGKILL
    answered = [text for body in api.bodies[2:6] for text in body["input"]]
    assert len(answered) == 8
    api.bodies.clear()
    assert xlbench(*run).code == 0
    again = [text for body in api.bodies for text in body["input"] if text in answered]
    assert len(again) == 2  # Of the stored shard, the longest and the shortest text.
    assert not list((folder / "cache").rglob("answers"))
    assert xlbench(*run, "--output", "undisturbed", "--cache-dir", "other").code == 0
    of_both = [{path.name: path.read_bytes() for path in (folder / name).rglob("*.npy")} for name in ("cache", "other")]
    assert len(of_both[0]) == 6
    assert of_both[0] == of_both[1]


def test_an_answer_of_a_reranker_is_kept_as_it_comes(xlbench, folder, task, api):
    """A run that failed after some queries asks for the others only; with --force it asks for all."""
    rerank = ["--rerank", "cohere:mine", "--rerank-base-url", api.url, "--depth", 5]
    run = ["run", "--task", task, "--model", "hash", *rerank]
    api.faults += [*[""] * 9, "400"]
    assert xlbench(*run).code == 1
    api.bodies.clear()
    assert xlbench(*run).code == 0
    n_asked = len(api.bodies)
    api.bodies.clear()
    assert xlbench(*run, "--force").code == 0
    assert len(api.bodies) - n_asked >= 8
    assert not list((folder / "cache").rglob("answers"))


def test_a_number_that_is_refused_is_not_kept(xlbench, folder, task, api):
    """A NaN is asked for again."""
    run = ["run", "--task", task, "--model", "openai:mine", "--base-url", api.url, *SMALL]
    api.faults += ["", "", "nan"]
    assert xlbench(*run).code == 1
    assert xlbench(*run).code == 0


def test_another_model_under_the_same_name_is_said(xlbench, task, api):
    """By the probe, before anything is encoded."""
    run = ["run", "--task", task, "--model", "openai:mine", "--base-url", api.url]
    assert xlbench(*run).code == 0
    api.shift = 1.0
    n_requests = len(api.bodies)
    again = xlbench(*run)
    assert (again.code, "its revision is probe:" in again.err) == (1, True)
    assert len(api.bodies) == n_requests + 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "hash", "--base-url", "http://x/v1"], 2, "--base-url is for a model behind an API"),
        (["--model", "hash", "--max-cost", "1"], 2, "--max-cost is for a model behind an API"),
        (["--model", "openai:m", "--base-url", "x"], 2, "--base-url x is no address"),
        (["--model", "openai:m"], 1, "set it in the environment variable OPENAI_API_KEY"),
        (["--model", "openai:m", "--base-url", "http://127.0.0.1:9"], 1, "There is no server at http://127.0.0.1:9"),
        (["--model", "hash", "--rerank-base-url", "http://x"], 2, "--rerank-base-url is for a reranker behind an API"),
        (["--model", "some/model.gguf"], 1, "is a model in GGUF form"),
        (["--model", "onnx-alone"], 1, "is a model in ONNX form"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(xlbench, folder, task, api, arguments, code, said):
    """With what to do, and before anything is sent."""
    (folder / "onnx-alone/onnx").mkdir(parents=True)
    (folder / "onnx-alone/onnx/model.onnx").touch()
    ran = xlbench("run", "--task", task, *arguments)
    assert (ran.code, said in ran.err, "Traceback" in ran.err) == (code, True, False), ran.err
    assert api.bodies == []


def test_a_run_that_would_cost_too_much_is_not_begun(xlbench, task, api):
    """The price is said; one request, the probe, was made."""
    ran = xlbench(
        "run", "--task", task, "--model", "openai:mine", "--base-url", api.url, "--price", "1000", "--max-cost", "0.3"
    )
    assert (ran.code, "more than --max-cost 0.3: nothing was encoded" in ran.err) == (1, True)
    assert len(api.bodies) == 1


def test_what_is_stored_costs_nothing(xlbench, task, api, caplog):
    """A second run says no price, and one with --force says it again."""
    run = ["run", "--task", task, "--model", "openai:mine", "--base-url", api.url, "--price", "1"]
    for options, n_said in (([], 1), (["--output", "others"], 1), (["--force"], 2)):
        assert xlbench(*run, *options).code == 0
        assert caplog.text.count("at 1 a million") == n_said, options
