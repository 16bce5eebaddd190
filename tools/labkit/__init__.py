# The parts of tools/lab: place (names, locks), hosts, machine, console, accel, main.
