"""Master file of a financial social-security card."""

from cardkit.card.files.generation2.shorthand import MASTER_KEY
from cardkit.card.files.model import DirectoryFile

MF = DirectoryFile(
    fid=0x3F00,
    label="MF",
    aid=b"1PAY.SYS.DDF01",
    chinese="主文件",
    clause="card.md 2.1",
    keys=(MASTER_KEY,),
)
