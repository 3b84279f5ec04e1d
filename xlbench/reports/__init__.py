"""Reports: tables from results, and their presentation."""
