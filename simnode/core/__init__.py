"""The protocol as a pure state machine: message, timer and time in; messages, records and log lines out.

Nothing here does I/O, reads a clock or draws a random number, so that `simnode.testing` can run thousands of seeded
schedules in one process in virtual time, and find the schedule that breaks a rule.
"""
