"""How templates are put together."""

from pathlib import Path

import pytest

from cloud.documents import laid_over, load_document, with_deployment_of_its_own
from cloud.errors import TemplateError


def test_short_forms_are_spelled_out(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("a: !Ref X\nb: !GetAtt X.Arn.Y\nc: !Sub 'x ${Y}'\nd: !Join ['', [!Ref X]]\n")
    assert load_document(file) == {
        "a": {"Ref": "X"},
        "b": {"Fn::GetAtt": ["X", "Arn.Y"]},
        "c": {"Fn::Sub": "x ${Y}"},
        "d": {"Fn::Join": ["", [{"Ref": "X"}]]},
    }


def test_an_included_file_is_found_beside_the_one_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "body.yaml").write_text("x-parts: {a: &a 1}\nkey: *a\n")
    (tmp_path / "inner" / "base.yaml").write_text("Body: !Include body.yaml\n")
    (tmp_path / "top.yaml").write_text("x-base: inner/base.yaml\nBody: {other: 2}\n")
    assert load_document(tmp_path / "top.yaml") == {"Body": {"key": 1, "other": 2}}


def test_a_short_form_of_an_object_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("a: 1\nb: !Ref {x: y}\n")
    with pytest.raises(TemplateError, match="!Ref on line 2 takes a word or a list"):
        load_document(file)


@pytest.mark.parametrize(
    ("base", "over", "joined"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
    ],
)
def test_laid_over_as_a_merge_patch(base: dict[str, object], over: dict[str, object], joined: object) -> None:
    before = repr(base)
    assert laid_over(base, over) == joined
    assert repr(base) == before


def test_another_api_has_another_deployment() -> None:
    def template(path: str) -> dict[str, object]:
        return {"Resources": {"Api": {"Properties": {"Body": {"paths": {path: {}}}}}, "Deployment": {}, "Stage": {}}}

    one, same, other = (set(with_deployment_of_its_own(template(path))["Resources"]) for path in ("/a", "/a", "/b"))
    assert one == same != other
