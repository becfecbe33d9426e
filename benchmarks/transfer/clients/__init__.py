"""What people write to move a model, each as a program of its own.

They read their job from the environment, and run on the Python of the clients' own virtual environment.
"""
