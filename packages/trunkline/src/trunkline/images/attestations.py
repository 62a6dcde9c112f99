"""Attestations of an image: its packages, and what it was built from.

Both are in-toto statements in a manifest that an index lists beside the image, as
BuildKit does it; they need no tag, and `docker buildx imagetools inspect` shows them.
They name no time, machine or run, so every build of a commit makes the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence

from trunkline.images.labels import Source
from trunkline.images.layout import BuiltImage
from trunkline.images.packages import Package
from trunkline.registry.manifests import (
    OCI_CONFIG,
    OCI_INDEX,
    Document,
    Manifest,
    canonical,
    descriptor,
    no_machine,
)

STATEMENT = "https://in-toto.io/Statement/v0.1"
IN_TOTO = "application/vnd.in-toto+json"
SPDX = "https://spdx.dev/Document"
PROVENANCE = "https://slsa.dev/provenance/v1"
# What kind of build this is, and who ran it: this command, wherever it runs.
PUBLISH = "urn:dev.trunkline:publish:1"


def index_of(
    images: Sequence[BuiltImage],
    attestations: Sequence[Manifest],
    annotations: Mapping[str, str],
) -> Manifest:
    """Return an index of images, one for each platform, and of their attestations."""
    listed = [
        descriptor(it.manifest.content, it.manifest.media_type)
        | {"platform": it.platform}
        for it in images
    ]
    index = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [*listed, *map(_beside, images, attestations)],
        "annotations": dict(annotations),
    }
    return Manifest(canonical(index), OCI_INDEX)


def _beside(image: BuiltImage, attestation: Manifest) -> Document:
    return descriptor(attestation.content, attestation.media_type) | {
        "annotations": {
            "vnd.docker.reference.digest": image.manifest.digest,
            "vnd.docker.reference.type": "attestation-manifest",
        },
        "platform": {"architecture": "unknown", "os": "unknown"},
    }


def attest(image: BuiltImage, predicates: Mapping[str, Document]) -> Manifest:
    """Store statements about an image; returns the manifest that holds them."""
    subject = dict([image.manifest.digest.split(":")])
    layers = []
    for kind, predicate in predicates.items():
        statement = {
            "_type": STATEMENT,
            "predicateType": kind,
            "subject": [{"name": "_", "digest": subject}],
            "predicate": predicate,
        }
        blob = image.add(canonical(statement), IN_TOTO)
        layers.append(blob | {"annotations": {"in-toto.io/predicate-type": kind}})
    config = no_machine({}, [layer["digest"] for layer in layers])
    return Manifest.of(image.add(canonical(config), OCI_CONFIG), layers)


def bill_of_materials(
    source: Source, packages: Iterable[Package], *, image: str
) -> Document:
    """List packages as an SPDX 2.3 document; `image` is the image's digest."""
    described = [
        {
            "SPDXID": f"SPDXRef-{number}",
            "name": package.name,
            "versionInfo": package.version,
            "downloadLocation": "NOASSERTION",
            "licenseDeclared": package.license or "NOASSERTION",
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": package.url,
                }
            ],
        }
        for number, package in enumerate(packages, start=1)
    ]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{source.title} {source.version}",
        "documentNamespace": f"urn:dev.trunkline:sbom:{image}",
        "creationInfo": {"created": source.created, "creators": ["Tool: trunkline"]},
        "packages": described,
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": package["SPDXID"],
            }
            for package in described
        ],
    }


def provenance(source: Source, *, dockerfile: str, platform: str) -> Document:
    """Describe commit, Dockerfile and base images in the format of SLSA 1."""
    place = {"uri": f"git+{source.url}"} if source.url else {}
    commit = {**place, "digest": {"gitCommit": source.commit}}
    named = (name.split("@sha256:") for name in source.bases)
    return {
        "buildDefinition": {
            "buildType": PUBLISH,
            "externalParameters": {"dockerfile": dockerfile, "platform": platform},
            "resolvedDependencies": [
                commit,
                *(
                    {"uri": f"docker-image://{name}", "digest": {"sha256": digest}}
                    for name, digest in named
                ),
            ],
        },
        "runDetails": {"builder": {"id": PUBLISH}},
    }
