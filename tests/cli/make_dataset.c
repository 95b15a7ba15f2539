/* A small data set in MNIST's layout for the tests of the program:
 * make_dataset FOLDER TRAINING TEST. Class c is a bright bar in row 2 + 2c of
 * 28 x 28 noisy pixels: learned in one epoch, the same bytes on every machine. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SIDE 28
#define CLASSES 10

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void put_u32(FILE *file, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 255U), file);
}

static FILE *create(const char *folder, const char *part, const char *kind) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%s-ubyte", folder, part, kind);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void put_image(FILE *file, uint32_t class, uint32_t *state) {
    for (uint32_t row = 0; row < SIDE; row++)
        for (uint32_t column = 0; column < SIDE; column++) {
            int bar = row / 2 == class + 1 && column > 5 && column < 22;
            fputc((int)(next_random(state) % 64U + (bar ? 190U : 0U)), file);
        }
}

static void write_part(const char *folder, const char *part, uint32_t count, uint32_t seed) {
    FILE *images = create(folder, part, "images-idx3");
    FILE *labels = create(folder, part, "labels-idx1");
    uint32_t state = seed;
    put_u32(images, 0x803);
    put_u32(images, count);
    put_u32(images, SIDE);
    put_u32(images, SIDE);
    put_u32(labels, 0x801);
    put_u32(labels, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t class = next_random(&state) % CLASSES;
        put_image(images, class, &state);
        fputc((int)class, labels);
    }
    if (fclose(images) != 0 || fclose(labels) != 0) {
        perror(folder);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("usage: make_dataset FOLDER TRAINING TEST\n", stderr);
        return 2;
    }
    write_part(argv[1], "train", (uint32_t)strtoul(argv[2], NULL, 10), 1);
    write_part(argv[1], "t10k", (uint32_t)strtoul(argv[3], NULL, 10), 2);
    return 0;
}
