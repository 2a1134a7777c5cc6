"""The asset checks, each of which states a truth and names the months where it does not hold."""
