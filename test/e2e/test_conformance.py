# The table in README.md keeps its word: the tests it names exist, and it can count.
import os
import re

import pytest
from labkit.place import TREE

README = os.path.join(TREE, "test", "e2e", "README.md")


def rows():
    with open(README, encoding="utf-8") as f:
        cells = [line.strip().strip("|").split(" | ") for line in f if line.startswith("| ")]
    return [[c.strip() for c in row] for row in cells if row[0].strip() != "RFC"]


def source(name):
    folder = "unit" if name.startswith("unit/") else "e2e"
    suffix = ".c" if folder == "unit" else ".py"
    return os.path.join(TREE, "test", folder, name.removeprefix("unit/") + suffix)


def test_figures():
    covered = sum(row[2].startswith("yes: `") for row in rows())
    uncovered = sum(row[2].startswith("no: ") for row in rows())
    assert covered + uncovered == len(rows())
    with open(README, encoding="utf-8") as f:
        said = re.findall(r"^(\d+) requirements: (\d+) covered, (\d+) not\.$", f.read(), re.MULTILINE)
    assert said == [(str(len(rows())), str(covered), str(uncovered))]


@pytest.mark.parametrize("name,test", sorted({
    pair for row in rows() for pair in re.findall(r"`((?:unit/)?test_\w+)::(test_\w+)`", row[2])}))
def test_exists(name, test):
    with open(source(name), encoding="utf-8") as f:
        assert re.search(rf"\b{test}\(", f.read()), f"{name} has no {test}"
