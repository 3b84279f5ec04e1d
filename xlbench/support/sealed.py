"""Files with a checksum before their content: what was altered on the disk is not taken for what was written.

The checksum is CRC-32 of the names of the file and of the two folders above it, and of the content, so that a file that
was put in the place of another is not taken for it. It finds damage, not malice: folders are the user's own.
"""

from __future__ import annotations

import zlib
from pathlib import Path

_MARK = b"xlbench1"
_HEADER_BYTES = 16


def seal(path: Path, content: bytes | memoryview) -> bytes:
    """The content of the file that is to be written to ``path``."""
    return b"".join([_header(path, content), content])


def unseal(path: Path) -> memoryview:
    """What was sealed.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not what was written there.

    """
    whole = memoryview(path.read_bytes())
    content = whole[_HEADER_BYTES:]
    if whole[:_HEADER_BYTES] != _header(path, content):
        raise ValueError("its checksum is not that of its content")
    return content


def _header(path: Path, content: bytes | memoryview) -> bytes:
    names = "\0".join(path.parts[-3:]).encode("utf-8", "surrogatepass")
    checksum = zlib.crc32(content, zlib.crc32(names))
    return (_MARK + checksum.to_bytes(4, "little")).ljust(_HEADER_BYTES, b"\0")
