#include <stdio.h>

#include "program.h"

static FILE *images;

uint32_t program_open(void) {
    images = fopen("images.bin", "rb");
    return 0;
}

int program_read(uint32_t file, uint8_t *bytes, uint32_t count) {
    (void)file;
    return images != NULL && fread(bytes, 1, count, images) == count;
}

void program_print(const char *text) {
    fputs(text, stdout);
}

uint32_t program_instructions(void) {
    return 0;
}

int main(void) {
    return program_main();
}
