"""What differs by place, chip and bank: a TOML file with typed sections."""

from cardkit.profile.schema import Profile, load, shipped

__all__ = ["Profile", "load", "shipped"]
