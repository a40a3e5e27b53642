"""What each driver does in its own way; one file per warehouse that needs one."""
