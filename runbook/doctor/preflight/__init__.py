"""What a run needs, looked at before money is spent: P1 to P16. Nothing is changed.

What is not there yet and is made by a step is in order; what would make a run fail is not.
"""
