"""Files by month, below a folder on a disk or in a bucket."""
