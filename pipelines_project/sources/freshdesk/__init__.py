"""The lists of a Freshdesk help desk."""
