"""Fine-tunes a cross-encoder, which `xlbench run --rerank` takes, from an encoder and a pair file with hard negatives.

    xlbench mine --model multilingual-e5-small --pairs pairs.jsonl.gz --negatives 3 --output mined.jsonl.gz
    python tools/cross_encoder.py multilingual-e5-small mined.jsonl.gz e5-small-cross-encoder
    xlbench run --model multilingual-e5-small --rerank e5-small-cross-encoder --depth 50 --task demo

The encoder's network gets a head that makes one score of the mean of its tokens. A question is trained on in a drawn
language, with its passage in another drawn one and hard negatives in the languages that have some, so that a language
says nothing of relevance. The loss is the cross entropy of the passage among its negatives and two others of the step.
Word embeddings and the first layers stay as they are, which saves a third of the time.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlbench.errors import DataError
from xlbench.training.pairs import PairRow, read_pairs

_OTHERS = 2
"""Passages of other questions in the step that a passage is told from too."""


def main() -> None:
    """Trains the cross-encoder and writes its folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", help="folder or Hub id that the network is taken from")
    parser.add_argument("pairs", type=Path, help="pair file with negatives, as `xlbench mine` writes it")
    parser.add_argument("output", type=Path, help="folder to write")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--questions", type=int, default=8, help="in a step")
    parser.add_argument("--negatives", type=int, default=3, help="of each question")
    parser.add_argument("--max-length", type=int, default=96, help="tokens of question and passage together")
    parser.add_argument("--frozen-layers", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.output.exists():
        sys.exit(f"{arguments.output} exists already: remove it, or choose another folder.")
    try:
        rows = read_pairs(arguments.pairs).rows
    except (OSError, DataError) as error:
        sys.exit(f"{error}")
    drawn = random.Random(arguments.seed)  # noqa: S311 (no secret)
    examples = [example for row in rows if (example := _example(row, arguments.negatives, drawn))]
    if len(examples) < arguments.questions:
        sys.exit(
            f"{arguments.pairs} has {len(examples)} questions with {arguments.negatives} negatives in one language or "
            f"more; expected at least {arguments.questions}: `xlbench mine --negatives {arguments.negatives}`."
        )
    n_wanted = arguments.steps * arguments.questions
    while len(examples) < n_wanted:
        examples += [example for row in rows if (example := _example(row, arguments.negatives, drawn))]
    drawn.shuffle(examples)
    print(f"{len(rows):,} questions, {n_wanted:,} examples of 1 passage and {arguments.negatives} negatives")
    model = _untrained(arguments.encoder, arguments.max_length, arguments.frozen_layers, arguments.seed)
    _train(model, examples[:n_wanted], arguments)
    model.save_pretrained(str(arguments.output))
    print(f"Wrote {arguments.output}")


def _example(row: PairRow, n_negatives: int, drawn: random.Random) -> dict[str, str] | None:
    """A question with a passage that answers it and some that do not, each in a drawn language; None without."""
    negatives = [text for some in row.negatives.values() for text in some]
    if len(negatives) < n_negatives:
        return None
    texts = drawn.sample(negatives, n_negatives)
    return {
        "query": drawn.choice(sorted(row.queries.values())),
        "passage": drawn.choice(sorted(row.passages.values())),
        **{f"negative_{i}": text for i, text in enumerate(texts)},
    }


def _untrained(encoder: str, max_length: int, n_frozen: int, seed: int) -> Any:
    """The encoder's network, the mean of its tokens, and a new head that makes one score of it."""
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    torch.manual_seed(seed)
    body = Transformer(encoder, max_seq_length=max_length)
    width = body.get_embedding_dimension()
    # The encoder is trained for the mean: the first token's state says little in the beginning.
    mean = Pooling(width, pooling_mode="mean")
    head = Dense(width, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    for part in (body.auto_model.embeddings, *body.auto_model.encoder.layer[:n_frozen]):
        part.requires_grad_(requires_grad=False)
    return CrossEncoder(modules=[body, mean, head], activation_fn=torch.nn.Sigmoid())


def _train(model: Any, examples: Sequence[dict[str, str]], arguments: argparse.Namespace) -> None:
    import tempfile

    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments, losses

    with tempfile.TemporaryDirectory() as temporary:
        settings = CrossEncoderTrainingArguments(
            output_dir=temporary,
            per_device_train_batch_size=arguments.questions,
            max_steps=arguments.steps,
            learning_rate=arguments.learning_rate,
            warmup_steps=arguments.steps // 10,
            dataloader_pin_memory=False,
            logging_steps=max(arguments.steps // 20, 1),
            save_strategy="no",
            report_to="none",
            seed=arguments.seed,
        )
        CrossEncoderTrainer(
            model=model,
            args=settings,
            train_dataset=Dataset.from_list(list(examples)),
            loss=losses.MultipleNegativesRankingLoss(model, num_negatives=_OTHERS),
        ).train()


if __name__ == "__main__":
    main()
