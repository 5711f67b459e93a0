"""Generate Git trees for the Istio service mesh from one declarative file."""

__version__ = "0.1.0"
