"""The protocol as a pure state machine. Inputs: messages, timers, the time. Outputs: messages, records, log lines.

Nothing here does I/O, reads a clock or draws random numbers. So `simnode.testing` can run thousands of seeded schedules
in one process, in virtual time, and find a schedule that breaks a rule.
"""
