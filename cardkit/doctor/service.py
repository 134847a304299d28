"""Whether the PC/SC daemon runs, and whether this user may use it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Final

from cardkit.apdu.pcsc import NoPermissionError, PcscError
from cardkit.apdu.pcsc.calls import VIRTUAL_READERS, start_service
from cardkit.doctor.finding import Finding, fail, ok
from cardkit.doctor.surroundings import Surroundings

SERVICE: Final = "service"
PERMISSION: Final = "permission"

_RULE: Final = """\
write /etc/polkit-1/rules.d/50-cardkit.rules:
polkit.addRule(function(action, subject) {{
    if ((action.id == "org.debian.pcsc-lite.access_pcsc" ||
         action.id == "org.debian.pcsc-lite.access_card") &&
        subject.user == "{user}") {{
        return polkit.Result.YES;
    }}
}});"""


def check_service(here: Surroundings) -> list[Finding]:
    """Look at the daemon's socket, then ask the daemon itself.

    Returns
    -------
    list of Finding
        One for the service and, when the service is there, one for the permission.
    """
    if not hasattr(socket, "AF_UNIX") or here.socket == Path():
        return _ask(here, "the PC/SC service")
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(here.socket))
    except PermissionError:
        found = ok(SERVICE, f"a PC/SC service is at {here.socket}")
        return [found, fail(PERMISSION, *_shut_out(here))]
    except FileNotFoundError:
        return [_not_running(here, f"there is no {here.socket}")]
    except OSError:
        return [_not_running(here, f"nobody answers at {here.socket}: a dead one left it")]
    return _ask(here, f"the PC/SC service at {here.socket}")


def _ask(here: Surroundings, service: str) -> list[Finding]:
    try:
        here.reader_states()
    except NoPermissionError:
        runs = ok(SERVICE, f"{service} runs")
        return [runs, fail(PERMISSION, f"{service} refuses {here.user}", _rule(here))]
    except PcscError as error:
        return [fail(SERVICE, error.message, error.hint)]
    return [ok(SERVICE, f"{service} answers"), ok(PERMISSION, f"{here.user} may use it")]


def _not_running(here: Surroundings, why: str) -> Finding:
    if here.find_program("pcscd") is None:
        remedy = "install it: sudo apt-get install pcscd"
    else:
        remedy = start_service(here.systemd)
    remedy = f"{remedy}; {VIRTUAL_READERS}"
    return fail(SERVICE, f"the PC/SC service does not run, {why}", remedy)


def _shut_out(here: Surroundings) -> tuple[str, str]:
    """Say which file or folder keeps this user out, and what opens it."""
    for place in (*reversed(here.socket.parents), here.socket):
        try:
            entry = place.stat()
        except PermissionError:
            break
        needed = os.W_OK if stat.S_ISSOCK(entry.st_mode) else os.X_OK
        if not os.access(place, needed):
            mode = f"{stat.S_IMODE(entry.st_mode):04o}"
            return f"{place} (mode {mode}) keeps {here.user} out", _open_door(here, place, entry)
    return f"{here.socket} keeps {here.user} out", "ask whoever set it up"


def _open_door(here: Surroundings, place: Path, entry: object) -> str:
    mode, gid = getattr(entry, "st_mode", 0), getattr(entry, "st_gid", 0)
    needed = stat.S_IWGRP if stat.S_ISSOCK(mode) else stat.S_IXGRP
    if gid and mode & needed:
        return f"sudo usermod --append --groups {_group_name(gid)} {here.user}, then log in again"
    letter = "rw" if stat.S_ISSOCK(mode) else "x"
    return f"sudo chmod o+{letter} {place}"


def _group_name(gid: int) -> str:
    try:
        import grp  # noqa: PLC0415 - not on Windows

        return grp.getgrgid(gid).gr_name
    except (ImportError, KeyError):
        return str(gid)


def _rule(here: Surroundings) -> str:
    if here.policy.exists():
        return _RULE.format(user=here.user)
    return "see the log of pcscd: sudo journalctl --unit pcscd"
