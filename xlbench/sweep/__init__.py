"""Sweeps: files of which every combination is evaluated, or trained and then evaluated."""

from xlbench.sweep.evaluated import Sweep, Swept, read
from xlbench.sweep.training_sweep import TrainedCell, TrainingSweep, read_training

__all__ = ["Sweep", "Swept", "TrainedCell", "TrainingSweep", "read", "read_training"]
