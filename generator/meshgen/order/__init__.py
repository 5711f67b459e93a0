"""What an engine does with the stages of a cluster, simulated: who waits for whom, and who waits for ever."""

from meshgen.order.check import order_remarks

__all__ = ["order_remarks"]
