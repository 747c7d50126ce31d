"""What Skein shows a program of itself."""
