"""Steps side by side: which wait for nothing but room, what room there is, and those that have begun."""
