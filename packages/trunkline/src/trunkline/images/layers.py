"""Layers whose bytes do not tell when they were made."""

import hashlib
import os
import re
import struct
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO

# 1980-01-01, the first moment that a zip file, and so a wheel, can name. One for every
# commit: with a time of its own a build would change layers whose content is the same.
EPOCH = 315_532_800
BLOCK = 512
CHUNK = 1 << 20
GZIP = b"\x1f\x8b"
_LEVEL = 6
# Seconds that an unused layer is kept.
_KEPT = 30 * 24 * 3600
_MTIME = re.compile(rb"(?<= mtime=)([0-9.]+)(?=\n)")
# Fields of a tar header.
_SIZE, _TIME, _SUM = slice(124, 136), slice(136, 148), slice(148, 156)
_KIND = 156


def with_constant_times(layer: IO[bytes]) -> Iterator[bytes]:
    """Yield a layer's tar with no file younger than EPOCH and all else as it is."""
    while header := layer.read(BLOCK):
        if not header.strip(b"\0"):
            yield header
            continue
        size = _number(header[_SIZE])
        yield _older(header)
        rest = size + -size % BLOCK
        if header[_KIND : _KIND + 1] in (b"x", b"g"):
            yield _MTIME.sub(_same_length, layer.read(rest))
            continue
        while rest > 0:
            part = layer.read(min(rest, CHUNK))
            if not part:
                raise EOFError("a layer's tar ends within a file")
            rest -= len(part)
            yield part


def _number(field: bytes) -> int:
    """Read a number of a tar header: octal digits, or binary where those are few."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.strip(b"\0 ") or b"0", 8)


def _older(header: bytes) -> bytes:
    if _number(header[_TIME]) <= EPOCH:
        return header
    changed = bytearray(header)
    changed[_TIME] = b"%011o\0" % EPOCH
    changed[_SUM] = b" " * 8
    changed[_SUM] = b"%06o\0 " % sum(changed)
    return bytes(changed)


def _same_length(match: re.Match[bytes]) -> bytes:
    """Write the time with as many characters, for the record names its own length."""
    text = match[0]
    if float(text) <= EPOCH:
        return text
    return (b"%d." % EPOCH).ljust(len(text), b"0")[: len(text)]


def compress(parts: Iterable[bytes], target: IO[bytes]) -> str:
    """Write gzip without name, time and system; returns the content's digest."""
    packer = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    content, check, size = hashlib.sha256(), 0, 0
    target.write(GZIP + b"\x08" + bytes(6) + b"\xff")
    for part in parts:
        content.update(part)
        check, size = zlib.crc32(part, check), size + len(part)
        target.write(packer.compress(part))
    target.write(packer.flush() + struct.pack("<II", check, size & 0xFFFFFFFF))
    return f"sha256:{content.hexdigest()}"


def compressed_before(layer: BufferedReader, cache: Path) -> Path:
    """Return the gzip of a layer that stays the same, made once on this machine.

    A base image takes most of the time that a whole build takes otherwise.
    """
    digest = hashlib.file_digest(layer, "sha256").hexdigest()
    target = cache / f"{digest}.tar.gz"
    if target.exists():
        target.touch()
        return target
    _forget_unused(cache)
    layer.seek(0)
    with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
        try:
            compress(iter(lambda: layer.read(CHUNK), b""), file)
            file.flush()
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).rename(target)
    return target


def _forget_unused(cache: Path) -> None:
    """Make the folder; remove from it what nobody has asked for in a long time."""
    cache.mkdir(parents=True, exist_ok=True)
    for file in cache.iterdir():
        if time.time() - file.stat().st_mtime > _KEPT:
            file.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return where layers are kept: beside what other tools keep for this user."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "trunkline" / "layers"
