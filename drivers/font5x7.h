/* A font for boot messages: 5 by 7 dots, and an eighth row for what hangs below the line. */
#ifndef DRIVERS_FONT5X7_H
#define DRIVERS_FONT5X7_H

#include <stdint.h>

#define FONT_FIRST      ' '
#define FONT_CHARACTERS 95u /* to '~' */
#define FONT_COLUMNS    5u

/* A byte for each column from the left; bit 0 is the topmost dot. */
extern const uint8_t font5x7[FONT_CHARACTERS][FONT_COLUMNS];

#endif
