"""Any dlt source or resource function, called by its name and read one resource at a time."""
