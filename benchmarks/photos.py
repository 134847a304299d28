"""Photos of many people taken over: files a second, from the folder to the durable record.

The portraits are drawn (`tests.registry.intake.portraits`), in the size of the standard and, as a
camera at a window delivers them, three times as large.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.people import person
from cardkit.profile import load
from cardkit.registry.intake import importing
from cardkit.registry.intake.photo import check_photo
from cardkit.registry.numbering import Numbering
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from tests import postgres
from tests.registry.intake import portraits

PHOTOS = 400
_DIFFERENT = 40  # drawn; the others are the same to the eye, not to the byte
_NUMBERING = Numbering(card_prefix="A", card_first=1, serial_first=1, district="639900")


def main() -> None:
    """Print files a second."""
    with tempfile.TemporaryDirectory(prefix="cardkit-photos-") as name:
        for times in (1, 3):
            folder = Path(name) / str(times)
            folder.mkdir()
            _draw(folder, times)
            kib = sum(path.stat().st_size for path in folder.iterdir()) // PHOTOS >> 10
            width, height = portraits.WIDTH * times, portraits.HEIGHT * times
            print(f"{PHOTOS} photos of {width} x {height}, {kib} KiB each")
            for workers in (1, 2):
                url = sqlite_url(Path(name) / f"{times}-{workers}.db")
                _import(folder, url, workers, "SQLite")
            with postgres.started(durable=True) as server:
                _import(folder, server.database(), 2, "PostgreSQL")


def _draw(folder: Path, times: int) -> None:
    with ProcessPoolExecutor() as pool:
        drawn = list(pool.map(partial(_drawn, times=times), range(_DIFFERENT)))
    for number in range(PHOTOS):
        # behind the end of a JPEG file a reader looks at nothing
        data = drawn[number % _DIFFERENT] + number.to_bytes(4, "big")
        (folder / f"{person(number).citizen_number}.jpg").write_bytes(data)


def _drawn(who: int, times: int) -> bytes:
    picture = portraits.portrait(who)
    if times == 1:
        return portraits.jpeg(picture)
    return portraits.jpeg(picture.resize((picture.width * times, picture.height * times)))


def _import(folder: Path, url: str, workers: int, what: str) -> None:
    with _opened(url) as registry:
        check = partial(check_photo, rules=load("test").photo)
        room = importing.PhotoImport(registry.books, check, workers=workers)
        files = importing.of_folder(folder)
        began, busy = time.perf_counter(), os.times()
        report = room.run(files)
        seconds, used = time.perf_counter() - began, os.times()
        assert report.taken == PHOTOS, report.counts()
        began = time.perf_counter()
        again = room.run(files)
        assert again.same == PHOTOS
    own = used.user + used.system - busy.user - busy.system
    print(
        f"  {what}, {workers} workers: {PHOTOS / seconds:.1f} photos/s, {own / PHOTOS * 1e3:.1f} "
        f"ms of this process a photo; again: {PHOTOS / (time.perf_counter() - began):.1f}/s; "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


@contextmanager
def _opened(url: str) -> Iterator[Registry]:
    with Registry.open(url, clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark") as registry:
        people = [person(number) for number in range(PHOTOS)]
        registry.enrol(people, _NUMBERING, BatchInfo("roster.csv", "0" * 64, PHOTOS))
        yield registry


if __name__ == "__main__":
    main()
