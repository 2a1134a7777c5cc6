"""What Athena reads: an external table in AWS Glue over the current loads of a landed table."""
