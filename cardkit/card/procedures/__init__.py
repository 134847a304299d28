"""What is done with a card, each written once: identify, personalize, check, read."""
