"""Addresses as text."""

from __future__ import annotations

import pytest

from blender_addon.addresses import TcpAddress, UnixAddress, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/a b.sock", UnixAddress("/run/a b.sock")),
        ("tcp:127.0.0.1:0", TcpAddress("127.0.0.1", 0)),
        ("tcp:[::1]:9870", TcpAddress("::1", 9870)),
    ],
)
def test_an_address_is_read_and_written_alike(text, address):
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "unix:", "tcp:", "tcp:host", "tcp::80", "tcp:a:x", "tcp:a:-1", "tcp:a:65536", "/a"]
)
def test_what_is_no_address_is_refused_with_its_text(text):
    with pytest.raises(ValueError, match="write unix:/path or tcp:HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)]
)
def test_loopback_is_told_from_the_world(host, loopback):
    assert TcpAddress(host, 80).is_loopback() is loopback
