"""What came of a file."""

from __future__ import annotations

from dataclasses import dataclass

from cardkit.registry.exchange.keeping import Batch, KeptFile


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a file.

    Parameters
    ----------
    known : bool
        Whether this very file was taken before; nothing was changed then.
    left_out : tuple of (int, str)
        Of a file that was sent: cards whose data its layout cannot carry, and what is wrong.
    """

    batch: Batch
    files: tuple[KeptFile, ...]
    known: bool = False
    left_out: tuple[tuple[int, str], ...] = ()

    def as_json(self) -> dict[str, object]:
        """For programs; nothing of it is personal."""
        files = [
            {"role": f.role, "name": f.name, "sha256": f.digest, "bytes": f.size}
            for f in self.files
        ]
        left_out = [{"card": card, "problem": problem} for card, problem in self.left_out]
        batch = self.batch.as_json()
        return batch | {"known": self.known, "files": files, "left_out": left_out}
