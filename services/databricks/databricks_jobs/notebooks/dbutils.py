"""`dbutils`, as far as the local stand-in has it, in Databricks' own names and forms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from databricks_jobs.notebooks.dbfs import Dbfs, FileInfo
from databricks_jobs.notebooks.errors import MountError, NotFoundError, UnsupportedError
from databricks_jobs.notebooks.mounts import Mount

Run = Callable[[str, float, Mapping[str, str]], str | None]
"""Runs a notebook: its path, its time in seconds (0 for no limit), its parameters. Gives what it exits with."""


class NotebookExit(BaseException):
    """What `dbutils.notebook.exit` raises. No `Exception`, so that a notebook's own `except` does not catch it."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class MountInfo(NamedTuple):
    """A mount, as `dbutils.fs.mounts` gives it."""

    mountPoint: str  # noqa: N815
    source: str
    encryptionType: str  # noqa: N815


class SecretScope(NamedTuple):
    """A scope of secrets."""

    name: str


class SecretMetadata(NamedTuple):
    """A secret's name, without its value."""

    key: str


class _Part:
    """A part of dbutils, which says so if it is asked for what it has not."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        has = ", ".join(known for known in dir(type(self)) if not known.startswith("_"))
        raise UnsupportedError(f"dbutils.{type(self).__name__.lower()}.{name} is not supported here; there are: {has}.")


class Fs(_Part):
    """`dbutils.fs`: listing, and mounts of buckets."""

    def __init__(self, dbfs: Dbfs) -> None:
        self._dbfs = dbfs

    def ls(self, path: str) -> list[FileInfo]:
        return self._dbfs.ls(path)

    def mount(
        self,
        source: str,
        mount_point: str,
        encryption_type: str = "",
        extra_configs: Mapping[str, str] | None = None,
    ) -> bool:
        if encryption_type or extra_configs:
            raise MountError("Mounts with an encryption type or extra settings are not supported here.")
        self._dbfs.mount(Mount.of(source, mount_point))
        return True

    def unmount(self, mount_point: str) -> bool:
        self._dbfs.unmount(mount_point)
        return True

    def mounts(self) -> list[MountInfo]:
        return [MountInfo(mount.point, mount.source, "") for mount in self._dbfs.mounts()]


class Secrets(_Part):
    """`dbutils.secrets`: `known` holds each scope's secrets."""

    def __init__(self, known: Mapping[str, Mapping[str, str]]) -> None:
        self._known = known

    def get(self, scope: str, key: str) -> str:
        try:
            return self._known[scope][key]
        except KeyError:
            raise NotFoundError(f"Secret does not exist with scope: {scope} and key: {key}.") from None

    def list(self, scope: str) -> list[SecretMetadata]:
        if scope not in self._known:
            raise NotFoundError(f"Scope with name {scope} does not exist!")
        return [SecretMetadata(key) for key in self._known[scope]]

    def listScopes(self) -> Sequence[SecretScope]:  # noqa: N802
        return [SecretScope(name) for name in self._known]


class Widgets(_Part):
    """`dbutils.widgets`: a run's parameters, before the defaults that the notebook gives."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = parameters
        self._defaults: dict[str, str] = {}

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:  # noqa: N803
        self._defaults[name] = defaultValue

    def dropdown(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:  # noqa: N803
        self._defaults[name] = defaultValue

    combobox = dropdown

    def get(self, name: str) -> str:
        try:
            return {**self._defaults, **self._parameters}[name]
        except KeyError:
            raise NotFoundError(f"No input widget named {name} is defined.") from None

    def getAll(self) -> dict[str, str]:  # noqa: N802
        return {**self._defaults, **self._parameters}


class Notebook(_Part):
    """`dbutils.notebook`: other notebooks, and this one's end."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def run(self, path: str, timeout_seconds: float, arguments: Mapping[str, Any] | None = None) -> str | None:
        return self._run(path, timeout_seconds, {name: str(value) for name, value in (arguments or {}).items()})

    def exit(self, value: str = "") -> NoReturn:
        raise NotebookExit(str(value))


class DBUtils(_Part):
    """What a notebook finds under the name `dbutils`."""

    def __init__(
        self, dbfs: Dbfs, secrets: Mapping[str, Mapping[str, str]], parameters: Mapping[str, str], run: Run
    ) -> None:
        self.fs = Fs(dbfs)
        self.secrets = Secrets(secrets)
        self.widgets = Widgets(parameters)
        self.notebook = Notebook(run)
