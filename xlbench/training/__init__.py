"""Training: batches, loss and data of `xlbench train`."""
