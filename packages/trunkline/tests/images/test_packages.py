import tarfile
from io import BytesIO
from pathlib import Path

from trunkline.images.packages import Package, installed_packages

STATUS = """\
Package: libc6
Status: install ok installed
Version: 2.36-9+deb12u10

Package: removed
Status: deinstall ok config-files
Version: 1
"""
SITE = "app/.venv/lib/python3.12/site-packages"


def metadata(name: str, version: str, more: str = "") -> str:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}\nText\n"


def write_layer(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, BytesIO(text.encode()))
    return path


def test_packages_are_read_from_what_is_installed(tmp_path: Path) -> None:
    one = write_layer(tmp_path / "1", {"var/lib/dpkg/status": STATUS})
    two = write_layer(
        tmp_path / "2",
        {
            f"{SITE}/Foo_Bar-1.0.dist-info/METADATA": metadata(
                "Foo_Bar", "1.0", "License-Expression: MIT\n"
            )
        },
    )
    assert installed_packages([one, two]) == [
        Package("deb", "libc6", "2.36-9+deb12u10"),
        Package("pypi", "foo-bar", "1.0", "MIT"),
    ]


def test_what_a_later_layer_removes_or_replaces_is_not_listed(tmp_path: Path) -> None:
    names = [f"{SITE}/{name}-1.dist-info/METADATA" for name in ("pip", "kept", "gone")]
    one = write_layer(tmp_path / "1", {name: metadata(name, "1") for name in names})
    two = write_layer(
        tmp_path / "2",
        {
            f"{SITE}/.wh.pip-1.dist-info": "",
            f"{SITE}/gone-1.dist-info/.wh..wh..opq": "",
            names[1]: metadata("kept", "2"),
        },
    )
    assert installed_packages([one, two]) == [Package("pypi", "kept", "2")]


def test_a_folder_that_is_made_anew_keeps_what_its_layer_brings(
    tmp_path: Path,
) -> None:
    one = write_layer(
        tmp_path / "1", {f"{SITE}/old-1.dist-info/METADATA": metadata("old", "1")}
    )
    two = write_layer(
        tmp_path / "2",
        {
            f"{SITE}/.wh..wh..opq": "",
            f"{SITE}/new-1.dist-info/METADATA": metadata("new", "1"),
        },
    )
    assert installed_packages([one, two]) == [Package("pypi", "new", "1")]


def test_scanners_find_a_package_by_its_url() -> None:
    assert Package("deb", "libc6", "2.36-9+deb12u10").url == (
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10"
    )
    assert Package("pypi", "fastapi", "0.165.0").url == "pkg:pypi/fastapi@0.165.0"
