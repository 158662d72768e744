"""What no other materializer can hold is pickled, or refused with advice."""
