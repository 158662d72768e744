"""What goes from one repository to another, and what comes."""
