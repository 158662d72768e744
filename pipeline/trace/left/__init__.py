"""What executions leave behind beside their outputs, and what becomes of it where they are hits."""
