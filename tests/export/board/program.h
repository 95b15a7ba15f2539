/* A program that classifies the images of images.bin, on the board and on the host. */
#ifndef TESTS_EXPORT_BOARD_PROGRAM_H
#define TESTS_EXPORT_BOARD_PROGRAM_H

#include <stdint.h>

int program_main(void);

/* ---- what the machine does: board.c, host.c ---- */

uint32_t program_open(void);
/* 0 at the end of the file. */
int program_read(uint32_t file, uint8_t *bytes, uint32_t count);
void program_print(const char *text);
/* Instructions so far; 0 on the host. */
uint32_t program_instructions(void);

#endif
