"""Ports for the small real servers of these tests."""

import socket

import pytest


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
