"""The registry: who was promised which card, which chip carries it, and what happened to it."""
