"""What a mount is: a bucket under a path of DBFS, and what Hadoop has to be told for it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from databricks_jobs.notebooks.errors import MountError

SCHEMES = ("s3a", "s3n", "s3")
LINK = "fs.viewfs.mounttable.default.link."


@dataclass(frozen=True)
class Mount:
    """A bucket, or a folder of it, and the keys by which it is reached, if it needs any of its own."""

    point: str
    bucket: str
    folder: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)

    @classmethod
    def of(cls, source: str, point: str) -> "Mount":
        """From `s3a://<bucket>/<folder>`, or with an access key, a colon, the URL-encoded secret key and an @ before the bucket. Raises `MountError`.

        No message repeats the source, which may hold a secret.
        """
        url = urlsplit(source)
        bucket = url.netloc.rpartition("@")[2]
        if url.scheme not in SCHEMES or not bucket:
            raise MountError(f"Mounted are buckets, as s3a://<bucket>; this source begins with {url.scheme}://.")
        if "/" in bucket or (url.username and not url.password):
            raise MountError(
                "The source has an access key without a secret one; both stand before the bucket and an @."
            )
        if "?" in source or "#" in source or url.path.rpartition("@")[1]:
            raise MountError("The secret key in the source must be URL-encoded: quote(secret, safe='').")
        if not point.startswith("/mnt/") or point.endswith("/"):
            raise MountError(f"{point} is no mount point: /mnt/<name> is expected.")
        keys = unquote(url.username or ""), unquote(url.password or "")
        return cls(point, bucket, url.path.strip("/"), *keys)

    @property
    def source(self) -> str:
        """Where it leads, without the keys."""
        return f"s3a://{self.bucket}/{self.folder}".rstrip("/")

    def hadoop(self) -> dict[str, str]:
        """Hadoop's settings for it."""
        keys = {"access.key": self.access_key, "secret.key": self.secret_key}
        own = {f"fs.s3a.bucket.{self.bucket}.{name}": key for name, key in keys.items() if key}
        return {f"{LINK}{self.point}": f"{self.source}/", **own}


class MountFiles:
    """The mounts of all, one file each in `folder`: on Databricks, too, a mount outlives the run that made it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Mount]:
        return [Mount(**json.loads(file.read_text())) for file in sorted(self._folder.glob("*.json"))]

    def add(self, mount: Mount) -> None:
        """Raises `MountError` if something is mounted there, or above or below it."""
        for other in self.all():
            if other.point == mount.point:
                raise MountError(f"Directory already mounted: {mount.point}. It leads to {other.source}.")
            if f"{other.point}/".startswith(f"{mount.point}/") or f"{mount.point}/".startswith(f"{other.point}/"):
                raise MountError(f"{mount.point} cannot be mounted: mounts do not nest, and there is {other.point}.")
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._file(mount.point)
        file.touch(0o600)
        file.write_text(json.dumps(asdict(mount)))

    def remove(self, point: str) -> Mount:
        """Gives the mount that was there. Raises `MountError` if there was none."""
        found = next((mount for mount in self.all() if mount.point == point), None)
        if found is None:
            raise MountError(f"Directory not mounted: {point}.")
        self._file(point).unlink()
        return found

    def _file(self, point: str) -> Path:
        return self._folder / f"{quote(point, safe='')}.json"
