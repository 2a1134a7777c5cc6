"""What alerts say, and the ways that they take."""
