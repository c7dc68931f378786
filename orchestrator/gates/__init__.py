"""Gates: what is asked, what is known, and what that means, live and afterwards by the same code.

The order of the data: `question` puts a gate into words, `measure` asks the `ports` and the answers become a `record`;
`window` finds the stretch of time, `evaluate` finds what the record says in it, `verdict` merges, `judge` does a run.
"""
