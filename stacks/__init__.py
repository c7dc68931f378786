"""Pulumi programs. They decide nothing: every object comes rendered."""
