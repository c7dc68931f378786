"""Gates: asks what they need, records the answers and judges them. The same code judges live and afterwards.

The flow of the data: `question` turns a gate into a query. `measure` asks the `ports`, and the answers become a
`record`. `window` finds the gate's stretch of time, and `evaluate` judges the record in it. `verdict` merges verdicts,
and `judge` judges a whole run.
"""
