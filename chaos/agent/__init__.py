"""The node agent: injects faults into its namespace's pods on this machine and ends them in time, alone if it must."""
