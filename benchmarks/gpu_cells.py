"""One arm and seed of ``gpu_training.py``: xlbench's plan, loss and trainer, then the tasks with its engine."""

from __future__ import annotations

import argparse
import time
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import small_inputs
import torch
from gpu_arms import ARMS, Arm
from transformers import TrainingArguments

from xlbench.engine.alignment import align
from xlbench.engine.model_scores import score_collection, vectors_of
from xlbench.engine.search import rank
from xlbench.measures.values import summarise
from xlbench.models import load as load_model
from xlbench.models.token_batches import DEFAULT_BATCH_TOKENS, token_batches
from xlbench.results.from_ranking import score
from xlbench.training import model_folder, recipes
from xlbench.training.data import Data
from xlbench.training.loss import PairLoss
from xlbench.training.objective import Objective
from xlbench.training.pairs import read_pairs
from xlbench.training.plan import Plan
from xlbench.training.run import Init
from xlbench.training.steps import Steps, used
from xlbench.training.teacher import Teacher
from xlbench.training.tokens import Role, Tokeniser, Tokens
from xlbench.training.trainer import PairTrainer, Parts

MEASURES = ("AP", "AP@20", "nDCG@10", "R@1", "R@100", "RankDistance")
GPU = torch.cuda.is_available()


@dataclass(frozen=True)
class CachedTokeniser(Tokeniser):
    """A tokeniser that knows the tokens of each text from the first time on."""

    known: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def ids(self, texts: tuple[str, ...], role: Role) -> list[list[int]]:
        """The tokens of each text, cut at the role's length."""
        new = [text for text in dict.fromkeys(texts) if (role.task, text) not in self.known]
        for start in range(0, len(new), 4096):
            some = new[start : start + 4096]
            tokens = self.model.tokenizer([role.prompt + text for text in some], truncation=False)["input_ids"]
            self.known.update({(role.task, text): ids for text, ids in zip(some, tokens, strict=True)})
        most = role.max_length or self.model.max_seq_length
        found = [self.known[role.task, text] for text in texts]
        return [ids if len(ids) <= most else [*ids[: most - 1], ids[-1]] for ids in found]

    def tokens(self, texts: tuple[str, ...], role: Role) -> tuple[Tokens, torch.Tensor]:
        """The tokens of these texts, longest first, and where each text then is."""
        ids = self.ids(texts, role)
        order = np.argsort([-len(each) for each in ids], kind="stable")
        features = self.padded([ids[i] for i in order])
        return {**features, "modality": "text"}, torch.argsort(torch.from_numpy(order))

    def padded(self, ids: list[list[int]]) -> dict[str, torch.Tensor]:
        """Tokens as tensors of one length."""
        shape = len(ids), max(map(len, ids))
        tokens = np.full(shape, self.model.tokenizer.pad_token_id, np.int64)
        mask = np.arange(shape[1]) < np.array([len(each) for each in ids])[:, None]
        tokens[mask] = np.concatenate(ids)
        return {"input_ids": torch.from_numpy(tokens), "attention_mask": torch.from_numpy(mask.astype(np.int64))}


class Encoder:
    """The model as xlbench evaluates it: whole texts, float32."""

    name, revision = "cell", "1"

    def __init__(self, tokeniser: CachedTokeniser) -> None:
        self._tokeniser = tokeniser

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        """Unit vectors of these queries."""
        return self._encoded(texts, self._tokeniser.query)

    def encode_passages(self, texts: list[str]) -> np.ndarray:
        """Unit vectors of these passages."""
        return self._encoded(texts, self._tokeniser.passage)

    @torch.inference_mode()
    def _encoded(self, texts: list[str], role: Role) -> np.ndarray:
        model = self._tokeniser.model
        ids = self._tokeniser.ids(tuple(texts), Role(role.prompt, role.task, None))
        vectors = np.empty((len(texts), model.get_embedding_dimension()), np.float32)
        for batch in token_batches([len(each) for each in ids], DEFAULT_BATCH_TOKENS["cuda" if GPU else "cpu"]):
            features = self._tokeniser.padded([ids[i] for i in batch])
            output = model({name: value.to(model.device) for name, value in features.items()})["sentence_embedding"]
            vectors[batch] = torch.nn.functional.normalize(output.float(), dim=1).cpu().numpy()
        return vectors


@dataclass(frozen=True)
class Bench:
    """What all cells share."""

    options: argparse.Namespace
    inputs: small_inputs.Inputs
    tokeniser: CachedTokeniser
    initial: dict[str, torch.Tensor]

    @classmethod
    def of(cls, options: argparse.Namespace, inputs: small_inputs.Inputs) -> Bench:
        """Loads the model; what is evaluated is in TF32 on a GPU that has it."""
        torch.set_float32_matmul_precision("high")
        loaded = model_folder.load(Init(str(inputs.model), {}, options.query_length, options.passage_length))
        roles = loaded.tokeniser.query, loaded.tokeniser.passage
        initial = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
        return cls(options, inputs, CachedTokeniser(loaded.model, *roles), initial)

    @cached_property
    def _data(self) -> dict[tuple[str, ...], Data]:
        """The pairs of each arm."""
        data = {}
        for arm in (ARMS[name] for name in self.options.arm):
            files = [read_pairs(self.inputs.pairs[name]) for name in arm.pairs]
            most = max(len(file.rows) for file in files)
            weights = [most / len(file.rows) for file in files]
            data[arm.pairs] = Data.of(files, weights=weights, languages=arm.languages)
        return data

    @property
    def settings(self) -> dict[str, Any]:
        """What tells the cells of two benches apart."""
        options = self.options
        return {
            **{name: getattr(options, name) for name in ("batch_size", "steps", "learning_rate", "temperature")},
            "lengths": [options.query_length, options.passage_length],
            "pairs": {
                file.path.name.partition(".")[0]: {"rows": len(file.rows), "sha256": file.sha256}
                for data in self._data.values()
                for file in data.files
            },
            "tasks": {name: list(self.inputs.tasks[name].collection.languages) for name in options.task},
            "dtype": options.dtype,
        }

    def cell(self, arm: str | None, seed: int) -> dict[str, Any]:
        """Trains an arm from the initial model, or leaves it untrained, and evaluates it."""
        model = self.tokeniser.model
        model.load_state_dict(self.initial)
        model.to("cuda" if GPU else "cpu").eval()
        if GPU:
            torch.cuda.reset_peak_memory_stats()
        start = time.monotonic()
        record = {}
        if arm:
            # A copy, because the library wraps the model that it trains, for mixed precision.
            copied = deepcopy(model)
            record = self._train(copied, ARMS[arm], seed)
            model.load_state_dict(copied.state_dict())
        trained = time.monotonic()
        tasks = [name for name in self.options.task if arm is None or ARMS[arm].evaluated_on(name)]
        evaluated = {name: self._evaluate(self.inputs.tasks[name]) for name in tasks}
        return {
            **record,
            "tasks": evaluated,
            "seconds": {"train": round(trained - start, 2), "evaluate": round(time.monotonic() - trained, 2)},
            "device": torch.cuda.get_device_name() if GPU else "cpu",
            "memory_mb": round(torch.cuda.max_memory_allocated() / 2**20) if GPU else None,
        }

    def _evaluate(self, task: small_inputs.Evaluated) -> dict[str, Any]:
        start = time.monotonic()
        encoder = load_model(Encoder(self.tokeniser), hash_weights=False)
        scores = score_collection(task.collection, encoder, cache_dir=None)
        encoded = time.monotonic()
        vectors = vectors_of(scores)
        alignment = align(task.collection, vectors.passages) if vectors else {}
        of_settings = score(rank(task.collection, scores), task.settings, MEASURES)
        values = {of.setting: of.means() for of in of_settings}
        return {
            "summary": summarise(values),
            "values": {str(setting): of for setting, of in values.items()},
            "alignment": {name: value for name, value in alignment.items() if name != "bitext"},
            "seconds": {"encode": round(encoded - start, 2), "rank": round(time.monotonic() - encoded, 2)},
        }

    def _train(self, model: Any, arm: Arm, seed: int) -> dict[str, Any]:
        options, data = self.options, self._data[arm.pairs]
        recipe = recipes.load(arm.recipe)
        if arm.alpha is not None:
            recipe = recipe.with_alpha(arm.alpha)
        plan = Plan(data.presence, recipe, options.batch_size, options.steps, seed, uses=data.uses)
        plan.check()
        device = "cuda" if GPU else "cpu"
        teacher = None
        if recipe.uses_loss("teacher"):
            initial = load_model(str(self.inputs.model), device=device)
            teacher = Teacher.of(initial, model.get_embedding_dimension())
        budget = DEFAULT_BATCH_TOKENS[device]
        loss = PairLoss(model, Objective(options.temperature), cache_rows=None, piece_tokens=budget)
        parts = Parts(loss, self.tokeniser, Steps(data, plan), None, None, None, lambda **_: None, None, teacher)
        arguments = TrainingArguments(
            output_dir=str(Path(options.out) / ".trainer"),
            max_steps=options.steps,
            per_device_train_batch_size=1,
            learning_rate=options.learning_rate,
            weight_decay=0.01,
            max_grad_norm=1.0,
            warmup_steps=round(0.1 * options.steps),
            lr_scheduler_type="linear",
            bf16=options.dtype == "bfloat16",
            use_cpu=not GPU,
            seed=seed,
            logging_steps=max(1, options.steps // 15),
            save_strategy="no",
            disable_tqdm=True,
            report_to="none",
            remove_unused_columns=False,
            dataloader_pin_memory=False,
        )
        trainer = PairTrainer(model, arguments, parts)
        trainer.train()
        trainer.watcher.stop_listening()
        losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
        done = used(data, plan, options.steps)
        return {"losses": losses, "batches": done.batches, "pairs": done.pairs}
