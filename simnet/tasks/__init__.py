"""Downstream tasks: their performance ST is what a delivered image is worth."""
