"""Reads translation memories: zipped TMX, English and one more language a file, as TICO-19 has them (arXiv 2007.01788).

Units with the same ``tuid`` are the same sentence in all files. Each sentence is a query, answered by its translation
in each other language: bitext retrieval, in the forms of ``lines``.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from xlbench.catalogue.readers.lines import FORMS, WITHOUT_IN, bitext
from xlbench.collection import Collection
from xlbench.errors import DataError, shown

__all__ = ["FORMS", "WITHOUT_IN", "read"]

_MOST_BYTES = 1 << 28
"""Of an unpacked file, far more than any sentences need: a zip archive of kilobytes can hold gigabytes."""
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def read(files: Mapping[str, Path], *, text: str) -> Collection:
    """The collection in these files.

    Ids of queries and passages are ``language:tuid``. What stands before the colon of a ``tuid`` is the document, whose
    sentences are a cluster. The language of a variant, such as ``es-LA``, is that of its first part.

    Raises:
        DataError: if a file is no zip archive of one TMX file, is no XML, declares an entity, or has a unit without an
            id or without text in the language.

    """
    sentences = {language: dict(_sentences(path, language)) for language, path in files.items()}
    document = {tuid: tuid.rpartition(":")[0] or tuid for of_tuid in sentences.values() for tuid in of_tuid}
    return bitext(sentences, document, text=text)


def _sentences(path: Path, language: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The text of each unit in a language and where it is, by ``tuid``."""
    import defusedxml.ElementTree
    from defusedxml import DefusedXmlException

    seen: set[str] = set()
    try:
        for number, (_, unit) in enumerate(
            (each for each in defusedxml.ElementTree.iterparse(io.BytesIO(_unpacked(path))) if each[1].tag == "tu"), 1
        ):
            where = f"{path}, unit {number:,}"
            tuid = unit.get("tuid", "")
            if not tuid or tuid in seen:
                raise DataError(f"{where} has the tuid {shown(tuid)}; expected one that no other unit has.")
            seen.add(tuid)
            texts = {
                (variant.get(_LANGUAGE) or "").partition("-")[0]: " ".join("".join(segment.itertext()).split())
                for variant in unit.iter("tuv")
                for segment in variant.iter("seg")
            }
            sentence = texts.get(language.partition("-")[0])
            if not sentence:
                raise DataError(
                    f"{where} ({tuid}) has no text in {language!r}; it has {', '.join(filter(None, texts)) or 'none'}."
                )
            yield tuid, (sentence, f"{where} ({tuid})")
            unit.clear()
    except DefusedXmlException as error:
        raise DataError(f"{path} declares an entity, which no translation memory needs; it is not read.") from error
    except (defusedxml.ElementTree.ParseError, ValueError, LookupError) as error:  # The last two: of its encoding.
        raise DataError(f"{path} is not valid XML ({error}): is the file cut off?") from error


def _unpacked(path: Path) -> bytes:
    """The one file in a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].file_size > _MOST_BYTES:
                sizes = ", ".join(f"{member.filename} ({member.file_size:,} bytes)" for member in members[:3])
                raise DataError(
                    f"{path} holds {len(members)} files: {sizes or 'none'}; expected one TMX file of at most "
                    f"{_MOST_BYTES:,} bytes."
                )
            with archive.open(members[0]) as file:
                return file.read(_MOST_BYTES)
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:  # RuntimeError: it is encrypted.
        raise DataError(f"{path} is no zip archive, or is damaged ({error}): copy or download it again.") from error
