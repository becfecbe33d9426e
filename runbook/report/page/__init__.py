"""A run as one self-contained HTML page: verdict, figures, charts, what was done and with which values."""
