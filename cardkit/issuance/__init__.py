"""From a roster to issued cards: reading, planning, writing, verifying, reporting."""
