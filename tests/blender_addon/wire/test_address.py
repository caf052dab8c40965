"""Addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.wire import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:/run/bridge.sock", Address("unix", path="/run/bridge.sock")),
        ("unix:bridge.sock", Address("unix", path="bridge.sock")),
        ("unix:/a:b", Address("unix", path="/a:b")),
        ("tcp:127.0.0.1:9870", Address("tcp", host="127.0.0.1", port=9870)),
        ("tcp:localhost:0", Address("tcp", host="localhost", port=0)),
        ("tcp:studio.example:65535", Address("tcp", host="studio.example", port=65535)),
        ("tcp:[::1]:9870", Address("tcp", host="::1", port=9870)),
        ("tcp:[fe80::1%eth0]:1", Address("tcp", host="fe80::1%eth0", port=1)),
    ],
)
def test_an_address_is_read_and_written_alike(text, address):
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unix",
        "unix:",
        "unix:/a\0b",
        "/run/bridge.sock",
        "127.0.0.1:9870",
        "http://localhost:1",
        "UNIX:/a",
        "tcp:",
        "tcp:9870",
        "tcp::9870",
        "tcp:localhost",
        "tcp:localhost:",
        "tcp:localhost:65536",
        "tcp:localhost:-1",
        "tcp:localhost:1_0",
        "tcp:localhost:٣",
        "tcp:localhost:1\n",
        "tcp:local host:1",
        "tcp:::1:9870",
        "tcp:[]:9870",
        "tcp:[localhost]:9870",
        "tcp:[::1:9870",
        "tcp:[::1]9870",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"tcp:127\.0\.0\.1:9870"):
        parse_address(text)


@given(st.text())
def test_arbitrary_text_is_an_address_that_round_trips_or_a_value_error(text):
    for start in ("", "unix:", "tcp:", "tcp:["):
        try:
            address = parse_address(start + text)
        except ValueError:
            continue
        assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("unix:/a", True),
        ("tcp:localhost:1", True),
        ("tcp:LOCALHOST:1", True),
        ("tcp:127.0.0.1:1", True),
        ("tcp:127.9.9.9:1", True),
        ("tcp:[::1]:1", True),
        ("tcp:0.0.0.0:1", False),
        ("tcp:[::]:1", False),
        ("tcp:10.0.0.1:1", False),
        ("tcp:127.evil.example:1", False),
        ("tcp:localhost.example:1", False),
    ],
)
def test_loopback_is_what_this_machine_alone_can_reach(text, loopback):
    assert parse_address(text).is_loopback is loopback
