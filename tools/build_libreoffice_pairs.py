"""Builds pairs to train on from the help pages of LibreOffice, as Debian's packages libreoffice-help-* install them.

    apt install libreoffice-help-{en-us,de,el,es,hi,ru,tr,vi,zh-cn}
    python tools/build_libreoffice_pairs.py libreoffice-help.jsonl.gz

A page has the same name in all languages, and a heading the same id. So each section is a row: its heading, after the
title of the page, is the query, and the text up to the next heading the passage. A language is left out of a row if it
has not translated the heading, or any whole sentence of the text.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from xlbench.training.pairs import write_rows

FOLDERS = {
    "en": "en-US",
    "de": "de",
    "el": "el",
    "es": "es",
    "hi": "hi",
    "ru": "ru",
    "tr": "tr",
    "vi": "vi",
    "zh": "zh-CN",
}
"""Of each language; the first is the one that the others are translated from."""
_ORIGINAL = "en"
_HEADINGS = {f"h{level}" for level in range(1, 7)}
_TEXT = {"paragraph", "listitem", "tip", "note", "warning"}
_SHORTEST_QUERY, _SHORTEST_PASSAGE, _LONGEST_PASSAGE = 4, 60, 1200


@dataclass
class Section:
    """A heading and the paragraphs below it."""

    heading: str
    paragraphs: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The paragraphs in one line."""
        return " ".join(filter(None, self.paragraphs))


class Page(HTMLParser):
    """The sections of a page by the id of their heading."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections: dict[str, Section] = {}
        self._title = ""
        self._current: Section | None = None
        self._open: tuple[str, str] | None = None
        self._parts: list[str] = []

    @classmethod
    def read(cls, path: Path) -> dict[str, Section]:
        """The sections of a file that have both heading and text; none if there is no file."""
        if not path.is_file():
            return {}
        page = cls()
        page.feed(path.read_text(encoding="utf-8", errors="replace"))
        page.close()
        return {key: section for key, section in page.sections.items() if section.heading and section.text}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins a heading or a paragraph that has an id."""
        found = dict(attrs)
        id_ = found.get("id")
        is_text = tag == "p" and self._current is not None and found.get("class") in _TEXT
        if id_ and (tag in _HEADINGS or is_text):
            self._open, self._parts = (tag, id_), []

    def handle_data(self, data: str) -> None:
        """Takes the text of what is open, also within bold or linked words."""
        if self._open:
            self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Ends what is open."""
        if self._open is None or tag != self._open[0]:
            return
        said = re.sub(r"\s+", " ", "".join(self._parts)).strip()
        if tag in _HEADINGS:
            self._title = self._title or said
            full = said if said == self._title else f"{self._title}: {said.rstrip(':')}"
            self._current = self.sections[self._open[1]] = Section(full if said else "")
        elif self._current:
            self._current.paragraphs.append(said)
        self._open = None


def rows(help_dir: Path, *, min_languages: int = 3) -> Iterator[dict[str, Any]]:
    """The rows of all pages in the folder of LibreOffice's help, in the order of their names."""
    original = help_dir / FOLDERS[_ORIGINAL]
    seen = set()
    for path in sorted(original.rglob("*.html")):
        name = path.relative_to(original)
        pages = {language: Page.read(help_dir / folder / name) for language, folder in FOLDERS.items()}
        for key, section in pages[_ORIGINAL].items():
            is_short = len(section.heading) < _SHORTEST_QUERY or len(section.text) < _SHORTEST_PASSAGE
            if is_short or (section.heading, section.text) in seen:
                continue
            seen.add((section.heading, section.text))
            found = {_ORIGINAL: section, **_translations(section, pages, key)}
            if len(found) >= min_languages:
                yield {
                    "id": f"{name.with_suffix('').as_posix()}#{key}",
                    "queries": {language: one.heading for language, one in found.items()},
                    "passages": {language: one.text[:_LONGEST_PASSAGE] for language, one in found.items()},
                }


def _translations(section: Section, pages: Mapping[str, Mapping[str, Section]], key: str) -> dict[str, Section]:
    """The section in the languages that have translated it."""
    return {
        language: page[key]
        for language, page in pages.items()
        if language != _ORIGINAL
        and key in page
        and page[key].heading != section.heading
        and not any(sentence in section.text for sentence in page[key].text.split(". "))
    }


def main() -> None:
    """Writes the file and says what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="file to write; packed if its name ends in .gz")
    parser.add_argument("--help-dir", type=Path, default=Path("/usr/share/libreoffice/help"))
    parser.add_argument("--min-languages", type=int, default=3, help="leave out rows in fewer languages")
    arguments = parser.parse_args()
    if not (arguments.help_dir / FOLDERS[_ORIGINAL]).is_dir():
        parser.error(f"{arguments.help_dir} has no folder {FOLDERS[_ORIGINAL]}: install the packages, see --help")
    found = list(rows(arguments.help_dir, min_languages=arguments.min_languages))
    write_rows(found, arguments.output)
    counts = Counter(language for row in found for language in row["queries"])
    print(f"{len(found):,} rows: " + ", ".join(f"{language} {n:,}" for language, n in counts.most_common()))


if __name__ == "__main__":
    main()
