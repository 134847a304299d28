"""TEST keys: public, worthless, refused by any profile that is not marked as a test."""
