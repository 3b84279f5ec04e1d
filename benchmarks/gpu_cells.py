"""One arm and seed of ``gpu_training.py``: xlbench's plan, loss and trainer, then XQuAD-R with its engine."""

from __future__ import annotations

import argparse
import time
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import small_inputs
import torch
from transformers import TrainingArguments

from xlbench.catalogue import load as load_task
from xlbench.catalogue import read_collection
from xlbench.collection import Collection
from xlbench.engine.model_scores import score_collection
from xlbench.engine.search import rank
from xlbench.models import load as load_model
from xlbench.models.token_batches import DEFAULT_BATCH_TOKENS, token_batches
from xlbench.results.from_ranking import figures
from xlbench.settings import settings
from xlbench.training import model_folder, recipes
from xlbench.training.data import Data
from xlbench.training.loss import PairLoss
from xlbench.training.objective import Objective
from xlbench.training.pairs import read_pairs
from xlbench.training.plan import Plan
from xlbench.training.run import Init
from xlbench.training.steps import Steps, used
from xlbench.training.tokens import Role, Tokeniser, Tokens
from xlbench.training.trainer import PairTrainer, Parts

MEASURES = ("AP", "RankDistance")
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
    data: Data
    collection: Collection
    tokeniser: CachedTokeniser
    initial: dict[str, torch.Tensor]

    @classmethod
    def of(cls, options: argparse.Namespace, inputs: small_inputs.Inputs) -> Bench:
        """Reads the inputs."""
        loaded = model_folder.load(Init(str(inputs.model), {}, options.query_length, options.passage_length))
        task = load_task(small_inputs.TASK)
        collection = read_collection(
            task, languages=options.evaluate or task.languages, data_dir=inputs.data, cache_dir=inputs.data
        )
        data = Data.of([read_pairs(inputs.pairs)], weights=[1.0], languages=options.language)
        roles = loaded.tokeniser.query, loaded.tokeniser.passage
        initial = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
        return cls(options, data, collection, CachedTokeniser(loaded.model, *roles), initial)

    @property
    def settings(self) -> dict[str, Any]:
        """What tells the cells of two benches apart."""
        options = self.options
        return {
            **{name: getattr(options, name) for name in ("batch_size", "steps", "learning_rate", "temperature")},
            "lengths": [options.query_length, options.passage_length],
            "languages": list(self.data.languages),
            "rows": len(self.data.rows),
            "pairs": self.data.files[0].sha256,
            "evaluated": list(self.collection.languages),
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
            record = self._train(copied, arm, seed)
            model.load_state_dict(copied.state_dict())
        trained = time.monotonic()
        encoder = load_model(Encoder(self.tokeniser), hash_weights=False)
        scores = score_collection(self.collection, encoder, cache_dir=None)
        encoded = time.monotonic()
        wanted = settings(("mono", "cross", "multi"), self.collection.asked, pooled=self.collection.pooled)
        computed = figures(rank(self.collection, scores), wanted, MEASURES)
        seconds = {"train": trained - start, "encode": encoded - trained, "rank": time.monotonic() - encoded}
        return {
            **record,
            "summary": computed.summary,
            "values": {str(setting): values for setting, values in computed.values.items()},
            "seconds": {name: round(value, 2) for name, value in seconds.items()},
            "device": torch.cuda.get_device_name() if GPU else "cpu",
            "memory_mb": round(torch.cuda.max_memory_allocated() / 2**20) if GPU else None,
        }

    def _train(self, model: Any, arm: str, seed: int) -> dict[str, Any]:
        options = self.options
        recipe = recipes.load("sequential") if arm == "sequential" else recipes.load("hybrid")
        if arm != "sequential":
            recipe = recipe.with_alpha(float(arm.removeprefix("alpha-")))
        plan = Plan(self.data.presence, recipe, options.batch_size, options.steps, seed)
        plan.check()
        budget = DEFAULT_BATCH_TOKENS["cuda" if GPU else "cpu"]
        loss = PairLoss(model, Objective(options.temperature), cache_rows=None, piece_tokens=budget)
        parts = Parts(loss, self.tokeniser, Steps(self.data, plan), None, None, None, lambda **_: None, None)
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
        done = used(self.data, plan, options.steps)
        return {"losses": losses, "batches": done.batches, "pairs": done.pairs}
