"""What settings and objects must satisfy before anything is laid out."""
