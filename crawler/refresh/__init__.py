"""How is a finished crawl crawled again? Its URLs are visited anew, and what has not changed is carried over."""
