"""Takes in what people have: IstioOperators, alone or under Kustomize, and what a cluster exports."""
