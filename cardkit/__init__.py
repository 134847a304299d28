"""cardkit: make Chinese social-security cards (社会保障卡) and work with them."""

__version__ = "0.1.0"
