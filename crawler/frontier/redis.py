"""What is left to fetch, for a crawl that several workers share: kept in Redis or Valkey."""
