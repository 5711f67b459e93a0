"""What meshgen costs, as ratios against peers on the same work: `python -m benchmarks`."""
