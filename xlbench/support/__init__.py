"""Support: files that appear whole, progress, memory, and checkpoints."""
