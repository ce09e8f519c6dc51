"""Production processes: settings, wiring, runner, health, supervisor and the doctor."""
