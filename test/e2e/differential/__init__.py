# The same frames to barewire and to a Linux router, and what each made of them; see README.md.
