"""DBFS: one tree, by paths with `dbfs:` or without a scheme, whose root is a folder in the lake and into which buckets are mounted.

It is Hadoop's own table of mounts (`ViewFileSystem`) under another scheme, so that Spark, Delta and `dbutils.fs` see the same files, on the
driver and on the workers.
"""

from pathlib import Path
from typing import Any, NamedTuple

from databricks_jobs.notebooks.errors import NotFoundError
from databricks_jobs.notebooks.mounts import Mount, MountFiles

_HADOOP = {
    "fs.dbfs.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
    # A cached one would know nothing of later mounts. The buckets' own file systems, which are what is costly, are cached.
    "fs.dbfs.impl.disable.cache": "true",
    "fs.viewfs.enable.inner.cache": "false",
    "fs.defaultFS": "dbfs:///",
}
_ROOT = "fs.viewfs.mounttable.default.linkFallback"


class FileInfo(NamedTuple):
    """An entry of a folder, as `dbutils.fs.ls` gives it: size in bytes, time in milliseconds since 1970. A folder's name ends in `/`."""

    path: str
    name: str
    size: int
    modificationTime: int  # noqa: N815  (Databricks' name)

    def isDir(self) -> bool:  # noqa: N802
        return self.name.endswith("/")

    def isFile(self) -> bool:  # noqa: N802
        return not self.isDir()


class Dbfs:
    """The file system of a driver. `jvm` is its Java, `conf` its Hadoop configuration, which all of its sessions share."""

    def __init__(self, jvm: Any, conf: Any, mounts: Path) -> None:
        self._jvm = jvm
        self._conf = conf
        self._mounts = MountFiles(mounts)

    def start(self, root: str) -> None:
        """Once for a driver: from now on it has the tree, with what was mounted before. `root` is a folder as Hadoop names it."""
        for name, value in (_HADOOP | {_ROOT: root}).items():
            self._conf.set(name, value)
        for mount in self._mounts.all():
            self._tell(mount)

    def _tell(self, mount: Mount) -> None:
        for name, value in mount.hadoop().items():
            self._conf.set(name, value)

    def mount(self, mount: Mount) -> None:
        """Raises `MountError`."""
        self._mounts.add(mount)
        self._tell(mount)

    def unmount(self, point: str) -> None:
        """Raises `MountError`."""
        for name in self._mounts.remove(point).hadoop():
            self._conf.unset(name)

    def mounts(self) -> list[Mount]:
        return self._mounts.all()

    def ls(self, path: str) -> list[FileInfo]:
        """What is in a folder, or the file itself. Raises `NotFoundError`."""
        file = self._jvm.org.apache.hadoop.fs.Path(path)
        system = file.getFileSystem(self._conf)
        if not system.exists(file):
            raise NotFoundError(f"There is no file or folder {path}.")
        return [_info(status) for status in system.listStatus(file)]


def _info(status: Any) -> FileInfo:
    end = "/" if status.isDirectory() else ""
    path = status.getPath()
    return FileInfo(f"{path}{end}", f"{path.getName()}{end}", status.getLen(), status.getModificationTime())
