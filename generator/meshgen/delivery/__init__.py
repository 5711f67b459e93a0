"""The wiring: what makes Flux or Argo CD apply the stages of a cluster, in their order."""
