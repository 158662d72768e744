"""`art add`, `art tag` and what else changes the repository by hand."""
