"""Settings out of flags, a file and the environment, each given by the test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge import paths
from bridge.config import Settings, load_settings
from bridge.errors import ConfigurationError


@pytest.fixture
def load(home) -> Callable[..., Settings]:
    """load(flags, toml=…, NAME=value): with BPY_BRIDGE_NAME in the environment."""

    def load(flags=None, *, toml=None, **variables):
        if toml is not None:
            paths.ensure_private(home)
            paths.config_file().write_text(toml)
        return load_settings(flags, environment={f"BPY_BRIDGE_{name}": value for name, value in variables.items()})

    return load


@pytest.fixture
def refusal(load) -> Callable[..., str]:
    """The lines with which the settings are refused."""

    def refusal(flags=None, *, toml=None, **variables):
        with pytest.raises(ConfigurationError) as caught:
            load(flags, toml=toml, **variables)
        assert caught.value.exit_code == 2
        return str(caught.value)

    return refusal
