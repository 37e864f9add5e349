"""Releases that are bad at the login page replace this file."""
