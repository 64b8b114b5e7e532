"""Several workers, one crawl: what they share through Redis or Valkey, and what each owns alone.

Hosts are divided into *partitions* by the hash of their registrable domain. A worker *leases* partitions. Under a lease
it alone asks their hosts and stores what comes of it, so pace, robots.txt and back-off are its own affair, and nothing
is negotiated for a request. A lease has a *fence*, a number that grows with each owner: whatever is written under an
older one is refused, so that a worker which was frozen, or cut off, harms nothing when it wakes.

    partitions      which partition a host is in
    keys            what keys are called: all of a partition share a hash tag, so that a cluster keeps them together
    models          leases, workers, plans: the words of this package, and what travels as msgpack
    target          what the URL of a Redis says
    link, server, trouble
                    the connection: what a server must be like, waiting for one that is away
    scripts, codec, store
                    what is stored of a partition, each change one atomic script
    control, orders what is true of the whole crawl: its configuration, whether it runs, is paused, is over
    plan            who should hold what (pure)
    portions        how they keep to one budget without asking for each page
    errands         who asks for a robots.txt that is at another worker's host
    members, leases who is there, who leads, who holds what, and until when
    member          a worker's side of it (heart, hands, hearing; as the leader: leading), for a `holder`

Of a link to a host of another worker's, this is what keeps it from being lost: it is put into the *inbox* of that
host's partition before its page's end is stored. So whatever has not been taken in yet has a parent that is still open,
or lies in an inbox; a crawl is over once nothing is open and all inboxes are empty. What is delivered twice is found
to be known.
"""
