"""Shows what stands on the stand-in's Discord, as it was really sent: in a terminal, or as a page."""
