"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import resource
import signal

import pytest

from xlbench.support.files import sweep, write_whole


def test_a_file_has_the_content_and_the_permissions_of_any_new_file(tmp_path):
    """The file has the content, replaces an older one, and can be read by whom the system's mask lets read."""
    plain = tmp_path / "plain"
    plain.touch()
    for content in (b"old", b"new"):
        write_whole(tmp_path / "x", content)
        assert (tmp_path / "x").read_bytes() == content
    assert (tmp_path / "x").stat().st_mode == plain.stat().st_mode


def test_what_killed_runs_have_left_is_swept(tmp_path):
    """Temporary files of yesterday go; one that is being written, and the user's own, stay."""
    old, new = (f".x.{digit * 32}" for digit in "ab")
    for name in (old, new, ".x.mine", f"x.{'a' * 32}"):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (0, 0) if name != new else None)
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [new, ".x.mine", f"x.{'a' * 32}"]
    sweep(tmp_path / "missing")


def test_a_write_that_fails_leaves_no_part_and_names_the_file(tmp_path):
    """When there is no room the older file stays as it was, no part is left, and the error names the file."""
    write_whole(tmp_path / "x", b"old")
    child = os.fork()
    if child == 0:  # The limit cannot be raised again, so it is another process's.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        try:
            write_whole(tmp_path / "x", b"new" * 100)
        except OSError as error:
            os._exit(0 if error.filename == str(tmp_path / "x") else 2)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_a_folder_that_is_missing_is_named(tmp_path):
    """Without the folder the error names the file that was to be written."""
    with pytest.raises(FileNotFoundError, match="missing/x"):
        write_whole(tmp_path / "missing" / "x", b"")


def test_a_link_is_followed(tmp_path):
    """What a link points to has the new content, and the link stays one."""
    (tmp_path / "link").symlink_to("target")
    for content in (b"old", b"new"):
        write_whole(tmp_path / "link", content)
        assert (tmp_path / "target").read_bytes() == content
    assert (tmp_path / "link").is_symlink()


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    """What is no regular file, such as a device or a named pipe, gets the content and stays what it is."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(tmp_path / "pipe", b"content")
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
