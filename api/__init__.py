"""Front door for programs: upstream systems, rail webhooks, statement files."""
