"""What does a person at a terminal see of a crawl while it runs, and what can they tell it with a key?"""
