"""Templates in YAML, made into the one JSON document that CloudFormation is given.

Beside CloudFormation's short forms (`!Sub`) there are two of our own. `!Include FILE` stands for what another file holds: the API's OpenAPI
document. `x-base: FILE` at the top names the template that this one adds to: what is written here is laid over what is written there, key by key, so
that a resource of the base can be given further properties. Files are named from the file that names them.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from cloud.errors import TemplateError

Document = dict[str, Any]

_OURS = ("x-base", "x-parts")
"""Keys at the top that CloudFormation is not given; anchors may stand in `x-parts`."""


def load_document(file: Path) -> Document:
    """The whole document, every short form spelled out and every anchor resolved: CloudFormation reads no anchors. Raises `TemplateError`."""
    document: Document = yaml.load(file.read_text(), Loader=_loader_of(file.parent))  # a SafeLoader
    base = document.get("x-base")
    document = {key: value for key, value in document.items() if key not in _OURS}
    return laid_over(load_document(file.parent / base), document) if base else document


def laid_over(base: Document, document: Document) -> Document:
    """Both as one, as in a JSON Merge Patch (RFC 7396): objects are joined, null takes away, and of anything else the upper one counts."""
    joined = dict(base)
    for key, value in document.items():
        if value is None:
            joined.pop(key, None)
        elif isinstance(value, dict):
            below = base.get(key)
            joined[key] = laid_over(below if isinstance(below, dict) else {}, value)
        else:
            joined[key] = value
    return joined


def with_deployment_of_its_own(template: Document) -> Document:
    """The template with another name for its API's `Deployment`, which CloudFormation makes anew only under another name."""
    body = json.dumps(template["Resources"]["Api"]["Properties"]["Body"], sort_keys=True)
    name = f"Deployment{hashlib.sha256(body.encode()).hexdigest()[:8]}"
    resources = {name if key == "Deployment" else key: value for key, value in template["Resources"].items()}
    stage = laid_over(resources["Stage"], {"Properties": {"DeploymentId": {"Ref": name}}})
    return template | {"Resources": resources | {"Stage": stage}}


def _loader_of(folder: Path) -> type[yaml.SafeLoader]:
    class Loader(yaml.SafeLoader):
        """Finds included files in its folder."""

    Loader.add_multi_constructor("!", _intrinsic(folder))
    return Loader


def _intrinsic(folder: Path) -> Callable[[yaml.SafeLoader, str, yaml.Node], Any]:
    def construct(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            text = str(loader.construct_scalar(node))
            if tag == "Include":
                return load_document(folder / text)
            value: Any = text.split(".", 1) if tag == "GetAtt" else text
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            raise TemplateError(f"!{tag} on line {node.start_mark.line + 1} takes a word or a list.")
        return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}

    return construct
