/* Protocols above IP as people write them: icmp, icmp6, tcp, udp, others by their number. */
#ifndef KERNEL_SHELL_PROTOCOL_H
#define KERNEL_SHELL_PROTOCOL_H

#include <stdint.h>

struct output;

/* The protocol of a word that the grammar has checked. */
uint8_t protocol_of(const char *text);

/* One as a value of a row. */
void output_protocol(struct output *o, uint8_t protocol);

#endif
