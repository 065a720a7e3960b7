"""Prices of the configuration file reach the price list."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccod import ConfigError, Response, Usage
from ccod.configuration import Configuration
from ccod.manager import Manager

FILE = """
[pricelist.models."mine-1"]
input = 2
output = 3
cache_read = 0.5
"""


def test_a_model_of_the_file_has_its_price(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(FILE)
    manager = Manager()
    prices = manager.prices(Configuration(file, {}).settings(manager.schemas()))
    cost = prices.cost(Response("m", "r", "mine-1-20260101", Usage(1, 1, cache_read_tokens=1)), 0)
    assert cost is not None
    assert cost.nanos == 2000 + 3000 + 500


def test_a_negative_price_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(FILE.replace("3", "-3"))
    with pytest.raises(ConfigError, match=r"\[pricelist\] models"):
        Configuration(file, {}).settings(Manager().schemas())
