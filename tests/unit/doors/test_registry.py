"""Names that packages declare: found without imports, refused when two packages declare one."""

import subprocess
import sys

import pytest

from pytest_fairness.doors.declarations import ModelKind, Reader, Report
from pytest_fairness.doors.registry import (
    broken,
    built_in_names,
    declarations,
    declared,
    kept_apart,
    load_object,
    names,
    register,
)
from pytest_fairness.errors import DeclarationError

ACME = """
from pytest_fairness.doors.declarations import ModelKind, Reader
READER = Reader("shelf", "acme_doors:read", {"colour": str})
KIND = ModelKind("acme", "acme_doors:load", endings=(".acme",))
"""
SHELF = {"readers": {"shelf": "acme_doors:READER"}}


def test_an_installed_package_is_listed_without_being_imported(install):
    install("acme", SHELF, ACME)
    assert names("readers") == (*built_in_names("readers"), "shelf")
    assert "acme_doors" not in sys.modules


def test_a_declaration_of_an_installed_package_is_imported_when_its_name_is_asked_for(install):
    install("acme", SHELF, ACME)
    assert declared("readers", "shelf").options == {"colour": str}
    assert declared("readers", "shelf") is declared("readers", "shelf")


def test_an_unknown_name_lists_what_is_allowed_packages_included(install):
    install("acme", SHELF, ACME)
    with pytest.raises(
        KeyError, match=r"'shelv'; did you mean 'shelf'\? Allowed: manifest, .*shelf"
    ):
        declared("readers", "shelv")


def test_what_is_forgotten_is_what_was_registered_and_no_installed_package(install):
    install("acme", SHELF, ACME)
    register(Reader("before", "x:read"))
    with kept_apart():
        register(Reader("within", "x:read"))
        declared("readers", "shelf")
        declared("readers", "within")
    assert {"before", "shelf"} <= set(names("readers"))
    assert "within" not in names("readers")
    assert declared("readers", "shelf").name == "shelf"


def look_up():
    declared("readers", "manifest")


def listing():
    names("readers")


def adding():
    register(Reader("shelf", "z:read"), source="team.conftest")


@pytest.mark.parametrize(
    "order",
    [
        pytest.param((adding, listing), id="registered, then listed"),
        pytest.param((adding, look_up), id="registered, then another name is looked up"),
        pytest.param((listing, adding), id="listed, then registered"),
        pytest.param((look_up, adding), id="looked up, then registered"),
        pytest.param(
            (lambda: declared("readers", "shelf"), adding), id="imported, then registered"
        ),
    ],
)
def test_a_registered_name_and_an_entry_point_clash_in_any_order(order, install):
    install("acme", SHELF, ACME)
    first, second = order
    first()
    with pytest.raises(DeclarationError, match=r"acme and team\.conftest both declare 'shelf'"):
        second()


@pytest.mark.parametrize("step", [look_up, listing, lambda: declared("readers", "shelf")])
def test_two_packages_with_one_name_are_told_at_every_look_up_in_the_same_words(step, install):
    install("acme", SHELF, ACME)
    install("zeta", SHELF)  # the same code, from a fork
    for _ in range(2):
        with pytest.raises(DeclarationError, match=r"acme and zeta both declare 'shelf'"):
            step()


def test_an_entry_point_cannot_take_a_built_in_name(install):
    install("acme", {"readers": {"celeba": "acme_doors:READER"}}, ACME)
    with pytest.raises(DeclarationError, match="acme and pytest-fairness both declare 'celeba'"):
        declared("readers", "manifest")


def test_register_cannot_take_a_built_in_name(install):
    with pytest.raises(
        DeclarationError, match=r"pytest-fairness and .*test_registry both declare 'onnx'"
    ):
        register(ModelKind("onnx", "x:load"))


def test_the_same_declaration_may_be_registered_again_and_another_may_not(install):
    register(Reader("mine", "x:read"), source="team")
    register(Reader("mine", "x:read"), source="team")
    with pytest.raises(DeclarationError, match="team declares 'mine' twice"):
        register(Reader("mine", "y:read"), source="team")


BROKEN = {
    "import error": ("import no_such_module", r"ModuleNotFoundError: No module named 'no_such_mod"),
    "any error": ("1 / 0", "ZeroDivisionError"),
    "no such object": ("", "AttributeError"),
    "wrong type": ("READER = 3", "with the name 'shelf', got int"),
    "a class": (
        "from pytest_fairness.doors.declarations import Reader as READER",
        "must be a declaration of this door with the name 'shelf', got type",
    ),
    "wrong door": (
        'from pytest_fairness.doors.declarations import Report\nREADER = Report("shelf", "a", ".b")',
        "must be a declaration of this door with the name 'shelf', got Report",
    ),
    "wrong name": (ACME.replace('"shelf"', '"shelve"'), "got Reader with the name 'shelve'"),
}


@pytest.mark.parametrize(("code", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_package_is_one_error_when_its_name_is_asked_for_and_only_then(
    code, message, install
):
    install("acme", SHELF, code)
    assert declared("readers", "manifest").name == "manifest"
    assert "shelf" in names("readers")
    with pytest.raises(DeclarationError, match=f"acme: the entry point 'shelf' .*{message}"):
        declared("readers", "shelf")
    assert "shelf" not in [reader.name for reader in declarations("readers")]
    assert len(broken("readers")) == 1


@pytest.mark.parametrize("wrong", [3, Report, None, "metrics"])
def test_register_takes_declarations_only(wrong, install):
    with pytest.raises(DeclarationError, match=r"register\(\) takes a declaration"):
        register(wrong)


@pytest.mark.parametrize(
    "reference", ["no_such_module:x", "math:nothing", "math", ":sqrt", "math:"]
)
def test_a_reference_that_leads_nowhere_is_said(reference):
    with pytest.raises(
        DeclarationError, match=r"cannot be imported .*write it as package.module:na"
    ):
        load_object(reference)


def test_the_declarations_of_this_package_load_nothing_heavy():
    code = (
        "import sys, pytest_fairness.doors.built_in; "
        "print({'torch', 'pandas', 'numpy', 'pyarrow', 'pydantic', 'pytest'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("door", ["readers", "models", "reports"])
def test_every_reference_of_a_built_in_declaration_leads_somewhere(door):
    for declaration in declarations(door):
        for field in ("read", "load", "render"):
            if reference := getattr(declaration, field, ""):
                assert callable(load_object(reference)), reference
