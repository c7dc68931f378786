"""The controller and its agents. They inject faults into a network, upgrade its runtimes, and undo the faults."""
