"""Commands of a story: each is shown as it would be typed, and then run."""

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console


@dataclass(frozen=True)
class Step:
    """One command and why it is run."""

    why: str
    words: tuple[str, ...]
    may_end: tuple[int, ...] = (0,)
    program: tuple[str, ...] = ("wattahead",)

    @property
    def module(self) -> tuple[str, ...]:
        """What Python runs for the program."""
        return ("wattahead.cli.main",) if self.program == ("wattahead",) else self.program[2:]


@dataclass(frozen=True)
class Teller:
    """Shows each command before it runs, as it would be typed."""

    console: Console
    folder: Path  # the bucket is a folder in it
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long the story has taken."""
        return time.monotonic() - self.began

    def run(self, step: Step) -> None:
        """Run one command; its own output is what the reader sees."""
        said = shlex.join([*step.program, *step.words])
        self.console.print(
            f"\n[bold]{step.why}[/bold]  [dim]({self.seconds:.0f} s)[/dim]\n[cyan]$ {said}[/cyan]", soft_wrap=True
        )
        environment = {**os.environ, "WATTAHEAD_BUCKET": str(self.folder / "bucket")}
        done = subprocess.run([sys.executable, "-m", *step.module, *step.words], check=False, env=environment)
        if done.returncode not in step.may_end:
            raise SystemExit(f"stopped: exit code {done.returncode}")

    def end(self, said: str, lines: tuple[str, ...]) -> None:
        """Say what is left behind and how to go on."""
        self.console.print(f"\n[bold]Done in {self.seconds:.0f} s.[/bold] {said}")
        self.console.print(
            f"The bucket is the folder {self.folder}/bucket, the pictures are in {self.folder}. Go on with:"
        )
        for line in lines:
            self.console.print(f"  {line}", markup=False, soft_wrap=True)
