"""Who may import whom, and nobody in a circle."""

import grimp
import pytest
from importlinter import api, cli

ROOT_PACKAGE = "osler"


def test_the_import_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert api is not None
    failed = cli.lint_imports(no_cache=True)
    assert not failed, capsys.readouterr().out


def test_there_are_no_circles() -> None:
    graph = grimp.build_graph(ROOT_PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    below = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    finished: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"circle: {' -> '.join((*path[path.index(module) :], module))}"
        if module in finished:
            return
        for other in sorted(below[module]):
            walk(other, (*path, module))
        finished.add(module)

    for module in sorted(below):
        walk(module, ())


def test_nobody_inside_imports_from_the_face() -> None:
    graph = grimp.build_graph(ROOT_PACKAGE, cache_dir=None)
    users = graph.find_modules_that_directly_import(ROOT_PACKAGE)
    # The command line stands outside and may ask for the version.
    assert {user for user in users if not user.startswith("osler.cli.")} == set()
