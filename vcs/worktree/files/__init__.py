"""One file of the user's: read while it holds still, its id remembered, a link checked."""
