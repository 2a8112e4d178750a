"""Mounts, and how they are kept."""

from pathlib import Path
from urllib.parse import quote

import pytest
from databricks_jobs.notebooks.dbfs import Dbfs
from databricks_jobs.notebooks.errors import MountError
from databricks_jobs.notebooks.mounts import Mount, MountFiles

SECRET = "a/b+c@d:e%2F"
LINK = "fs.viewfs.mounttable.default.link./mnt/lake"


class Conf(dict[str, str]):
    """Hadoop's configuration."""

    set = dict.__setitem__
    unset = dict.__delitem__


@pytest.mark.parametrize("scheme", ["s3a", "s3n", "s3"])
def test_a_bucket_is_reached_by_s3a_with_the_keys_of_its_source(scheme: str) -> None:
    mount = Mount.of(f"{scheme}://AKIA:{quote(SECRET, safe='')}@lake/some/folder/", "/mnt/lake")
    assert mount.source == "s3a://lake/some/folder"
    assert mount.hadoop() == {
        LINK: "s3a://lake/some/folder/",
        "fs.s3a.bucket.lake.access.key": "AKIA",
        "fs.s3a.bucket.lake.secret.key": SECRET,
    }


def test_without_keys_the_clusters_own_count() -> None:
    assert Mount.of("s3a://lake", "/mnt/lake").hadoop() == {LINK: "s3a://lake/"}


@pytest.mark.parametrize(
    ("source", "point", "reason"),
    [
        ("abfss://lake", "/mnt/lake", "begins with abfss"),
        ("s3a://", "/mnt/lake", "begins with s3a"),
        ("s3a://AKIA@lake", "/mnt/lake", "without a secret one"),
        ("s3a://AKIA:se/cret@lake", "/mnt/lake", "URL-encoded"),
        ("s3a://lake", "/lake", "/mnt/<name>"),
        ("s3a://lake", "/mnt/", "/mnt/<name>"),
    ],
)
def test_what_cannot_be_mounted_is_refused_without_a_word_of_its_secret(source: str, point: str, reason: str) -> None:
    with pytest.raises(MountError, match=reason) as caught:
        Mount.of(source, point)
    assert "cret" not in str(caught.value).replace("secret", "")


def test_a_mount_outlives_the_driver_and_its_keys_are_for_its_owner_alone(tmp_path: Path) -> None:
    mount = Mount.of(f"s3a://AKIA:{quote(SECRET, safe='')}@lake", "/mnt/lake")
    Dbfs(None, Conf(), tmp_path / "mounts").mount(mount)
    (file,) = (tmp_path / "mounts").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert SECRET not in repr(mount)

    conf = Conf()
    later = Dbfs(None, conf, tmp_path / "mounts")
    later.start("file:///root")
    assert mount.hadoop().items() <= conf.items()
    later.unmount("/mnt/lake")
    assert not mount.hadoop().keys() & conf.keys()
    assert later.mounts() == []


def test_nothing_is_mounted_twice_or_within_another_mount(tmp_path: Path) -> None:
    files = MountFiles(tmp_path)
    files.add(Mount.of("s3a://lake", "/mnt/lake"))
    files.add(Mount.of("s3a://lake", "/mnt/lake-2"))
    with pytest.raises(MountError, match="already mounted: /mnt/lake"):
        files.add(Mount.of("s3a://other", "/mnt/lake"))
    with pytest.raises(MountError, match="do not nest"):
        files.add(Mount.of("s3a://other", "/mnt/lake/deeper"))
    with pytest.raises(MountError, match="not mounted: /mnt/other"):
        files.remove("/mnt/other")
    assert [mount.bucket for mount in files.all()] == ["lake", "lake"]
