"""Bytes ↔ values, pure: TLV, BCD, text, numbers with check digits, dates."""
