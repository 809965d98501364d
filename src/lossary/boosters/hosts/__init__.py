"""The hosts: what each of them says differently."""
