"""Bytes → bytes, pure: 3DES shim, MACs, diversification, process keys, check values."""
