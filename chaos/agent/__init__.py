"""The node agent injects faults into its namespace's pods on one machine. It ends them in time, even by itself."""
