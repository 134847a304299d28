"""pcscd itself, with virtual readers: found, configured, started, stopped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from shutil import which
from typing import Final

from cardkit.errors import UnreachableError
from cardkit.virtual.service.connections import listening
from cardkit.virtual.service.rundir import (
    FIRST_PORT,
    SLOTS_A_DRIVER,
    RuntimeDirectory,
    write_configuration,
)

DRIVER_FOLDERS: Final = ("/usr/lib/pcsc/drivers", "/usr/lib64/pcsc/drivers")
DRIVER: Final = "serial/libifdvpcd.so"
_START_TIMEOUT: Final = 10.0
_STOP_TIMEOUT: Final = 5.0


def find_driver() -> Path:
    """The vpcd driver of this machine.

    Raises
    ------
    UnreachableError
        It is not installed.
    """
    for folder in DRIVER_FOLDERS:
        if (Path(folder) / DRIVER).exists():
            return Path(folder) / DRIVER
    raise UnreachableError(
        "the virtual reader driver (vpcd) is not installed", hint="apt-get install vsmartcard-vpcd"
    )


def find_pcscd() -> str:
    """Path of pcscd.

    Raises
    ------
    UnreachableError
        It is not installed.
    """
    path = which("pcscd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise UnreachableError("pcscd is not installed", hint="apt-get install pcscd")
    return path


class Daemon:
    """pcscd with its readers.

    Parameters
    ----------
    directory : RuntimeDirectory
        Prepared.
    count : int
        Readers.
    private : bool
        Whether its socket is in ``directory`` (`isolate`) or at the system's place.
    """

    def __init__(self, directory: RuntimeDirectory, count: int, *, private: bool) -> None:
        self.directory = directory
        self.count = count
        self.private = private
        self._program = find_pcscd()
        self._driver = self._driver_copy()
        self._process: subprocess.Popen[bytes] | None = None

    def _driver_copy(self) -> Path:
        # Copied before `isolate` hides the original.
        copy = self.directory.drivers / "vpcd.so"
        shutil.copyfile(find_driver(), copy)
        return copy

    @property
    def socket(self) -> Path:
        """Where clients find it."""
        return self.directory.daemon_socket if self.private else Path("/run/pcscd/pcscd.comm")

    @property
    def lost(self) -> bool:
        """Whether it was started and has died by itself."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start pcscd and wait until clients and cards can come.

        Raises
        ------
        UnreachableError
            It did not come up.
        """
        if self.private:
            for leftover in self.directory.daemon.iterdir():
                leftover.unlink()
        write_configuration(self.directory, self._driver, self.count)
        # Death of this process, in whatever way, ends pcscd too.
        command = ["setpriv", "--pdeathsig", "TERM", self._program, "--foreground"]
        command += ["--config", str(self.directory.configuration)]
        with self.directory.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait_until_ready(time.monotonic() + _START_TIMEOUT)

    def _wait_until_ready(self, deadline: float) -> None:
        while not self._ready():
            if self.lost or time.monotonic() > deadline:
                self.stop()
                raise UnreachableError(
                    f"pcscd did not start: {self._last_words()}",
                    hint="is another pcscd running? stop it with: sudo systemctl stop pcscd.socket",
                )
            time.sleep(0.01)

    def _ready(self) -> bool:
        slots = -(-self.count // SLOTS_A_DRIVER) * SLOTS_A_DRIVER
        if not all(listening(FIRST_PORT + slot) for slot in range(slots)):
            return False
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def _last_words(self) -> str:
        lines = self.directory.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def stop(self) -> None:
        """Stop pcscd; harmless when it does not run."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
