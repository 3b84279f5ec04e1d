"""Tests of whether the model hub is asked."""

from __future__ import annotations

import os
import socket
import sys
import threading
from types import SimpleNamespace

import pytest

from xlbench.support import network
from xlbench.support.network import ask_hub_only_if_there, is_reachable


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No proxy, a hub whose port nobody listens to, and nothing said about being offline."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")


def test_a_host_that_takes_connections_is_reachable(monkeypatch):
    """A closed port and an unknown name are not; behind a proxy it is taken for granted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_reachable(f"http://127.0.0.1:{server.getsockname()[1]}")
    assert not is_reachable("http://127.0.0.1:9")
    assert not is_reachable("https://nowhere.invalid")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert is_reachable("https://nowhere.invalid")


def test_a_name_that_takes_long_to_look_up_is_given_up(monkeypatch):
    """What does not answer within the time is not reachable, whatever its connection does later."""
    answered = threading.Event()

    def slow(*arguments, **options):
        answered.wait(60)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", slow)
    assert not is_reachable("https://slow.invalid", seconds=0.01)
    answered.set()


@pytest.mark.parametrize(
    ("models", "offline"),
    [
        (["owner/name"], "1"),
        (["name"], "1"),
        (["fusion:hash+owner/name"], "1"),
        (["hash"], "0"),
        (["fusion:hash+hash"], "0"),
        (["./folder", "package.module:Class", "folder/file.py:Class"], "0"),
    ],
)
def test_the_hub_is_tried_for_names_that_may_be_there(models, offline):
    """Models that come with xlbench, paths and classes need no hub."""
    ask_hub_only_if_there(models, {"hash"})
    assert os.environ["HF_HUB_OFFLINE"] == offline


def test_a_folder_is_on_no_hub(tmp_path, monkeypatch):
    """A folder of that name in the current folder is the model."""
    (tmp_path / "owner/name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    ask_hub_only_if_there(["owner/name"], ())
    assert os.environ["HF_HUB_OFFLINE"] == "0"


def test_a_library_that_was_imported_before_is_told(monkeypatch):
    """It read the variable when it was imported."""
    constants = SimpleNamespace(HF_HUB_OFFLINE=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub.constants", constants)
    ask_hub_only_if_there(["owner/name"], ())
    assert constants.HF_HUB_OFFLINE


def test_what_the_user_has_set_stays(monkeypatch):
    """Who is offline by choice is not asked again, and a hub that is there is used."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "yes")
    monkeypatch.setattr(network, "is_reachable", lambda url: pytest.fail("it was tried"))
    ask_hub_only_if_there(["owner/name"], ())
    assert os.environ["HF_HUB_OFFLINE"] == "yes"
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(network, "is_reachable", lambda url: True)
    ask_hub_only_if_there(["owner/name"], ())
    assert os.environ["HF_HUB_OFFLINE"] == "0"
