"""What meshgen brings into Git: a commit of the tree, and branches of plain objects."""
