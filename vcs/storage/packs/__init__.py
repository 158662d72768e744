"""Packs and what they are made of: records, tables of objects, codecs, chunks; the index; the file of an op."""
