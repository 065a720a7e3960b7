"""The price list is what its maker makes of the package that it names."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from ccod import Response, Usage
from ccod_prices.settings import PricesSettings
from ccod_prices.table import PriceTable

ROOT = Path(__file__).parents[3]
MAKER = ROOT / "contrib" / "make_prices.py"
PRICES = ROOT / "plugins" / "ccod_prices" / "prices.json"
MODELS = [
    "claude-3-5-haiku-20241022",
    "claude-opus-4-1-20250805",
    "claude-opus-4-20250514",
    "claude-opus-4-5-20251101",
    "claude-opus-4-6",
    "claude-sonnet-4-20250514",
    "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5-20251001",
]

genai_prices = pytest.importorskip("genai_prices")

if not MAKER.exists():
    pytest.skip("the maker of prices is in the source tree only", allow_module_level=True)


def test_the_list_is_made_again_just_the_same() -> None:
    from importlib.metadata import version

    stored: dict[str, Any] = json.loads(PRICES.read_bytes())
    if stored["source"] != f"genai-prices {version('genai-prices')}":
        pytest.skip(f"the list was made from {stored['source']}")
    made = json.loads(subprocess.run([sys.executable, MAKER], capture_output=True, check=True).stdout)
    assert made | {"date": ""} == stored | {"date": ""}


@pytest.mark.parametrize(("model", "prompt"), list(product(MODELS, [10, 150_000, 250_000])))
def test_costs_are_the_packages_own(model: str, prompt: int) -> None:
    # The package does not know what long prompts of Sonnet 4 cost: what they do for its successor.
    unknown = (model, prompt) == ("claude-sonnet-4-20250514", 250_000)
    at = datetime(2026, 2, 1, tzinfo=UTC)
    usage = Usage(prompt, 77, 300, 0, 9000)
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=prompt + 300 + 9000, output_tokens=77, cache_write_tokens=300, cache_read_tokens=9000
        ),
        "claude-sonnet-4-5-20250929" if unknown else model,
        provider_id="anthropic",
        genai_request_timestamp=at,
    )
    cost = PriceTable(PricesSettings()).cost(Response("m", "r", model, usage), int(at.timestamp() * 1000))
    assert cost is not None
    assert cost.nanos == theirs.total_price * 10**9
