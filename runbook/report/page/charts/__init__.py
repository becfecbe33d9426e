"""The page's charts, drawn by matplotlib: inline SVG that follows the page's colours, and files beside it."""
