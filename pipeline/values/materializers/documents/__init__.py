"""Values that are one JSON file: how JSON says what it has no words for, and where parts with files of their own go."""
