"""Says where a field of a rendered object comes from, from the layers of the config to the file of the tree."""
