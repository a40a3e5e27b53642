"""The shape of the package: sizes, unique names, imports in one place, few broad handlers, plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.shape import (
    BROAD_HANDLERS,
    FEW_LINES,
    LOADERS,
    MEASURES,
    MOST_BROAD_HANDLERS,
    MOST_SHORT_MODULES,
    WORDS,
    WORDS_TO_SPARE,
    Module,
    Offenders,
    broad_handlers,
    deferred_imports,
    discouraged_words,
    known_offenders,
    read_modules,
    read_pages,
    short_modules,
    worse,
)

LISTED = known_offenders()


def lines(count: int) -> str:
    return "\n".join(f"v{number} = {number}" for number in range(count))


def function(body: int) -> str:
    return "def f():\n" + "\n".join("    g()" for _ in range(body))


def method(body: int) -> str:
    return "class C:\n" + "\n".join(f"    {line}" for line in function(body).split("\n"))


COMMAND = '@click.command("f")\n' + function(21)
OFFENCES: dict[str, list[tuple[dict[str, str], Offenders]]] = {
    "modules of more than 800 lines": [
        ({"m.py": lines(801)}, {"m.py": 801}),
        ({"m.py": lines(800)}, {}),
    ],
    "classes of more than 300 lines": [
        ({"m.py": method(299)}, {"m.py C": 301}),
        ({"m.py": method(298)}, {}),
    ],
    "functions of more than 60 lines": [
        ({"m.py": function(60)}, {"m.py f": 61}),
        ({"m.py": function(59)}, {}),
        ({"m.py": method(60)}, {"m.py f": 61}),
    ],
    "commands of more than 20 lines": [
        ({"cli/m.py": COMMAND}, {"cli/m.py f": 21}),
        ({"cli/m.py": COMMAND.replace("click.", "group.")}, {"cli/m.py f": 21}),
        ({"cli/m.py": COMMAND.replace("def f():\n", 'def f():\n    """Compare."""\n')}, {"cli/m.py f": 21}),
        ({"cli/m.py": COMMAND.replace("    g()", '    """Compare."""', 1)}, {}),
        ({"cli/m.py": function(21), "api/m.py": COMMAND}, {}),
    ],
    "class names of several classes": [
        ({"a.py": "class _C: ...", "b.py": "class _C: ..."}, {"_C": 2}),
        ({"a.py": "class C:\n    class C: ..."}, {"C": 2}),
        (
            {
                "a.py": "class C: ...",
                "warehouses/a/m.py": "class C: ...",
                "warehouses/b/m.py": "class C: ...",
            },
            {},
        ),
    ],
    "imports of own modules inside functions": [
        (
            {"m.py": "def f():\n    from recce_meta.graph import dag\n    import recce_meta.models"},
            {"m.py": 2},
        ),
        ({"m.py": "def f():\n    def g():\n        from . import dag"}, {"m.py": 1}),
        ({"m.py": "def f(): return import_module('recce_meta.graph')"}, {"m.py": 1}),
        ({"m.py": "def f(name): return importlib.import_module(f'{__package__}.{name}')"}, {"m.py": 1}),
        ({"m.py": "def f(name): return __import__(name)"}, {"m.py": 1}),
        ({"m.py": "import recce_meta.graph\ndef f():\n    import duckdb\n    import_module('duckdb')"}, {}),
        ({"plugins.py": "def f(name): return import_module(name)"}, {}),
    ],
    "cycles of modules": [
        (
            {
                "a.py": "from recce_meta.b.c import name",
                "b/c.py": "if TYPE_CHECKING:\n    from recce_meta import a",
            },
            {"recce_meta.a < recce_meta.b.c < recce_meta.a": 2},
        ),
        ({"a.py": "import recce_meta.b, os", "b.py": "from recce_meta import c", "c.py": "import re"}, {}),
    ],
}
"""Small packages for each rule, and the offenders that must be found in them."""

TRY = "def f():\n    try:\n        g()\n    {}:\n        pass"
HANDLERS = {
    "except": 1,
    "except Exception": 1,
    "except builtins.BaseException as error": 1,
    "except (ValueError, Exception)": 1,
    "except EVERYTHING": 1,
    "except (KeyError, *EVERYTHING)": 1,
    "except ValueError:\n        pass\n    except Exception": 1,
    "except (ValueError, ExceptionGroup)": 0,
    "except errors.Failed": 0,
}


def package(files: dict[str, str]) -> list[Module]:
    return [Module(path, text) for path, text in files.items()]


@pytest.mark.parametrize("rule", MEASURES)
def test_no_offender_is_new_or_worse_and_no_listed_one_is_gone(rule: str) -> None:
    found = MEASURES[rule](read_modules())

    assert [*worse({rule: found}, LISTED)] == []
    assert found.keys() >= LISTED[rule].keys()


@pytest.mark.parametrize(
    ("rule", "files", "offenders"),
    [(rule, files, offenders) for rule, cases in OFFENCES.items() for files, offenders in cases],
)
def test_a_rule_finds_its_offenders(rule: str, files: dict[str, str], offenders: Offenders) -> None:
    assert MEASURES[rule](package(files)) == offenders


def test_a_new_and_a_higher_number_are_worse_and_a_lower_one_is_not() -> None:
    found = {"sizes": {"new": 1, "higher": 3, "equal": 2, "lower": 1}}

    assert [*worse(found, {"sizes": dict.fromkeys(("higher", "equal", "lower"), 2)})] == [
        "sizes: new: 1",
        "sizes: higher: 3",
    ]


def test_every_rule_is_tried_and_listed() -> None:
    assert set(OFFENCES) == set(MEASURES) == set(LISTED) - {WORDS}


def test_few_modules_are_short() -> None:
    modules = read_modules()
    assert len(short_modules(modules)) < MOST_SHORT_MODULES * len(modules), f"below {FEW_LINES} lines"


def test_a_package_file_of_imports_is_no_short_module() -> None:
    imports = '"""Package."""\n\nfrom recce_meta.graph.dag import f\n\n__all__ = ["f"]\n'
    files = {"m.py": lines(100), "graph/__init__.py": imports, "api/__init__.py": "", "b.py": "v = 1"}

    assert short_modules(package(files)) == {"b.py": 1}
    assert short_modules(package({"graph/__init__.py": imports + "v = 1\n"})) == {"graph/__init__.py": 6}


def test_every_module_has_a_docstring() -> None:
    assert [module.path for module in read_modules() if not module.docstring] == []


@pytest.mark.extensive
def test_only_listed_functions_handle_every_exception() -> None:
    assert broad_handlers(read_modules()) == dict.fromkeys(BROAD_HANDLERS, 1)
    assert len(BROAD_HANDLERS) <= MOST_BROAD_HANDLERS


@pytest.mark.parametrize(("clause", "count"), HANDLERS.items())
def test_a_broad_handler_is_found_in_every_form(clause: str, count: int) -> None:
    text = "EVERYTHING = (Exception,)\n" + TRY.format(clause)

    assert broad_handlers(package({"m.py": text})) == ({"m.py f": 1} if count else {})


def test_a_suppressed_exception_is_a_broad_handler() -> None:
    text = "def f():\n    with contextlib.suppress({}): g()\n"

    assert broad_handlers(package({"m.py": text.format("OSError, Exception")})) == {"m.py f": 1}
    assert broad_handlers(package({"m.py": text.format("OSError")})) == {}


def test_every_loader_loads() -> None:
    as_others = [
        Module(f"other/{module.path}", module.text) for module in read_modules() if module.path in LOADERS
    ]

    assert set(deferred_imports(as_others)) == {f"other/{path}" for path in LOADERS}


def test_discouraged_words_stay_within_their_falling_budget() -> None:
    found = discouraged_words(read_modules(), read_pages())
    budget = LISTED[WORDS]["total"]

    assert sum(found.values()) <= budget, found
    assert budget <= sum(found.values()) + WORDS_TO_SPARE, "lower the budget"


def test_words_count_in_strings_comments_and_pages(tmp_path: Path) -> None:
    module = '"""Where there\nis no text."""\nv = f"nobody {told} tells"  # as far as beside\n\ntell = 1\n'
    page = tmp_path / "page.md"
    page.write_text("Likewise, x is no name; y is no longer needed. A satellite.", encoding="utf-8")

    assert sum(discouraged_words(package({"m.py": module}), []).values()) == 5
    assert sum(discouraged_words([], [page]).values()) == 2
