"""Names → ids: the refs map, how refs are spelt, and what can be reached from them."""
