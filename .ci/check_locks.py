"""Checks that the locks are whole and no tracked file ties the clone to one machine. Offline, standard library only."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from typing import NamedTuple

RUNTIME_LOCK, RUNTIME_SOURCE = "requirements.txt", "requirements.in"
SOURCE_OF = {RUNTIME_LOCK: RUNTIME_SOURCE, "requirements-dev.txt": "requirements-dev.in"}
PROJECT = "pyproject.toml"
INCLUDE = f"-r {RUNTIME_SOURCE}"

LOCKED_ONLY = {"flit-core", "tzdata"}
"""Named in requirements.in alone: what builds the clone, and time zones for machines that have none."""

_NAME = r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?"
_PINNED = re.compile(_NAME + r"\s*==\s*(?P<version>[A-Za-z0-9.!+_-]+)\s*(?:;.*)?")
_DECLARED = re.compile(_NAME + r"\s*(?:[<>=!~;].*)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_COMMENT = re.compile(r"(?:^|\s)#.*$")

# The patterns below are written so that they do not match their own text: this file is checked too.
# A path may follow a one-letter option (-I, -L) directly; after any other letter, or ~, it is relative to something.
_MACHINE_PATH = re.compile(r"(?:(?<![\w.~})-])|(?<=\s-\w))/(?:work|root|home)/")
_INDEX_OPTION = re.compile(r"--(?:(?:extra-)?index-url|find-links)\b")
_REGISTRY = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|anaconda|rubygems|crates)\.(?:org|com|io)\b"
    r"|\bpypi\.python\.org\b|\b(?:deb|ftp|security)\.debian\.org\b"
    r"|:/{2}\S+/simple(?![\w-])",  # any other host that serves a package index
    re.IGNORECASE,
)


class Entry(NamedTuple):
    """One requirement or option of a requirements file, without comments, and the line it starts at (from 1)."""

    line: int
    text: str


def main() -> int:
    """Prints one sentence per finding; 1 if there is any, else 0."""
    findings = find_faults(Path(__file__).resolve().parents[1])
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


def find_faults(root: Path) -> list[str]:
    """Every finding in the clone at `root`: a sentence after its place, `file:` or `file:line:`."""
    missing = [name for name in (*SOURCE_OF, *SOURCE_OF.values(), PROJECT) if not (root / name).is_file()]
    if missing:
        return [*(f"{name}: this file is missing." for name in missing), *find_strays(root)]
    return [
        *chain.from_iterable(find_loose_lines(root, lock) for lock in SOURCE_OF),
        *chain.from_iterable(find_unread_lines(root, source) for source in SOURCE_OF.values()),
        *find_unlocked(root),
        *find_undeclared(root),
        *find_differing_pins(root),
        *find_strays(root),
    ]


def find_loose_lines(root: Path, lock: str) -> Iterator[str]:
    """Lines of `lock` that are not exactly one pinned package with its sha256 hashes."""
    for number, line in enumerate(read_lines(root / lock), start=1):
        if "://" in line or _REGISTRY.search(line):
            yield f"{lock}:{number}: a lock holds no address."
    for number, text in read_entries(root / lock):
        options = [word for word in text.split() if word.startswith("-")]
        hashes = [word for word in options if _HASH.fullmatch(word)]
        if len(hashes) < len(options):
            yield f"{lock}:{number}: a lock holds no option but --hash=sha256: and 64 hexadecimal digits."
        if text.startswith("-"):
            continue
        if not hashes:
            yield f"{lock}:{number}: this package has no hash."
        if not read_pin(text):
            yield f"{lock}:{number}: this is not one package pinned by == to one version."


def find_unread_lines(root: Path, source: str) -> Iterator[str]:
    """Lines of `source` that the other checks would pass over in silence."""
    for number, text in read_entries(root / source):
        included = text == INCLUDE and source != RUNTIME_SOURCE
        if not included and not read_name(text):
            yield f"{source}:{number}: this is neither a package's name with its versions nor {INCLUDE}."


def find_unlocked(root: Path) -> Iterator[str]:
    """Direct dependencies that a lock does not hold."""
    for lock, source in SOURCE_OF.items():
        unlocked = read_source(root, source) - read_pins(root / lock).keys()
        yield from (f"{lock}: {name} is missing, though {source} needs it." for name in sorted(unlocked))
    unlocked = read_project(root) - read_pins(root / RUNTIME_LOCK).keys()
    yield from (f"{RUNTIME_LOCK}: {name} is missing, though {PROJECT} needs it." for name in sorted(unlocked))


def find_undeclared(root: Path) -> Iterator[str]:
    """Packages that only one of pyproject.toml and requirements.in names."""
    project, source = read_project(root), read_source(root, RUNTIME_SOURCE)
    yield from (f"{RUNTIME_SOURCE}: {name} is missing, though {PROJECT} names it." for name in sorted(project - source))
    surplus = source - project - LOCKED_ONLY
    yield from (f"{PROJECT}: {name} is missing, though {RUNTIME_SOURCE} names it." for name in sorted(surplus))


def find_differing_pins(root: Path) -> Iterator[str]:
    """Packages that the locks pin to different versions; one package may have several, under different markers."""
    runtime, *others = ((lock, read_pins(root / lock)) for lock in SOURCE_OF)
    for lock, pins in others:
        for name in sorted(pins.keys() & runtime[1].keys()):
            if pins[name] != runtime[1][name]:
                versions = " and ".join(sorted(pins[name])), " and ".join(sorted(runtime[1][name]))
                yield f"{lock}: {name} is pinned to {versions[0]}, but in {runtime[0]} to {versions[1]}."


def find_strays(root: Path) -> Iterator[str]:
    """Places in tracked files that hold a path of one machine, an index option (Markdown may) or a registry's host."""
    for path in sorted(list_tracked(root)):
        place = path.relative_to(root).as_posix()
        for number, line in enumerate(read_lines(path), start=1):
            if _MACHINE_PATH.search(line):
                yield f"{place}:{number}: an absolute path of one machine stands here."
            if path.suffix != ".md" and _INDEX_OPTION.search(line):
                yield f"{place}:{number}: an option stands here that chooses where packages come from."
            if _REGISTRY.search(line):
                yield f"{place}:{number}: the host of a package registry stands here."


def list_tracked(root: Path) -> list[Path]:
    """The files git tracks at `root`; without git, or before the first `git add`, all that .gitignore leaves."""
    try:
        answer = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        names = []
    else:
        names = os.fsdecode(answer.stdout).split("\0")[:-1]
    tracked = (root / name for name in names) if names else walk(root)
    return [path for path in tracked if path.is_symlink() or path.is_file()]


def walk(root: Path) -> Iterator[Path]:
    """Everything below `root` of whose path no part is named in its .gitignore (plain names and * only)."""
    ignore = root / ".gitignore"
    patterns = [".git", *(entry.text.strip("/") for entry in read_entries(ignore))] if ignore.is_file() else [".git"]
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if not any(fnmatch(part, pattern) for part in parts for pattern in patterns):
            yield path


def read_source(root: Path, source: str) -> set[str]:
    """The normalized names of the direct dependencies of `source`, and of requirements.in where it is included."""
    texts = {entry.text for entry in read_entries(root / source)}
    included = read_source(root, RUNTIME_SOURCE) if INCLUDE in texts and source != RUNTIME_SOURCE else set()
    return included | {read_name(text) for text in texts} - {""}


def read_project(root: Path) -> set[str]:
    """The normalized names of the direct dependencies that pyproject.toml states."""
    project = tomllib.loads((root / PROJECT).read_text(encoding="utf-8"))
    return {read_name(text) for text in project.get("project", {}).get("dependencies", [])}


def read_pins(lock: Path) -> dict[str, set[str]]:
    """The versions of each package in `lock`, by normalized name; lines that pin nothing are left out."""
    pins: dict[str, set[str]] = {}
    for pin in (read_pin(entry.text) for entry in read_entries(lock)):
        if pin:
            pins.setdefault(normalize(pin["name"]), set()).add(pin["version"])
    return pins


def read_pin(text: str) -> re.Match[str] | None:
    """`name` and `version` of a lock's entry, if it is one package pinned to one version."""
    return _PINNED.fullmatch(" ".join(word for word in text.split() if not word.startswith("-")))


def read_name(text: str) -> str:
    """The normalized name of the package that a requirement declares; empty if it declares none."""
    declared = _DECLARED.fullmatch(text)
    return normalize(declared["name"]) if declared else ""


def normalize(name: str) -> str:
    """The one spelling of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_entries(path: Path) -> Iterator[Entry]:
    """The entries of a requirements file, read as pip does: lines joined first, then comments dropped."""
    start, pieces = 1, list[str]()
    for number, line in enumerate(chain(read_lines(path), [""]), start=1):
        start = start if pieces else number
        pieces.append(line.removesuffix("\\"))
        if line.endswith("\\") and not line.lstrip().startswith("#"):  # a comment line never goes on
            continue
        text = _COMMENT.sub("", " ".join(pieces)).strip()
        pieces.clear()
        if text:
            yield Entry(start, text)


def read_lines(path: Path) -> Iterable[str]:
    """The lines of a file as git keeps it: a link is its target; bytes that are no UTF-8 become a mark."""
    text = str(path.readlink()) if path.is_symlink() else path.read_text(encoding="utf-8", errors="replace")
    return text.split("\n")


if __name__ == "__main__":
    sys.exit(main())
