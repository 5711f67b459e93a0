"""The tree on the disk: what meshgen owns in it, what should change, and the change, all or nothing."""
