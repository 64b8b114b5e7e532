"""Every way in which a server may answer wrongly that we know of, each by name: what it sends, and how its URL ends.

`fault` has the words a fault is written in, `server` serves all of them on one port, the other modules are the
catalogue, by subject; `catalogue` puts it together.
"""
