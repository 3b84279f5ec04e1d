"""What a run on all of MIRACL takes, computed from measured speeds: hours, disk and memory for each language.

    python benchmarks/full_miracl.py --encode 29 --count 0.54 --text 250

`--encode` is in passages a second, `--count` in billions of products of a query and a passage a second (1,000 queries x
1 M passages in 1.9 s are 0.54), `--text` in bytes a passage as stored; `benchmarks/exact_search.py` and
`xlbench run --task miracl --language yo` measure them.
"""

from __future__ import annotations

import argparse

from xlbench.catalogue import load

BYTES_A_PASSAGE_IN_MEMORY = 60
"""Ids, their order, and what is known of each text; measured by benchmarks/memory.py."""
AT_LEAST_MB = 900
"""The libraries, a window of texts, a shard of vectors and a tile of scores."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encode", type=float, required=True, help="passages encoded a second")
    parser.add_argument("--count", type=float, required=True, help="billions of products counted a second")
    parser.add_argument("--text", type=float, required=True, help="bytes of a passage's text as stored")
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--bytes", type=int, default=4, choices=[2, 4], help="of a number: 2 with --store float16")
    options = parser.parse_args()
    task = load("miracl")
    print("| language | passages | queries | encode | count | vectors | texts | memory |")
    print(f"|---{'|--:' * 7}|")
    sizes = {language: (task.sizes[language].passages, task.sizes[language].queries) for language in task.languages}
    for language, (passages, queries) in sorted(sizes.items(), key=lambda item: item[1]):
        print(row(language, passages, queries, queries * passages, options))
    passages, queries = (sum(size[i] for size in sizes.values()) for i in range(2))
    print(row("all, one pool", passages, queries, queries * passages, options))


def row(name: str, passages: int, queries: int, products: int, options: argparse.Namespace) -> str:
    vectors = passages * options.dimensions * options.bytes
    cells = [
        name,
        f"{passages:,}",
        f"{queries:,}",
        duration((passages + queries) / options.encode),
        duration(products / (options.count * 1e9)),
        size(vectors),
        size(passages * options.text),
        size(AT_LEAST_MB * 1e6 + passages * BYTES_A_PASSAGE_IN_MEMORY),
    ]
    return f"| {' | '.join(cells)} |"


def duration(seconds: float) -> str:
    """Of one unit."""
    for unit, length in (("d", 86400 * 2), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / (86400 if unit == 'd' else length):.1f} {unit}"
    return f"{seconds:.0f} s"


def size(n_bytes: float) -> str:
    """In MB or GB."""
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"


if __name__ == "__main__":
    main()
