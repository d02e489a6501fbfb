"""The parts of the benchmark, each a module with a function that measures and gives figures."""
