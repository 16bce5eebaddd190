# The parts of the benches in tools/: linux (a router to measure), linux_trace (where its time goes), pages (huge ones).
