"""The tools that a synthetic assistant calls: what it asks of them, and what they answer."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tests.bench.draw import Draw

WEIGHTS = {
    "Bash": 34,
    "Read": 26,
    "Edit": 16,
    "Grep": 9,
    "Write": 5,
    "Glob": 3,
    "TodoWrite": 3,
    "mcp__github__get_issue": 2,
    "Task": 1,
    "WebFetch": 1,
}
ANSWERS = {
    "Read": (1100, 1.25, 480_000),
    "WebFetch": (1100, 1.25, 480_000),
    "mcp__github__get_issue": (1100, 1.25, 480_000),
    "Bash": (300, 1.4, 30_000),
    "Grep": (420, 1.2, 30_000),
    "Glob": (420, 1.2, 30_000),
}


class Call(Struct, frozen=True):
    """A tool use that waits for its result."""

    id: str
    name: str
    path: str
    input: dict[str, Any]


def call(draw: Draw, cwd: str) -> Call:
    """Draw a tool use."""
    name = draw.pick(WEIGHTS)
    words = draw.random.choices(draw.words, k=2)
    path = f"{cwd}/src/{words[0]}/{words[1]}.py"
    return Call(draw.token("toolu"), name, path, _input(draw, name, cwd, path))


def answer(draw: Draw, use: Call) -> str:
    """Draw the text of a tool's result: rarely a picture of up to half a megabyte."""
    if draw.chance(0.00025):
        return "iVBORw0KGgo" * draw.random.randint(9_000, 45_000)
    if use.name in ANSWERS:
        return draw.code(draw.length(*ANSWERS[use.name]))
    if use.name == "Task":
        return draw.prose(draw.length(1800, 0.6, 20_000))
    return f"The file {use.path} has been updated.\n{draw.code(draw.length(220, 0.6, 3000))}"


def structured(draw: Draw, use: Call, text: str) -> dict[str, Any]:
    """Return the `toolUseResult` that stands beside a result and says the same once more."""
    match use.name:
        case "Bash":
            return {"stdout": text, "stderr": "", "interrupted": False, "isImage": False}
        case "Read":
            file = {"filePath": use.path, "content": text, "numLines": text.count("\n"), "startLine": 1}
            return {"type": "text", "file": file}
        case "Edit":
            patch = [{"oldStart": 1, "oldLines": 4, "newStart": 1, "newLines": 5, "lines": text.split("\n")[:6]}]
            return {
                "filePath": use.path,
                "oldString": use.input["old_string"],
                "newString": use.input["new_string"],
                "structuredPatch": patch,
                "userModified": False,
                "replaceAll": False,
            }
        case _:
            return {"filenames": [], "durationMs": draw.random.randint(1, 900), "numFiles": 0}


def _input(draw: Draw, name: str, cwd: str, path: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"pattern": "**/*.py", "path": cwd}
    match name:
        case "Bash":
            asked = {"command": draw.code(draw.length(120, 0.9, 6000)), "description": draw.prose(40)}
        case "Read":
            asked = {"file_path": path, "offset": draw.random.randint(1, 999), "limit": 80}
        case "Edit":
            old, new = draw.code(draw.length(300, 0.9, 9000)), draw.code(draw.length(380, 0.9, 9000))
            asked = {"replace_all": False, "file_path": path, "old_string": old, "new_string": new}
        case "Write":
            asked = {"file_path": path, "content": draw.code(draw.length(3500, 0.8, 60_000))}
        case "Grep":
            asked = {"pattern": draw.prose(14), "path": cwd, "output_mode": "content"}
        case "TodoWrite":
            asked = {"todos": [_todo(draw) for _ in range(draw.random.randint(3, 9))]}
        case "Task":
            prompt = draw.prose(draw.length(1500, 0.5, 9000))
            asked = {"description": draw.prose(40), "prompt": prompt, "subagent_type": "general-purpose"}
    return asked


def _todo(draw: Draw) -> dict[str, str]:
    status = "pending" if draw.chance(0.5) else "completed"
    return {"content": draw.prose(45), "status": status, "activeForm": draw.prose(40)}
