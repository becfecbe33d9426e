"""The command line: what each task of tasks.py does."""
