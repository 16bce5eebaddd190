/* Direct cache access, the chipset's side. */
#ifndef KERNEL_X86_DCA_H
#define KERNEL_X86_DCA_H

/* Finds out, and notes it for `show hardware`. Boot core, once. */
void dca_note(void);

#endif
