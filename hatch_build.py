"""The build writes the type stubs beside their modules, also for an editable install."""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StubsHook(BuildHookInterface):
    """Run ``docs/stubs.py`` before files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the stubs and put them into what is built, although git ignores them."""
        place = Path(self.root) / "docs" / "stubs.py"
        spec = importlib.util.spec_from_file_location("stubs", place)
        assert spec is not None  # noqa: S101  (a file of Python has one)
        assert spec.loader is not None  # noqa: S101
        stubs = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(stubs)
        build_data["artifacts"] += [f"/{path.relative_to(self.root)}" for path in stubs.write()]
