"""Parts that tests share: a synthetic web, servers, clocks, where test data lies."""
