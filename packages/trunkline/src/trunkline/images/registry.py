"""One repository of images in a registry, by the OCI distribution API."""

import hashlib
import json
import re
import time
from collections.abc import Collection, Mapping
from typing import BinaryIO, Self
from urllib.parse import urljoin

from trunkline.images.answers import (
    ACCEPTED,
    CREATED,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    Answer,
    RegistryError,
)
from trunkline.images.authorization import DELETE, PULL, PUSH
from trunkline.images.credentials import find_credentials
from trunkline.images.githubpackages import GitHubPackages
from trunkline.images.manifests import MEDIA_TYPES, Descriptor, Manifest
from trunkline.images.reference import ImageName, image_name
from trunkline.images.transport import Patience, Transport
from trunkline.images.uploads import Upload
from trunkline.settings import Settings

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
# Pages as large as every registry takes; some give 100 otherwise, some all at once.
_PAGE = 1000
# While another run writes the same content, a registry that keeps it on a disk may take
# it for missing. Seconds until it is asked once more.
_UNKNOWN = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})
_PAUSES = (0.1, 0.4, 1.5)


class Registry:
    """Read and write one repository.

    Every method raises RegistryError on an answer other than "found" or "not found".
    """

    def __init__(
        self,
        name: ImageName,
        transport: Transport,
        packages: GitHubPackages | None = None,
    ) -> None:
        """`packages` deletes where the registry's own interface does not."""
        self.name = name
        self.transport = transport
        self._packages = packages
        self._base = f"/v2/{name.path}"

    @classmethod
    def of(cls, settings: Settings, environ: Mapping[str, str]) -> Self:
        """Open the project's own repository; raises Refusal where it has none."""
        return cls.connect(
            image_name(settings, environ),
            environ=environ,
            insecure=settings.insecure_registries,
            patience=Patience(read=settings.timeout),
        )

    @classmethod
    def connect(
        cls,
        name: ImageName,
        *,
        environ: Mapping[str, str],
        insecure: Collection[str] = (),
        patience: Patience | None = None,
    ) -> Self:
        """Prepare the connection; nothing is sent yet.

        `insecure` names registries that are asked by plain http, as those on this
        machine are. The environment and Docker's configuration tell who we are.
        """
        transport = Transport(
            name,
            lambda: find_credentials(name.registry, environ),
            plain=name.registry in insecure,
            patience=patience or Patience(),
        )
        return cls(name, transport, GitHubPackages.of(name, transport, environ))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def digest(self, reference: str) -> str | None:
        """Ask which digest a tag points at; None only if there is no such tag."""
        found = self.look(reference)
        return found.digest if found else None

    def look(self, reference: str) -> Descriptor | None:
        """Ask what a tag points at; None only if there is no such tag."""
        answer = self.transport.request(
            "HEAD",
            self._manifest(reference),
            need=PULL,
            expect={OK, NOT_FOUND},
            headers=_ACCEPT,
        )
        digest = answer.headers.get("Docker-Content-Digest", "")
        kind = _kind(answer)
        if answer.status == OK and DIGEST.fullmatch(digest) and kind:
            return Descriptor(digest, kind)
        # An answer to HEAD cannot say whether it is a registry's own "not found", and
        # not every registry names digest and type.
        manifest = self.manifest(reference)
        return Descriptor(manifest.digest, manifest.media_type) if manifest else None

    def manifest(self, reference: str) -> Manifest | None:
        """Fetch what a tag or a digest names, checked against its digest."""
        answer = self.transport.request(
            "GET",
            self._manifest(reference),
            need=PULL,
            expect={OK, NOT_FOUND},
            headers=_ACCEPT,
        )
        if answer.status == NOT_FOUND:
            return None
        kind = _kind(answer)
        manifest = Manifest(answer.body, kind)
        named = answer.headers.get("Docker-Content-Digest", manifest.digest)
        wanted = reference if DIGEST.fullmatch(reference) else named
        if manifest.digest != wanted:
            raise self._damaged(answer, wanted, manifest.digest)
        if kind not in MEDIA_TYPES:
            raise RegistryError(
                found=f"{answer.url} is of the type `{kind}`; expected an image's "
                "manifest or index",
                fix=f"docker buildx imagetools inspect {self.name.at(reference)}",
            )
        return manifest

    def put_manifest(
        self, reference: str, manifest: Manifest, *, create_only: bool = False
    ) -> str:
        """Store a manifest under a tag or its digest; returns the digest.

        `create_only` asks the registry to refuse a tag that exists. Few do: look first
        and afterwards.
        """
        only = {"If-None-Match": "*"} if create_only else {}
        for pause in (*_PAUSES, None):
            try:
                answer = self.transport.request(
                    "PUT",
                    self._manifest(reference),
                    need=PUSH,
                    expect={OK, CREATED, ACCEPTED},
                    headers={"Content-Type": manifest.media_type, **only},
                    body=manifest.content,
                )
            except RegistryError as error:
                if pause is None or not _UNKNOWN.intersection(error.codes):
                    raise
                time.sleep(pause)
            else:
                break
        stored = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise self._damaged(answer, manifest.digest, stored)
        return stored

    def has_blob(self, digest: str) -> bool:
        """Whether the repository has a blob."""
        answer = self.transport.request(
            "HEAD", f"{self._base}/blobs/{digest}", need=PULL, expect={OK, NOT_FOUND}
        )
        return answer.status == OK

    def blob(self, digest: str) -> bytes:
        """Fetch a small blob, such as an image's configuration, checked."""
        answer = self.transport.request(
            "GET", f"{self._base}/blobs/{digest}", need=PULL, expect={OK}
        )
        found = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if found != digest:
            raise self._damaged(answer, digest, found)
        return answer.body

    def push_blob(self, digest: str, file: BinaryIO) -> bool:
        """Store the rest of an open file as a blob; False if it was there already.

        A connection that breaks is taken up where the registry stopped.
        """
        if self.has_blob(digest):
            return False
        Upload(
            self.transport,
            f"{self._base}/blobs/uploads/",
            file,
            digest=digest,
            stored=lambda: self.has_blob(digest),
        ).run()
        return True

    def tags(self) -> list[str]:
        """List all tags, sorted; none if there is no such repository."""
        found: set[str] = set()
        page, seen = f"{self._base}/tags/list?n={_PAGE}", set[str]()
        while page and page not in seen:
            seen.add(page)
            answer = self.transport.request(
                "GET", page, need=PULL, expect={OK, NOT_FOUND}
            )
            if answer.status == NOT_FOUND:
                break
            found.update(_names(answer))
            link = _NEXT.search(answer.headers.get("Link", ""))
            page = urljoin(page, link[1]) if link else ""
        return sorted(found)

    def delete(self, digest: str) -> bool:
        """Delete a manifest and every tag that points at it; False if there is none."""
        if self._packages:
            return self._packages.delete(digest)
        answer = self.transport.request(
            "DELETE",
            self._manifest(digest),
            need=DELETE,
            expect={OK, ACCEPTED, NO_CONTENT, NOT_FOUND},
        )
        return answer.status != NOT_FOUND

    def _manifest(self, reference: str) -> str:
        return f"{self._base}/manifests/{reference}"

    def _damaged(self, answer: Answer, wanted: str, found: str) -> RegistryError:
        return RegistryError(
            found=f"{answer.method} {answer.url} gave {found}; expected {wanted}",
            fix="the same command again; if it stays so, do not trust this registry",
        )


def _kind(answer: Answer) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip()


def _names(answer: Answer) -> list[str]:
    """Return the tags of one page; a repository without any may have null."""
    try:
        return [str(tag) for tag in json.loads(answer.body)["tags"] or ()]
    except (ValueError, KeyError, TypeError):
        raise RegistryError(
            found=f"{answer.url} gave no list of tags",
            fix=f"curl -i {answer.url}  to see what answers there",
        ) from None
