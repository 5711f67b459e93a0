"""Lays objects out as Kustomize bases and overlays that `kustomize build` turns back into exactly those objects."""
