"""Where responses are worked on: processes, threads, or in line."""
