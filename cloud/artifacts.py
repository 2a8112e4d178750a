"""What the cloud runs of ours, as it is uploaded: under a name that is made from its content, so that nothing is replaced under a running part."""

import base64
import hashlib
import io
import subprocess
import tarfile
import zipfile
from typing import Any

import boto3

from cloud.errors import DeployError
from settings import Settings

PLUGIN_IMAGE, PLUGIN_FOLDER = "pinterest/connect", "/opt/kafka/plugins"
REST_PROXY_IMAGE = "pinterest/rest-proxy"
A_WHILE_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive, so that equal files make equal archives: the earliest that ZIP knows."""


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP of these files, by their path in it; the same bytes for the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, A_WHILE_AGO)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return made.getvalue()


def version(content: bytes) -> str:
    """A short name for this content."""
    return hashlib.sha256(content).hexdigest()[:12]


def plugin() -> bytes:
    """The S3 sink as MSK Connect takes it: a ZIP of its jars, out of Connect's image. Raises `DeployError`."""
    packed = _docker("run", "--rm", "--entrypoint", "tar", PLUGIN_IMAGE, "-C", PLUGIN_FOLDER, "-c", "s3-sink")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        jars = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        return zipped({name: jar.read() for name, jar in jars.items() if jar})


def upload(settings: Settings, bucket: str, key: str, content: bytes) -> str:
    """Put it there, unless it lies there already. Gives the object's version."""
    s3 = boto3.client("s3", **settings.client_options("s3"))
    standing = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
    etag = (
        f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'  # what S3 calls an object that came in one piece
    )
    for object_version in standing:
        if object_version["Key"] == key and object_version["IsLatest"] and object_version["ETag"] == etag:
            return str(object_version["VersionId"])
    return str(s3.put_object(Bucket=bucket, Key=key, Body=content)["VersionId"])


def push_rest_proxy(settings: Settings, repository: str) -> str:
    """Bring the REST proxy's image into the registry, and give its name there. Raises `DeployError`."""
    image_id = _docker("image", "inspect", "--format", "{{.Id}}", REST_PROXY_IMAGE).decode().strip()
    name = f"{repository}:{image_id.removeprefix('sha256:')[:12]}"
    registry: Any = boto3.client("ecr", **settings.client_options("ecr"))
    pushed = registry.list_images(repositoryName=repository.split("/", 1)[1])["imageIds"]
    if any(name.endswith(f":{image.get('imageTag')}") for image in pushed):
        return name
    [login] = registry.get_authorization_token()["authorizationData"]
    user, password = base64.b64decode(login["authorizationToken"]).decode().split(":", 1)
    _docker("login", "--username", user, "--password-stdin", login["proxyEndpoint"], given=password.encode())
    _docker("tag", REST_PROXY_IMAGE, name)
    _docker("push", "--quiet", name)
    return name


def _docker(*command: str, given: bytes | None = None) -> bytes:
    done = subprocess.run(["docker", *command], input=given, capture_output=True, check=False)
    if done.returncode:
        raise DeployError(f"`docker {command[0]}` failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
