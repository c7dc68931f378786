"""What the machine can do, measured before the first stage and compared with what a rehearsal asks of it."""
