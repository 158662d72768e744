"""Mending what checking found."""
