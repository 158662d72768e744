"""What things are: ids, records, the kinds of object and how each is encoded."""
