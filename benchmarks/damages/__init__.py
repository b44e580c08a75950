"""What benchmarks.damage damages, and how."""
