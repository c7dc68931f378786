"""Gates: ask for evidence, record it and judge by it. The same code judges live and afterwards.

The flow of the data: a gate has one of four `kinds` of evidence (`samples`, `counts`, `agreement`, `measured`), which
makes its `question`, collects the answers from the `ports` and judges them. What is known is in a `record`; `timeline`
and `window` find the gate's stretch of time in it. `assess` judges a gate, by `decide` alone; `judge` judges a run.
"""
