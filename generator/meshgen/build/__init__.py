"""From resolved settings to the objects of each stage."""
