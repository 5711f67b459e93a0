"""Compares two configs by the objects that they become, and says how risky each change is; nothing is written."""
