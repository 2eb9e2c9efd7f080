"""One meaning for each name of a class, and docstrings that say what comes back."""

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "topology"
TREES = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}

DOCUMENTED = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def test_no_class_has_the_name_of_another():
    names = Counter(node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


def test_a_docstring_begins_with_what_comes_back_and_ends_its_first_paragraph():
    wrong = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
                first = text.split("\n\n")[0]
                if first.startswith(("Nothing when", "Nothing;")) or not first.endswith((".", ":", "?", "!")):
                    wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {first.splitlines()[0]}")
    assert wrong == []
