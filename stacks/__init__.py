"""Pulumi programs. They decide nothing: they get rendered objects."""
