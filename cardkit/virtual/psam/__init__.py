"""A PSAM in software: holds keys of chosen levels, diversifies, makes process keys, computes.

It shares no code with the packages it is used to check: of the toolkit it knows codecs, ciphers and
errors, and of the virtual card what any chip has (T=0, EEPROM, faults, image files).
`VirtualPsam` is the way in.

What public sources leave open, and this PSAM decides (ours):

Environments
    * Reset selects the MF, which is the DES environment (also ``sx1.sh.…``). ``sx2…`` is SSF33,
      ``sx3…`` SM4. The application ``D15600000590`` (FID DF01) is that of the current environment.
    * SSF33 can be selected and answers 6A81 to BFDE: the cipher is secret.
    * EF15 (serial) and EF16 (terminal number) are free to read, in the MF only.

Keys
    * A key is found by environment and id: 6A88 without one, 6985 when it has another usage byte
      (another level, another type) or a type that is for no card (0-2, 9-31).
    * BFDE outside an application: 6985; Lc that does not fit levels and cipher: 6700. It sends
      nothing back. The process key lives until the next SELECT, BFDE, refused command or reset.
    * Process keys: 3DES_K(factor), 8 bytes; SM4_K(factor), 16 bytes.
    * 80FA without a process key: 6985. Type 6 only makes MACs, type 7 only encrypts, 3, 4, 5 and 8
      do both; else 6985. Whole blocks only: 6700. A MAC is a CBC chain under the process key, 4
      bytes from the left; padding is the caller's; P1 05, or 07, 03 … 01 for several commands.
    * WRITE KEY (84D4, FMCOS form) takes keys into the current environment under the master key
      until the PSAM is finished, then 6901. A wrong MAC spends one of three tries: 6988, then 6983.
      Algorithm bytes: 00 3DES, 02 SSF33, 03 SM4. The same usage and id replaces a key.
    * BFDE and 80FA have no try counter: whoever has the PSAM has its answers.
"""

from cardkit.virtual.psam.chip import Chip, Place, StoredKey
from cardkit.virtual.psam.psam import DEFAULT_ATR, FAULTS, VirtualPsam

__all__ = ["DEFAULT_ATR", "FAULTS", "Chip", "Place", "StoredKey", "VirtualPsam"]
