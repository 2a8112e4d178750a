"""The versions that must agree: services/spark/pyproject.toml states them, the image's jars and the host's types follow."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pyspark

ROOT = Path(__file__).parent.parent.parent.parent
JARS = Path(pyspark.__file__).parent / "jars"


def stated() -> dict[str, str]:
    project = tomllib.loads((ROOT / "services/spark/pyproject.toml").read_text())["project"]
    return dict(d.split("==") for d in project["dependencies"] if "==" in d)


def jar_version(name: str) -> str:
    found = [
        match[1]
        for jar in JARS.glob("*.jar")
        if (match := re.fullmatch(rf"{re.escape(name)}-(\d[\w.]*)\.jar", jar.name))
    ]
    assert len(found) == 1, f"{name}: one jar was expected, {found} are there"
    return found[0]


def test_what_is_installed_is_what_is_stated() -> None:
    assert {name: version(name) for name in ("pyspark", "delta-spark")} == stated()


def test_deltas_jar_is_of_deltas_python_and_of_this_spark() -> None:
    spark = ".".join(version("pyspark").split(".")[:2])
    assert jar_version(f"delta-spark_{spark}_2.13") == version("delta-spark")


def test_hadoop_aws_is_of_sparks_hadoop() -> None:
    assert jar_version("hadoop-aws") == jar_version("hadoop-client-api")


def test_the_types_that_the_host_checks_with_are_of_this_spark() -> None:
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert f"pyspark-client=={version('pyspark')}" in root["dependency-groups"]["dev"]
