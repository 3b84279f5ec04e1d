"""BGE-M3 and models of its form: a dense vector, weights of terms and a vector a token, from one encoding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.arrays import TokenVectors, VectorArray
from xlbench.errors import EncoderError
from xlbench.models import folders
from xlbench.models.protocols import Role
from xlbench.models.sentence_transformer import SentenceTransformerEncoder
from xlbench.models.token_batches import token_batches

_NO_TERMS = ("cls_token_id", "eos_token_id", "pad_token_id", "unk_token_id")


class M3Encoder(SentenceTransformerEncoder):
    """A dense model of sentence-transformers, with two heads on its tokens in files of their own.

    (BGE M3, Chen et al. 2024, arXiv 2402.03216.) The weight of a term is the largest of its tokens', ``relu(w h + b)``;
    the vectors of tokens are those of all but the first, ``W h + b`` at length 1, and their score is a mean.
    """

    representation = ("dense", *folders.M3_HEADS)
    mean_of_tokens = True
    vectors_revision = 1  # To be raised when the same model gives other vectors than before.

    def stages(self, role: Role) -> None:
        """Texts are encoded in one go."""

    def _encode(self, texts: Sequence[str], prompt: str, task: str) -> Any:
        """The representations of these texts by name: ``float32[n, D]``, ``csr[n, V]`` and ``TokenVectors``."""
        from scipy.sparse import csr_array, vstack

        lengths = self._lengths([prompt + text for text in texts])
        batches = token_batches(lengths, self._budget.tokens, alike=not self._is_padded)

        def encoded(batch: npt.NDArray[np.intp]) -> Any:
            return self._represented([texts[i] for i in batch], prompt, task)

        dense: list[Any] = []
        sparse: list[Any] = []
        late: list[Any] = [None] * len(texts)
        rows: list[npt.NDArray[np.intp]] = []
        for batch, (vectors, terms, tokens) in self._budget.within(batches, lengths, encoded):
            rows.append(batch)
            dense.append(vectors)
            sparse.append(terms)
            for i, of_text in zip(batch.tolist(), tokens, strict=True):
                late[i] = of_text
        order = np.argsort(np.concatenate(rows))
        starts = np.append(0, np.cumsum([len(of_text) for of_text in late])).astype(np.int64)
        return {
            "dense": np.concatenate(dense)[order],
            "sparse": csr_array(vstack(sparse, format="csr"))[order],
            "late": TokenVectors(np.concatenate(late), starts),
        }

    def _represented(self, texts: list[str], prompt: str, task: str) -> tuple[Any, Any, list[Any]]:
        """The three representations of a batch."""
        import torch

        features = self._features(texts, prompt, task)
        with torch.inference_mode():
            moved = {key: of.to(self._device) if torch.is_tensor(of) else of for key, of in features.items()}
            states = self._model(moved, task=task)
            hidden, mask = states["token_embeddings"].float(), states["attention_mask"].bool()
            dense = torch.nn.functional.normalize(states["sentence_embedding"].float(), dim=-1)
            weights = torch.relu(self._heads["sparse"](hidden)).squeeze(-1) * mask
            tokens = torch.nn.functional.normalize(self._heads["late"](hidden[:, 1:]), dim=-1)
        numbers = [of.cpu().numpy() for of in (dense, features["input_ids"], weights, tokens, mask[:, 1:])]
        vectors, ids, of_terms, of_tokens, kept = numbers
        return vectors, self._terms(ids, of_terms), [of[rows] for of, rows in zip(of_tokens, kept, strict=True)]

    def _terms(self, ids: npt.NDArray[np.int64], weights: VectorArray) -> Any:
        """The largest weight of each term in each text, ``csr[n, V]``, from those of its tokens, ``[n, tokens]``."""
        from scipy.sparse import csr_array

        tokenizer = self._model.tokenizer
        unused = [getattr(tokenizer, name) for name in _NO_TERMS]
        text, token = np.nonzero((weights > 0) & ~np.isin(ids, [id_ for id_ in unused if id_ is not None]))
        term, weight = ids[text, token], weights[text, token]
        order = np.lexsort((weight, term, text))
        text, term, weight = text[order], term[order], weight[order]
        is_largest = np.ones(len(text), bool)
        is_largest[:-1] = (np.diff(text) != 0) | (np.diff(term) != 0)
        where = text[is_largest], term[is_largest]
        return csr_array((weight[is_largest], where), shape=(len(ids), len(tokenizer)), dtype=np.float32)

    @cached_property
    def _heads(self) -> dict[str, Any]:
        """The two linear layers on the states of tokens, from their files."""
        import torch

        heads: dict[str, Any] = {}
        for form, name in folders.M3_HEADS.items():
            path = folders.config_file(self._source, name, revision=self._hub_revision)
            try:
                state = torch.load(str(path), map_location="cpu", weights_only=True)
                n_out, n_in = state["weight"].shape
                layer = torch.nn.Linear(n_in, n_out)
                layer.load_state_dict({key: of.float() for key, of in state.items()})
            except Exception as error:  # torch raises nearly anything for a broken file.
                said = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise EncoderError(
                    f"{path} cannot be read as the weights of a linear layer ({said:.200}); expected weight and bias, "
                    "as BGE-M3 has them."
                ) from error
            heads[form] = layer.to(self._device).eval()
        return heads
