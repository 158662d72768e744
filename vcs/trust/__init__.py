"""Whose making something is: what was made here, what others have signed, and whose results count."""
