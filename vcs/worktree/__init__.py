"""Files and folders of the user ↔ blobs and trees."""
