"""What is on a chip and how to work with it: files, `Card`, procedures without I/O, dialects."""
