"""The command line: click commands, one module per noun, each imported when it is used."""
