"""What every source that asks an API shares: sessions, retries, limits, refusals."""
