"""Read one target of a Dockerfile: what it copies and runs. Only the instructions that the project uses."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from wattahead.domain.errors import Refused


@dataclass(frozen=True)
class Step:
    """One COPY or RUN."""

    word: str
    text: str

    @property
    def paths(self) -> tuple[str, str]:
        """Source and destination of a COPY."""
        source, destination = shlex.split(self.text)
        return source, destination


@dataclass(frozen=True)
class Target:
    """What makes one image, system packages of its parents left out."""

    base: str  # the image at the end of the FROM lines
    variables: Mapping[str, str]  # ENV of the target and of its parents
    steps: tuple[Step, ...]  # of the target itself

    @property
    def python(self) -> str:
        """The version of Python in the base image's tag, "3.12"."""
        found = re.search(r"python:(\d+\.\d+)", self.base)
        if not found:
            raise Refused("E_CONFIG", f"the tag of {self.base} names no Python", fix="use an image python:<version>")
        return found[1]


def read_target(text: str, name: str) -> Target:
    """Return the target `name`; raise `E_CONFIG` for one that is not there or a COPY with options."""
    stages = dict(_stages(text))
    if name not in stages:
        raise Refused("E_CONFIG", f"no target {name}, known: {', '.join(stages)}", fix="name one of them")
    lineage = [name]
    while stages[lineage[-1]][0] in stages:
        lineage.append(stages[lineage[-1]][0])
    inherited = chain.from_iterable(stages[one][1] for one in reversed(lineage))
    pairs = (pair.split("=", 1) for word, said in inherited if word == "ENV" for pair in shlex.split(said))
    steps = tuple(Step(word, said) for word, said in stages[name][1] if word in ("COPY", "RUN"))
    _refuse_options(steps)
    return Target(stages[lineage[-1]][0], {pair[0]: pair[1] for pair in pairs}, steps)


def _refuse_options(steps: tuple[Step, ...]) -> None:
    for step in steps:
        if step.word == "COPY" and not re.fullmatch(r"[^-[\s]\S* \S+", step.text):
            raise Refused("E_CONFIG", f"COPY {step.text} is more than a path to a path", fix="copy one path a line")


def _stages(text: str) -> Iterator[tuple[str, tuple[str, list[tuple[str, str]]]]]:
    """Yield (stage, (parent, [(word, the rest)]))."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    for part in re.split(r"^FROM ", whole, flags=re.MULTILINE)[1:]:
        head, *body = part.splitlines()
        parent, _, stage = head.partition(" AS ")
        yield stage.strip(), (parent.strip(), [_instruction(line) for line in body])


def _instruction(line: str) -> tuple[str, str]:
    word, _, rest = line.strip().partition(" ")
    return word.upper(), rest.strip()
