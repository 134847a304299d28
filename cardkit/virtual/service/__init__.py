"""A PC/SC service with virtual readers: pcscd as it is, with up to 16 readers, started and stopped.

Where it lives, best first:

1. in a network and mounts of its own (root, or a user who may make user namespaces): leaves the
   machine's own pcscd alone, and nothing listens on the machine's network. As root, and when no
   daemon answers at the system's default path, that path leads to it; otherwise programs find it by
   PCSCLITE_CSOCK_NAME, see `Service.environment`;
2. as root where namespaces are not permitted (containers), and no pcscd runs: as the machine's
   pcscd;
3. otherwise the two virtual readers of the running daemon, if it has the vpcd driver.

Cards come in through `attach`, which gives a socket for `cardkit.virtual.vpcd`.
"""

from cardkit.apdu.pcsc.calls import SOCKET_VARIABLE
from cardkit.virtual.service.connections import NoVirtualReaderError, SlotTakenError
from cardkit.virtual.service.control import (
    Mode,
    Service,
    attach,
    client_environment,
    run_service,
    running_record,
    start,
)
from cardkit.virtual.service.launch import isolating_command
from cardkit.virtual.service.rundir import (
    ServiceRecord,
    daemon_socket,
    default_directory,
    reader_name,
)

__all__ = [
    "SOCKET_VARIABLE",
    "Mode",
    "NoVirtualReaderError",
    "Service",
    "ServiceRecord",
    "SlotTakenError",
    "attach",
    "client_environment",
    "daemon_socket",
    "default_directory",
    "isolating_command",
    "reader_name",
    "run_service",
    "running_record",
    "start",
]
