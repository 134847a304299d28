"""Which reader drivers are installed, and who can reach the virtual ones."""

from __future__ import annotations

from typing import Final

from cardkit.doctor.finding import Finding, ok, warn
from cardkit.doctor.surroundings import Surroundings

DRIVERS: Final = "drivers"
NETWORK: Final = "network"

_VPCD_PORTS: Final = (35963, 35964)
_LISTENING: Final = "0A"
_ANY_ADDRESS: Final = "00000000"


def check_drivers(here: Surroundings) -> list[Finding]:
    """List reader drivers: bundles for USB readers, libraries for serial and virtual ones."""
    if here.find_program("pcscd") is None:
        return []  # another system's service, or none: said elsewhere
    folders = [folder for folder in here.driver_folders if folder.is_dir()]
    usb = {path.stem.removeprefix("ifd-") for f in folders for path in f.glob("*.bundle")}
    libraries = {path.stem for f in folders for path in f.glob("serial/lib*.so")}
    names = sorted(usb | {name.removeprefix("lib").removeprefix("ifd") for name in libraries})
    if not names:
        return [
            warn(
                DRIVERS,
                "no reader driver is installed",
                "sudo apt-get install libccid (USB readers) vsmartcard-vpcd (virtual readers)",
            )
        ]
    remedy = "" if usb else "for USB readers: sudo apt-get install libccid"
    return [ok(DRIVERS, f"drivers: {', '.join(names)}", remedy)]


def check_network(here: Surroundings) -> list[Finding]:
    """Warn when the machine's own daemon offers its virtual readers to the whole network.

    The vpcd driver listens on all interfaces: whoever reaches the port can put a card in.
    """
    try:
        rows = here.tcp_table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    open_ports = {
        int(local.split(":")[1], 16)
        for _, local, _, state, *_ in (row.split() for row in rows)
        if state == _LISTENING and local.startswith(_ANY_ADDRESS)
    }
    reached = [str(port) for port in _VPCD_PORTS if port in open_ports]
    if not reached:
        return []
    return [
        warn(
            NETWORK,
            f"virtual readers of this machine's pcscd listen on the network, "
            f"port {' and '.join(reached)}",
            "not needed by cardkit: sudo rm /etc/reader.conf.d/vpcd, then restart pcscd",
        )
    ]
