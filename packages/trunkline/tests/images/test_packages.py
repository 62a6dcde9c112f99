import tarfile
from io import BytesIO
from pathlib import Path

from trunkline.images.packages import Package, installed_packages

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u10

Package: removed
Status: deinstall ok config-files
Version: 1
"""
RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID="12"\n'
QUALIFIERS = (("arch", "amd64"), ("distro", "debian-12"), ("upstream", "glibc"))
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
    files = {"var/lib/dpkg/status": STATUS, "usr/lib/os-release": RELEASE}
    one = write_layer(tmp_path / "1", files)
    two = write_layer(
        tmp_path / "2",
        {
            f"{SITE}/Foo_Bar-1.0.dist-info/METADATA": metadata(
                "Foo_Bar", "1.0", "License-Expression: MIT\n"
            )
        },
    )
    assert installed_packages([one, two]) == [
        Package("deb", "libc6", "2.36-9+deb12u10", qualifiers=QUALIFIERS),
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


def test_the_sbom_has_the_url_by_which_scanners_find_a_package() -> None:
    assert Package("deb", "libc6", "2.36-9+deb12u10", qualifiers=QUALIFIERS).url == (
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10"
        "?arch=amd64&distro=debian-12&upstream=glibc"
    )
    assert Package("deb", "libstdc++6", "1:12.2~1").url == (
        "pkg:deb/debian/libstdc%2B%2B6@1:12.2~1"
    )
    assert Package("pypi", "fastapi", "0.165.0").url == "pkg:pypi/fastapi@0.165.0"


def test_the_source_of_a_package_is_named_with_its_version_if_that_differs(
    tmp_path: Path,
) -> None:
    text = "Package: login\nArchitecture: amd64\nVersion: 1:4.13+b1\n"
    files = {
        # As images without dpkg have it: a file for each package, without its status.
        "var/lib/dpkg/status.d/login": f"{text}Source: shadow (1:4.13)\n",
        "var/lib/dpkg/status.d/login.md5sums": "0  usr/bin/login\n",
        "usr/lib/os-release": "ID=ubuntu\nVERSION_ID=24.04\n",
    }
    (package,) = installed_packages([write_layer(tmp_path / "1", files)])
    assert package.url == (
        "pkg:deb/ubuntu/login@1:4.13%2Bb1"
        "?arch=amd64&distro=ubuntu-24.04&upstream=shadow%401:4.13"
    )
