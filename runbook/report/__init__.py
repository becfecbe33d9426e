"""What people and programs read of a run: console, JSON lines, pages."""
