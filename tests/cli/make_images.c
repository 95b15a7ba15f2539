/* A small folder of PNG images by class for the tests of the program: make_images FOLDER
 * TRAINING TEST. Class c is a bright bar in row 2 + 2c of 28 x 28 noisy pixels, whose colour
 * says nothing: learned in a few epochs, the same bytes on every machine. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <png.h>

#define SIDE 28
#define CLASSES 10

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void write_image(const char *path, uint32_t class, uint32_t *state) {
    static uint8_t pixels[SIDE * SIDE * 3];
    for (uint32_t i = 0; i < SIDE * SIDE * 3; i++) {
        const uint32_t row = i / 3 / SIDE;
        const uint32_t column = i / 3 % SIDE;
        const int bar = row / 2 == class + 1 && column > 5 && column < 22;
        pixels[i] = (uint8_t)(next_random(state) % 64U + (bar ? 190U : 0U));
    }
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_RGB};
    if (png_image_write_to_file(&image, path, 0, pixels, 0, NULL) == 0) {
        fprintf(stderr, "%s: %s\n", path, image.message);
        exit(1);
    }
}

static void write_part(const char *folder, const char *part, uint32_t count, uint32_t seed) {
    char path[4096];
    uint32_t state = seed;
    snprintf(path, sizeof path, "%s/%s", folder, part);
    (void)mkdir(path, 0777);
    for (uint32_t class = 0; class < CLASSES; class ++) {
        snprintf(path, sizeof path, "%s/%s/class%u", folder, part, class);
        (void)mkdir(path, 0777);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t class = i % CLASSES;
        snprintf(path, sizeof path, "%s/%s/class%u/%05u.png", folder, part, class, i);
        write_image(path, class, &state);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("usage: make_images FOLDER TRAINING TEST\n", stderr);
        return 2;
    }
    write_part(argv[1], "train", (uint32_t)strtoul(argv[2], NULL, 10), 1);
    write_part(argv[1], "test", (uint32_t)strtoul(argv[3], NULL, 10), 2);
    return 0;
}
