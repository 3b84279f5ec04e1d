"""Tests of ``xlbench train``: from the command to a model, and what it says to mistakes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import click
import numpy as np
import pytest
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

from tests.made_hub_server import COMMIT, serving
from tests.models.made_models import WORDS, make_sentence_bert, one_thread
from xlbench.cli.option_values import Weighted, lora_of, weighted
from xlbench.errors import MissingLibraryError, UnknownNameError
from xlbench.training.run import Lora


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture
def pairs(folder) -> str:
    """A file of 20 rows in German and English."""
    rng = np.random.default_rng(0)
    rows = [
        {"id": str(i)} | {role: {code: " ".join(rng.choice(WORDS, 6)) for code in ("de", "en")} for role in ROLES}
        for i in range(20)
    ]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "pairs.jsonl"


ROLES = ("queries", "passages")
SHORT = ("--steps", "3", "--batch-size", "4", "--device", "cpu")


def test_train_makes_a_model_that_run_evaluates(xlbench, folder, task, pairs):
    """A model is trained on weighted files, says what each contributed, and can be evaluated by its folder."""
    make_sentence_bert(folder / "tiny", prompts={"query": "query : "})
    (folder / "more.jsonl").write_text((folder / pairs).read_text())
    command = ("train", "--init", "tiny", "--pairs", f"{pairs}:3", "more.jsonl", "--output", "mine", *SHORT)
    outcome = xlbench(*command, "--alpha", "1", "--eval-pairs", pairs, "--eval-every", "3")
    assert outcome.code == 0, outcome.err
    assert "hybrid: 3 steps. Batches: 1.000 mono (3). The loss was" in outcome.out
    assert "pairs.jsonl: " in outcome.out
    assert "Saved to mine" in outcome.out
    assert "batches: 1.000 mono (3); an epoch has 20" in outcome.err
    assert "step 3: validation pairs_mono_AP" in outcome.err
    record = json.loads((folder / "mine/training.json").read_text())
    assert [file["weight"] for file in record["run"]["files"]] == [3, 1]
    assert sum(record["used"]["rows"]) == 12
    assert record["command"].startswith("xlbench train --init tiny --pairs pairs.jsonl:3 more.jsonl --alpha 1.0 ")
    assert "No overlap was found with demo" in (folder / "mine/README.md").read_text()
    assert xlbench("run", "--model", "mine", "--task", task, "--quiet").code == 0


def test_a_file_may_have_prompts_of_its_own(xlbench, folder, pairs):
    """They are in record and card, change the weights, and leave those of the model; mistakes are named."""
    make_sentence_bert(folder / "tiny", prompts={"query": "one : ", "document": "two : "})
    (folder / "more.jsonl").write_text((folder / pairs).read_text())
    command = ("train", "--init", "tiny", "--pairs", pairs, "more.jsonl:2", *SHORT, "--quiet", "--output")
    prompts = ("--pairs-prompt", "more.jsonl:query=three : ", "more.jsonl:passage=")
    assert xlbench(*command, "plain").code == 0
    assert xlbench(*command, "mine", *prompts).code == 0
    record = json.loads((folder / "mine/training.json").read_text())
    assert [file["prompts"] for file in record["run"]["files"]] == [
        {"query": None, "passage": None},
        {"query": "three : ", "passage": ""},
    ]
    assert 'Prompts of `more.jsonl`: queries `"three : "`, passages `""`.' in (folder / "mine/README.md").read_text()
    assert json.loads((folder / "mine/config_sentence_transformers.json").read_text())["prompts"]["query"] == "one : "
    mine, plain = (load_file(folder / name / "model.safetensors") for name in ("mine", "plain"))
    assert any(not np.array_equal(mine[name], plain[name]) for name in plain)
    for wrong, said in (
        ("mor.jsonl:query=x", "Did you mean 'more.jsonl'?"),
        ("more.jsonl:title=x", "is not FILE:query=TEXT or FILE:passage=TEXT"),
    ):
        refused = xlbench(*command, "other", "--pairs-prompt", wrong)
        assert (refused.code, said in refused.err) == (2, True)


def test_a_large_pair_file_stays_in_files_and_gives_the_same_model(xlbench, folder, pairs, monkeypatch):
    """With its texts below --cache-dir, read by another process too, the weights are equal to the last bit."""
    make_sentence_bert(folder / "tiny")
    command = ("train", "--init", "tiny", "--pairs", pairs, *SHORT, "--quiet", "--output")
    assert xlbench(*command, "plain").code == 0
    monkeypatch.setattr("xlbench.training.pairs.STORED_FROM", 1)
    stored = xlbench(*command, "stored", "--cache-dir", "kept", "--trainer-arg", "dataloader_num_workers=1")
    assert stored.code == 0, stored.err
    assert len(list((folder / "kept/pairs").iterdir())) == 1
    assert "pairs.jsonl: 12 uses of 20 rows" in stored.out
    files = [(folder / name / "model.safetensors").read_bytes() for name in ("plain", "stored")]
    assert files[0] == files[1]


def test_attention_is_chosen_for_training_and_evaluation(xlbench, folder, task, pairs, monkeypatch):
    """It is in record, card and result; another is another run, and a library that is missing a sentence."""
    make_sentence_bert(folder / "tiny")
    command = ("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", *SHORT, "--quiet")
    assert xlbench(*command, "--attn", "eager").code == 0
    record = json.loads((folder / "mine/training.json").read_text())
    assert record["run"]["init"]["arguments"] == {"attention": "eager"}
    assert "| attention | eager |" in (folder / "mine/README.md").read_text()
    other = xlbench(*command, "--resume")
    assert (other.code, "its init arguments attention is eager, not None" in other.err) == (1, True)
    both = xlbench(*command, "--attn", "eager", "--model-arg", "attention=sdpa")
    assert (both.code, "--attn and --model-arg attention say the same" in both.err) == (2, True)
    assert xlbench("run", "--model", "mine", "--attn", "eager", "--task", task, "--quiet").code == 0
    (result,) = (folder / "results").rglob("*.json")
    assert json.loads(result.read_text())["model"]["arguments"] == {"attention": "eager"}
    monkeypatch.setattr("xlbench.models.torch_model.find_spec", lambda name: None)
    missing = xlbench(*command[:-1], "--output", "other", "--attn", "flash_attention_2")
    assert (missing.code, "needs flash-attn, which is not installed" in missing.err) == (1, True)


def test_a_batch_can_be_of_one_file(xlbench, folder, pairs):
    """With a flag each batch is of one file, by weight; a file that fills no batch is named, and so is the flag."""
    make_sentence_bert(folder / "tiny")
    lines = (folder / pairs).read_text().splitlines(keepends=True)
    (folder / "more.jsonl").write_text("".join(lines[:10]))
    (folder / "few.jsonl").write_text("".join(lines[:3]))
    command = ("train", "--init", "tiny", "--output", "mine", "--batch-size", "4", "--device", "cpu", "--quiet")
    command += ("--recipe", "x-y", "--one-source-per-batch", "--pairs", f"{pairs}:.5")
    assert xlbench(*command, "more.jsonl", "--steps", "6").code == 0
    record = json.loads((folder / "mine/training.json").read_text())
    assert record["run"]["one_source_per_batch"] is True
    assert record["used"]["rows"] == [12, 12]
    assert "; each of one file |" in (folder / "mine/README.md").read_text()
    refused = xlbench(*command[:3], "--output", "other", *command[5:], "few.jsonl", "--steps", "6")
    assert refused.code == 1
    assert "few.jsonl can fill no batch of 4 rows that the recipe x-y asks for" in refused.err


def test_losses_teacher_sizes_and_negatives_come_from_the_command(xlbench, folder, pairs):
    """Each option reaches the run's record; --matryoshka takes several sizes at once, --loss weights."""
    make_sentence_bert(folder / "tiny")
    rows = [json.loads(line) for line in (folder / pairs).read_text().splitlines()]
    for i, row in enumerate(rows):
        other = rows[i - 1]["passages"]
        row["negatives"] = {code: [f"{text} one", f"{text} two"] for code, text in other.items()}
        row["scores"] = {"passages": {"de": 3, "en": 4}, "negatives": {"de": [1, 9], "en": [0.5, 0]}}
    (folder / pairs).write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", *SHORT, "--quiet")
    losses = ("--loss", "info-nce:.5", "kl", "teacher:2", "--teacher", "hash", "--teacher-arg", "dimensions=16")
    chosen = ("--negatives", "1", "--negatives-in", "query", "--negative-margin", "2", "--matryoshka", "4,16", "8")
    outcome = xlbench(*command, *losses, *chosen)
    assert outcome.code == 0, outcome.err
    record = json.loads((folder / "mine/training.json").read_text())["run"]
    assert record["recipe"]["stages"][0]["losses"] == {"info-nce": 0.5, "kl": 1, "teacher": 2}
    assert record["optimisation"]["dimensions"] == [16, 8, 4]
    assert record["optimisation"]["negatives_among"] == "query"
    assert record["optimisation"]["negative_margin"] == 2
    assert record["teacher"]["arguments"] == {"dimensions": 16}
    assert xlbench(*command, *losses, *chosen, "--resume").out == "Model already exists: mine\n"


def test_resume_of_a_finished_model_refuses_other_options_and_other_held_out_pairs(xlbench, folder, pairs):
    """The same command says that the model exists; another seed, or other --eval-pairs, is named and exits 1."""
    make_sentence_bert(folder / "tiny")
    command = ("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", *SHORT, "--eval-pairs", pairs)
    assert xlbench(*command, "--quiet").code == 0
    again = xlbench(*command, "--resume")
    assert (again.code, again.out) == (0, "Model already exists: mine\n")
    other = xlbench(*command, "--resume", "--seed", "3", "--steps", "8")
    assert other.code == 1
    assert "its optimisation steps is 3, not 8; its optimisation seed is 0, not 3" in other.err
    (folder / "other.jsonl").write_text((folder / pairs).read_text())
    unlike = xlbench(*command[:-1], "other.jsonl", "--resume")
    assert unlike.code == 1
    assert "its watch pairs is" in unlike.err


def test_tasks_and_held_out_pairs_are_measured_while_it_trains(xlbench, folder, task, pairs):
    """--eval-task measures by the harness, a task's value can choose the best, and the card has all values."""
    make_sentence_bert(folder / "tiny")
    command = ("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", *SHORT, "--eval-pairs", pairs)
    outcome = xlbench(
        *command, "--eval-task", task, "--eval-rows", "5", "--patience", "9", "--best-by", "tiny_cross_AP"
    )
    assert outcome.code == 0, outcome.err
    record = json.loads((folder / "mine/training.json").read_text())
    values = {line["step"]: line["eval_tiny_cross_AP"] for line in record["history"] if "eval_tiny_cross_AP" in line}
    trained = {step: value for step, value in values.items() if step}
    assert record["steps"] == max(trained, key=lambda step: (trained[step], -step))
    assert record["run"]["watch"]["tasks"] == [task]
    assert "| tiny_cross_AP | " in (folder / "mine/README.md").read_text()
    assert xlbench("run", "--model", "mine", "--task", task, "--quiet").code == 0
    result = json.loads(next((folder / "results").rglob("*.json")).read_text())
    assert result["summary"]["cross"]["AP"] == pytest.approx(max(trained.values()), abs=1e-6)


def test_an_epoch_counts_the_rows_that_recipe_and_languages_can_use(xlbench, folder, pairs):
    """Of 20 rows 8 have Hindi: an epoch of --language hi in batches of 4 has two steps, not five."""
    make_sentence_bert(folder / "tiny")
    rows = [json.loads(line) for line in (folder / pairs).read_text().splitlines()]
    for row in rows[:8]:
        row["queries"]["hi"], row["passages"]["hi"] = f"one {row['id']}", f"two {row['id']}"
    (folder / pairs).write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", "--language", "hi", "--epochs", "1")
    outcome = xlbench(*command, "--recipe", "x-x-mono", "--batch-size", "4", "--device", "cpu", "--quiet")
    assert "x-x-mono: 2 steps." in outcome.out


def test_a_text_of_a_language_that_the_recipe_does_not_use_links_no_rows(xlbench, folder, pairs):
    """One Chinese text in all rows is refused with its name by hybrid, and does nothing to en-en."""
    make_sentence_bert(folder / "tiny")
    rows = [json.loads(line) for line in (folder / pairs).read_text().splitlines()]
    for i in range(30):
        rows.append(rows[i % 20] | {"id": f"more {i}", "queries": {"en": f"one {i}"}, "passages": {"en": f"two {i}"}})
    for row in rows:
        row["queries"]["zh"] = "没有"
    (folder / pairs).write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", *SHORT, "--quiet")
    refused = xlbench(*command)
    assert refused.code == 1
    assert "50 of 50 rows are linked by texts that they share, such as '没有' in 50 of them" in refused.err
    assert xlbench(*command, "--recipe", "en-en").code == 0
    losses = [line["loss"] for line in json.loads((folder / "mine/training.json").read_text())["history"]]
    assert min(losses) > 0.1


def test_init_may_be_a_model_on_the_hub(folder, pairs, monkeypatch):
    """A Hub id is downloaded, trained at the commit that it then has, and named as the base model."""
    made = make_sentence_bert(folder / "made", prompts={"query": "query : "})
    command = [sys.executable, "-m", "xlbench", "train", "--init", "lab/tiny", "--pairs", pairs, "--output", "mine"]
    command += [*SHORT, "--quiet"]
    with serving(monkeypatch, folder) as hub:
        hub.files["lab/tiny"] = {
            path.relative_to(made).as_posix(): path.read_bytes() for path in made.rglob("*") if path.is_file()
        }
        # The library reads where the Hub is when it is imported.
        environment = {**os.environ, "HF_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "mine/training.json").read_text())
    assert COMMIT in json.dumps(record["run"])
    assert "base_model: lab/tiny" in (folder / "mine/README.md").read_text()


def test_card_writes_the_scores_of_a_model_into_its_card(xlbench, folder, task, pairs):
    """Scores and intervals come below what the card says, once however often; another model's are refused."""
    make_sentence_bert(folder / "tiny")
    for name, seed in (("mine", "0"), ("other", "1")):
        command = ("train", "--init", "tiny", "--pairs", pairs, "--output", name, *SHORT, "--seed", seed, "--quiet")
        assert xlbench(*command).code == 0
        assert xlbench("run", "--model", name, "--task", task, "--quiet").code == 0
    result, other = (next((folder / "results" / name).glob("*.json")) for name in ("mine", "other"))
    card = folder / "mine/README.md"
    before = card.read_text()
    assert "Written to mine/README.md" in xlbench("card", "mine", str(result)).out
    assert xlbench("card", "mine", str(result)).code == 0
    after = card.read_text()
    assert after.partition("---\n\n")[2].startswith(before.partition("---\n\n")[2].rstrip())
    metadata = ModelCard(after).data.to_dict()
    assert metadata["base_model"] == ModelCard(before).data.to_dict()["base_model"]
    values = {
        (row["dataset"]["config"], metric["type"]): metric["value"]
        for row in metadata["model-index"][0]["results"]
        for metric in row["metrics"]
    }
    assert values["multi", "AP"] == json.loads(result.read_text())["summary"]["multi"]["AP"]
    assert after.count("## Scores") == 1
    interval = json.loads(result.read_text())["intervals"]["multi"]["AP"]
    assert f"[{interval[0]:.3f}, {interval[1]:.3f}]".replace("0.", ".") in after.replace("\\", "")
    refused = xlbench("card", "mine", str(other))
    assert refused.code == 1
    assert "results/other/" in refused.err
    assert "xlbench run --model mine" in refused.err
    assert card.read_text() == after


def test_card_says_what_a_result_was_run_with_and_refuses_debiased_vectors(xlbench, folder, task, pairs):
    """Arguments stand above the scores; what --transform made of the vectors is not the model's."""
    make_sentence_bert(folder / "tiny")
    assert xlbench("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", *SHORT, "--quiet").code == 0
    for output, option in (("short", ("--max-length", "8")), ("centred", ("--transform", "center"))):
        assert xlbench("run", "--model", "mine", "--task", task, "--output", output, *option, "--quiet").code == 0
    short, centred = (next((folder / name).rglob("*.json")) for name in ("short", "centred"))
    assert xlbench("card", "mine", str(short)).code == 0
    text = (folder / "mine/README.md").read_text()
    assert "With `max_length=8`:" in text
    refused = xlbench("card", "mine", str(centred))
    assert (refused.code, "give a result without --transform" in refused.err) == (1, True)
    assert (folder / "mine/README.md").read_text() == text


def test_average_writes_a_model_that_run_evaluates(xlbench, folder, task):
    """The mean of two models is evaluated by its folder; a folder that is there is not overwritten."""
    make_sentence_bert(folder / "tiny")
    outcome = xlbench("average", "tiny", "tiny", "--weight", "1", "3", "--output", "mean")
    assert (outcome.code, outcome.out.splitlines()) == (0, ["0.250 of tiny", "0.750 of tiny", "Saved to mean"])
    assert xlbench("run", "--model", "mean", "--task", task, "--quiet").code == 0
    again = xlbench("average", "tiny", "tiny", "--output", "mean")
    assert (again.code, "mean already exists" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["tiny"], "Give two models or more"), (["tiny", "tiny", "--weight", "1"], "a --weight for each of the 2 models")],
)
def test_average_needs_models_and_weights_in_pairs(xlbench, folder, arguments, said):
    """One model, or another number of weights, is a usage error."""
    make_sentence_bert(folder / "tiny")
    outcome = xlbench("average", *arguments, "--output", "mean")
    assert (outcome.code, said in outcome.err) == (2, True)


@pytest.mark.parametrize("command", [("run", "--model"), ("train", "--init")])
def test_a_checkpoint_whose_names_fit_nothing_is_neither_run_nor_trained(xlbench, folder, task, pairs, command):
    """Its network would be random, in silence: the error names weights, and there is neither result nor model."""
    path = make_sentence_bert(folder / "tiny") / "model.safetensors"
    save_file({f"net.{name}": value for name, value in load_file(path).items()}, path, metadata={"format": "pt"})
    rest = ("--task", task) if command[0] == "run" else ("--pairs", pairs, "--output", "mine", *SHORT)
    outcome = xlbench(*command, "tiny", *rest)
    assert outcome.code == 1
    assert "does not fit its configuration: it lacks" in outcome.err
    assert "which would be random" in outcome.err
    assert not [*folder.glob("mine/model*"), *folder.glob("results/**/*.json")]


def test_card_needs_a_card(xlbench, folder, task):
    """A folder without a card is named."""
    assert xlbench("run", "--model", "hash", "--task", task, "--quiet").code == 0
    (folder / "empty").mkdir()
    refused = xlbench("card", "empty", str(next((folder / "results/hash").glob("*.json"))))
    assert refused.code == 1
    assert "README.md does not exist: expected the folder of a model" in refused.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--alpha", "1.5"], 2, "1.5 is not in the range 0<=x<=1"),
        (["--recipe", "x-y", "--alpha", ".5"], 1, "does not mix 'mono' with 'cross'"),
        (["--recipe", "hybird"], 2, "Did you mean 'hybrid'?"),
        (["--steps", "3", "--epochs", "1"], 2, "Give --steps or --epochs, not both"),
        (["--patience", "2"], 2, "--patience needs --eval-pairs or --eval-task"),
        (["--best-by", "demo_multi_AP"], 2, "--best-by needs --patience"),
        (["--max-grad-norm", "nan"], 2, "nan is not in the range"),
        (["--eval-task", "demmo"], 2, "Did you mean 'demo'?"),
        (["--languages", "de", "it"], 2, "Unknown language 'it'"),
        (["--language-sampling", "often"], 2, "'often' is neither uniform, size, nor a temperature above 0"),
        (["--pairs", "pairs.jsonl:0"], 2, "the weight of pairs.jsonl is 0; expected more than 0"),
        (["--pairs", "absent.jsonl"], 2, "there is no file absent.jsonl"),
        (["--batch-size", "21"], 1, "No language has more than 20 rows"),
        (["--languages", "de"], 1, "0 rows have query and passage in two different languages"),
        (["--negatives", "1"], 1, "find some with `xlbench mine`"),
        (["--init", "./absent"], 2, "Unknown model './absent'. Expected a folder"),
        (["--model-arg", "prompt=x"], 2, "Unknown model argument 'prompt'. Did you mean 'query_prompt'?"),
        (["--loss", "infonce"], 2, "Unknown loss 'infonce'. Did you mean 'info-nce'?"),
        (["--loss", "kl:0"], 2, "kl has the weight '0'; expected a number above 0"),
        (["--loss", "kl", "kl"], 2, "kl is given twice"),
        (["--loss", "kl"], 1, "add --negatives N"),
        (["--loss", "teacher"], 2, "The loss teacher needs --teacher MODEL"),
        (["--recipe", "teacher"], 2, "The loss teacher needs --teacher MODEL"),
        (["--teacher", "hash"], 2, "add --recipe teacher, or --loss teacher info-nce:.2"),
        (["--loss", "teacher", "--teacher", "hassh"], 2, "Did you mean 'hash'?"),
        (["--loss", "parallel", "--languages", "de", "--recipe", "x-x-mono"], 1, "needs queries in two languages"),
        (["--matryoshka", "0"], 2, "0 is not in the range x>=1"),
        (["--negative-margin", "nan"], 2, "nan is not"),
        (["--negatives-in", "query"], 2, "choose hard negatives: add --negatives N"),
        (["--trainer-arg", "bf16=true"], 2, "--trainer-arg bf16 is set by xlbench: use --dtype"),
        (["--trainer-arg", "optim"], 2, "'optim' is not KEY=VALUE"),
        (["--dtype", "float16"], 1, "float16 trains on a GPU only"),
    ],
)
def test_mistakes_are_said_before_anything_is_trained(xlbench, folder, pairs, arguments, code, said):
    """Each mistake has its code and a message, and no model is there afterwards."""
    make_sentence_bert(folder / "tiny") if "--dtype" in arguments else (folder / "tiny").mkdir()
    (folder / "tiny" / "config.json").touch()
    outcome = xlbench(
        "train",
        "--init",
        "tiny",
        "--pairs",
        pairs,
        "--output",
        "mine",
        "--batch-size",
        "4",
        "--device",
        "cpu",
        *arguments,
    )
    assert outcome.code == code, outcome.err
    assert said in outcome.err
    assert not (folder / "mine" / "modules.json").exists()


def test_a_broken_line_is_named(xlbench, folder, pairs):
    """A pair file that is broken in the middle is refused with file and line."""
    with (folder / pairs).open("a") as file:
        file.write('{"id": "broken"\n')
    outcome = xlbench("train", "--init", "tiny", "--pairs", pairs, "--output", "mine")
    assert outcome.code == 1
    assert "pairs.jsonl, line 21" in outcome.err


def test_pairs_of_an_evaluation_task_are_refused_unless_allowed(xlbench, folder, pairs):
    """Rows with texts of the demo task stop the run; with --allow-overlap the card says so."""
    from xlbench.catalogue import load, read_collection

    make_sentence_bert(folder / "tiny")
    task = load("demo")
    collection = read_collection(task, languages=("de",), data_dir=None, cache_dir=folder / "cache")
    row = {"queries": {"de": collection.queries.text[0]}, "passages": {"de": collection.passages.text[0]}}
    with (folder / pairs).open("a") as file:
        file.write(json.dumps({"id": "leaked", **row}) + "\n")
    command = ("train", "--init", "tiny", "--pairs", pairs, "--output", "mine", *SHORT)
    refused = xlbench(*command)
    assert refused.code == 1
    assert "demo" in refused.err
    assert "add --allow-overlap" in refused.err
    assert xlbench(*command, "--allow-overlap").code == 0
    card = (folder / "mine/README.md").read_text()
    assert "demo" in card
    assert "No overlap was found with demo" not in card


@pytest.mark.parametrize(
    ("text", "source", "weight"),
    [
        ("hf://datasets/lab/pairs", "hf://datasets/lab/pairs", 1.0),
        ("hf://datasets/lab/pairs@main/a.parquet:.5", "hf://datasets/lab/pairs@main/a.parquet", 0.5),
    ],
)
def test_pairs_on_the_hub_may_have_a_weight(text, source, weight):
    """The colon of an address is none before a weight."""
    assert weighted(text) == Weighted(source, weight)


@pytest.mark.parametrize(
    ("pairs_of", "said"),
    [
        (["rank=8"], "Unknown key of --lora 'rank'"),
        (["r=0"], "r is 0; expected a whole number above 0"),
        (["dropout=1"], "dropout is 1; expected a number from 0 to below 1"),
        (["r=8", "targets=3"], "targets is 3; expected names of layers, such as query,value"),
        (["alpha=big"], "alpha is 'big'; expected a number above 0"),
    ],
)
def test_what_lora_does_not_take_is_named(pairs_of, said, monkeypatch):
    """Each key has its values; without peft a sentence says what to install."""
    monkeypatch.setattr("xlbench.support.extras.find_spec", lambda name: name)
    with pytest.raises((click.BadParameter, UnknownNameError), match=re.escape(said)):
        lora_of(pairs_of)
    assert lora_of(["r=4", "targets=query,value"]) == Lora(4, targets=("query", "value"))
    assert lora_of([]) is None
    monkeypatch.setattr("xlbench.support.extras.find_spec", lambda name: None if name == "peft" else name)
    with pytest.raises(MissingLibraryError, match=re.escape("--lora needs peft, which is not installed: pip install")):
        lora_of(["r=4"])
