"""WARC 1.1 archives (ISO 28500:2017): what was asked and answered, as bytes in a standard format, and back.  Pure but
for reading the files that are named to it."""
