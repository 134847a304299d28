"""Steps from one layout of the tables to the next; `cardkit.registry.migrating` takes them."""
