"""The programs that stand in docs/plugins."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs" / "plugins"


def pages() -> list[Path]:
    return sorted(GUIDE.rglob("*.md"))


def examples() -> dict[str, str]:
    """Return the programs that begin with the name of a module, such as `# ccod_tick.py`, by the name of the plugin."""
    return {
        name: program
        for page in pages()
        for program, name in re.findall(r"```python\n(# ccod_(\w+)\.py.*?)```", page.read_text(), re.DOTALL)
    }


def example(plugin: str) -> str:
    return examples()[plugin]
