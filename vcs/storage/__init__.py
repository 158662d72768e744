"""Where bytes live: files, packs, index segments, and finding an object in them."""
