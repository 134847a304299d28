"""A social-security card in software: stateful, strict, with real cryptography.

It speaks the commands of the 2.0 card and the creation commands of "COS specification style" chips
(T514), and shares no code with the packages that it is used to check: of the toolkit it knows
codecs, ciphers, errors and how files are written, no table of files. `VirtualCard` is the way in.

What public sources leave open, and this card decides (ours):

Life
    * A chip without MF answers 6A81 to everything but CREATE, transport key, serial, ATR head, GET
      CHALLENGE and GET RESPONSE. Reset selects the MF.
    * Building (CREATE, DELETE, FCI record, end of pre-issue, first master key, WRITE KEY with
      class 80) needs the transport key verified since the reset, or the master key (MK) of the
      current directory file or of its parent. The MF itself: transport key only. It becomes
      current when created; other created files do not.
    * Data are written in pre-issue after MK of that directory file, or as the file allows. The
      transport key opens no data, MK opens no reading.
    * End of pre-issue goes directory file by directory file in any order; a second time 6901. The
      transport key answers until the last one has ended, then 6901; so do serial and ATR head.
    * DELETE looks at the directory file that holds the target: 6985 after its end of pre-issue. 01
      an EF of the current DF, 02 a child or the current DF itself (its parent becomes current)
      with everything in it, 03 (FID 3F00) the MF and everything.
    * 80E005 replaces the last 6 ATR bytes, 0014 the first 11, independently; both show at the next
      reset. 0014 refuses with 6A80 what is no ATR.

Space
    * 32 KiB. An EF takes its declared space and a header of 16 bytes, a directory file 16 bytes
      and its name; 6A84 when the chip is full. Transparent content is 00 after CREATE.
    * A variable TLV record takes its length (tag and length included: they are the 2·n), a fixed
      record and a key (18 hex) 2 bytes more; 2 bytes a file are its own. 6A84 beyond the space.
    * A cyclic file holds (space - 2) / record length records.
    * A record of another length than the first time: 6700; another tag: 6A80; a record that is no
      TLV in a TLV file: 6A80. In pre-issue UPDATE RECORD n + 1 makes a record, everything beyond
      is 6A83. In a cyclic file that way of making adds behind the oldest; APPEND RECORD puts the
      new record first, UPDATE RECORD by number overwrites in place.
    * UPDATE BINARY over the end of the file: 6A84; offset outside: 6B00.
    * The lock level of a DF (second creation byte) is the level its lock commands need.

Selection
    * Whole names only, unique on the card. By FID with P1 00: EF here, MF, child, itself, parent,
      sibling; 01 child DF, 02 EF here, 03 parent. A file reached by SFI becomes the current one.
    * SELECT of a directory file answers the FCI record with its FID, its own or its parent's, with
      9F0C added where it is missing; without a record it is composed (88 only where there is DIR).
    * Internal files (SF, FCI, TF) answer 6981 to record and binary commands.

Security
    * SELECT of a directory file empties its own state, even when it is current already; those above
      it on the path keep theirs. In a DF the parent's levels are what was authenticated in the
      parent before, without its PIN. A failed authentication or VERIFY also takes that level away.
    * External authentication looks for the key in the current directory file only, VERIFY and
      CHANGE PIN for the PIN there, then in the parent. RELOAD and UNBLOCK need the directory file
      that holds the PIN, and its PUK level. STK: own, else the parent's; lowest record first.
    * Tries are spent before comparing, for good. A wrong MAC spends a try of its key too: 6988,
      then 6983. The transport key works the same way.
    * A challenge serves one command, stays usable across commands that need none, and is filled
      with 00 when it has 4 bytes; one of 16 bytes fits no 3DES rule (6984).
    * WRITE KEY: (type, id) names a key; a second one replaces it, counter included. In pre-issue
      always; afterwards as its change level says (EF never; FF by the MAC; 00; or a level
      reached), with class 84 only. Plain keys besides the first MK want MK authenticated. MACs
      with the key itself: retail MAC, IV = challenge.
    * Class 04 (MAC) and, for writing, 84 (encrypted and MAC) are accepted for record and binary
      commands; no creation byte demands them.
    * Wrong MAC is 6988 everywhere; 9302 belongs to purse commands, which this card does not have.
    * An application blocked for now: SELECT answers 6283 and leaves the FCI for GET RESPONSE; only
      SELECT, GET CHALLENGE, EXTERNAL AUTHENTICATE and lock commands work, others answer 6A81.
      Blocked for ever: 9303. Blocking what is blocked, unblocking what is not: 6400. CARD BLOCK
      works in MF and DDF; afterwards everything answers 6A81. The MF is no application (6985).

T=0
    * Case 1 is P3 00. Le behind data is dropped. Any Le but the right one is 6Cxx, for GET RESPONSE
      as well, which keeps its data then; any other command drops them. GET RESPONSE with nothing
      waiting: 6F00. GET CHALLENGE with an odd Le: 6C08.
    * Unknown class 6E00; known class but wrong for the instruction 6E00, or 6900 when only the
      secure-messaging bit is wrong.
"""

from __future__ import annotations

from cardkit.virtual.card.card import DEFAULT_ATR, VirtualCard
from cardkit.virtual.card.contacts import Counters
from cardkit.virtual.card.faults import CardRemovedError, Fault, FaultKind, PowerLostError
from cardkit.virtual.card.messaging import Derivation, Form
from cardkit.virtual.card.wireclock import WireClock

__all__ = [
    "DEFAULT_ATR",
    "CardRemovedError",
    "Counters",
    "Derivation",
    "Fault",
    "FaultKind",
    "Form",
    "PowerLostError",
    "VirtualCard",
    "WireClock",
]
