"""The guard that keeps the tests on this machine."""

from __future__ import annotations

import socket

import pytest


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_a_connection_beyond_this_machine_is_refused(address: str):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.socket(family) as client,
        pytest.raises(pytest.fail.Exception, match="may not connect"),
    ):
        client.connect((address, 80))


def test_this_machine_may_be_connected_to():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
