import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "check_locks.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_locks", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_locks = load()

# Spelled in pieces, so that this file itself gives no finding.
STRAY = f"/{'home'}/pear"
REGISTRY = f"{'pypi'}.org"
HASH = f"--hash=sha256:{'0a' * 32}"
PYPROJECT = """
[project]
name = "pear-tree"
dependencies = ["Plum_Jam[fresh] >=2"]
"""


def pinned(name: str, version: str = "2.1.0") -> str:
    return f"{name}=={version} \\\n    {HASH} \\\n    {HASH}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "requirements.in").write_text("# what runs\nplum-jam[fresh]==2.1\nflit-core\ntzdata # for islands\n")
    (tmp_path / "requirements-dev.in").write_text("-r requirements.in\npear-lint>=1 ; python_version > '3'\n")
    runtime = pinned("plum-jam") + pinned("flit-core") + pinned("tzdata ", "2026.6") + pinned("stone", "1.0")
    (tmp_path / "requirements.txt").write_text(runtime)
    (tmp_path / "requirements-dev.txt").write_text(runtime + pinned("pear.lint", "1.0"))
    return tmp_path


def add(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def find(tree: Path) -> list[str]:
    return list(check_locks.find_faults(tree))


def run_script(tree: Path) -> subprocess.CompletedProcess[str]:
    (tree / ".ci").mkdir()
    script = shutil.copy(SCRIPT, tree / ".ci")
    return subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)


def test_a_whole_tree_has_no_findings(tree: Path) -> None:
    assert find(tree) == []


def test_the_script_says_nothing_of_a_whole_tree(tree: Path) -> None:
    answer = run_script(tree)

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_the_script_prints_a_finding_and_fails(tree: Path) -> None:
    (tree / "requirements.txt").unlink()

    answer = run_script(tree)

    assert (answer.returncode, answer.stdout, answer.stderr) == (1, "", "requirements.txt: this file is missing.\n")


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (f"stone==1.0 {HASH} # see ftp://fruit.example/stone\n", "a lock holds no address."),
        (f"--pre\nstone==1.0 {HASH}\n", "a lock holds no option but --hash=sha256: and 64 hexadecimal digits."),
        (f"stone==1.0 {HASH} --no-binary\n", "a lock holds no option but --hash=sha256: and 64 hexadecimal digits."),
        (f"stone==1.0 {HASH} {HASH}f\n", "a lock holds no option but --hash=sha256: and 64 hexadecimal digits."),
        ("stone==1.0\n", "this package has no hash."),
        (f"stone {HASH}\n", "this is not one package pinned by == to one version."),
        (f"stone>=1.0 {HASH}\n", "this is not one package pinned by == to one version."),
        (f"stone==1.* {HASH}\n", "this is not one package pinned by == to one version."),
        (f"stone==1.0,<3 {HASH}\n", "this is not one package pinned by == to one version."),
        (f"stone @ ./stone.whl {HASH}\n", "this is not one package pinned by == to one version."),
    ],
)
def test_a_lock_line_that_is_not_a_pinned_package_with_hashes_is_found(
    tree: Path, lock: str, text: str, finding: str
) -> None:
    lines = len((tree / lock).read_text().splitlines())
    add(tree / lock, text)

    assert find(tree) == [f"{lock}:{lines + 1}: {finding}"]


def test_a_registry_without_scheme_is_found_in_a_lock(tree: Path) -> None:
    add(tree / "requirements.txt", f"# from {REGISTRY}\n")

    assert "requirements.txt:13: a lock holds no address." in find(tree)


def test_an_editable_install_in_a_lock_is_an_option_and_not_also_a_package(tree: Path) -> None:
    add(tree / "requirements.txt", "-e .\n")

    assert find(tree) == [
        "requirements.txt:13: a lock holds no option but --hash=sha256: and 64 hexadecimal digits.",
    ]


def test_a_package_does_not_hide_behind_a_comment_that_ends_like_a_continued_line(tree: Path) -> None:
    add(tree / "requirements.txt", "# sweet \\\nsalt\n")

    assert find(tree) == [
        "requirements.txt:14: this package has no hash.",
        "requirements.txt:14: this is not one package pinned by == to one version.",
    ]


def test_a_finding_in_a_continued_line_names_the_line_it_starts_at(tree: Path) -> None:
    add(tree / "requirements.txt", f"\nstone>=1.0 \\\n    {HASH} \\\n    {HASH}\n")

    assert find(tree) == ["requirements.txt:14: this is not one package pinned by == to one version."]


def test_a_direct_dependency_of_the_product_missing_from_the_locks_is_found_with_each_who_needs_it(tree: Path) -> None:
    for lock in ("requirements.txt", "requirements-dev.txt"):
        replace(tree / lock, pinned("plum-jam"), "")

    assert find(tree) == [
        "requirements.txt: plum-jam is missing, though requirements.in needs it.",
        "requirements-dev.txt: plum-jam is missing, though requirements-dev.in needs it.",
        "requirements.txt: plum-jam is missing, though pyproject.toml needs it.",
    ]


def test_a_development_tool_missing_from_its_lock_is_found(tree: Path) -> None:
    replace(tree / "requirements-dev.txt", pinned("pear.lint", "1.0"), "")

    assert find(tree) == ["requirements-dev.txt: pear-lint is missing, though requirements-dev.in needs it."]


def test_a_dependency_that_only_pyproject_names_is_found(tree: Path) -> None:
    replace(tree / "pyproject.toml", '["', '["stone", "')

    assert find(tree) == ["requirements.in: stone is missing, though pyproject.toml names it."]


def test_a_dependency_that_only_requirements_in_names_is_found(tree: Path) -> None:
    add(tree / "requirements.in", "stone\n")

    assert find(tree) == ["pyproject.toml: stone is missing, though requirements.in names it."]


@pytest.mark.parametrize(
    ("source", "line"),
    [("requirements.in", "./stone"), ("requirements.in", "-r requirements.in"), ("requirements-dev.in", "-r other.in")],
)
def test_a_source_line_that_would_be_passed_over_is_found(tree: Path, source: str, line: str) -> None:
    lines = len((tree / source).read_text().splitlines())
    add(tree / source, f"{line}\n")

    assert find(tree) == [
        f"{source}:{lines + 1}: this is neither a package's name with its versions nor -r requirements.in."
    ]


def test_locks_that_pin_different_versions_are_found(tree: Path) -> None:
    replace(tree / "requirements-dev.txt", "stone==1.0", "stone==1.1")

    assert find(tree) == ["requirements-dev.txt: stone is pinned to 1.1, but in requirements.txt to 1.0."]


def test_one_package_may_have_several_versions_if_both_locks_agree(tree: Path) -> None:
    split = f"{pinned('pip')}pip==3.0 ; python_version > '3.12' {HASH}\n"
    for lock in ("requirements.txt", "requirements-dev.txt"):
        add(tree / lock, split)

    assert find(tree) == []


def test_a_version_that_only_one_lock_adds_is_found(tree: Path) -> None:
    add(tree / "requirements.txt", f"stone==2.0 ; python_version > '3.12' {HASH}\n")

    assert find(tree) == ["requirements-dev.txt: stone is pinned to 1.0, but in requirements.txt to 1.0 and 2.0."]


@pytest.mark.parametrize("place", ["work", "root", "home"])
@pytest.mark.parametrize("before", ["", "cd ", '"', "(", "=", "file://", "cc -I"])
def test_an_absolute_machine_path_is_found(tree: Path, place: str, before: str) -> None:
    add(tree / "docs" / "orchard.md", f"# Orchard\n{before}/{place}/pear\n")

    assert find(tree) == ["docs/orchard.md:2: an absolute path of one machine stands here."]


@pytest.mark.parametrize(
    "text", ["docs/home/pear", "./work/pear", "~/work/pear", "{base}/home/pear", "rootstock", "/var/"]
)
def test_a_path_that_belongs_to_no_machine_is_not_found(tree: Path, text: str) -> None:
    add(tree / "orchard.py", text)

    assert find(tree) == []


def test_a_link_to_a_machine_path_is_found(tree: Path) -> None:
    (tree / "orchard").symlink_to(STRAY)

    assert find(tree) == ["orchard:1: an absolute path of one machine stands here."]


def test_a_machine_path_in_a_binary_file_is_found(tree: Path) -> None:
    (tree / "orchard.pdf").write_bytes(b"\xff\xfe\0" + STRAY.encode())

    assert find(tree) == ["orchard.pdf:1: an absolute path of one machine stands here."]


@pytest.mark.parametrize("option", ["index-url", "extra-index-url", "find-links"])
def test_an_option_that_chooses_an_index_is_found_except_in_markdown(tree: Path, option: str) -> None:
    add(tree / "install.sh", f"pip install --{option} fruit\n")
    add(tree / "install.md", f"pip install --{option} fruit\n")

    assert find(tree) == ["install.sh:1: an option stands here that chooses where packages come from."]


@pytest.mark.parametrize(
    "host",
    [
        ["pypi", "org"],
        ["files", "pythonhosted", "org"],
        ["PyPI", "python", "org"],
        ["registry", "npmjs", "org"],
        ["deb", "debian", "org"],
    ],
)
def test_the_host_of_a_registry_is_found(tree: Path, host: list[str]) -> None:
    add(tree / "install.md", f"from {'.'.join(host)}, then\n")

    assert find(tree) == ["install.md:1: the host of a package registry stands here."]


def test_an_unknown_host_that_serves_a_package_index_is_found(tree: Path) -> None:
    add(tree / "install.md", f"https:{'//'}fruit.example/root/simple/\nhttps:{'//'}fruit.example/simple-recipes\n")

    assert find(tree) == ["install.md:1: the host of a package registry stands here."]


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements.in", "requirements-dev.in", "pyproject.toml"]
)
def test_a_missing_file_is_found_together_with_stray_paths(tree: Path, name: str) -> None:
    (tree / name).unlink()
    add(tree / "orchard.py", STRAY)

    assert find(tree) == [
        f"{name}: this file is missing.",
        "orchard.py:1: an absolute path of one machine stands here.",
    ]


def test_without_git_the_tree_is_walked_but_for_what_is_ignored(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    add(tree / ".gitignore", "# made here\n.venv/\n*.egg-info/\n")
    for folder in (".venv/bin", "pear.egg-info", ".git", ".ci"):
        add(tree / folder / "activate", STRAY)

    assert find(tree) == [".ci/activate:1: an absolute path of one machine stands here."]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed, so no file can be tracked")
def test_with_git_only_tracked_files_are_looked_at(tree: Path) -> None:
    add(tree / "tracked ä.py", STRAY)
    add(tree / "gone.py", STRAY)
    subprocess.run(["git", "init", "--quiet"], cwd=tree, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tree, check=True)
    (tree / "gone.py").unlink()
    add(tree / "scratch.py", STRAY)

    assert find(tree) == ["tracked ä.py:1: an absolute path of one machine stands here."]
