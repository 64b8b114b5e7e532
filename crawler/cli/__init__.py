"""The command line: a file per command, exit codes, and the only choice of event loop."""
