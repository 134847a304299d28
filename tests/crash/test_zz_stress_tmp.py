
from concurrent.futures import ThreadPoolExecutor
import time
from cardkit.apdu import pcsc
from cardkit.apdu.link import LinkLostError
from cardkit.virtual import vpcd
from cardkit.issuance.feed import PcscFeed
from tests.bench import *

import os, pytest
SECS=float(os.environ.get("SECS","60"))
def test_stress(pcsc_service):
    end=time.time()+SECS
    bad=[]
    def one(slot):
        name=pcsc_service.readers[slot]; n=0
        while time.time()<end:
            card=ScriptedCard(cut_at=3+n%5)
            pcsc.wait_for_removal(name,10)
            th=vpcd.insert(card, lambda: pcsc_service.attach(slot))
            try:
                with PcscFeed(name, idle=10).next_card(lambda: False, lambda _: None) as link:
                    if link.atr!=card.ATR: bad.append((slot,n,link.atr,list(card.events)))
                    try:
                        for _ in range(20): link.transmit(bytes.fromhex("80CA000000"))
                    except LinkLostError: pass
            except Exception as e: bad.append((slot,n,repr(e),list(card.events)))
            th.wait(5); n+=1
        return n
    with ThreadPoolExecutor(8) as pool: ns=list(pool.map(one,range(8)))
    print(sum(ns)); print(bad)
    assert not bad, (sum(ns), bad)
