"""No tracked file holds what looks like a secret, and the look would find one."""

import math
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent

KINDS = {
    "an AWS access key id": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a token of GitHub, Slack, PyPI or Databricks": re.compile(
        r"\b(?:gh[pousr]_\w{36}|github_pat_\w{22,}|xox[abprs]-[\w-]{10,}|pypi-\w{40,}|dapi[0-9a-f]{32})"
    ),
    "a password in a URL": re.compile(r"://[^\s/:@\"']+:[^\s/:@\"'${}]{6,}@"),
}
ASSIGNED = re.compile(
    r"""(?ix) (?:password|passwd|pwd|secret|token|credential|api_?key|access_?key) \w* ["']? \s* [:=]+ \s* ["']? ([\w+/=-]{12,}) (?![\w.(])"""
)
RANDOM = 3.0
"""Bits a character. Twelve random hexadecimal digits have as many; words, which repeat their letters and hold no digit, are let pass."""


def findings(text: str) -> list[str]:
    """What in a text looks like a secret, by line. Never the secret itself: this is printed."""
    found = [
        f"line {text.count(chr(10), 0, match.start()) + 1}: {kind}"
        for kind, pattern in KINDS.items()
        for match in pattern.finditer(text)
    ]
    return found + [
        f"line {text.count(chr(10), 0, match.start()) + 1}: a random text with a secret's name"
        for match in ASSIGNED.finditer(text)
        if looks_random(match[1])
    ]


def looks_random(value: str) -> bool:
    shares = [count / len(value) for count in Counter(value).values()]
    entropy = -sum(share * math.log2(share) for share in shares)
    return entropy >= RANDOM and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def test_no_tracked_file_holds_a_secret() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert len(files) > 200, "git lists too few files for this test to mean anything"
    found = {
        str(file.relative_to(ROOT)): faults
        for file in files
        if (faults := findings(file.read_text(encoding="utf-8", errors="replace")))
    }
    assert not found


# Put together here, so that this file holds none either.
PLANTED = [
    "key = " + "AKIA" + "IOSFODNN7EXAMPLE",
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE",
    "-----BEGIN " + "PRIVATE KEY-----",
    "Authorization: Bearer "
    + ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dBjftJeZ4CVPmB92K27u")),
    "ghp_" + "a1B2" * 9,
    "dapi" + "0123456789abcdef" * 2,
    "mysql://root:" + "hunter2000@db/pinterest",
    "MYSQL_PASSWORD=" + "0f9a3c5e7b1d",
    'aws_secret_access_key = "' + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" + '"',
    '{"token": "' + "3f2c9d8e7a6b5c4d" + '"}',
    "DATABRICKS_TOKEN: " + "9c1185a5c5e9fc54612808977ee8f548",
]


@pytest.mark.parametrize("text", PLANTED, ids=range(len(PLANTED)))
def test_a_planted_secret_is_found_on_its_line_and_not_repeated(text: str) -> None:
    [fault] = findings(f"first line\n{text}\n")
    assert fault.startswith("line 2: ")
    assert not set(re.findall(r"\w{12,}", text)) & set(re.findall(r"\w{12,}", fault))


@pytest.mark.parametrize(
    "text",
    [
        "MYSQL_PASSWORD: ${MYSQL_PASSWORD:?}",
        "password=settings.mysql_password.get_secret_value(),",
        '"AIRFLOW_SECRET": secrets.token_hex(32),',
        "AWS_SECRET_ACCESS_KEY=test",
        "postgresql+psycopg2://airflow:${AIRFLOW_DB_PASSWORD}@airflow-db/airflow",
        'hash = "sha256:0f9a3c5e7b1d0f9a3c5e7b1d"',
    ],
)
def test_what_only_speaks_of_secrets_is_let_pass(text: str) -> None:
    assert findings(text) == []
