"""Harnesses that run other libraries' own tests against the doors."""
