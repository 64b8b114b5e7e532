"""What does a person at a terminal see of a crawl while it runs, and what can they tell it with a key?

    where        is there a terminal that a view can stand on?
    watching     the loop: look, draw, heed keys, and cost next to nothing
    look         what is looked at
    view         which lines there are, as far as there is room; figures, hosts and styles have what is in them
    screen       lines onto the terminal, below whatever else is written there, and away again
    keys         keys from the terminal, which gets its own ways back whatever happens

Only `where` and this are imported before they are needed: rich takes a while to load.
"""
