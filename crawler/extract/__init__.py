"""What is taken from a response; pure functions of bytes."""
