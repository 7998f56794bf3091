"""Handlers that go wrong in the ways in which a process can. Copied into a folder of its own and run from there."""

import os
from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Do what the event asks: hold memory, end the process, or answer."""
    if event.get("hold_mb"):
        return {"held": len(bytearray(event["hold_mb"] * 2**20)) // 2**20}
    if "exit" in event:
        os._exit(event["exit"])
    return {"pid": os.getpid()}
