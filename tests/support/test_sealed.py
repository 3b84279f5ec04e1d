"""What was altered on the disk is not taken for what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.support.sealed import seal, unseal


def test_what_was_sealed_comes_back(tmp_path):
    """Whatever it is, nothing and memory views too."""
    for content in (b"", b"\0", b"vectors" * 1000, memoryview(b"view")):
        path = tmp_path / "a" / "b"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(seal(path, content))
        assert unseal(path) == content


@given(at=st.integers(0, 40), bit=st.integers(0, 7))
def test_every_bit_counts(tmp_path, at, bit):
    """One that is altered is noticed, in the header and in the content."""
    path = tmp_path / "x"
    content = bytearray(seal(path, bytes(25)))
    content[at] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(ValueError, match="its checksum is not that of its content"):
        unseal(path)


def test_a_file_is_known_by_its_name_and_its_folders(tmp_path):
    """One that was moved within the store is another; the store itself may be moved."""
    names = ["1/a/b/c", "2/a/b/c", "1/a/b/d", "1/a/x/c", "1/x/b/c"]
    sealed = [seal(tmp_path / name, b"content") for name in names]
    assert len({*sealed[2:], sealed[0]}) == 4
    assert sealed[0] == sealed[1]


@pytest.mark.parametrize("length", [0, 5, 15, 16, 20])
def test_a_file_that_was_cut_off_is_not_whole(tmp_path, length):
    """However little is left."""
    path = tmp_path / "x"
    path.write_bytes(seal(path, b"content")[:length])
    with pytest.raises(ValueError, match="checksum"):
        unseal(path)
